#include "ui/rollout/gatetable.h"

#include "ui/rollout/evidenceview.h"
#include "ui/shell/format.h"
#include "ui/shell/plaintable.h"
#include "ui/shell/theme.h"

#include <QApplication>
#include <QClipboard>
#include <QContextMenuEvent>
#include <QHeaderView>
#include <QMap>
#include <QMenu>
#include <QStyledItemDelegate>
#include <cmath>

namespace sluice::ui {

namespace {

QString figure(double value, const QString& unit)
{
    if (std::isnan(value)) {
        return format::missing();
    }
    // Without the zeros that would claim more digits than were counted.
    const QString number =
        std::abs(value) < 1000 ? QString::number(value, 'g', 3) : format::count(value);
    return unit.isEmpty()                ? number
        : unit == QLatin1StringView("x") ? QString(number + QStringLiteral("×"))
                                         : QString(number + u' ' + unit);
}

/// What the stable pool has of the same, where it is known.
QString stableFigure(const ops::GateReading& reading)
{
    const QJsonObject& counts = reading.counts;
    if (counts.contains(QLatin1StringView("stable_value"))) {
        return figure(counts[QLatin1StringView("stable_value")].toDouble(), reading.unit);
    }
    if (counts.contains(QLatin1StringView("stable_p95_ms"))) {
        return format::duration(counts[QLatin1StringView("stable_p95_ms")].toDouble() / 1000);
    }
    if (counts.contains(QLatin1StringView("stable"))) {
        return format::count(counts[QLatin1StringView("stable")].toDouble());
    }
    return {};
}

QString canaryFigure(const ops::GateReading& reading)
{
    const QJsonObject& counts = reading.counts;
    if (counts.contains(QLatin1StringView("canary_p95_ms"))) {
        return format::duration(counts[QLatin1StringView("canary_p95_ms")].toDouble() / 1000);
    }
    if (counts.contains(QLatin1StringView("canary"))) {
        return format::count(counts[QLatin1StringView("canary")].toDouble());
    }
    if (!std::isnan(reading.evidence)) {
        return QStringLiteral("e ")
            + (reading.evidence >= 1e5 ? QStringLiteral("> 100,000")
                                       : QString::number(reading.evidence, 'g', 2));
    }
    return figure(reading.value, reading.unit);
}

} // namespace

namespace {

/// Rows of more than one line with room between them.
class RoomyDelegate : public QStyledItemDelegate
{
public:
    using QStyledItemDelegate::QStyledItemDelegate;
    QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override
    {
        return QStyledItemDelegate::sizeHint(option, index) + QSize(0, 10);
    }
};

} // namespace

void makeRoomy(QTableWidget* table)
{
    table->setWordWrap(true);
    table->setItemDelegate(new RoomyDelegate(table));
    table->verticalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
}

void dressRolloutTable(QTableWidget* table, const QString& name)
{
    plainTable(table, name);
    table->setWordWrap(false);
    table->horizontalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
    table->horizontalHeader()->setSectionResizeMode(0, QHeaderView::Stretch);
}

void setCell(QTableWidget* table, int row, int column, const QString& text, const QColor& ink,
    const QString& toolTip)
{
    QTableWidgetItem* item = table->item(row, column);
    if (item == nullptr) {
        item = new QTableWidgetItem;
        item->setTextAlignment((column == 0 ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter);
        table->setItem(row, column, item);
    }
    item->setText(text);
    item->setToolTip(toolTip);
    item->setData(Qt::ForegroundRole, ink.isValid() ? QVariant(QBrush(ink)) : QVariant());
}

GateTable::GateTable(QWidget* parent)
    : QTableWidget(0, 5, parent)
{
    dressRolloutTable(this, tr("Gates"));
}

void GateTable::setReadings(const ops::RolloutState& state)
{
    setHorizontalHeaderLabels({tr("gate"), state.canary, state.stable, tr("limit"), tr("verdict")});
    horizontalHeaderItem(0)->setTextAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    for (int column = 1; column < 5; ++column) {
        horizontalHeaderItem(column)->setTextAlignment(Qt::AlignRight | Qt::AlignVCenter);
    }
    setRowCount(int(state.readings.size()));
    m_queries.clear();
    for (int row = 0; row < rowCount(); ++row) {
        const ops::GateReading& reading = state.readings[row];
        const VerdictWord verdict = verdictWord(reading);
        const QString more =
            tr("%1\n\nread at %2 from\n%3")
                .arg(reading.reason, format::clock(QDateTime::fromMSecsSinceEpoch(reading.atMs)),
                    reading.query);
        const QString limit = !std::isnan(reading.evidenceLimit)
            ? figure(reading.evidenceLimit, {})
            : figure(reading.limit, reading.unit);
        const QColor quiet = theme().colors().muted;
        setCell(this, row, 0, reading.gate, {}, more);
        setCell(this, row, 1, canaryFigure(reading), {}, more);
        setCell(this, row, 2, stableFigure(reading), quiet, more);
        setCell(this, row, 3, limit, quiet, more);
        setCell(this, row, 4, verdict.glyph + u' ' + verdict.word, verdict.ink, more);
        m_queries << reading.query;
    }
}

QString GateTable::summary(const QList<ops::GateReading>& readings)
{
    QMap<int, int> counts;
    QMap<int, QString> words;
    for (const ops::GateReading& reading : readings) {
        ++counts[int(reading.verdict)];
        words[int(reading.verdict)] = verdictWord(reading).word;
    }
    QStringList said;
    for (auto count = counts.begin(); count != counts.end(); ++count) {
        said << tr("%1 %2").arg(*count).arg(words[count.key()]);
    }
    return said.join(QStringLiteral(" · "));
}

void GateTable::contextMenuEvent(QContextMenuEvent* event)
{
    const int row = rowAt(event->pos().y());
    if (row < 0 || row >= m_queries.size()) {
        return;
    }
    auto* menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    menu->addAction(tr("Copy the query"), this,
        [query = m_queries[row]] { QApplication::clipboard()->setText(query); });
    menu->popup(event->globalPos());
}

} // namespace sluice::ui
