#include "ui/thresholds/heatmapview.h"

#include "ui/shell/format.h"
#include "ui/shell/theme.h"

#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <algorithm>
#include <cmath>

namespace sluice::ui {

namespace {

QColor mixed(const QColor& from, const QColor& to, double share)
{
    const auto part = [share](int a, int b) { return int(std::lround(a + (b - a) * share)); };
    return QColor(
        part(from.red(), to.red()), part(from.green(), to.green()), part(from.blue(), to.blue()));
}

} // namespace

HeatMapView::HeatMapView(QWidget* parent)
    : QWidget(parent)
{
    setAccessibleName(tr("Threshold and margin"));
    setToolTip(tr("Darker is worse: the share of wrong answers among the accepted. The size of a "
                  "cell's mark is the coverage. Click to take the pair."));
    setMouseTracking(true);
    setFocusPolicy(Qt::StrongFocus);
    connect(&theme(), &Theme::changed, this, qOverload<>(&QWidget::update));
}

void HeatMapView::setMap(const ops::HeatMap& map)
{
    m_map = map;
    update();
}

void HeatMapView::setPresent(double threshold, double margin)
{
    m_threshold = threshold;
    m_margin = margin;
    update();
}

QRectF HeatMapView::area() const
{
    return QRectF(40, 20, width() - 56, height() - 20 - 38);
}

QRectF HeatMapView::cell(int margin, int threshold) const
{
    const QRectF plot = area();
    const double w = plot.width() / ops::HeatMap::thresholds;
    const double h = plot.height() / ops::HeatMap::margins;
    return QRectF(plot.left() + threshold * w, plot.bottom() - (margin + 1) * h, w, h);
}

QString HeatMapView::readOut() const
{
    const ops::HeatMap::Cell& cell = m_map.at(m_row, m_column);
    const double risk =
        cell.accepted == 0 ? std::nan("") : double(cell.errors) / double(cell.accepted);
    return tr("threshold %1 · margin %2 · coverage %3 · wrong %4")
        .arg(format::fixed(ops::HeatMap::threshold(m_column), 2),
            format::fixed(ops::HeatMap::margin(m_row), 2),
            format::percent(double(cell.accepted) / double(std::max<std::int64_t>(1, m_map.rows))),
            format::percent(risk));
}

void HeatMapView::paintEvent(QPaintEvent*)
{
    if (m_map.rows == 0) {
        return;
    }
    QPainter painter(this);
    const Colors& colors = theme().colors();
    double most = 0.01;
    for (const ops::HeatMap::Cell& cell : m_map.cells) {
        most =
            cell.accepted > 20 ? std::max(most, double(cell.errors) / double(cell.accepted)) : most;
    }
    for (int margin = 0; margin < ops::HeatMap::margins; ++margin) {
        for (int threshold = 0; threshold < ops::HeatMap::thresholds; ++threshold) {
            const ops::HeatMap::Cell& value = m_map.at(margin, threshold);
            const QRectF box = cell(margin, threshold).adjusted(0.5, 0.5, -0.5, -0.5);
            painter.fillRect(box, colors.raised);
            if (value.accepted == 0) {
                continue;
            }
            const double risk = std::min(1.0, double(value.errors) / double(value.accepted) / most);
            const double side = std::sqrt(double(value.accepted) / double(m_map.rows));
            const QSizeF size(box.width() * side, box.height() * side);
            painter.fillRect(QRectF(box.center() - QPointF(size.width(), size.height()) / 2, size),
                mixed(colors.accent, colors.bad, risk));
        }
    }
    painter.setFont(theme().font(FontRole::Small));
    painter.setPen(colors.muted);
    for (int threshold = 0; threshold < ops::HeatMap::thresholds; threshold += 5) {
        const QRectF box = cell(0, threshold);
        painter.drawText(QRectF(box.center().x() - 20, box.bottom() + 3, 40, 14), Qt::AlignHCenter,
            format::fixed(ops::HeatMap::threshold(threshold), 2));
    }
    for (int margin = 0; margin < ops::HeatMap::margins; margin += 2) {
        const QRectF box = cell(margin, 0);
        painter.drawText(QRectF(0, box.center().y() - 8, 36, 16), Qt::AlignRight | Qt::AlignVCenter,
            format::fixed(ops::HeatMap::margin(margin), 2));
    }
    painter.setPen(colors.faint);
    painter.drawText(QRectF(40, height() - 17, width() - 56, 14), Qt::AlignHCenter,
        tr("global threshold, against the margin"));
    const QRectF present =
        cell(std::clamp(int(std::lround(m_margin * 20)), 0, ops::HeatMap::margins - 1),
            std::clamp(int(std::lround(m_threshold * 20)), 0, ops::HeatMap::thresholds - 1));
    painter.setBrush(Qt::NoBrush);
    painter.setPen(QPen(colors.text, 2));
    painter.drawRect(present);
    painter.setPen(colors.muted);
    if (m_column >= 0) {
        painter.setPen(QPen(hasFocus() ? colors.accent : colors.text, 1, Qt::DashLine));
        painter.drawRect(cell(m_row, m_column));
        painter.setPen(colors.text);
    }
    painter.drawText(QRectF(40, 2, width() - 56, 14), Qt::AlignRight,
        m_column >= 0 ? readOut() : tr("size: coverage · colour: wrong among the accepted"));
}

void HeatMapView::point(const QPointF& place)
{
    const QRectF plot = area();
    if (!plot.contains(place)) {
        m_column = -1;
        m_row = -1;
    } else {
        m_column =
            std::min(int((place.x() - plot.left()) / plot.width() * ops::HeatMap::thresholds),
                ops::HeatMap::thresholds - 1);
        m_row = std::min(int((plot.bottom() - place.y()) / plot.height() * ops::HeatMap::margins),
            ops::HeatMap::margins - 1);
    }
    update();
}

void HeatMapView::mouseMoveEvent(QMouseEvent* event)
{
    point(event->position());
}

void HeatMapView::mousePressEvent(QMouseEvent* event)
{
    point(event->position());
    if (m_column >= 0 && event->button() == Qt::LeftButton) {
        Q_EMIT picked(ops::HeatMap::threshold(m_column), ops::HeatMap::margin(m_row));
    }
}

void HeatMapView::leaveEvent(QEvent*)
{
    m_column = -1;
    m_row = -1;
    update();
}

void HeatMapView::keyPressEvent(QKeyEvent* event)
{
    if (event->key() == Qt::Key_Return && m_column >= 0) {
        Q_EMIT picked(ops::HeatMap::threshold(m_column), ops::HeatMap::margin(m_row));
        return;
    }
    const int right = event->key() == Qt::Key_Right ? 1 : event->key() == Qt::Key_Left ? -1 : 0;
    const int up = event->key() == Qt::Key_Up ? 1 : event->key() == Qt::Key_Down ? -1 : 0;
    if (right == 0 && up == 0) {
        QWidget::keyPressEvent(event);
        return;
    }
    if (m_column < 0) {
        m_column = int(std::lround(m_threshold * 20));
        m_row = int(std::lround(m_margin * 20));
    }
    m_column = std::clamp(m_column + right, 0, ops::HeatMap::thresholds - 1);
    m_row = std::clamp(m_row + up, 0, ops::HeatMap::margins - 1);
    setAccessibleDescription(m_map.rows == 0 ? QString() : readOut());
    update();
}

} // namespace sluice::ui
