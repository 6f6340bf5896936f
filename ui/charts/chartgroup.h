#pragma once

#include <QList>
#include <QObject>
#include <optional>
#include <utility>

namespace sluice::ui {

/// What the charts of a page share: the time range they show, the zoom history and the crosshair.
/// Times are seconds since 1970, or since the start of a run; a group keeps to one of them.
class ChartGroup : public QObject
{
    Q_OBJECT

public:
    using Span = std::pair<double, double>;

    explicit ChartGroup(QObject* parent = nullptr);

    Span range() const { return m_zooms.isEmpty() ? m_live : m_zooms.last(); }
    bool isZoomed() const { return !m_zooms.isEmpty(); }
    /// The range without zoom; charts follow it unless somebody zoomed in.
    void setLiveRange(double start, double end);
    void zoom(double start, double end); ///< ignored when shorter than a second
    void zoomOut(); ///< one step back
    void resetZoom();

    // Steps of the wheel and of the arrow keys; those that follow each other are one step of the
    // history.
    void scale(double factor, double centre); ///< 0.8: a fifth less around `centre`
    void pan(double seconds);

    std::optional<double> crosshair() const { return m_crosshair; }
    void setCrosshair(std::optional<double> time);

    /// Times from a run's start ("0:30") instead of clock times.
    void setElapsed(bool elapsed) { m_elapsed = elapsed; }
    bool isElapsed() const { return m_elapsed; }

Q_SIGNALS:
    void rangeChanged();
    void crosshairChanged();

private:
    void slide(double start, double end);

    Span m_live{0, 1};
    QList<Span> m_zooms;
    bool m_sliding = false; ///< the last zoom came from the wheel or a key
    std::optional<double> m_crosshair;
    bool m_elapsed = false;
};

} // namespace sluice::ui
