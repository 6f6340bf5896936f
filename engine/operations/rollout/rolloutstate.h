#pragma once

#include "engine/operations/rollout/plan.h"

#include <QJsonObject>
#include <QList>
#include <QString>
#include <limits>

namespace sluice::ops {

enum class RolloutPhase
{
    Idle, ///< nothing was started yet
    Deploying, ///< the release goes to the idle pool
    Staging, ///< suites run there
    Shifting, ///< a share was asked for, and is not yet verified
    Soaking, ///< verified; the clock runs while somebody watches
    Waiting, ///< the soak is over, and a gate or a person is waited for (see `hold`)
    RollingBack, ///< decided; the balancers are being told
    RolledBack,
    Warm, ///< 100 %; the old pool is kept ready
    Finished
};

QString phaseName(RolloutPhase phase); ///< "soaking" ...
std::optional<RolloutPhase> phaseFromName(const QString& name);

/// What the balancers are to do: absolute, so that doing it twice is doing it once.
struct TrafficTarget
{
    QString live; ///< pool that takes what is not shifted
    int nextBasisPoints = 0; ///< share of the sessions that the other pool gets

    bool operator==(const TrafficTarget&) const = default;
};

/// What is decided. Journalled whole at each change; the state machine alone makes a new one.
struct RolloutState
{
    qint64 version = 0; ///< grows with each change; a command names the one it was given for
    QString rolloutId; ///< one attempt: what an earlier one found never counts here
    RolloutPlan plan;
    RolloutPhase phase = RolloutPhase::Idle;
    int stage = -1; ///< index in plan.stages
    QString stable; ///< pool that was live at the start
    QString canary;
    bool paused = false;
    bool stageDone = false; ///< deployed, or staged: goes on as soon as it may
    bool applied = false; ///< `target` stands in every balancer
    TrafficTarget target; ///< what the balancers are to do now
    qint64 watchedMs = 0; ///< of the stage's soak
    qint64 soakFromMs = 0; ///< when the share was verified; 0: not yet
    QString hold; ///< why it does not go on; empty: it does
    bool foreign = false; ///< somebody else changed a balancer: waits for a person
    QString reason; ///< of the last change
    QString by; ///< who made it ("driver", a user)
    qint64 atMs = 0; ///< when
    qint64 startedMs = 0;
    qint64 warmUntilMs = 0;
    QList<GateReading> readings; ///< the last of each gate
    QStringList warned; ///< gates whose failure was said already in this stage

    bool isActive() const
    {
        return phase != RolloutPhase::Idle && phase != RolloutPhase::RolledBack
            && phase != RolloutPhase::Finished;
    }
    /// The canary has users, so that its gates are read.
    bool hasTraffic() const
    {
        return phase == RolloutPhase::Shifting || phase == RolloutPhase::Soaking
            || phase == RolloutPhase::Waiting || phase == RolloutPhase::Warm;
    }
    const PlannedStage* currentStage() const
    {
        return stage >= 0 && stage < plan.stages.size() ? &plan.stages[stage] : nullptr;
    }
    /// Asked share of the canary, in basis points.
    int canaryBasisPoints() const
    {
        return !target.live.isEmpty() && target.live == canary ? 10000 : target.nextBasisPoints;
    }
    /// When it ended; `nowMs` while it goes on.
    qint64 endMs(qint64 nowMs) const { return isActive() ? nowMs : qMax(atMs, startedMs + 1); }
    qint64 soakLeftMs() const
    {
        return currentStage() ? qMax<qint64>(0, plan.scaled(currentStage()->soakMs) - watchedMs)
                              : 0;
    }

    /// `withPlan` false: without the plan, which the journal holds once.
    QJsonObject toJson(bool withPlan = true) const;
    /// What an older driver did not write is as it is in a new state.
    static Result<RolloutState> fromJson(const QJsonObject& object, const RolloutPlan& plan);
};

/// What one balancer says.
struct BalancerReport
{
    QString name;
    bool reachable = false;
    QString error;
    TrafficTarget configured;
    qint64 leaseUntilMs = 0;
    int liveServersUp = 0;
    int nextServersUp = 0;
};

/// What the driver publishes in Redis (`sluice:{rollout}:state`), and a console shows.
struct PublishedRollout
{
    RolloutState state;
    QList<BalancerReport> balancers;
    double observedShare = std::numeric_limits<double>::quiet_NaN(); ///< of the canary, 0 to 1
    double observedRequests = 0; ///< it was observed on
    QString driver; ///< "host:pid"
    qint64 epoch = 0; ///< fencing
    qint64 publishedMs = 0; ///< older than the lease: nobody drives
    bool journalFailing = false; ///< the disk takes no more: no step forward
    QString journalError;

    /// ms since 1970; whether a driver stands behind this.
    bool isFresh(qint64 nowMs) const { return nowMs - publishedMs < state.plan.leaseMs; }

    QJsonObject toJson() const;
    static Result<PublishedRollout> fromJson(const QByteArray& text);
};

} // namespace sluice::ops
