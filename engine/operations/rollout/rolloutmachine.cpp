#include "engine/operations/rollout/rolloutmachine.h"

#include <QDateTime>
#include <QJsonArray>
#include <array>
#include <utility>

namespace sluice::ops {

namespace {

using Kind = RolloutEvent::Kind;

constexpr std::array<std::pair<Kind, const char*>, 15> kinds{
    {{Kind::Start, "start"}, {Kind::Pause, "pause"}, {Kind::Resume, "resume"},
        {Kind::Promote, "promote"}, {Kind::Rollback, "rollback"}, {Kind::Deployed, "deployed"},
        {Kind::DeployFailed, "deploy_failed"}, {Kind::StagingPassed, "staging_passed"},
        {Kind::StagingFailed, "staging_failed"}, {Kind::Applied, "applied"},
        {Kind::Verified, "verified"}, {Kind::Watched, "watched"}, {Kind::Foreign, "foreign_change"},
        {Kind::Restarted, "balancer_restarted"}, {Kind::EvidenceLost, "evidence_lost"}}};

QString clock(qint64 ms)
{
    return QDateTime::fromMSecsSinceEpoch(ms, Qt::UTC).toString(QStringLiteral("HH:mm:ss"))
        % QStringLiteral(" UTC");
}

/// One step being made.
class Machine
{
public:
    Machine(const RolloutState& state, const RolloutEvent& event)
        : m_before(state)
        , m_event(event)
        , m_state(state)
    { }

    RolloutStep run()
    {
        if (m_event.isCommand()) {
            command();
        } else {
            outcome();
        }
        if (m_refused) {
            return {m_before, {}, m_refused};
        }
        goOn();
        const bool changed = m_state.phase != m_before.phase || m_state.stage != m_before.stage
            || m_state.paused != m_before.paused || m_state.foreign != m_before.foreign
            || m_state.rolloutId != m_before.rolloutId;
        if (changed) {
            ++m_state.version;
        }
        return {m_state, m_effects, {}};
    }

private:
    void refuse(const QString& why) { m_refused = refusedError(why.toStdString()); }
    void say(const QString& text) { m_effects << RolloutEffect{RolloutEffect::Kind::Notify, text}; }
    /// Who changed it last, when and why: what the loser of two commands is told.
    void sign(const QString& reason)
    {
        m_state.by = m_event.by;
        m_state.atMs = m_event.atMs;
        m_state.reason = reason;
    }
    QString stageName() const
    {
        return m_state.currentStage() ? m_state.currentStage()->name : QString();
    }

    void command()
    {
        if (m_event.kind != Kind::Rollback && m_event.expectedVersion >= 0
            && m_event.expectedVersion != m_state.version) {
            refuse(QStringLiteral("already %1 by %2 at %3: look at the state as it is now, then "
                                  "decide again")
                       .arg(m_state.reason, m_state.by, clock(m_state.atMs)));
            return;
        }
        switch (m_event.kind) {
        case Kind::Start:
            start();
            break;
        case Kind::Pause:
            if (!m_state.isActive() || m_state.phase == RolloutPhase::RollingBack) {
                refuse(QStringLiteral("there is nothing to pause: the rollout is %1")
                           .arg(phaseName(m_state.phase)));
            } else if (!m_state.paused) {
                m_state.paused = true;
                sign(QStringLiteral("paused"));
                say(QStringLiteral("paused by ") % m_event.by);
            }
            break;
        case Kind::Resume:
            resume();
            break;
        case Kind::Promote:
            promote();
            break;
        default:
            rollBack(m_event.reason.isEmpty() ? QStringLiteral("asked for") : m_event.reason);
        }
    }

    void start()
    {
        if (m_state.isActive()) {
            refuse(QStringLiteral("rollout %1 is under way (%2, started at %3): let it end, or "
                                  "roll it back, before the next one")
                       .arg(m_state.rolloutId, phaseName(m_state.phase), clock(m_state.startedMs)));
            return;
        }
        if (!m_event.plan || m_event.live.isEmpty() || m_event.rolloutId.isEmpty()) {
            m_refused = inputError("a start needs a plan, an id, and the pool that is live");
            return;
        }
        if (const FreezeWindow* freeze = m_event.plan->freezeAt(m_event.atMs)) {
            refuse(QStringLiteral("frozen until %1: %2")
                       .arg(freeze->to.toString(Qt::ISODate), freeze->why));
            return;
        }
        const qint64 version = m_state.version;
        m_state = {};
        m_state.version = version;
        m_state.plan = *m_event.plan;
        m_state.rolloutId = m_event.rolloutId;
        m_state.stable = m_event.live;
        m_state.canary = m_event.live == QLatin1StringView("blue") ? QStringLiteral("green")
                                                                   : QStringLiteral("blue");
        m_state.target = {m_state.stable, 0};
        m_state.applied = true;
        m_state.startedMs = m_event.atMs;
        advance(QStringLiteral("started"));
    }

    void resume()
    {
        if (!m_state.paused && !m_state.foreign) {
            refuse(QStringLiteral("nothing waits to be resumed: the rollout is %1")
                       .arg(phaseName(m_state.phase)));
            return;
        }
        if (m_state.foreign) {
            m_state.applied = false; // what was asked is put back, and read back
            m_state.foreign = false;
        }
        m_state.paused = false;
        m_state.hold.clear();
        sign(QStringLiteral("resumed"));
        say(QStringLiteral("resumed by ") % m_event.by);
    }

    void promote()
    {
        const PlannedStage* stage = m_state.currentStage();
        if ((m_state.phase != RolloutPhase::Soaking && m_state.phase != RolloutPhase::Waiting)
            || !m_state.applied || m_state.foreign || stage == nullptr) {
            refuse(QStringLiteral("nothing can be promoted while the rollout is %1%2")
                       .arg(phaseName(m_state.phase),
                           m_state.hold.isEmpty() ? QString()
                                                  : QStringLiteral(" (%1)").arg(m_state.hold)));
            return;
        }
        if (m_state.paused) {
            refuse(QStringLiteral("paused by %1: resume it first").arg(m_state.by));
            return;
        }
        if (!stage->promoters.isEmpty() && !stage->promoters.contains(m_event.by)) {
            refuse(QStringLiteral("only %1 may promote stage \"%2\"")
                       .arg(stage->promoters.join(QStringLiteral(" or ")), stage->name));
            return;
        }
        if (const FreezeWindow* freeze = m_state.plan.freezeAt(m_event.atMs)) {
            refuse(QStringLiteral("frozen until %1: %2")
                       .arg(freeze->to.toString(Qt::ISODate), freeze->why));
            return;
        }
        const QString held = whatHolds();
        if (!held.isEmpty() && m_event.reason.isEmpty()) {
            refuse(QStringLiteral("%1; to go on in spite of that, give a reason").arg(held));
            return;
        }
        advance(QStringLiteral("promoted past %1%2%3")
                    .arg(stage->name,
                        m_event.reason.isEmpty() ? QString()
                                                 : QStringLiteral(" (%1)").arg(m_event.reason),
                        held.isEmpty() ? QString() : QStringLiteral(", over ") % held));
    }

    void rollBack(const QString& why)
    {
        if (!m_state.isActive() || m_state.phase == RolloutPhase::RollingBack) {
            return; // at rest, or on its way already
        }
        m_state.phase = RolloutPhase::RollingBack;
        m_state.target = {m_state.stable, 0};
        m_state.applied = false;
        m_state.paused = false;
        m_state.foreign = false;
        m_state.hold.clear();
        sign(QStringLiteral("rolled back: ") % why);
        say(QStringLiteral("rolling back: ") % why);
    }

    void outcome()
    {
        switch (m_event.kind) {
        case Kind::Deployed:
        case Kind::StagingPassed:
            if (m_state.phase
                == (m_event.kind == Kind::Deployed ? RolloutPhase::Deploying
                                                   : RolloutPhase::Staging)) {
                m_state.stageDone = true;
            }
            break;
        case Kind::DeployFailed:
        case Kind::StagingFailed:
            if (m_state.phase == RolloutPhase::Deploying
                || m_state.phase == RolloutPhase::Staging) {
                rollBack(stageName() % QStringLiteral(" failed: ") % m_event.reason);
            }
            break;
        case Kind::Applied:
            m_state.applied = true;
            if (m_state.phase == RolloutPhase::RollingBack) {
                m_state.phase = RolloutPhase::RolledBack;
                say(QStringLiteral("rolled back; ") % m_state.stable
                    % QStringLiteral(" has all sessions"));
                m_effects << RolloutEffect{
                    RolloutEffect::Kind::Hook, QStringLiteral("rolled_back")};
            }
            break;
        case Kind::Verified:
            if (m_state.phase == RolloutPhase::Shifting && m_state.applied) {
                m_state.phase = RolloutPhase::Soaking;
                m_state.soakFromMs = m_event.atMs;
                m_state.watchedMs = 0;
                m_state.hold.clear();
            }
            break;
        case Kind::Watched:
            watched();
            break;
        case Kind::Foreign:
            if (m_state.hasTraffic() && m_state.applied && !m_state.foreign) {
                m_state.foreign = true;
                m_state.hold = m_event.reason;
                say(m_event.reason);
            }
            break;
        case Kind::Restarted:
            if (m_state.hasTraffic() && m_state.applied && !m_state.foreign) {
                m_state.applied = false;
                say(m_event.reason);
            }
            break;
        case Kind::EvidenceLost:
            if (m_state.hasTraffic()) {
                m_state.watchedMs = 0;
                m_state.soakFromMs = m_event.atMs;
                m_state.readings.clear();
                if (m_state.phase == RolloutPhase::Waiting) {
                    m_state.phase = RolloutPhase::Soaking;
                }
                m_state.hold = m_event.reason;
                say(QStringLiteral("evidence begins anew: ") % m_event.reason);
                m_effects << RolloutEffect{RolloutEffect::Kind::ResetEvidence, {}};
            }
            break;
        default:
            break;
        }
    }

    void watched()
    {
        if (m_state.phase == RolloutPhase::Warm && m_event.atMs >= m_state.warmUntilMs) {
            m_state.phase = RolloutPhase::Finished;
            sign(QStringLiteral("finished"));
            say(QStringLiteral("finished: ") % m_state.canary % QStringLiteral(" stays live"));
            m_effects << RolloutEffect{RolloutEffect::Kind::Hook, QStringLiteral("finished")};
            return;
        }
        if (!m_state.hasTraffic()) {
            m_state.hold = m_event.reason;
            return;
        }
        if (!m_event.readings.isEmpty()) {
            m_state.readings = m_event.readings;
        }
        bool blind = !m_event.reason.isEmpty();
        QString hold = m_event.reason;
        for (const GateReading& reading : m_event.readings) {
            if (reading.rollsBack()) {
                rollBack(reading.gate % QStringLiteral(": ") % reading.reason);
                return;
            }
            if (reading.verdict == GateVerdict::Fail && reading.action == GateAction::Warn
                && !m_state.warned.contains(reading.gate)) {
                m_state.warned << reading.gate;
                say(QStringLiteral("warning, ") % reading.gate % QStringLiteral(": ")
                    % reading.reason);
            }
            if (reading.isBlind() && reading.holds()
                && m_state.plan.waitsFor(m_state.stage, reading.gate)) {
                blind = true;
                if (hold.isEmpty()) {
                    hold = said(reading);
                }
            }
        }
        if (m_state.foreign) {
            return; // its own hold stays
        }
        m_state.hold = hold;
        const bool soaks =
            m_state.phase == RolloutPhase::Soaking || m_state.phase == RolloutPhase::Waiting;
        if (soaks && !blind && m_state.applied && !m_state.paused) {
            m_state.watchedMs += m_event.watchedMs;
        }
    }

    static QString said(const GateReading& reading)
    {
        return reading.gate % u' ' % verdictName(reading.verdict)
            % (reading.reason.isEmpty() ? QString() : QStringLiteral(": ") % reading.reason);
    }

    /// The gate that this stage's end waits for; empty: none.
    QString whatHolds() const
    {
        for (const PlannedGate& gate : m_state.plan.triggers) {
            const bool counts =
                gate.action == GateAction::Rollback || gate.action == GateAction::Hold;
            if (!counts || !m_state.plan.waitsFor(m_state.stage, gate.name)) {
                continue;
            }
            const GateReading* found = nullptr;
            for (const GateReading& reading : m_state.readings) {
                if (reading.gate == gate.name) {
                    found = &reading;
                }
            }
            if (found == nullptr) {
                return gate.name % QStringLiteral(" was not read yet");
            }
            if (found->holds()) {
                return said(*found);
            }
        }
        return {};
    }

    /// Leaves a stage whose end has come.
    void goOn()
    {
        if (m_state.paused || m_state.foreign) {
            return;
        }
        const bool outside = m_event.kind == Kind::Watched && !m_event.reason.isEmpty();
        if (m_state.phase == RolloutPhase::Deploying || m_state.phase == RolloutPhase::Staging) {
            if (m_state.stageDone && !outside) {
                advance(QStringLiteral("%1 done").arg(stageName()));
            }
            return;
        }
        if ((m_state.phase != RolloutPhase::Soaking && m_state.phase != RolloutPhase::Waiting)
            || m_state.soakLeftMs() > 0 || !m_state.applied || outside) {
            return;
        }
        const bool unsoaked = m_state.currentStage()->soakMs == 0; // nothing to be waited for
        const QString held = unsoaked ? QString() : whatHolds();
        if (held.isEmpty() && m_state.currentStage()->automatic) {
            advance(QStringLiteral("passed %1").arg(stageName()));
            return;
        }
        if (m_state.phase != RolloutPhase::Waiting) {
            m_state.phase = RolloutPhase::Waiting;
            say(QStringLiteral("%1 waits: %2")
                    .arg(stageName(),
                        held.isEmpty() ? QStringLiteral("a person promotes this stage") : held));
        }
        m_state.hold = held.isEmpty() ? QStringLiteral("a person promotes this stage") : held;
    }

    void advance(const QString& reason)
    {
        if (const FreezeWindow* freeze = m_state.plan.freezeAt(m_event.atMs)) {
            m_state.hold = QStringLiteral("frozen until %1: %2")
                               .arg(freeze->to.toString(Qt::ISODate), freeze->why);
            return;
        }
        sign(reason);
        m_state.hold.clear();
        m_state.stageDone = false;
        m_state.watchedMs = 0;
        m_state.soakFromMs = 0;
        m_state.readings.clear();
        m_state.warned.clear();
        ++m_state.stage;
        const PlannedStage* stage = m_state.currentStage();
        if (stage == nullptr) {
            m_state.phase = RolloutPhase::Warm;
            m_state.warmUntilMs = m_event.atMs + m_state.plan.scaled(m_state.plan.warmMs);
            say(QStringLiteral("at 100 %: %1 is live; %2 stays ready for a way back")
                    .arg(m_state.canary, m_state.stable));
            return;
        }
        say(QStringLiteral("stage ") % stage->name);
        if (stage->kind != PlannedStage::Kind::Share) {
            m_state.phase = stage->kind == PlannedStage::Kind::Deploy ? RolloutPhase::Deploying
                                                                      : RolloutPhase::Staging;
            return;
        }
        m_state.phase = RolloutPhase::Shifting;
        m_state.target = stage->shareBasisPoints >= 10000
            ? TrafficTarget{m_state.canary, 0}
            : TrafficTarget{m_state.stable, stage->shareBasisPoints};
        m_state.applied = false;
        m_effects << RolloutEffect{RolloutEffect::Kind::ResetEvidence, {}};
    }

    const RolloutState& m_before;
    const RolloutEvent& m_event;
    RolloutState m_state;
    QList<RolloutEffect> m_effects;
    std::optional<Error> m_refused;
};

} // namespace

QString eventName(RolloutEvent::Kind kind)
{
    for (const auto& [one, name] : kinds) {
        if (one == kind) {
            return QString::fromLatin1(name);
        }
    }
    return {};
}

std::optional<RolloutEvent::Kind> eventFromName(const QString& wanted)
{
    for (const auto& [one, name] : kinds) {
        if (wanted == QLatin1StringView(name)) {
            return one;
        }
    }
    return std::nullopt;
}

QJsonObject RolloutEvent::toJson() const
{
    QJsonObject object{{QStringLiteral("kind"), eventName(kind)}, {QStringLiteral("at_ms"), atMs},
        {QStringLiteral("by"), by}, {QStringLiteral("reason"), reason}};
    if (isCommand()) {
        object[QStringLiteral("id")] = id;
        object[QStringLiteral("expected_version")] = expectedVersion;
    }
    if (plan) {
        object[QStringLiteral("plan")] = plan->toJson();
        object[QStringLiteral("live")] = live;
        object[QStringLiteral("rollout")] = rolloutId;
    }
    if (kind == Kind::Watched) {
        QJsonArray array;
        for (const GateReading& reading : readings) {
            array << reading.toJson();
        }
        object[QStringLiteral("watched_ms")] = watchedMs;
        object[QStringLiteral("readings")] = array;
    }
    return object;
}

Result<RolloutEvent> RolloutEvent::fromJson(const QJsonObject& object)
{
    const auto kind = eventFromName(object[QStringLiteral("kind")].toString());
    if (!kind) {
        return inputError("a rollout knows no event \""
            + object[QStringLiteral("kind")].toString().toStdString() + "\"");
    }
    RolloutEvent event;
    event.kind = *kind;
    event.atMs = object[QStringLiteral("at_ms")].toInteger();
    event.by = object[QStringLiteral("by")].toString();
    event.reason = object[QStringLiteral("reason")].toString();
    event.id = object[QStringLiteral("id")].toString();
    event.expectedVersion = object[QStringLiteral("expected_version")].toInteger(-1);
    event.live = object[QStringLiteral("live")].toString();
    event.rolloutId = object[QStringLiteral("rollout")].toString();
    event.watchedMs = object[QStringLiteral("watched_ms")].toInteger();
    const QJsonArray readings = object[QStringLiteral("readings")].toArray();
    for (const auto& reading : readings) {
        event.readings << GateReading::fromJson(reading.toObject());
    }
    if (object.contains(QStringLiteral("plan"))) {
        auto plan = RolloutPlan::fromJson(
            object[QStringLiteral("plan")].toObject(), QStringLiteral("the plan"));
        if (!plan) {
            return plan.error();
        }
        event.plan = std::move(*plan);
    }
    return event;
}

RolloutStep step(const RolloutState& state, const RolloutEvent& event)
{
    return Machine(state, event).run();
}

} // namespace sluice::ops
