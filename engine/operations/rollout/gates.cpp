#include "engine/operations/rollout/gates.h"

#include "engine/operations/rollout/gatetext.h"

#include <algorithm>
#include <cmath>

namespace sluice::ops {

using namespace gatetext;

namespace {

constexpr double leastWindow = 2; // seconds, however short a drill is

QString requestsName(const QString& pool)
{
    return pool + QStringLiteral(" requests");
}
QString failedName(const QString& pool)
{
    return pool + QStringLiteral(" 5xx");
}
QString connectionName(const QString& pool)
{
    return pool + QStringLiteral(" connection");
}
QString range(double seconds)
{
    return u'[' + QString::number(qint64(std::ceil(seconds))) + QStringLiteral("s]");
}

} // namespace

namespace gatequeries {

QString balancerCounters(double seconds)
{
    return QStringLiteral("{__name__=~\"haproxy_backend_(http_requests|http_responses|"
                          "connection_errors|response_errors)_total\",proxy=~\"blue|green\","
                          "code=~\"5xx|\"}")
        + range(seconds);
}

QString workerLatencies(double seconds)
{
    return QStringLiteral("sluice_request_duration_seconds_bucket{route=~\"/v1/classify.*\"}")
        + range(seconds);
}

QString workerRefusals(double seconds)
{
    return QStringLiteral("sluice_requests_total{status=\"503\",route=~\"/v1/classify.*|refused\"}")
        + range(seconds);
}

QString workerMemory(const QString& pool, double seconds)
{
    return QStringLiteral("{__name__=~\"process_resident_memory_bytes|sluice_memory_limit_bytes\","
                          "pool=\"%1\"}")
               .arg(pool)
        + range(seconds);
}

QString failures(const QString& pool)
{
    return QStringLiteral("sum(haproxy_backend_http_responses_total{proxy=\"%1\",code=\"5xx\"})")
        .arg(pool);
}

QString own(const PlannedGate& gate, const QString& canary, const QString& stable, double timeScale)
{
    const double seconds = std::ceil(double(gate.windowMs) * timeScale / 1000);
    QString query = gate.query;
    return query.replace(QStringLiteral("{{canary}}"), canary)
        .replace(QStringLiteral("{{stable}}"), stable)
        .replace(QStringLiteral("{{window}}"), QString::number(seconds) + u's');
}

History historyBefore(double end, double timeScale)
{
    constexpr double day = 86400;
    constexpr double scrape = 15;
    const double step = std::max(1.0, scrape * timeScale);
    return {end - std::min(day, step * day / scrape), end, step};
}

} // namespace gatequeries

QList<GateReading> GateJudge::judge(const GateContext& what, const GateInput& input)
{
    take(what, input);
    step(what, input);
    QList<GateReading> readings;
    for (const PlannedGate& gate : what.gates) {
        GateReading reading;
        reading.gate = gate.name;
        reading.action = gate.action;
        reading.limit = gate.limit;
        reading.atMs = what.nowMs;
        const double window = double(gate.windowMs) * what.timeScale / 1000;
        switch (gate.measure) {
        case Measure::ErrorRate:
            reading.query = gatequeries::balancerCounters(window);
            if (!isBlind(reading, m_balancer, input.balancerError, what.nowMs)) {
                judgeErrors(reading, gate, what);
            }
            break;
        case Measure::LatencyRatio:
            reading.query = gatequeries::workerLatencies(window);
            if (!isBlind(reading, m_workers, input.workersError, what.nowMs)) {
                judgeLatency(reading, gate, what, input);
            }
            break;
        case Measure::Memory:
            reading.query = gatequeries::workerMemory(what.canary, window);
            judgeMemory(reading, gate, what, input);
            break;
        case Measure::Complaints:
            reading.query = QStringLiteral("sluice:feedback, kind complaint, by pool");
            judgeComplaints(reading, gate, what, input);
            break;
        case Measure::LatencyEvidence:
            reading.query = gatequeries::workerLatencies(window);
            if (!isBlind(reading, m_workers, input.workersError, what.nowMs)) {
                judgeEvidence(reading, gate, what);
            }
            break;
        case Measure::ErrorEvidence:
        case Measure::ErrorProof:
        case Measure::Split:
            reading.query = gatequeries::balancerCounters(window);
            if (!isBlind(reading, m_balancer, input.balancerError, what.nowMs)) {
                judgeEvidence(reading, gate, what);
            }
            break;
        case Measure::Query:
            reading.query = gate.query;
            judgeQuery(reading, gate, input);
            break;
        }
        readings << reading;
    }
    return readings;
}

double GateJudge::secondsToRead(const GateContext& what) const
{
    double longest = 0;
    for (const PlannedGate& gate : what.gates) {
        longest = std::max(longest, double(gate.windowMs) * what.timeScale / 1000);
    }
    const double now = double(what.nowMs) / 1000;
    const double newest = std::min(m_balancer.newest(), m_workers.newest());
    // What a driver that was away has missed is read up to an hour back.
    const double missed =
        m_evidence && newest <= 0 ? now - m_evidence->errorsUntil() : now - newest;
    const double most = std::max(longest, 3600.0);
    return newest > 0 || m_evidence
        ? std::clamp(missed + 4 * std::max(m_balancer.spacing(), 1.0), 5.0, most)
        : longest + 60;
}

bool GateJudge::needsDispersion(const GateContext& what) const
{
    return what.soakFromMs > 0 && what.shareBasisPoints < 10000
        && (!m_evidence || !m_evidence->isOf(what));
}

void GateJudge::take(const GateContext& what, const GateInput& input)
{
    if (m_rolloutId != what.rolloutId) {
        m_rolloutId = what.rolloutId;
        m_since = double(what.nowMs) / 1000;
        m_evidence.reset();
    }
    const double balancerUntil = m_balancer.newest();
    for (const TimeSeries& series : input.balancer) {
        const QString name = series.labels.value(QStringLiteral("__name__"));
        const QString pool = series.labels.value(QStringLiteral("proxy"));
        if (name == QLatin1StringView("haproxy_backend_http_requests_total")) {
            m_balancer.take(requestsName(pool), series, balancerUntil);
        } else if (name == QLatin1StringView("haproxy_backend_http_responses_total")) {
            m_balancer.take(failedName(pool), series, balancerUntil);
        } else {
            m_balancer.take(connectionName(pool), series, balancerUntil);
        }
    }
    const double workersUntil = m_workers.newest();
    takeLatencies(m_workers, input.latencies, workersUntil, m_bounds);
    for (const TimeSeries& series : input.refusals) {
        m_workers.take(shedName(series.labels.value(QStringLiteral("pool"))), series, workersUntil);
    }
    double longest = 60;
    for (const PlannedGate& gate : what.gates) {
        longest = std::max(longest, double(gate.windowMs) * what.timeScale / 1000);
    }
    double keepFrom = double(what.nowMs) / 1000 - longest - 60;
    if (m_evidence) {
        keepFrom = std::min({keepFrom, m_evidence->errorsUntil(), m_evidence->latenciesUntil()});
    } else if (what.soakFromMs > 0) {
        keepFrom = std::min(keepFrom, double(what.soakFromMs) / 1000);
    }
    m_balancer.forget(std::max(keepFrom, double(what.nowMs) / 1000 - 7200));
    m_workers.forget(std::max(keepFrom, double(what.nowMs) / 1000 - 7200));
}

void GateJudge::step(const GateContext& what, const GateInput& input)
{
    if (what.soakFromMs <= 0 || what.shareBasisPoints >= 10000) {
        return; // before the share is verified, and when there is nothing to compare with
    }
    if (!m_evidence || !m_evidence->isOf(what)) {
        m_evidence.emplace(what, input.dispersion.value_or(1));
    }
    const double errorsTo = m_balancer.newest();
    if (errorsTo > m_evidence->errorsUntil()) {
        const double from = m_evidence->errorsUntil();
        m_evidence->addErrors(errorsTo,
            {errorsOf(what.canary, from, errorsTo, false),
                errorsOf(what.stable, from, errorsTo, false)});
    }
    const double latenciesTo = m_workers.newest();
    if (latenciesTo > m_evidence->latenciesUntil() && !m_bounds.empty()) {
        const double from = m_evidence->latenciesUntil();
        const LatencyCounts canary = latenciesOf(what.canary, from, latenciesTo);
        const LatencyCounts stable = latenciesOf(what.stable, from, latenciesTo);
        // Workers are scraped one after the other: what one pool has said waits for the other.
        if (canary.requests > 0 && stable.requests > 0) {
            m_evidence->addLatencies(
                latenciesTo, {m_bounds.begin(), m_bounds.end()}, canary, stable);
        }
    }
}

GateJudge::Window GateJudge::windowOf(const GateContext& what, const PlannedGate& gate) const
{
    const double now = double(what.nowMs) / 1000;
    const double length = std::max(double(gate.windowMs) * what.timeScale / 1000, leastWindow);
    return {std::max(now - length, m_since), now};
}

ArmCounts GateJudge::errorsOf(
    const QString& pool, double from, double to, bool withConnections) const
{
    const double requests = m_balancer.growth(requestsName(pool), from, to);
    double bad =
        m_balancer.growth(failedName(pool), from, to) - m_workers.growth(shedName(pool), from, to);
    if (withConnections) {
        bad += m_balancer.growth(connectionName(pool), from, to);
    }
    return {requests, std::clamp(bad, 0.0, requests)};
}

LatencyCounts GateJudge::latenciesOf(const QString& pool, double from, double to) const
{
    return countsIn(m_workers, pool, m_bounds, from, to);
}

bool GateJudge::isBlind(GateReading& reading, const CounterStore& store,
    const std::optional<Error>& error, qint64 nowMs) const
{
    if (error) {
        reading.verdict =
            error->kind == ErrorKind::Unreachable ? GateVerdict::SourceDown : GateVerdict::NoData;
        reading.reason = QString::fromStdString(error->text());
        return true;
    }
    reading.verdict = GateVerdict::NoData;
    if (store.newest() <= 0) {
        reading.reason = QStringLiteral("Prometheus answers, and has no such series.");
        return true;
    }
    const double age = double(nowMs) / 1000 - store.newest();
    const double allowed = std::max(10.0, 5 * store.spacing());
    if (age > allowed) {
        reading.reason = QStringLiteral(
            "The last sample is %1 s old: nothing is scraped, or its clock is wrong.")
                             .arg(count(age));
        return true;
    }
    if (age < -30) {
        reading.reason =
            QStringLiteral("Prometheus' samples are %1 s ahead of this clock.").arg(count(-age));
        return true;
    }
    return false;
}

QJsonObject GateJudge::save() const
{
    QJsonObject saved{{QStringLiteral("rollout"), m_rolloutId}, {QStringLiteral("since"), m_since}};
    if (m_evidence) {
        saved[QStringLiteral("stage")] = m_evidence->toJson();
    }
    return saved;
}

void GateJudge::restore(const QJsonObject& saved)
{
    if (!saved.contains(QLatin1StringView("rollout"))) {
        return;
    }
    m_rolloutId = saved[QLatin1StringView("rollout")].toString();
    m_since = saved[QLatin1StringView("since")].toDouble();
    m_evidence = StageEvidence::fromJson(saved[QLatin1StringView("stage")].toObject());
}

} // namespace sluice::ops
