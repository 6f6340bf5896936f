#pragma once

#include "engine/operations/monitoring/prometheusclient.h"
#include "engine/operations/rollout/latencytest.h"

#include <QHash>
#include <QList>
#include <QString>
#include <optional>

namespace sluice::ops {

/// What raw counters grew by, sample by sample, gathered under names of the caller's ("green
/// requests"): own differences instead of rate() and increase(), which extrapolate. A value under
/// the one before is a restart: the counter began at 0 again, and has grown by what it shows. A
/// sample counts once, however often it is read; of a pair of Prometheus servers that scrape the
/// same (label `replica` or `prometheus_replica`) one is taken. Bounded: forget() what lies behind.
class CounterStore
{
public:
    /// Adds a series' raw samples. The first one is where counting starts; of a series that was not
    /// there at `seenUntil` (newest() before this round of questions; 0: the first round) it is all
    /// growth.
    void take(const QString& name, const TimeSeries& series, double seenUntil);
    /// Growth in (from, to], seconds since 1970.
    double growth(const QString& name, double from, double to) const;
    bool has(const QString& name) const { return m_growth.contains(name); }
    /// Time of the newest sample of all; 0: none.
    double newest() const { return m_newest; }
    /// Seconds between samples, as last seen; 0: not yet known.
    double spacing() const { return m_spacing; }
    void forget(double before);

private:
    struct Last
    {
        double time = 0;
        double value = 0;
    };
    QHash<QString, Last> m_last; ///< by series
    QHash<QString, QString> m_replicas; ///< by series without its replica: the one taken
    QHash<QString, QList<QPointF>> m_growth; ///< by name, in the order of time
    double m_newest = 0;
    double m_spacing = 0;
};

/// A quantile (0 to 1) of a histogram, between its bounds by linear interpolation as Prometheus
/// does it, in the bounds' unit; beyond the last bound that bound. Empty without requests.
std::optional<double> quantileOf(
    const LatencyCounts& counts, const std::vector<double>& bounds, double quantile);

/// The least-squares line through points; empty with fewer than 2 times.
struct Trend
{
    double perSecond = 0;
    double last = 0; ///< the line's value at the last point
};
std::optional<Trend> trendOf(const QList<QPointF>& points);

} // namespace sluice::ops
