#include "ui/charts/timelines.h"

#include "ui/shell/theme.h"

#include <QPainter>
#include <algorithm>
#include <cmath>
#include <limits>

namespace sluice::ui {

namespace {

constexpr double stripHeight = 18; ///< of the time axis below the plot
constexpr double textHeight = 13; ///< of the small font
constexpr double markRoom = 150; ///< the words of a mark
constexpr double labelRoom = 76; ///< a time label and the air round it

} // namespace

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
        m_drawn = false;
    }
}

void TimeLines::setScale(double bottom, double top)
{
    m_bottom = bottom;
    m_top = top;
    m_drawn = false;
}

void TimeLines::setGap(double seconds)
{
    m_drawn = m_drawn && seconds == m_gap;
    m_gap = seconds;
}

QList<ChartSeries>& TimeLines::changeSeries()
{
    m_drawn = false;
    return m_series;
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
    const double share = (value - m_bottom) / (m_top - m_bottom);
    return m_plot.bottom() - std::clamp(share, -0.02, 1.02) * m_plot.height();
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
    for (const AllowedBand& band : m_bands) {
        painter->fillRect(
            QRectF(QPointF(m_plot.left(), yOf(band.high)), QPointF(m_plot.right(), yOf(band.low))),
            withAlpha(theme().colors().ok, 0.12));
    }
    paintLines(*painter);
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
    double last = std::numeric_limits<double>::infinity();
    for (const ValueLabel& label : m_labels) { // from the lowest
        const double y = yOf(label.value);
        painter.setPen(QPen(withAlpha(theme().colors().line, 0.8), 1));
        painter.drawLine(QPointF(m_plot.left(), y), QPointF(m_plot.right(), y));
        if (last - y < textHeight) {
            continue; // in a low chart they would lie over each other
        }
        last = y;
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

void TimeLines::paintLines(QPainter& painter)
{
    const double ratio = painter.device()->devicePixelRatioF();
    const QSize size(
        int(std::ceil(m_plot.width() * ratio)), int(std::ceil(m_plot.height() * ratio)));
    if (m_picture.size() != size) {
        m_picture = QImage(size, QImage::Format_ARGB32_Premultiplied);
        m_drawn = false;
    }
    if (!m_drawn) {
        drawLines(ratio);
        m_drawn = true;
    }
    painter.setOpacity(m_stale ? 0.35 : 1);
    painter.drawImage(
        QRectF(m_plot.topLeft(), QSizeF(size) / ratio), m_picture, QRectF(QPointF(), QSizeF(size)));
    painter.setOpacity(1);
}

void TimeLines::drawLines(double ratio)
{
    LineRaster raster(&m_picture);
    for (const ChartSeries& series : m_series) {
        if (series.visible && !series.points.isEmpty()) {
            drawLine(raster, series, ratio);
        }
    }
}

void TimeLines::drawLine(LineRaster& raster, const ChartSeries& series, double ratio) const
{
    const QPen pen = theme().seriesPen(series.style);
    LineRaster::Style style{pen.color(), pen.widthF() * ratio, {}, series.area ? 0.14 : 0.0,
        (yOf(std::max(0.0, m_bottom)) - m_plot.top()) * ratio};
    for (const double length : pen.dashPattern()) {
        style.dash << length * style.width;
    }
    const auto height = [&](double value) { return (yOf(value) - m_plot.top()) * ratio; };
    const auto [start, end] = m_group->range();
    const int width = m_picture.width();
    const Samples& points = series.points;
    const qsizetype first = std::max<qsizetype>(0, points.lowerBound(start) - 1);
    const qsizetype last = std::min(points.size(), points.lowerBound(end) + 1);
    if (last - first > width) {
        QList<Column> columns = points.columns(start, end, width, m_gap);
        for (Column& column : columns) {
            column = {height(column.first), height(column.high), height(column.low),
                height(column.last), column.used, column.joins};
        }
        raster.drawColumns(columns, style);
        return;
    }
    std::vector<std::vector<QPointF>> runs(1);
    double previous = points[first].x();
    for (qsizetype index = first; index < last; ++index) {
        const QPointF& point = points[index];
        const bool broken = !std::isfinite(point.y()) || point.x() - previous > m_gap;
        if (broken && !runs.back().empty()) {
            runs.emplace_back();
        }
        if (std::isfinite(point.y())) {
            runs.back().emplace_back(
                (point.x() - start) / (end - start) * width, height(point.y()));
            previous = point.x();
        }
    }
    for (const std::vector<QPointF>& run : runs) {
        raster.drawLine(run, style);
    }
}

QRectF TimeLines::paintLimit(QPainter& painter, const LimitLine& limit) const
{
    if (limit.value > m_top || limit.value < m_bottom) {
        return {};
    }
    const double y = yOf(limit.value);
    painter.setPen(QPen(theme().colors().bad, 1, Qt::DashLine));
    painter.drawLine(QPointF(m_plot.left(), y), QPointF(m_plot.right(), y));
    QRectF words;
    const double above = y - textHeight - 3; // below the line where there is no room above it
    painter.drawText(QRectF(m_plot.left() + 4, above < m_plot.top() - 8 ? y + 1 : above,
                         m_plot.width() - 8, textHeight + 2),
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
        const qsizetype index = series.visible ? series.points.nearest(*time, m_gap) : -1;
        if (index >= 0 && std::isfinite(series.points[index].y())) {
            painter.setPen(Qt::NoPen);
            painter.setBrush(theme().seriesPen(series.style).color());
            painter.drawEllipse(QPointF(x, yOf(series.points[index].y())), 3, 3);
        }
    }
    painter.setRenderHint(QPainter::Antialiasing, false);
}

} // namespace sluice::ui
