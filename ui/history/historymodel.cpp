#include "ui/history/historymodel.h"

#include "ui/shell/format.h"
#include "ui/shell/theme.h"

namespace sluice::ui {

namespace {

Tone toneOf(const QString& outcome)
{
    if (outcome == QLatin1StringView("done") || outcome == QLatin1StringView("passed")) {
        return Tone::Ok;
    }
    return outcome == QLatin1StringView("stopped") ? Tone::Warn : Tone::Bad;
}

} // namespace

HistoryModel::HistoryModel(QObject* parent)
    : QAbstractTableModel(parent)
{ }

void HistoryModel::setEntries(QList<ops::HistoryEntry> entries)
{
    beginResetModel();
    m_entries = std::move(entries);
    endResetModel();
}

int HistoryModel::rowCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : int(m_entries.size());
}

int HistoryModel::columnCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : ColumnCount;
}

QVariant HistoryModel::data(const QModelIndex& index, int role) const
{
    if (!index.isValid() || index.row() >= m_entries.size()) {
        return {};
    }
    const ops::HistoryEntry& entry = m_entries[index.row()];
    if (role == Qt::ForegroundRole && index.column() == Outcome) {
        return theme().color(toneOf(entry.outcome));
    }
    if (role == Qt::ToolTipRole && index.column() == At) {
        return entry.at.toLocalTime().toString(Qt::ISODate);
    }
    if (role != Qt::DisplayRole) {
        return {};
    }
    switch (index.column()) {
    case At:
        return entry.at.toLocalTime().date() == QDate::currentDate()
            ? format::clock(entry.at)
            : entry.at.toLocalTime().toString(QStringLiteral("d MMM HH:mm:ss"));
    case Actor:
        return entry.actor;
    case Environment:
        return entry.environment.isEmpty() ? format::missing() : entry.environment;
    case Kind:
        return entry.kind;
    case Subject:
        return entry.subject;
    case Outcome:
        return QString(Theme::glyph(toneOf(entry.outcome)) % u' ' % entry.outcome);
    default:
        return {};
    }
}

QVariant HistoryModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal) {
        return {};
    }
    if (role == Qt::TextAlignmentRole) {
        return int(Qt::AlignLeft | Qt::AlignVCenter);
    }
    if (role != Qt::DisplayRole) {
        return {};
    }
    const QString names[] = {
        tr("when"), tr("who"), tr("environment"), tr("what"), tr("on what"), tr("outcome")};
    return names[section];
}

} // namespace sluice::ui
