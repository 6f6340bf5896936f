#include "engine/operations/rollout/stageevidence.h"

#include <QJsonArray>
#include <algorithm>
#include <cmath>
#include <limits>

namespace sluice::ops {

namespace {

constexpr int version = 1;
/// Sessions differ in length, so that a right split of sessions is not exactly that of requests.
constexpr double splitTolerance = 0.2;
constexpr double requestsPerSession = 10;

/// JSON has no infinity: null stands for the log of nothing.
QJsonArray toArray(const std::vector<double>& values)
{
    QJsonArray array;
    for (const double value : values) {
        array << (std::isfinite(value) ? QJsonValue(value) : QJsonValue());
    }
    return array;
}

std::vector<double> toVector(const QJsonValue& value)
{
    std::vector<double> values;
    const QJsonArray array = value.toArray();
    for (const auto& entry : array) {
        values.push_back(entry.toDouble(-std::numeric_limits<double>::infinity()));
    }
    return values;
}

double limitOf(const GateContext& what, Measure measure, double otherwise)
{
    for (const PlannedGate& gate : what.gates) {
        if (gate.measure == measure && gate.limit > 0) {
            return gate.limit;
        }
    }
    return otherwise;
}

} // namespace

StageEvidence::StageEvidence(const GateContext& what, double dispersion)
    : m_rolloutId(what.rolloutId)
    , m_stage(what.stage)
    , m_soakFromMs(what.soakFromMs)
    , m_soakSeconds(double(what.soakMs) / 1000)
    , m_timeScale(what.timeScale)
    , m_share(what.shareBasisPoints / 10000.0)
    , m_ratioMargin(limitOf(what, Measure::ErrorEvidence, 1))
    , m_proofMargin(limitOf(what, Measure::ErrorProof, 2))
    , m_latencyFactor(limitOf(what, Measure::LatencyEvidence, 2))
    , m_splitTolerance(m_share > 0
              ? std::max(splitTolerance, limitOf(what, Measure::Split, 0) / m_share)
              : splitTolerance)
    , m_dispersion(dispersion)
    , m_errorsUntil(double(what.soakFromMs) / 1000)
    , m_latenciesUntil(double(what.soakFromMs) / 1000)
{
    makeTests();
}

void StageEvidence::makeTests()
{
    const double soak = std::max(1.0, m_soakSeconds);
    const double perStart = std::max(1.0, 300 * m_timeScale);
    const int starts = std::clamp(int(std::ceil(soak / perStart)), 1, 1000);
    RateTestSettings worse = worseRate(soak, m_ratioMargin, m_dispersion);
    worse.secondsPerStart = perStart;
    worse.plannedStarts = starts;
    m_worse = RateRatioTest(worse);
    m_proof = RateProof(m_proofMargin, m_dispersion);
    m_split = SplitCheck({m_share, m_splitTolerance, requestsPerSession, perStart, starts});
    m_slower.reset();
    if (!m_bounds.empty()) {
        LatencyTestSettings slower = slowerLatency(m_bounds, m_latencyFactor, soak);
        slower.secondsPerStart = perStart;
        slower.plannedStarts = starts;
        m_slower = LatencyTest(slower);
    }
}

bool StageEvidence::isOf(const GateContext& what) const
{
    return m_rolloutId == what.rolloutId && m_stage == what.stage
        && m_soakFromMs == what.soakFromMs;
}

void StageEvidence::addErrors(double to, const ArmPair& counts)
{
    const double seconds = to - double(m_soakFromMs) / 1000;
    m_errorsUntil = to;
    m_worse.add(seconds, counts);
    m_proof.add(seconds, counts);
    m_split.add(seconds, counts.canary.requests, counts.baseline.requests);
    m_totals.canary.requests += counts.canary.requests;
    m_totals.canary.bad += counts.canary.bad;
    m_totals.baseline.requests += counts.baseline.requests;
    m_totals.baseline.bad += counts.baseline.bad;
}

void StageEvidence::addLatencies(double to, const std::vector<double>& bounds,
    const LatencyCounts& canary, const LatencyCounts& baseline)
{
    m_latenciesUntil = to;
    if (!m_slower || bounds != m_bounds) {
        // A worker with other buckets: what was gathered can't be compared with what comes.
        m_bounds = bounds;
        const double soak = std::max(1.0, m_soakSeconds);
        LatencyTestSettings slower = slowerLatency(m_bounds, m_latencyFactor, soak);
        slower.secondsPerStart = m_worse.settings().secondsPerStart;
        slower.plannedStarts = m_worse.settings().plannedStarts;
        m_slower = LatencyTest(slower);
    }
    m_slower->add(to - double(m_soakFromMs) / 1000, canary, baseline);
}

QJsonObject StageEvidence::toJson() const
{
    QJsonObject saved{{QStringLiteral("v"), version}, {QStringLiteral("rollout"), m_rolloutId},
        {QStringLiteral("stage"), m_stage}, {QStringLiteral("soak_from_ms"), m_soakFromMs},
        {QStringLiteral("settings"),
            toArray({m_soakSeconds, m_timeScale, m_share, m_ratioMargin, m_proofMargin,
                m_latencyFactor, m_splitTolerance, m_dispersion})},
        {QStringLiteral("until"), toArray({m_errorsUntil, m_latenciesUntil})},
        {QStringLiteral("totals"),
            toArray({m_totals.canary.requests, m_totals.canary.bad, m_totals.baseline.requests,
                m_totals.baseline.bad})},
        {QStringLiteral("worse"), toArray(m_worse.state())},
        {QStringLiteral("proof"), toArray(m_proof.state())},
        {QStringLiteral("split"), toArray(m_split.state())}};
    if (m_slower) {
        saved[QStringLiteral("bounds")] = toArray(m_bounds);
        saved[QStringLiteral("slower")] = toArray(m_slower->state());
    }
    return saved;
}

std::optional<StageEvidence> StageEvidence::fromJson(const QJsonObject& saved)
{
    const auto numbers = [&](const char* name) { return toVector(saved[QLatin1StringView(name)]); };
    const std::vector<double> settings = numbers("settings");
    const std::vector<double> until = numbers("until");
    const std::vector<double> totals = numbers("totals");
    if (saved[QLatin1StringView("v")].toInt() != version || settings.size() != 8
        || until.size() != 2 || totals.size() != 4) {
        return std::nullopt;
    }
    StageEvidence made;
    made.m_rolloutId = saved[QLatin1StringView("rollout")].toString();
    made.m_stage = saved[QLatin1StringView("stage")].toInt();
    made.m_soakFromMs = saved[QLatin1StringView("soak_from_ms")].toInteger();
    made.m_soakSeconds = settings[0];
    made.m_timeScale = settings[1];
    made.m_share = settings[2];
    made.m_ratioMargin = settings[3];
    made.m_proofMargin = settings[4];
    made.m_latencyFactor = settings[5];
    made.m_splitTolerance = settings[6];
    made.m_dispersion = settings[7];
    made.m_errorsUntil = until[0];
    made.m_latenciesUntil = until[1];
    made.m_totals = {{totals[0], totals[1]}, {totals[2], totals[3]}};
    made.m_bounds = numbers("bounds");
    made.makeTests();
    if (!made.m_worse.restore(numbers("worse")) || !made.m_proof.restore(numbers("proof"))
        || !made.m_split.restore(numbers("split"))
        || (made.m_slower && !made.m_slower->restore(numbers("slower")))) {
        return std::nullopt;
    }
    return made;
}

} // namespace sluice::ops
