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
        m_sliding = false;
        Q_EMIT rangeChanged();
    }
}

void ChartGroup::zoomOut()
{
    if (!m_zooms.isEmpty()) {
        m_zooms.removeLast();
        m_sliding = false;
        Q_EMIT rangeChanged();
    }
}

void ChartGroup::resetZoom()
{
    if (!m_zooms.isEmpty()) {
        m_zooms.clear();
        m_sliding = false;
        Q_EMIT rangeChanged();
    }
}

void ChartGroup::scale(double factor, double centre)
{
    const auto [start, end] = range();
    slide(centre - (centre - start) * factor, centre + (end - centre) * factor);
}

void ChartGroup::pan(double seconds)
{
    const auto [start, end] = range();
    slide(start + seconds, end + seconds);
}

void ChartGroup::slide(double start, double end)
{
    if (end - start < 1) {
        return;
    }
    if (m_sliding && !m_zooms.isEmpty()) {
        m_zooms.last() = {start, end};
    } else {
        m_zooms << Span(start, end);
    }
    m_sliding = true;
    Q_EMIT rangeChanged();
}

void ChartGroup::setCrosshair(std::optional<double> time)
{
    if (time != m_crosshair) {
        m_crosshair = time;
        Q_EMIT crosshairChanged();
    }
}

} // namespace sluice::ui
