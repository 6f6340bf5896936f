#include "ui/charts/timelines.h"

#include "ui/shell/theme.h"

#include <QPainter>
#include <QPainterPath>
#include <algorithm>
#include <cmath>

namespace sluice::ui {

namespace {

constexpr double stripHeight = 18; ///< of the time axis below the plot
constexpr double markRoom = 150; ///< the words of a mark
constexpr double labelRoom = 76; ///< a time label and the air round it

qsizetype lowerBound(const QList<QPointF>& points, double time)
{
    return std::lower_bound(points.begin(), points.end(), time, [](const QPointF& point, double t) {
        return point.x() < t;
    }) - points.begin();
}

} // namespace

QList<Column> reduceToColumns(
    const QList<QPointF>& points, double start, double end, int columns, double gapSeconds)
{
    QList<Column> out(columns);
    if (columns <= 0 || end <= start) {
        return out;
    }
    const double scale = columns / (end - start);
    double previous = -1e300;
    // One point before the range, so that a line enters from the edge.
    for (qsizetype index = std::max<qsizetype>(0, lowerBound(points, start) - 1);
         index < points.size(); ++index) {
        const QPointF& point = points[index];
        if (point.x() > end) {
            break;
        }
        if (!std::isfinite(point.y())) {
            previous = -1e300;
            continue;
        }
        const bool joins = point.x() - previous <= gapSeconds;
        previous = point.x();
        const int place = std::clamp(int((point.x() - start) * scale), 0, columns - 1);
        if (point.x() < start && index + 1 < points.size()
            && points[index + 1].x() - point.x() > gapSeconds) {
            continue;
        }
        Column& column = out[place];
        if (!column.used) {
            column = {point.y(), point.y(), point.y(), true, joins};
        } else {
            column.low = std::min(column.low, point.y());
            column.high = std::max(column.high, point.y());
            column.last = point.y();
        }
    }
    return out;
}

qsizetype nearestPoint(const QList<QPointF>& points, double time, double reach)
{
    const qsizetype after = lowerBound(points, time);
    qsizetype best = -1;
    double distance = reach;
    for (const qsizetype index : {after - 1, after}) {
        if (index >= 0 && index < points.size() && std::abs(points[index].x() - time) <= distance) {
            best = index;
            distance = std::abs(points[index].x() - time);
        }
    }
    return best;
}

TimeLines::TimeLines(QGraphicsItem* parent)
    : QGraphicsObject(parent)
{
    setFlag(ItemUsesExtendedStyleOption);
    setAcceptedMouseButtons(Qt::NoButton);
    setZValue(10);
}

void TimeLines::setPlot(const QRectF& plot)
{
    if (plot != m_plot) {
        prepareGeometryChange();
        m_plot = plot;
    }
}

QRectF TimeLines::boundingRect() const
{
    return m_plot.adjusted(-m_plot.left(), -10, 4, stripHeight);
}

double TimeLines::timeAt(double x) const
{
    const auto [start, end] = m_group->range();
    return start + (x - m_plot.left()) / std::max(1.0, m_plot.width()) * (end - start);
}

double TimeLines::xOf(double time) const
{
    const auto [start, end] = m_group->range();
    return m_plot.left() + (time - start) / (end - start) * m_plot.width();
}

double TimeLines::yOf(double value) const
{
    return m_plot.bottom() - std::clamp(value / m_top, 0.0, 1.02) * m_plot.height();
}

void TimeLines::paint(QPainter* painter, const QStyleOptionGraphicsItem*, QWidget*)
{
    if (m_group == nullptr || m_plot.width() < 8) {
        return;
    }
    painter->setFont(theme().font(FontRole::Small));
    paintValueAxis(*painter);
    paintTimeAxis(*painter);
    painter->save();
    painter->setClipRect(m_plot.adjusted(-1, -4, 1, 1));
    if (m_stale) {
        painter->setOpacity(0.35);
    }
    for (const ChartSeries& series : m_series) {
        if (series.visible) {
            paintLine(*painter, series);
        }
    }
    painter->setOpacity(1);
    QList<QRectF> limitWords;
    for (const LimitLine& limit : m_limits) {
        limitWords << paintLimit(*painter, limit);
    }
    paintMarks(*painter, limitWords);
    if (m_dragged) {
        painter->fillRect(QRectF(QPointF(xOf(m_dragged->first), m_plot.top()),
                              QPointF(xOf(m_dragged->second), m_plot.bottom())),
            withAlpha(theme().colors().accent, 0.15));
    }
    paintCrosshair(*painter);
    painter->restore();
}

void TimeLines::paintValueAxis(QPainter& painter) const
{
    for (const ValueLabel& label : m_labels) {
        const double y = yOf(label.value);
        painter.setPen(QPen(withAlpha(theme().colors().line, 0.8), 1));
        painter.drawLine(QPointF(m_plot.left(), y), QPointF(m_plot.right(), y));
        painter.setPen(theme().colors().muted);
        painter.drawText(
            QRectF(0, y - 8, m_plot.left() - 7, 16), Qt::AlignRight | Qt::AlignVCenter, label.text);
    }
}

void TimeLines::paintTimeAxis(QPainter& painter) const
{
    const auto [start, end] = m_group->range();
    painter.setPen(theme().colors().muted);
    const int most = std::max(1, int(m_plot.width() / labelRoom));
    for (const TimeTick& tick : timeTicks(start, end, most, m_group->isElapsed())) {
        const double x = xOf(tick.time);
        QRectF box(x - labelRoom / 2, m_plot.bottom() + 3, labelRoom, stripHeight - 3);
        // Labels at the ends stay inside the chart.
        box.moveLeft(std::clamp(box.left(), m_plot.left() - 24, m_plot.right() + 8 - labelRoom));
        painter.drawText(box, Qt::AlignHCenter | Qt::AlignTop, tick.text);
    }
}

void TimeLines::paintLine(QPainter& painter, const ChartSeries& series) const
{
    const auto [start, end] = m_group->range();
    const int columns = std::max(2, int(m_plot.width()));
    const QList<Column> reduced = reduceToColumns(series.points, start, end, columns, m_gap);
    QPen pen = theme().seriesPen(series.style);
    pen.setCosmetic(true);
    QPainterPath area;
    QPolygonF run;
    const auto finishRun = [&] {
        if (series.area && run.size() > 1) {
            QPolygonF shape = run;
            shape << QPointF(run.last().x(), m_plot.bottom())
                  << QPointF(run.first().x(), m_plot.bottom());
            area.addPolygon(shape);
        }
        if (run.size() > 1) {
            // One path, so that dashes run on from segment to segment; a few hundred points at
            // most.
            painter.drawPolyline(run);
        } else if (run.size() == 1) {
            painter.drawEllipse(run.first(), 1, 1);
        }
        run.clear();
    };
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(pen);
    painter.setBrush(Qt::NoBrush);
    for (int index = 0; index < columns; ++index) {
        const Column& column = reduced[index];
        if (!column.used) {
            continue;
        }
        if (!column.joins) {
            finishRun();
        }
        const double x = m_plot.left() + index + 0.5;
        if (column.high > column.low) {
            run << QPointF(x, yOf(column.low)) << QPointF(x, yOf(column.high));
        }
        run << QPointF(x, yOf(column.last));
    }
    finishRun();
    if (!area.isEmpty()) {
        painter.setPen(Qt::NoPen);
        painter.fillPath(area, withAlpha(pen.color(), 0.14));
    }
    painter.setRenderHint(QPainter::Antialiasing, false);
}

QRectF TimeLines::paintLimit(QPainter& painter, const LimitLine& limit) const
{
    if (limit.value > m_top) {
        return {};
    }
    const double y = yOf(limit.value);
    painter.setPen(QPen(theme().colors().bad, 1, Qt::DashLine));
    painter.drawLine(QPointF(m_plot.left(), y), QPointF(m_plot.right(), y));
    QRectF words;
    painter.drawText(QRectF(m_plot.left() + 4, y - 16, m_plot.width() - 8, 15),
        Qt::AlignLeft | Qt::AlignVCenter, limit.text, &words);
    return words;
}

void TimeLines::paintMarks(QPainter& painter, const QList<QRectF>& taken) const
{
    double lastText =
        -1e9; // words of marks that stand close would lie over each other: the newest speaks
    for (const EventMark& mark : m_marks) {
        const double x = xOf(mark.time);
        if (x < m_plot.left() || x > m_plot.right()) {
            continue;
        }
        painter.setPen(QPen(theme().colors().muted, 1, Qt::DotLine));
        painter.drawLine(QPointF(x, m_plot.top()), QPointF(x, m_plot.bottom()));
        if (std::abs(x - lastText) < markRoom) {
            continue;
        }
        lastText = x;
        const bool left = x > m_plot.center().x();
        QRectF box(left ? x - 164 : x + 4, m_plot.top() - 2, 160, 14);
        const int side = int((left ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
        QRectF words = painter.boundingRect(box, side, mark.text).adjusted(-2, 0, 2, 0);
        for (const QRectF& other : taken) {
            if (words.intersects(other)) {
                box.moveTop(other.bottom() + 3);
                words.moveTop(other.bottom() + 3);
            }
        }
        painter.fillRect(words, theme().colors().card);
        painter.setPen(theme().colors().muted);
        painter.drawText(box, side, mark.text);
    }
}

void TimeLines::paintCrosshair(QPainter& painter) const
{
    const auto time = m_group->crosshair();
    if (!time) {
        return;
    }
    const double x = xOf(*time);
    painter.setPen(QPen(theme().colors().faint, 1));
    painter.drawLine(QPointF(x, m_plot.top()), QPointF(x, m_plot.bottom()));
    painter.setRenderHint(QPainter::Antialiasing);
    for (const ChartSeries& series : m_series) {
        const qsizetype index = series.visible ? nearestPoint(series.points, *time, m_gap) : -1;
        if (index >= 0 && std::isfinite(series.points[index].y())) {
            painter.setPen(Qt::NoPen);
            painter.setBrush(theme().seriesPen(series.style).color());
            painter.drawEllipse(QPointF(x, yOf(series.points[index].y())), 3, 3);
        }
    }
    painter.setRenderHint(QPainter::Antialiasing, false);
}

} // namespace sluice::ui
