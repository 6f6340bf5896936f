#include "ui/charts/chartgroup.h"

namespace sluice::ui {

ChartGroup::ChartGroup(QObject* parent)
    : QObject(parent)
{ }

void ChartGroup::setLiveRange(double start, double end)
{
    if (end > start && m_live != Span(start, end)) {
        m_live = {start, end};
        if (m_zooms.isEmpty()) {
            Q_EMIT rangeChanged();
        }
    }
}

void ChartGroup::zoom(double start, double end)
{
    if (end - start >= 1) {
        m_zooms << Span(start, end);
        Q_EMIT rangeChanged();
    }
}

void ChartGroup::zoomOut()
{
    if (!m_zooms.isEmpty()) {
        m_zooms.removeLast();
        Q_EMIT rangeChanged();
    }
}

void ChartGroup::resetZoom()
{
    if (!m_zooms.isEmpty()) {
        m_zooms.clear();
        Q_EMIT rangeChanged();
    }
}

void ChartGroup::setCrosshair(std::optional<double> time)
{
    if (time != m_crosshair) {
        m_crosshair = time;
        Q_EMIT crosshairChanged();
    }
}

} // namespace sluice::ui
