#include "ui/charts/chartlegend.h"

#include "ui/shell/theme.h"

#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <algorithm>

namespace sluice::ui {

namespace {

constexpr int swatch = 14;
constexpr int widestGap = 14;
constexpr int leastGap = 4;
constexpr int mostRows = 3;

} // namespace

ChartLegend::ChartLegend(QWidget* parent)
    : QWidget(parent)
{
    setFocusPolicy(Qt::TabFocus);
    setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Fixed);
    setAccessibleName(tr("Legend"));
    connect(&theme(), &Theme::changed, this, qOverload<>(&QWidget::update));
}

void ChartLegend::setEntries(const QList<Entry>& entries)
{
    m_entries = entries;
    m_current = qBound(0, m_current, int(std::max<qsizetype>(0, entries.size() - 1)));
    QStringList words;
    for (const Entry& entry : entries) {
        words << entry.name % u' ' % entry.value;
    }
    setAccessibleDescription(words.join(QStringLiteral(", ")));
    fitRows();
    update();
}

int ChartLegend::rowHeight()
{
    return QFontMetrics(theme().font(FontRole::Small)).height() + 4;
}

QSize ChartLegend::sizeHint() const
{
    return {100, m_rows * rowHeight()};
}

void ChartLegend::fitRows()
{
    const QList<QRect> all = boxes();
    const int rows = all.isEmpty() ? 1 : std::min(mostRows, all.last().bottom() / rowHeight() + 1);
    if (rows != m_rows) {
        m_rows = rows;
        updateGeometry();
    }
}

void ChartLegend::resizeEvent(QResizeEvent* event)
{
    QWidget::resizeEvent(event);
    fitRows();
}

QList<QRect> ChartLegend::boxes() const
{
    const QFontMetrics metrics(theme().font(FontRole::Small));
    QList<int> widths;
    int room = width();
    for (const Entry& entry : m_entries) {
        widths << swatch + 5
                + metrics.horizontalAdvance(entry.name % QLatin1StringView("  ") % entry.value);
        room -= widths.last();
    }
    // Where it is narrow the entries move together.
    const int between = std::max(1, int(m_entries.size()) - 1);
    const int gap = std::clamp(room / between, leastGap, widestGap);
    QList<QRect> boxes;
    QPoint place;
    for (const int wide : widths) {
        if (place.x() > 0 && place.x() + wide > width()) {
            place = {0, place.y() + rowHeight()};
        }
        boxes << QRect(place, QSize(wide, rowHeight()));
        place.rx() += wide + gap;
    }
    return boxes;
}

int ChartLegend::at(const QPoint& place) const
{
    const QList<QRect> all = boxes();
    for (int index = 0; index < all.size(); ++index) {
        if (all[index].contains(place)) {
            return index;
        }
    }
    return -1;
}

void ChartLegend::paintEvent(QPaintEvent*)
{
    QPainter painter(this);
    painter.setFont(theme().font(FontRole::Small));
    const QFontMetrics metrics(painter.font());
    const QList<QRect> all = boxes();
    for (int index = 0; index < all.size(); ++index) {
        const Entry& entry = m_entries[index];
        const QRect box = all[index];
        painter.setOpacity(entry.visible ? 1.0 : 0.4);
        painter.setRenderHint(QPainter::Antialiasing);
        QPen pen = theme().seriesPen(entry.style);
        pen.setWidthF(2);
        painter.setPen(pen);
        painter.drawLine(
            box.left(), box.center().y() + 1, box.left() + swatch, box.center().y() + 1);
        painter.setPen(theme().colors().muted);
        const QRect text = box.adjusted(swatch + 5, 0, 4, 0);
        painter.drawText(text, Qt::AlignVCenter | Qt::AlignLeft, entry.name);
        painter.setPen(theme().colors().text);
        painter.drawText(
            text.adjusted(metrics.horizontalAdvance(entry.name % QLatin1StringView("  ")), 0, 0, 0),
            Qt::AlignVCenter | Qt::AlignLeft, entry.value);
        if (hasFocus() && index == m_current) {
            painter.setPen(QPen(theme().colors().accent, 1));
            painter.setBrush(Qt::NoBrush);
            painter.drawRoundedRect(QRectF(box).adjusted(-2.5, 0.5, 2.5, -0.5), 3, 3);
        }
    }
}

void ChartLegend::mousePressEvent(QMouseEvent* event)
{
    const int index = at(event->pos());
    if (index >= 0) {
        Q_EMIT toggled(index);
    }
}

void ChartLegend::mouseDoubleClickEvent(QMouseEvent* event)
{
    const int index = at(event->pos());
    if (index >= 0) {
        Q_EMIT soloed(index);
    }
}

void ChartLegend::keyPressEvent(QKeyEvent* event)
{
    switch (event->key()) {
    case Qt::Key_Left:
        m_current = std::max(0, m_current - 1);
        break;
    case Qt::Key_Right:
        m_current = std::min(int(m_entries.size()) - 1, m_current + 1);
        break;
    case Qt::Key_Space:
        Q_EMIT toggled(m_current);
        break;
    default:
        QWidget::keyPressEvent(event);
        return;
    }
    update();
}

} // namespace sluice::ui
