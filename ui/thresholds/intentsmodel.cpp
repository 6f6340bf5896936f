#include "ui/thresholds/intentsmodel.h"

#include "engine/classification/thresholds/statistics.h"
#include "ui/shell/format.h"

#include <cmath>

namespace sluice::ui {

IntentsModel::IntentsModel(QObject* parent)
    : QAbstractTableModel(parent)
{ }

void IntentsModel::setIntents(std::vector<std::string> labels)
{
    beginResetModel();
    m_outcomes.assign(labels.size(), {});
    m_labels = std::move(labels);
    endResetModel();
}

void IntentsModel::setOutcomes(std::vector<IntentOutcome> outcomes, const ThresholdSet& set)
{
    m_outcomes = std::move(outcomes);
    m_set = set;
    if (!m_labels.empty()) {
        Q_EMIT dataChanged(index(0, Support), index(int(m_labels.size()) - 1, ColumnCount - 1));
    }
}

int IntentsModel::rowCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : int(m_labels.size());
}

int IntentsModel::columnCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : ColumnCount;
}

double IntentsModel::number(int row, int column) const
{
    const IntentOutcome& outcome = m_outcomes[std::size_t(row)];
    switch (column) {
    case Support:
        return double(outcome.support);
    case Threshold: {
        const auto own = m_set.perIntent.find(m_labels[std::size_t(row)]);
        return own == m_set.perIntent.end() ? m_set.global : own->second;
    }
    case Precision:
        return outcome.predicted == 0 ? std::nan("") : outcome.precision();
    case Recall:
        return outcome.support == 0 ? std::nan("") : outcome.recall();
    case Coverage:
        return outcome.support == 0 ? std::nan("") : outcome.coverage();
    case Wrong:
        return double(outcome.predicted - outcome.right);
    default:
        return std::nan("");
    }
}

QVariant IntentsModel::data(const QModelIndex& index, int role) const
{
    if (!index.isValid() || std::size_t(index.row()) >= m_labels.size()) {
        return {};
    }
    const int column = index.column();
    if (role == Qt::TextAlignmentRole) {
        return int((column == Intent ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter);
    }
    if (role == Qt::UserRole) { // what the proxy sorts by
        return column == Intent
            ? QVariant(QString::fromStdString(m_labels[std::size_t(index.row())]))
            : QVariant(number(index.row(), column));
    }
    if (role != Qt::DisplayRole) {
        return {};
    }
    const double value = number(index.row(), column);
    if (column == Intent) {
        return QString::fromStdString(m_labels[std::size_t(index.row())]);
    }
    if (std::isnan(value)) {
        return format::missing();
    }
    switch (column) {
    case Threshold:
        return format::fixed(value, 2);
    case Precision: {
        const IntentOutcome& outcome = m_outcomes[std::size_t(index.row())];
        const Interval interval =
            wilsonInterval(std::int64_t(outcome.right), std::int64_t(outcome.predicted));
        return format::plusMinus(value * 100, (interval.high - interval.low) * 50, 1);
    }
    case Recall:
    case Coverage:
        return format::fixed(value * 100, 1);
    default:
        return format::count(value);
    }
}

QVariant IntentsModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal) {
        return {};
    }
    if (role == Qt::TextAlignmentRole) {
        return int((section == Intent ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter);
    }
    if (role != Qt::DisplayRole) {
        return {};
    }
    const QString names[] = {tr("intent"), tr("support"), tr("threshold"), tr("precision %"),
        tr("recall %"), tr("coverage %"), tr("wrong accepted")};
    return names[section];
}

} // namespace sluice::ui
