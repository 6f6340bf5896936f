#pragma once

#include "engine/operations/monitoring/prometheusclient.h"
#include "engine/operations/rollout/gatecounters.h"
#include "engine/operations/rollout/gatesource.h"
#include "engine/operations/rollout/stageevidence.h"

#include <QHash>
#include <QList>
#include <optional>
#include <set>

namespace sluice::ops {

/// PromQL that gives raw counters and gauges, as range vectors over the last `seconds`.
namespace gatequeries {
QString balancerCounters(double seconds); ///< requests, answers 5xx, failed connections, by proxy
QString workerLatencies(double seconds); ///< buckets of the service's requests, by pool and le
QString workerRefusals(double seconds); ///< answers 503: what a worker shed
QString workerMemory(const QString& pool, double seconds); ///< resident bytes, and the limit
QString failures(const QString& pool); ///< answers 5xx of a pool at the balancer, one counter
/// A gate's own PromQL with {{canary}}, {{stable}} and {{window}} filled in.
QString own(
    const PlannedGate& gate, const QString& canary, const QString& stable, double timeScale);
/// When failures() are read to measure their dispersion: the day before `end` in the steps of a
/// scrape, both scaled; seconds (since 1970).
struct History
{
    double from = 0;
    double to = 0;
    double step = 0;
};
History historyBefore(double end, double timeScale);
} // namespace gatequeries

/// Complaints of a stage, as counted in the feedback stream.
struct ComplaintCounts
{
    double canary = 0;
    double stable = 0;
};

/// What the sources said in one round. A list may be empty; where there is an error, nothing came.
struct GateInput
{
    std::optional<Error> balancerError;
    QList<TimeSeries> balancer;
    std::optional<Error> workersError;
    QList<TimeSeries> latencies;
    QList<TimeSeries> refusals;
    std::optional<Error> memoryError;
    QList<TimeSeries> memory;
    /// Latencies of the stable pool in its last hour before it got no more traffic (100 %).
    QList<TimeSeries> stableHour;
    std::optional<double> dispersion; ///< measured on the stable pool, where it was asked for
    std::optional<Error> complaintsError;
    std::optional<ComplaintCounts> complaints;
    QHash<QString, Result<QList<InstantSample>>> queries; ///< by gate, of Measure::Query
};

/// Judges a plan's gates from what was read: the owners' hard triggers over their window, and the
/// evidence gathered in the stage. Knows neither network nor clock: the same readings at the same
/// times give the same verdicts, and a state saved and restored goes on to the bit.
///
/// - ErrorRate: (5xx + connection errors + response errors - what workers shed) / requests of the
///   canary at the balancer in the window. Time-outs are 5xx (504) and response errors there. Under
///   `atLeast` requests INCONCLUSIVE. Shed answers are told apart.
/// - LatencyRatio: p95 of the canary's over the stable pool's workers in the same minutes; at 100 %
///   over the stable pool's last hour.
/// - Memory: resident memory / limit of the canary's worst worker. Growth that reaches the limit
///   before the soak ends is INCONCLUSIVE: it holds.
/// - Complaints: complaints a request, canary over stable, in this stage; INCONCLUSIVE under
///   `atLeast`.
/// - ErrorEvidence, LatencyEvidence: FAIL at an e-value of 1/alpha; PASS (no sign) below it.
/// - ErrorProof: PASS at an e-value of 20; never FAIL.
/// - Split: FAIL at an e-value of 1/alpha against the asked share (and a fifth of it, or `limit`).
/// - Query: the largest value that PromQL gives is at most the limit.
///
/// Nothing scraped for five scrapes (10 s at least), no series, NaN: NO_DATA. The source does not
/// answer: SOURCE_DOWN. What happened before this rollout began counts for nothing.
class GateJudge
{
public:
    /// Limit of a worker that knows none of its own, and the least that a known one counts for.
    static constexpr double defaultMemoryLimit = 512.0 * 1024 * 1024;
    static constexpr double provenLimit = 20;

    explicit GateJudge(double memoryLimitBytes = defaultMemoryLimit)
        : m_memoryLimit(memoryLimitBytes)
    { }

    QList<GateReading> judge(const GateContext& what, const GateInput& input);

    /// How far back raw counters are to be read for the next round, in seconds.
    double secondsToRead(const GateContext& what) const;
    /// Whether this stage still needs the stable pool's dispersion.
    bool needsDispersion(const GateContext& what) const;

    QJsonObject save() const;
    void restore(const QJsonObject& saved);
    /// Evidence begins anew; counters stay.
    void reset() { m_evidence.reset(); }

private:
    struct Window
    {
        double from = 0;
        double to = 0;
    };
    void take(const GateContext& what, const GateInput& input);
    void step(const GateContext& what, const GateInput& input);
    Window windowOf(const GateContext& what, const PlannedGate& gate) const;
    /// Bad and all requests of a pool at the balancer.
    ArmCounts errorsOf(const QString& pool, double from, double to, bool withConnections) const;
    LatencyCounts latenciesOf(const QString& pool, double from, double to) const;
    /// Sets verdict and reason where a source gave nothing to judge; then true.
    bool isBlind(GateReading& reading, const CounterStore& store, const std::optional<Error>& error,
        qint64 nowMs) const;

    void judgeErrors(GateReading& reading, const PlannedGate& gate, const GateContext& what) const;
    void judgeLatency(GateReading& reading, const PlannedGate& gate, const GateContext& what,
        const GateInput& input) const;
    void judgeMemory(GateReading& reading, const PlannedGate& gate, const GateContext& what,
        const GateInput& input) const;
    void judgeComplaints(GateReading& reading, const PlannedGate& gate, const GateContext& what,
        const GateInput& input) const;
    void judgeEvidence(
        GateReading& reading, const PlannedGate& gate, const GateContext& what) const;
    void judgeQuery(GateReading& reading, const PlannedGate& gate, const GateInput& input) const;

    double m_memoryLimit;
    CounterStore m_balancer;
    CounterStore m_workers;
    std::set<double> m_bounds; ///< of the latency histogram
    QString m_rolloutId;
    double m_since = 0; ///< seconds since 1970: nothing before belongs to this rollout
    std::optional<StageEvidence> m_evidence;
};

} // namespace sluice::ops
