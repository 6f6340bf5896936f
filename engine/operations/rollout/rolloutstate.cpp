#include "engine/operations/rollout/rolloutstate.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <array>
#include <cmath>
#include <utility>

namespace sluice::ops {

namespace {

constexpr std::array<std::pair<RolloutPhase, const char*>, 10> phases{
    {{RolloutPhase::Idle, "idle"}, {RolloutPhase::Deploying, "deploying"},
        {RolloutPhase::Staging, "staging"}, {RolloutPhase::Shifting, "shifting"},
        {RolloutPhase::Soaking, "soaking"}, {RolloutPhase::Waiting, "waiting"},
        {RolloutPhase::RollingBack, "rolling_back"}, {RolloutPhase::RolledBack, "rolled_back"},
        {RolloutPhase::Warm, "warm"}, {RolloutPhase::Finished, "finished"}}};

QJsonObject toJson(const TrafficTarget& target)
{
    return {{QStringLiteral("live"), target.live},
        {QStringLiteral("next_basis_points"), target.nextBasisPoints}};
}

TrafficTarget targetFrom(const QJsonObject& object)
{
    return {object[QStringLiteral("live")].toString(),
        object[QStringLiteral("next_basis_points")].toInt()};
}

} // namespace

QString phaseName(RolloutPhase phase)
{
    for (const auto& [one, name] : phases) {
        if (one == phase) {
            return QString::fromLatin1(name);
        }
    }
    return {};
}

std::optional<RolloutPhase> phaseFromName(const QString& wanted)
{
    for (const auto& [one, name] : phases) {
        if (wanted == QLatin1StringView(name)) {
            return one;
        }
    }
    return std::nullopt;
}

QJsonObject RolloutState::toJson(bool withPlan) const
{
    QJsonArray gates;
    for (const GateReading& reading : readings) {
        gates << reading.toJson();
    }
    QJsonObject object{{QStringLiteral("version"), version}, {QStringLiteral("rollout"), rolloutId},
        {QStringLiteral("phase"), phaseName(phase)}, {QStringLiteral("stage"), stage},
        {QStringLiteral("stable"), stable}, {QStringLiteral("canary"), canary},
        {QStringLiteral("paused"), paused}, {QStringLiteral("applied"), applied},
        {QStringLiteral("stage_done"), stageDone}, {QStringLiteral("target"), ops::toJson(target)},
        {QStringLiteral("watched_ms"), watchedMs}, {QStringLiteral("soak_from_ms"), soakFromMs},
        {QStringLiteral("hold"), hold}, {QStringLiteral("foreign"), foreign},
        {QStringLiteral("reason"), reason}, {QStringLiteral("by"), by},
        {QStringLiteral("at_ms"), atMs}, {QStringLiteral("started_ms"), startedMs},
        {QStringLiteral("warm_until_ms"), warmUntilMs}, {QStringLiteral("readings"), gates},
        {QStringLiteral("warned"), QJsonArray::fromStringList(warned)}};
    if (withPlan) {
        object[QStringLiteral("plan")] = plan.toJson();
    }
    return object;
}

Result<RolloutState> RolloutState::fromJson(const QJsonObject& object, const RolloutPlan& plan)
{
    const auto phase = phaseFromName(object[QStringLiteral("phase")].toString());
    if (!phase) {
        return inputError("the state of the rollout has a phase \""
            + object[QStringLiteral("phase")].toString().toStdString()
            + "\" that this version does not know: use the version that wrote it, or a newer one");
    }
    RolloutState state;
    state.plan = plan;
    state.phase = *phase;
    state.version = object[QStringLiteral("version")].toInteger();
    state.rolloutId = object[QStringLiteral("rollout")].toString();
    state.stage = object[QStringLiteral("stage")].toInt(-1);
    state.stable = object[QStringLiteral("stable")].toString();
    state.canary = object[QStringLiteral("canary")].toString();
    state.paused = object[QStringLiteral("paused")].toBool();
    state.applied = object[QStringLiteral("applied")].toBool();
    state.stageDone = object[QStringLiteral("stage_done")].toBool();
    state.target = targetFrom(object[QStringLiteral("target")].toObject());
    state.watchedMs = object[QStringLiteral("watched_ms")].toInteger();
    state.soakFromMs = object[QStringLiteral("soak_from_ms")].toInteger();
    state.hold = object[QStringLiteral("hold")].toString();
    state.foreign = object[QStringLiteral("foreign")].toBool();
    state.reason = object[QStringLiteral("reason")].toString();
    state.by = object[QStringLiteral("by")].toString();
    state.atMs = object[QStringLiteral("at_ms")].toInteger();
    state.startedMs = object[QStringLiteral("started_ms")].toInteger();
    state.warmUntilMs = object[QStringLiteral("warm_until_ms")].toInteger();
    const QJsonArray readings = object[QStringLiteral("readings")].toArray();
    for (const auto& reading : readings) {
        state.readings << GateReading::fromJson(reading.toObject());
    }
    const QJsonArray warned = object[QStringLiteral("warned")].toArray();
    for (const auto& gate : warned) {
        state.warned << gate.toString();
    }
    return state;
}

QJsonObject PublishedRollout::toJson() const
{
    QJsonArray reports;
    for (const BalancerReport& report : balancers) {
        reports << QJsonObject{{QStringLiteral("name"), report.name},
            {QStringLiteral("reachable"), report.reachable},
            {QStringLiteral("error"), report.error},
            {QStringLiteral("configured"), ops::toJson(report.configured)},
            {QStringLiteral("lease_until_ms"), report.leaseUntilMs},
            {QStringLiteral("live_servers_up"), report.liveServersUp},
            {QStringLiteral("next_servers_up"), report.nextServersUp}};
    }
    return {{QStringLiteral("state"), state.toJson()}, {QStringLiteral("balancers"), reports},
        {QStringLiteral("observed_share"),
            std::isfinite(observedShare) ? QJsonValue(observedShare) : QJsonValue()},
        {QStringLiteral("observed_requests"), observedRequests}, {QStringLiteral("driver"), driver},
        {QStringLiteral("epoch"), epoch}, {QStringLiteral("published_ms"), publishedMs},
        {QStringLiteral("journal_failing"), journalFailing},
        {QStringLiteral("journal_error"), journalError}};
}

Result<PublishedRollout> PublishedRollout::fromJson(const QByteArray& text)
{
    const QJsonObject object = QJsonDocument::fromJson(text).object();
    const QJsonObject inner = object[QStringLiteral("state")].toObject();
    if (inner.isEmpty()) {
        return inputError("what stands in Redis as the state of the rollout can't be read");
    }
    RolloutPlan plan;
    if (const QJsonObject written = inner[QStringLiteral("plan")].toObject();
        !written[QStringLiteral("stages")].toArray().isEmpty()) {
        auto read = RolloutPlan::fromJson(written, QStringLiteral("the published plan"));
        if (!read) {
            return read.error();
        }
        plan = std::move(*read);
    }
    auto state = RolloutState::fromJson(inner, plan);
    if (!state) {
        return state.error();
    }
    PublishedRollout published;
    published.state = std::move(*state);
    const QJsonArray reports = object[QStringLiteral("balancers")].toArray();
    for (const auto& item : reports) {
        const QJsonObject report = item.toObject();
        published.balancers << BalancerReport{report[QStringLiteral("name")].toString(),
            report[QStringLiteral("reachable")].toBool(),
            report[QStringLiteral("error")].toString(),
            targetFrom(report[QStringLiteral("configured")].toObject()),
            report[QStringLiteral("lease_until_ms")].toInteger(),
            report[QStringLiteral("live_servers_up")].toInt(),
            report[QStringLiteral("next_servers_up")].toInt()};
    }
    published.observedShare =
        object[QStringLiteral("observed_share")].toDouble(std::numeric_limits<double>::quiet_NaN());
    published.observedRequests = object[QStringLiteral("observed_requests")].toDouble();
    published.driver = object[QStringLiteral("driver")].toString();
    published.epoch = object[QStringLiteral("epoch")].toInteger();
    published.publishedMs = object[QStringLiteral("published_ms")].toInteger();
    published.journalFailing = object[QStringLiteral("journal_failing")].toBool();
    published.journalError = object[QStringLiteral("journal_error")].toString();
    return published;
}

} // namespace sluice::ops
