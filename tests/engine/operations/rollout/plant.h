#pragma once

#include "engine/operations/rollout/dryrun.h"
#include "engine/operations/rollout/gates.h"

#include <QMap>
#include <cmath>

namespace sluice::test {

using namespace sluice::ops;

inline constexpr double began = 1'700'000'000; // seconds since 1970

inline PlannedGate gateOf(Measure measure, double limit, double atLeast = 0)
{
    PlannedGate gate;
    gate.name = measureName(measure);
    gate.measure = measure;
    gate.limit = limit;
    gate.atLeast = atLeast;
    return gate;
}

/// Two pools that are scraped every 15 s of a virtual clock.
class Plant
{
public:
    double now = began;
    double canaryRate = 10; ///< requests a second
    double stableRate = 190;
    double canaryErrors = 0; ///< share
    double stableErrors = 0;
    double canaryShed = 0; ///< share, within the errors
    double canaryConnection = 0;
    double canarySlow = 1; ///< factor on latencies of 10 ms
    double canaryMemory = 100.0 * 1048576;

    /// Counts to the next scrape.
    void scrape(double seconds = 15)
    {
        now += seconds;
        count(QStringLiteral("green"), canaryRate * seconds, canaryErrors, canaryShed,
            canaryConnection, 0.01 * canarySlow);
        count(QStringLiteral("blue"), stableRate * seconds, stableErrors, 0, 0, 0.01);
        record();
    }
    void scrapes(int number)
    {
        for (int index = 0; index < number; ++index) {
            scrape();
        }
    }
    void restartBalancer() { m_balancer.clear(); }

    /// All that was scraped so far, as a recording.
    Recording recording(double from, double to) const
    {
        return {QStringLiteral("green"), QStringLiteral("blue"), qint64(from * 1000),
            qint64(to * 1000), after(m_balancerSeries, 0), after(m_latencySeries, 0),
            after(m_shedSeries, 0), after(m_memorySeries, 0), {}, {}, {}, {}};
    }

    GateInput input(double seconds = 400) const
    {
        GateInput made;
        made.balancer = after(m_balancerSeries, now - seconds);
        made.latencies = after(m_latencySeries, now - seconds);
        made.refusals = after(m_shedSeries, now - seconds);
        made.memory = after(m_memorySeries, now - 300);
        made.complaints = ComplaintCounts{};
        return made;
    }

private:
    using Series = QMap<QString, TimeSeries>;
    static QList<TimeSeries> after(const Series& all, double from)
    {
        QList<TimeSeries> kept;
        for (TimeSeries series : all) {
            series.points.removeIf([from](const QPointF& point) { return point.x() <= from; });
            if (!series.points.isEmpty()) {
                kept << series;
            }
        }
        return kept;
    }
    void count(const QString& pool, double requests, double errors, double shed, double connection,
        double latency)
    {
        m_balancer[pool + QStringLiteral(" http_requests")] += requests;
        m_balancer[pool + QStringLiteral(" http_responses")] += std::round(requests * errors);
        m_balancer[pool + QStringLiteral(" connection_errors")] +=
            std::round(requests * connection);
        m_shed[pool] += std::round(requests * shed);
        for (const double bound : {0.005, 0.01, 0.02, 0.04, 0.08}) {
            m_latency[pool + u' ' + QString::number(bound)] += latency <= bound ? requests : 0;
        }
        m_latency[pool + QStringLiteral(" +Inf")] += requests;
    }
    void record()
    {
        for (auto value = m_balancer.begin(); value != m_balancer.end(); ++value) {
            const QStringList words = value.key().split(u' ');
            Labels labels{{QStringLiteral("__name__"),
                              QStringLiteral("haproxy_backend_%1_total").arg(words[1])},
                {QStringLiteral("proxy"), words[0]}};
            add(m_balancerSeries, value.key(), labels, *value);
        }
        for (auto value = m_latency.begin(); value != m_latency.end(); ++value) {
            const QStringList words = value.key().split(u' ');
            add(m_latencySeries, value.key(),
                {{QStringLiteral("pool"), words[0]}, {QStringLiteral("le"), words[1]}}, *value);
        }
        for (auto value = m_shed.begin(); value != m_shed.end(); ++value) {
            add(m_shedSeries, value.key(), {{QStringLiteral("pool"), value.key()}}, *value);
        }
        const auto memory = [&](const char* name, double bytes) {
            add(m_memorySeries, QString::fromLatin1(name),
                {{QStringLiteral("__name__"), QString::fromLatin1(name)},
                    {QStringLiteral("instance"), QStringLiteral("green-1")}},
                bytes);
        };
        memory("process_resident_memory_bytes", canaryMemory);
        memory("sluice_memory_limit_bytes", 64e9); // the machine's
    }
    void add(Series& all, const QString& key, const Labels& labels, double value) const
    {
        TimeSeries& series = all[key];
        series.labels = labels;
        series.points << QPointF(now, value);
    }

    QMap<QString, double> m_balancer;
    QMap<QString, double> m_latency;
    QMap<QString, double> m_shed;
    Series m_balancerSeries;
    Series m_latencySeries;
    Series m_shedSeries;
    Series m_memorySeries;
};

inline GateContext contextOf(
    const Plant& plant, const QList<PlannedGate>& gates, double soakFrom = began)
{
    GateContext what;
    what.rolloutId = QStringLiteral("r1");
    what.canary = QStringLiteral("green");
    what.stable = QStringLiteral("blue");
    what.stage = 2;
    what.shareBasisPoints = 500;
    what.gates = gates;
    what.soakFromMs = qint64(soakFrom * 1000);
    what.soakMs = 7200'000;
    what.nowMs = qint64(plant.now * 1000);
    return what;
}

} // namespace sluice::test
