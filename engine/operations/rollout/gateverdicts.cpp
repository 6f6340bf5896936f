#include "engine/operations/rollout/gates.h"
#include "engine/operations/rollout/gatetext.h"

#include <algorithm>
#include <cmath>

namespace sluice::ops {

using namespace gatetext;

namespace {

constexpr double leastMemorySamples = 20;

} // namespace

void GateJudge::judgeErrors(
    GateReading& reading, const PlannedGate& gate, const GateContext& what) const
{
    const Window window = windowOf(what, gate);
    const ArmCounts canary = errorsOf(what.canary, window.from, window.to, true);
    const ArmCounts stable = errorsOf(what.stable, window.from, window.to, true);
    const double shed = m_workers.growth(shedName(what.canary), window.from, window.to);
    reading.unit = QStringLiteral("%");
    reading.limit = gate.limit * 100;
    reading.counts = {{QStringLiteral("canary_requests"), canary.requests},
        {QStringLiteral("canary_bad"), canary.bad},
        {QStringLiteral("stable_requests"), stable.requests},
        {QStringLiteral("stable_bad"), stable.bad}, {QStringLiteral("canary_shed"), shed}};
    if (canary.requests <= 0) {
        reading.verdict = GateVerdict::NoData;
        reading.reason = QStringLiteral("%1 got no requests.").arg(what.canary);
        return;
    }
    const double share = canary.bad / canary.requests;
    reading.value = share * 100;
    reading.reason = QStringLiteral("%1 of %2 requests failed on %3")
                         .arg(count(canary.bad), count(canary.requests), what.canary);
    if (stable.requests > 0) {
        const double other = stable.bad / stable.requests;
        reading.counts[QStringLiteral("stable_value")] = other * 100;
        reading.reason += QStringLiteral(", %1 on %2").arg(percent(other), what.stable);
        if (other > gate.limit && share > gate.limit) {
            reading.reason += QStringLiteral(": rolling back alone will not mend it");
        }
    }
    if (shed > 0) {
        reading.reason += QStringLiteral("; %1 more were shed").arg(count(shed));
    }
    if (canary.requests < gate.atLeast) {
        reading.verdict = GateVerdict::Inconclusive;
        reading.reason += QStringLiteral("; judged from %1 requests on").arg(count(gate.atLeast));
    } else {
        reading.verdict = share > gate.limit ? GateVerdict::Fail : GateVerdict::Pass;
    }
}

void GateJudge::judgeLatency(GateReading& reading, const PlannedGate& gate, const GateContext& what,
    const GateInput& input) const
{
    const Window window = windowOf(what, gate);
    const std::vector<double> bounds(m_bounds.begin(), m_bounds.end());
    const LatencyCounts canary = latenciesOf(what.canary, window.from, window.to);
    LatencyCounts stable = latenciesOf(what.stable, window.from, window.to);
    const bool isFrozen = what.shareBasisPoints >= 10000;
    if (isFrozen) {
        CounterStore hour;
        std::set<double> unused;
        takeLatencies(hour, input.stableHour, 0, unused);
        stable = countsIn(hour, what.stable, m_bounds, 0, window.to);
    }
    reading.unit = QStringLiteral("x");
    reading.counts = {{QStringLiteral("canary_requests"), canary.requests},
        {QStringLiteral("stable_requests"), stable.requests}};
    const auto p95 = quantileOf(canary, bounds, 0.95);
    const auto other = quantileOf(stable, bounds, 0.95);
    if (!p95 || !other || *other <= 0) {
        reading.verdict = GateVerdict::NoData;
        reading.reason =
            QStringLiteral("%1 answered no queries%2.")
                .arg(p95 ? what.stable : what.canary,
                    isFrozen && p95 ? QStringLiteral(" in the hour before") : QString());
        return;
    }
    reading.value = *p95 / *other;
    reading.counts[QStringLiteral("canary_p95_ms")] = *p95 * 1000;
    reading.counts[QStringLiteral("stable_p95_ms")] = *other * 1000;
    reading.reason =
        QStringLiteral("p95 %1 against %2 of %3%4")
            .arg(milliseconds(*p95), milliseconds(*other), what.stable,
                isFrozen ? QStringLiteral(" in the hour before it lost its traffic") : QString());
    if (canary.requests < gate.atLeast) {
        reading.verdict = GateVerdict::Inconclusive;
        reading.reason += QStringLiteral("; %1 requests, judged from %2 on")
                              .arg(count(canary.requests), count(gate.atLeast));
    } else {
        reading.verdict = reading.value > gate.limit ? GateVerdict::Fail : GateVerdict::Pass;
    }
}

void GateJudge::judgeMemory(GateReading& reading, const PlannedGate& gate, const GateContext& what,
    const GateInput& input) const
{
    reading.unit = QStringLiteral("%");
    reading.limit = gate.limit * 100;
    if (input.memoryError) {
        reading.verdict = input.memoryError->kind == ErrorKind::Unreachable
            ? GateVerdict::SourceDown
            : GateVerdict::NoData;
        reading.reason = QString::fromStdString(input.memoryError->text());
        return;
    }
    QHash<QString, double> limits;
    for (const TimeSeries& series : input.memory) {
        if (series.labels.value(QStringLiteral("__name__"))
            == QLatin1StringView("sluice_memory_limit_bytes")) {
            limits.insert(
                series.labels.value(QStringLiteral("instance")), series.points.last().y());
        }
    }
    const double now = double(what.nowMs) / 1000;
    const Window window = windowOf(what, gate);
    const double allowed = std::max(10.0, 5 * m_balancer.spacing());
    const TimeSeries* worst = nullptr;
    double worstShare = 0;
    double worstLimit = m_memoryLimit;
    for (const TimeSeries& series : input.memory) {
        if (series.labels.value(QStringLiteral("__name__"))
                != QLatin1StringView("process_resident_memory_bytes")
            || std::abs(now - series.points.last().x()) > allowed) {
            continue; // a worker that is gone
        }
        const double known = limits.value(series.labels.value(QStringLiteral("instance")));
        const double limit = known > 0 ? std::min(known, m_memoryLimit) : m_memoryLimit;
        const double share = series.points.last().y() / limit;
        if (worst == nullptr || share > worstShare) {
            worst = &series;
            worstShare = share;
            worstLimit = limit;
        }
    }
    if (worst == nullptr) {
        reading.verdict = GateVerdict::NoData;
        reading.reason =
            QStringLiteral("No worker of %1 says what memory it has.").arg(what.canary);
        return;
    }
    reading.value = worstShare * 100;
    reading.counts = {{QStringLiteral("bytes"), worst->points.last().y()},
        {QStringLiteral("limit_bytes"), worstLimit}};
    reading.reason =
        QStringLiteral("%1 MiB of %2 MiB on %3")
            .arg(count(worst->points.last().y() / 1048576), count(worstLimit / 1048576),
                worst->labels.value(QStringLiteral("instance")));
    reading.verdict = worstShare > gate.limit ? GateVerdict::Fail : GateVerdict::Pass;
    // Growth: over the second half of the window, past the warming up of a fresh process.
    QList<QPointF> late;
    const double half = (window.from + window.to) / 2;
    for (const QPointF& point : worst->points) {
        if (point.x() >= half) {
            late << point;
        }
    }
    const auto trend = trendOf(late);
    const double left = double(what.soakFromMs + what.soakMs) / 1000 - now;
    if (!trend || double(late.size()) < leastMemorySamples || trend->perSecond <= 0) {
        return;
    }
    const double perHour = trend->perSecond * 3600 / 1048576;
    const double until = (gate.limit * worstLimit - trend->last) / trend->perSecond;
    reading.counts[QStringLiteral("mib_per_hour")] = perHour;
    if (reading.verdict == GateVerdict::Pass && what.soakFromMs > 0 && until < left
        && trend->perSecond * left > 0.05 * worstLimit) {
        reading.verdict = GateVerdict::Inconclusive;
        reading.reason += QStringLiteral("; grows by %1 MiB/h and would reach the limit before the "
                                         "soak is over")
                              .arg(count(perHour));
    }
}

void GateJudge::judgeComplaints(GateReading& reading, const PlannedGate& gate,
    const GateContext& what, const GateInput& input) const
{
    reading.unit = QStringLiteral("x");
    if (input.complaintsError || !input.complaints) {
        reading.verdict =
            input.complaintsError && input.complaintsError->kind != ErrorKind::Unreachable
            ? GateVerdict::NoData
            : GateVerdict::SourceDown;
        reading.reason = input.complaintsError
            ? QString::fromStdString(input.complaintsError->text())
            : QStringLiteral("No Redis is connected.");
        return;
    }
    const double canary = input.complaints->canary;
    const double stable = input.complaints->stable;
    reading.counts = {{QStringLiteral("canary"), canary}, {QStringLiteral("stable"), stable}};
    reading.reason = QStringLiteral("%1 complaints about %2, %3 about %4 in this stage")
                         .arg(count(canary), what.canary, count(stable), what.stable);
    const ArmPair totals = m_evidence && m_evidence->isOf(what) ? m_evidence->totals() : ArmPair{};
    if (totals.canary.requests > 0 && totals.baseline.requests > 0) {
        reading.counts[QStringLiteral("canary_requests")] = totals.canary.requests;
        reading.counts[QStringLiteral("stable_requests")] = totals.baseline.requests;
        // Half a complaint more on either side: no division by none.
        reading.value =
            (canary + 0.5) / totals.canary.requests / ((stable + 0.5) / totals.baseline.requests);
    }
    if (canary < gate.atLeast || std::isnan(reading.value)) {
        reading.verdict = GateVerdict::Inconclusive;
        reading.reason += QStringLiteral("; judged from %1 on").arg(count(gate.atLeast));
    } else {
        reading.verdict = reading.value > gate.limit ? GateVerdict::Fail : GateVerdict::Pass;
    }
}

void GateJudge::judgeEvidence(
    GateReading& reading, const PlannedGate& gate, const GateContext& what) const
{
    reading.verdict = GateVerdict::Inconclusive;
    reading.evidenceLimit =
        gate.measure == Measure::ErrorProof ? provenLimit : 1 / std::max(1e-12, gate.alpha);
    if (what.shareBasisPoints >= 10000) {
        reading.reason =
            QStringLiteral("%1 has all the traffic: nothing to compare it with.").arg(what.canary);
        return;
    }
    if (!m_evidence || !m_evidence->isOf(what)) {
        reading.reason = QStringLiteral("Counting begins when the share is verified.");
        return;
    }
    const ArmPair& totals = m_evidence->totals();
    const double share =
        totals.canary.requests > 0 ? totals.canary.bad / totals.canary.requests : 0;
    const double other =
        totals.baseline.requests > 0 ? totals.baseline.bad / totals.baseline.requests : 0;
    reading.counts = {{QStringLiteral("canary_requests"), totals.canary.requests},
        {QStringLiteral("canary_bad"), totals.canary.bad},
        {QStringLiteral("stable_requests"), totals.baseline.requests},
        {QStringLiteral("stable_bad"), totals.baseline.bad},
        {QStringLiteral("dispersion"), m_evidence->dispersion()}};
    if (gate.measure == Measure::LatencyEvidence) {
        const auto& slower = m_evidence->slower();
        const auto part = slower ? slower->strongestPair() : std::nullopt;
        if (!part) {
            reading.reason = QStringLiteral("No latencies of both pools yet.");
            return;
        }
        reading.evidence = bounded(slower->logEvidence());
        const double bound = slower->settings().bounds[slower->pairs()[*part].canary];
        const bool fails = reading.evidence >= reading.evidenceLimit;
        reading.verdict = fails ? GateVerdict::Fail : GateVerdict::Pass;
        reading.reason = fails
            ? QStringLiteral("More than %1 times as slow: too many answers over %2.")
                  .arg(QString::number(gate.limit), milliseconds(bound))
            : QStringLiteral("No sign that it is more than %1 times as slow.")
                  .arg(QString::number(gate.limit));
        return;
    }
    if (totals.canary.requests <= 0) {
        reading.verdict = GateVerdict::NoData;
        reading.reason = QStringLiteral("%1 got no requests in this stage.").arg(what.canary);
        return;
    }
    const QString shares = QStringLiteral("%1 of %2 against %3 of %4")
                               .arg(percent(share), count(totals.canary.requests), percent(other),
                                   count(totals.baseline.requests));
    if (gate.measure == Measure::Split) {
        const SplitCheck& split = m_evidence->split();
        reading.evidence = bounded(split.logEvidence());
        reading.value = split.observed() * 100;
        reading.limit = split.settings().share * 100;
        reading.unit = QStringLiteral("%");
        const bool fails = reading.evidence >= reading.evidenceLimit;
        reading.verdict = fails ? GateVerdict::Fail : GateVerdict::Pass;
        reading.reason =
            QStringLiteral("%1 of the requests went to %2, asked are %3%4")
                .arg(percent(split.observed()), what.canary, percent(split.settings().share),
                    fails ? QStringLiteral(": requests without a session stay on %1, "
                                           "or a balancer splits otherwise")
                                .arg(what.stable)
                          : QString());
        return;
    }
    reading.unit = QStringLiteral("x");
    if (other > 0) {
        reading.value = share / other;
    }
    if (gate.measure == Measure::ErrorEvidence) {
        reading.evidence = bounded(m_evidence->worse().logEvidence());
        const bool fails = reading.evidence >= reading.evidenceLimit;
        reading.verdict = fails ? GateVerdict::Fail : GateVerdict::Pass;
        reading.reason = (fails ? QStringLiteral("More errors than %1: ").arg(what.stable)
                                : QStringLiteral("No sign of more errors: "))
            + shares;
        return;
    }
    reading.evidence = bounded(m_evidence->proof().logEvidence());
    const bool proven = reading.evidence >= reading.evidenceLimit;
    reading.verdict = proven ? GateVerdict::Pass : GateVerdict::Inconclusive;
    reading.reason = (proven ? QStringLiteral("Proven: errors under %1 times, or under 0.1 %: ")
                             : QStringLiteral("Not yet proven (under %1 times, or under 0.1 %): "))
                         .arg(QString::number(gate.limit))
        + shares;
}

void GateJudge::judgeQuery(
    GateReading& reading, const PlannedGate& gate, const GateInput& input) const
{
    const auto found = input.queries.find(gate.name);
    if (found == input.queries.end()) {
        reading.verdict = GateVerdict::NoData;
        reading.reason = QStringLiteral("It was not asked.");
        return;
    }
    const Result<QList<InstantSample>>& answer = *found;
    if (!answer) {
        reading.verdict = answer.error().kind == ErrorKind::Unreachable ? GateVerdict::SourceDown
                                                                        : GateVerdict::NoData;
        reading.reason = QString::fromStdString(answer.error().text());
        return;
    }
    for (const InstantSample& sample : *answer) {
        if (std::isnan(sample.value)) {
            continue;
        }
        if (std::isnan(reading.value) || sample.value > reading.value) {
            reading.value = sample.value;
        }
    }
    if (std::isnan(reading.value)) {
        reading.verdict = GateVerdict::NoData;
        reading.reason = answer->isEmpty() ? QStringLiteral("The query gives nothing.")
                                           : QStringLiteral("The query gives no number.");
        return;
    }
    reading.verdict = reading.value > gate.limit ? GateVerdict::Fail : GateVerdict::Pass;
    reading.reason = QStringLiteral("%1 series; the largest value counts").arg(answer->size());
}

} // namespace sluice::ops
