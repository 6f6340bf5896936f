#include "ui/charts/xychart.h"

#include "ui/charts/axisticks.h"
#include "ui/shell/format.h"
#include "ui/shell/theme.h"

#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <algorithm>

namespace sluice::ui {

namespace {

constexpr double left = 50;
constexpr double right = 22;
constexpr double top = 20;
constexpr double bottom = 38;

/// The line's point at or just before `x`; its first where there is none.
std::optional<QPointF> at(const XyChart::Line& line, double x)
{
    if (line.points.isEmpty()) {
        return std::nullopt;
    }
    const auto next = std::upper_bound(line.points.begin(), line.points.end(), x,
        [](double value, const QPointF& point) { return value < point.x(); });
    return next == line.points.begin() ? line.points.first() : *std::prev(next);
}

} // namespace

XyChart::XyChart(const QString& name, QWidget* parent)
    : QWidget(parent)
{
    setAccessibleName(name);
    setMouseTracking(true);
    setFocusPolicy(Qt::StrongFocus);
    connect(&theme(), &Theme::changed, this, qOverload<>(&QWidget::update));
}

void XyChart::setPicture(Picture picture)
{
    m_picture = std::move(picture);
    m_top = topOf(m_picture);
    if (m_picture.here) {
        setAccessibleDescription(
            m_picture.hereText.arg(m_picture.x.title, m_picture.x.text(m_picture.here->x()),
                m_picture.y.title, m_picture.y.text(m_picture.here->y())));
    }
    update();
}

QRectF XyChart::area() const
{
    return QRectF(left, top, width() - left - right, height() - top - bottom);
}

double XyChart::topOf(const Picture& picture) const
{
    if (picture.y.to > picture.y.from) {
        return picture.y.to;
    }
    double most = 0;
    for (const Line& line : picture.lines) {
        // The first points stand on a handful of rows and jump: they don't set the scale.
        const double settled = picture.x.from + 0.05 * (picture.x.to - picture.x.from);
        for (const QPointF& point : line.points) {
            most = point.x() >= settled ? std::max(most, point.y()) : most;
        }
    }
    most = std::max({most, picture.here ? picture.here->y() : 0, picture.limit.value_or(0)});
    return valueScale(most).top;
}

QPointF XyChart::place(const QPointF& point) const
{
    const QRectF plot = area();
    const Axis& x = m_picture.x;
    const double up = std::clamp(point.y() / m_top, 0.0, 1.0);
    return {plot.left() + (point.x() - x.from) / (x.to - x.from) * plot.width(),
        plot.bottom() - up * plot.height()};
}

void XyChart::drawAxes(QPainter& painter)
{
    const Colors& colors = theme().colors();
    const QRectF plot = area();
    painter.setFont(theme().font(FontRole::Small));
    const ValueScale scale = m_picture.y.to > m_picture.y.from
        ? ValueScale{m_picture.y.to, {0, m_picture.y.to / 2, m_picture.y.to}}
        : valueScale(m_top);
    for (const double tick : scale.ticks) {
        const double y = place({m_picture.x.from, tick}).y();
        painter.setPen(QPen(colors.line, 1));
        painter.drawLine(QPointF(plot.left(), y), QPointF(plot.right(), y));
        painter.setPen(colors.muted);
        painter.drawText(QRectF(0, y - 8, left - 6, 16), Qt::AlignRight | Qt::AlignVCenter,
            m_picture.y.text(tick));
    }
    for (int step = 0; step <= 4; ++step) {
        const double value = m_picture.x.from + (m_picture.x.to - m_picture.x.from) * step / 4;
        const double x = place({value, 0}).x();
        painter.drawText(QRectF(x - 30, plot.bottom() + 3, 60, 14), Qt::AlignHCenter | Qt::AlignTop,
            m_picture.x.text(value));
    }
    painter.setPen(colors.faint);
    painter.drawText(
        QRectF(plot.left(), height() - 17, plot.width(), 14), Qt::AlignHCenter, m_picture.x.title);
}

void XyChart::drawLine(QPainter& painter, const Line& line)
{
    const QPen pen = theme().seriesPen(line.style);
    if (!line.dots) {
        if (!line.bars.isEmpty()) {
            QPolygonF band;
            for (qsizetype index = 0; index < line.bars.size(); ++index) {
                band << place({line.points[index].x(), line.bars[index].y()});
            }
            for (qsizetype index = line.bars.size() - 1; index >= 0; --index) {
                band << place({line.points[index].x(), line.bars[index].x()});
            }
            painter.setPen(Qt::NoPen);
            painter.setBrush(withAlpha(pen.color(), 0.15));
            painter.drawPolygon(band);
        }
        QPolygonF drawn;
        drawn.reserve(line.points.size());
        for (const QPointF& point : line.points) {
            const QPointF place = this->place(point);
            // Points that fall on the last one's pixel add nothing.
            if (drawn.isEmpty() || (place - drawn.last()).manhattanLength() >= 0.75) {
                drawn << place;
            }
        }
        painter.setPen(pen);
        painter.setBrush(Qt::NoBrush);
        painter.drawPolyline(drawn);
        return;
    }
    for (qsizetype index = 0; index < line.points.size(); ++index) {
        const QPointF point = line.points[index];
        if (index < line.bars.size()) {
            painter.setPen(QPen(theme().colors().muted, 1));
            painter.drawLine(
                place({point.x(), line.bars[index].x()}), place({point.x(), line.bars[index].y()}));
        }
        painter.setPen(Qt::NoPen);
        painter.setBrush(pen.color());
        painter.drawEllipse(place(point), 3.5, 3.5);
    }
}

void XyChart::drawMarks(QPainter& painter)
{
    const Colors& colors = theme().colors();
    const QRectF plot = area();
    if (m_picture.limit) {
        const double y = place({0, *m_picture.limit}).y();
        painter.setPen(QPen(colors.ok, 1, Qt::DashLine));
        painter.drawLine(QPointF(plot.left(), y), QPointF(plot.right(), y));
        painter.drawText(
            QRectF(plot.left() + 4, y < plot.top() + 16 ? y + 3 : y - 16, plot.width() - 8, 14),
            Qt::AlignLeft, m_picture.limitText);
    }
    if (m_picture.here) {
        const QPointF here = place(*m_picture.here);
        painter.setPen(QPen(colors.faint, 1));
        painter.drawLine(QPointF(here.x(), plot.top()), QPointF(here.x(), plot.bottom()));
        painter.setPen(Qt::NoPen);
        painter.setBrush(colors.accent);
        painter.drawEllipse(here, 4, 4);
    }
    if (m_cursor) {
        const double x = place({*m_cursor, 0}).x();
        painter.setPen(QPen(colors.muted, 1, Qt::DotLine));
        painter.drawLine(QPointF(x, plot.top()), QPointF(x, plot.bottom()));
    }
    // What the lines are, or what they say under the cursor.
    double x = plot.left();
    painter.setFont(theme().font(FontRole::Small));
    if (m_cursor) {
        painter.setPen(colors.text);
        painter.drawText(QRectF(plot.left(), 2, plot.width(), 14), Qt::AlignRight, readOut());
        return;
    }
    for (const Line& line : m_picture.lines) {
        if (line.name.isEmpty()) {
            continue;
        }
        painter.setPen(theme().seriesPen(line.style));
        painter.setBrush(theme().seriesPen(line.style).color());
        if (line.dots) {
            painter.setPen(Qt::NoPen);
            painter.drawEllipse(QPointF(x + 9, 9), 3.5, 3.5);
        } else {
            painter.drawLine(QPointF(x, 9), QPointF(x + 18, 9));
        }
        painter.setPen(colors.muted);
        painter.drawText(QPointF(x + 23, 13), line.name);
        x += 23 + painter.fontMetrics().horizontalAdvance(line.name) + 16;
    }
}

QString XyChart::readOut() const
{
    QStringList words{m_picture.x.title.section(u':', 0, 0) % u' ' % m_picture.x.text(*m_cursor)};
    for (const Line& line : m_picture.lines) {
        if (const auto point = at(line, *m_cursor); point && !line.name.isEmpty()) {
            words << QString(line.name % u' ' % m_picture.y.text(point->y()));
        }
    }
    return words.join(QStringLiteral(" · "));
}

void XyChart::paintEvent(QPaintEvent*)
{
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    if (!m_picture.x.text || !m_picture.y.text || m_picture.x.to <= m_picture.x.from) {
        return; // nothing was set yet
    }
    drawAxes(painter);
    if (m_picture.diagonal) {
        painter.setPen(QPen(theme().colors().faint, 1, Qt::DashLine));
        painter.drawLine(
            place({m_picture.x.from, m_picture.x.from}), place({m_picture.x.to, m_picture.x.to}));
    }
    for (const Line& line : std::as_const(m_picture.lines)) {
        drawLine(painter, line);
    }
    drawMarks(painter);
    if (hasFocus()) {
        painter.setPen(QPen(theme().colors().accent, 1));
        painter.setBrush(Qt::NoBrush);
        painter.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4);
    }
}

void XyChart::mouseMoveEvent(QMouseEvent* event)
{
    const QRectF plot = area();
    const double share = (event->position().x() - plot.left()) / plot.width();
    m_cursor = share < 0 || share > 1
        ? std::nullopt
        : std::optional(m_picture.x.from + share * (m_picture.x.to - m_picture.x.from));
    update();
}

void XyChart::mousePressEvent(QMouseEvent* event)
{
    mouseMoveEvent(event);
    if (m_cursor && event->button() == Qt::LeftButton) {
        Q_EMIT picked(*m_cursor);
    }
}

void XyChart::leaveEvent(QEvent*)
{
    m_cursor.reset();
    update();
}

void XyChart::keyPressEvent(QKeyEvent* event)
{
    const double span = m_picture.x.to - m_picture.x.from;
    const double step = event->key() == Qt::Key_Left ? -0.01
        : event->key() == Qt::Key_Right              ? 0.01
                                                     : 0;
    if (step != 0) {
        const double from = m_cursor.value_or(m_picture.here ? m_picture.here->x() : 0);
        m_cursor = std::clamp(from + step * span, m_picture.x.from, m_picture.x.to);
        setAccessibleDescription(readOut());
        update();
    } else if (event->key() == Qt::Key_Return && m_cursor) {
        Q_EMIT picked(*m_cursor);
    } else if (event->key() == Qt::Key_Escape && m_cursor) {
        m_cursor.reset();
        update();
    } else {
        QWidget::keyPressEvent(event);
    }
}

} // namespace sluice::ui
