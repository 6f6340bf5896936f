#include "ui/classify/batchmodel.h"

#include "ui/classify/answertext.h"
#include "ui/shell/format.h"

#include <algorithm>

namespace sluice::ui {

namespace {

std::string lower(const std::string& text)
{
    return QString::fromStdString(text).toLower().toStdString();
}

bool isNumber(int column)
{
    return column == BatchModel::Confidence || column == BatchModel::Threshold
        || column == BatchModel::Margin || column == BatchModel::Micros
        || column == BatchModel::Line;
}

double numberOf(const ops::BatchRow& row, int column)
{
    switch (column) {
    case BatchModel::Confidence:
        return double(row.confidence);
    case BatchModel::Threshold:
        return double(row.threshold);
    case BatchModel::Margin:
        return double(row.margin);
    case BatchModel::Micros:
        return double(row.microseconds);
    default:
        return row.line;
    }
}

const std::string& stringOf(const ops::BatchRow& row, int column)
{
    switch (column) {
    case BatchModel::Intent:
        return row.intent;
    case BatchModel::Expected:
        return row.expected;
    case BatchModel::Entities:
        return row.entities;
    default:
        return row.text;
    }
}

bool isShown(const ops::BatchRow& row, BatchModel::Show show)
{
    switch (show) {
    case BatchModel::Show::All:
        return true;
    case BatchModel::Show::Accepted:
        return row.error.empty() && row.verdict == Verdict::Accept;
    case BatchModel::Show::Clarified:
        return row.error.empty() && row.verdict == Verdict::Clarify;
    case BatchModel::Show::Fallback:
        return row.error.empty() && row.verdict == Verdict::Fallback;
    case BatchModel::Show::Wrong:
        return !row.expected.empty() && !row.isRight();
    case BatchModel::Show::Errors:
        break;
    }
    return !row.error.empty();
}

} // namespace

BatchModel::BatchModel(QObject* parent)
    : QAbstractTableModel(parent)
    , m_rows(std::make_shared<const std::vector<ops::BatchRow>>())
{ }

std::vector<int> BatchModel::orderOf(const std::vector<ops::BatchRow>& rows, const Wish& wish)
{
    std::vector<int> shown;
    shown.reserve(rows.size());
    for (int index = 0; index < int(rows.size()); ++index) {
        const ops::BatchRow& row = rows[std::size_t(index)];
        if (isShown(row, wish.show)
            && (wish.needle.empty() || lower(row.text).find(wish.needle) != std::string::npos
                || row.intent.find(wish.needle) != std::string::npos
                || row.expected.find(wish.needle) != std::string::npos
                || lower(row.entities).find(wish.needle) != std::string::npos)) {
            shown.push_back(index);
        }
    }
    if (wish.column < 0) {
        return shown;
    }
    const auto less = [&](int a, int b) {
        const ops::BatchRow& x = rows[std::size_t(a)];
        const ops::BatchRow& y = rows[std::size_t(b)];
        if (wish.column == Decision) {
            return x.verdict < y.verdict;
        }
        return isNumber(wish.column) ? numberOf(x, wish.column) < numberOf(y, wish.column)
                                     : stringOf(x, wish.column) < stringOf(y, wish.column);
    };
    if (wish.order == Qt::AscendingOrder) {
        std::stable_sort(shown.begin(), shown.end(), less);
    } else {
        std::stable_sort(shown.begin(), shown.end(), [&](int a, int b) { return less(b, a); });
    }
    return shown;
}

void BatchModel::setRows(Rows rows, std::vector<int> order)
{
    beginResetModel();
    m_rows = std::move(rows);
    m_order = std::move(order);
    endResetModel();
}

void BatchModel::setOrder(std::vector<int> order)
{
    beginResetModel();
    m_order = std::move(order);
    endResetModel();
}

void BatchModel::setFilter(const QString& text, Show show)
{
    m_wish.needle = text.toLower().toStdString();
    m_wish.show = show;
    Q_EMIT wishChanged();
}

void BatchModel::sort(int column, Qt::SortOrder order)
{
    m_wish.column = column;
    m_wish.order = order;
    Q_EMIT wishChanged();
}

const ops::BatchRow* BatchModel::at(const QModelIndex& index) const
{
    return index.isValid() && index.row() < int(m_order.size())
        ? &(*m_rows)[std::size_t(m_order[std::size_t(index.row())])]
        : nullptr;
}

int BatchModel::rowCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : int(m_order.size());
}

int BatchModel::columnCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : int(ColumnCount);
}

QString BatchModel::text(const ops::BatchRow& row, int column) const
{
    if (!row.error.empty() && column != Query && column != Expected && column != Line) {
        return column == Decision ? tr("✕ error")
            : column == Intent    ? QString::fromStdString(row.error)
                                  : format::missing();
    }
    switch (column) {
    case Decision:
        return Theme::glyph(answertext::toneOf(row.verdict)) % u' '
            % answertext::verdict(row.verdict);
    case Confidence:
    case Threshold:
    case Margin:
        return format::fixed(numberOf(row, column), 2);
    case Micros:
        return format::micros(double(row.microseconds));
    case Line:
        return row.line > 0 ? QString::number(row.line) : format::missing();
    default:
        return QString::fromStdString(stringOf(row, column));
    }
}

QVariant BatchModel::data(const QModelIndex& index, int role) const
{
    const ops::BatchRow* row = at(index);
    if (row == nullptr) {
        return {};
    }
    switch (role) {
    case Qt::DisplayRole:
    case Qt::ToolTipRole:
        return text(*row, index.column());
    case Qt::TextAlignmentRole:
        return int((isNumber(index.column()) ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
    case Qt::ForegroundRole:
        if (index.column() == Decision) {
            return theme().color(row->error.empty() ? answertext::toneOf(row->verdict) : Tone::Bad);
        }
        if (index.column() == Expected && !row->expected.empty() && !row->isRight()) {
            return theme().colors().bad;
        }
        return {};
    default:
        return {};
    }
}

QVariant BatchModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation == Qt::Horizontal && role == Qt::TextAlignmentRole && isNumber(section)) {
        return int(Qt::AlignRight | Qt::AlignVCenter);
    }
    if (orientation != Qt::Horizontal || role != Qt::DisplayRole) {
        return {};
    }
    switch (section) {
    case Query:
        return tr("Query");
    case Decision:
        return tr("Decision");
    case Intent:
        return tr("First intent");
    case Confidence:
        return tr("Confidence");
    case Threshold:
        return tr("Threshold");
    case Margin:
        return tr("Margin");
    case Expected:
        return tr("Expected");
    case Entities:
        return tr("Entities");
    case Micros:
        return tr("Time");
    default:
        return tr("Line");
    }
}

} // namespace sluice::ui
