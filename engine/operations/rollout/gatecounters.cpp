#include "engine/operations/rollout/gatecounters.h"

#include <algorithm>
#include <cmath>

namespace sluice::ops {

namespace {

bool isReplicaLabel(const QString& name)
{
    return name == QLatin1StringView("replica") || name == QLatin1StringView("prometheus_replica");
}

} // namespace

void CounterStore::take(const QString& name, const TimeSeries& series, double seenUntil)
{
    if (series.points.isEmpty()) {
        return;
    }
    QString key = name;
    QString replica;
    for (auto label = series.labels.begin(); label != series.labels.end(); ++label) {
        (isReplicaLabel(label.key()) ? replica : key) += u'\n' + label.key() + u'=' + label.value();
    }
    const QString taken = m_replicas.value(key, replica);
    if (taken != replica) {
        // The other one takes over where the one so far has said nothing for three samples.
        if (series.points.last().x() < m_last.value(key).time + 3 * std::max(m_spacing, 1.0)) {
            return;
        }
    }
    m_replicas.insert(key, replica);
    if (series.points.size() > 1) {
        m_spacing = (series.points.last().x() - series.points.first().x())
            / double(series.points.size() - 1);
    }
    QList<QPointF>& growth = m_growth[name];
    auto last = m_last.find(key);
    for (const QPointF& point : series.points) {
        if (last == m_last.end()) {
            // There from the start, or born while we watched.
            if (seenUntil > 0 && point.x() > seenUntil && point.y() > 0) {
                growth << QPointF(point.x(), point.y());
            }
            last = m_last.insert(key, {point.x(), point.y()});
            continue;
        }
        if (point.x() <= last->time) {
            continue;
        }
        const double grown = point.y() < last->value ? point.y() : point.y() - last->value;
        if (grown > 0) {
            growth << QPointF(point.x(), grown);
        }
        *last = {point.x(), point.y()};
    }
    // Several series have one name: theirs come one behind the other.
    std::sort(growth.begin(), growth.end(),
        [](const QPointF& a, const QPointF& b) { return a.x() < b.x(); });
    m_newest = std::max(m_newest, last->time);
}

double CounterStore::growth(const QString& name, double from, double to) const
{
    const auto found = m_growth.find(name);
    if (found == m_growth.end()) {
        return 0;
    }
    double sum = 0;
    const auto begin = std::upper_bound(found->begin(), found->end(), from,
        [](double time, const QPointF& point) { return time < point.x(); });
    for (auto point = begin; point != found->end() && point->x() <= to; ++point) {
        sum += point->y();
    }
    return sum;
}

void CounterStore::forget(double before)
{
    for (auto& growth : m_growth) {
        const auto keep = std::upper_bound(growth.begin(), growth.end(), before,
            [](double time, const QPointF& point) { return time < point.x(); });
        growth.erase(growth.begin(), keep);
    }
    // Series of workers that are long gone.
    for (auto last = m_last.begin(); last != m_last.end();) {
        if (last->time < before) {
            m_replicas.remove(last.key());
            last = m_last.erase(last);
        } else {
            ++last;
        }
    }
}

std::optional<double> quantileOf(
    const LatencyCounts& counts, const std::vector<double>& bounds, double quantile)
{
    if (!(counts.requests > 0) || bounds.empty() || counts.atMost.size() != bounds.size()) {
        return std::nullopt;
    }
    const double rank = quantile * counts.requests;
    double below = 0;
    double lower = 0;
    for (std::size_t index = 0; index < bounds.size(); ++index) {
        if (counts.atMost[index] >= rank) {
            const double here = counts.atMost[index] - below;
            const double part = here > 0 ? (rank - below) / here : 1;
            return lower + part * (bounds[index] - lower);
        }
        below = counts.atMost[index];
        lower = bounds[index];
    }
    return bounds.back();
}

std::optional<Trend> trendOf(const QList<QPointF>& points)
{
    if (points.size() < 2 || points.last().x() <= points.first().x()) {
        return std::nullopt;
    }
    double meanX = 0;
    double meanY = 0;
    for (const QPointF& point : points) {
        meanX += point.x() / double(points.size());
        meanY += point.y() / double(points.size());
    }
    double xx = 0;
    double xy = 0;
    for (const QPointF& point : points) {
        xx += (point.x() - meanX) * (point.x() - meanX);
        xy += (point.x() - meanX) * (point.y() - meanY);
    }
    const double slope = xy / xx;
    return Trend{slope, meanY + slope * (points.last().x() - meanX)};
}

} // namespace sluice::ops
