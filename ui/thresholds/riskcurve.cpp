#include "ui/thresholds/riskcurve.h"

#include "ui/charts/axisticks.h"
#include "ui/shell/format.h"
#include "ui/shell/theme.h"

#include <QPainter>
#include <QPainterPath>
#include <algorithm>

namespace sluice::ui {

RiskCurve::RiskCurve(QWidget* parent)
    : QWidget(parent)
{
    setAccessibleName(tr("Risk against coverage"));
    connect(&theme(), &Theme::changed, this, qOverload<>(&QWidget::update));
}

void RiskCurve::setCurve(std::vector<RiskPoint> curve)
{
    m_curve = std::move(curve);
    update();
}

void RiskCurve::setPoint(double coverage, double risk)
{
    m_coverage = coverage;
    m_risk = risk;
    setAccessibleDescription(tr("coverage %1, wrong among the accepted %2")
                                 .arg(format::percent(coverage), format::percent(risk)));
    update();
}

void RiskCurve::paintEvent(QPaintEvent*)
{
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const Colors& colors = theme().colors();
    painter.setFont(theme().font(FontRole::Small));
    double most = 0.03;
    for (const RiskPoint& point : m_curve) {
        // The first points stand on a handful of rows and jump: they don't set the scale.
        most = point.coverage > 0.05 ? std::max(most, point.risk) : most;
    }
    const ValueScale scale = valueScale(std::max(most, m_risk));
    const QRectF area(48, 8, width() - 72, height() - 8 - 36);
    const auto place = [&](double coverage, double risk) {
        return QPointF(area.left() + coverage * area.width(),
            area.bottom() - std::min(risk / scale.top, 1.0) * area.height());
    };
    for (const double tick : scale.ticks) {
        const double y = place(0, tick).y();
        painter.setPen(QPen(colors.line, 1));
        painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y));
        painter.setPen(colors.muted);
        painter.drawText(
            QRectF(0, y - 8, 42, 16), Qt::AlignRight | Qt::AlignVCenter, format::percent(tick));
    }
    for (const double tick : {0.0, 0.25, 0.5, 0.75, 1.0}) {
        const double x = area.left() + tick * area.width();
        painter.drawText(QRectF(x - 24, area.bottom() + 3, 48, 14), Qt::AlignHCenter | Qt::AlignTop,
            format::percent(tick));
    }
    painter.setPen(colors.faint);
    painter.drawText(QRectF(area.left(), height() - 15, area.width(), 14), Qt::AlignHCenter,
        tr("coverage: share accepted"));
    QPolygonF line;
    for (const RiskPoint& point : m_curve) {
        line << place(point.coverage, point.risk);
    }
    painter.setPen(QPen(colors.accent, 1.5));
    painter.drawPolyline(line);
    const QPointF here = place(m_coverage, m_risk);
    painter.setPen(QPen(colors.faint, 1));
    painter.drawLine(QPointF(here.x(), area.top()), QPointF(here.x(), area.bottom()));
    painter.setPen(Qt::NoPen);
    painter.setBrush(colors.accent);
    painter.drawEllipse(here, 4, 4);
}

} // namespace sluice::ui
