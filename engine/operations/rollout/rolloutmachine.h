#pragma once

#include "engine/base/result.h"
#include "engine/operations/rollout/rolloutstate.h"

#include <QList>
#include <QString>
#include <optional>

namespace sluice::ops {

/// Something that happened to a rollout: a person's command, an outcome, time that passed.
struct RolloutEvent
{
    enum class Kind
    {
        Start, ///< `plan`, `live`, `rolloutId`
        Pause,
        Resume, ///< after a pause, or after somebody else's change: what was asked holds again
        Promote, ///< the next stage now; over gates that do not pass, with a reason
        Rollback,
        Deployed,
        DeployFailed,
        StagingPassed,
        StagingFailed,
        Applied, ///< every balancer has the target, as read back
        Verified, ///< and the traffic follows it
        Watched, ///< `watchedMs` went by, with `readings`; `reason`: why nothing may go on
        Foreign, ///< somebody else changed a balancer
        Restarted, ///< a balancer lost what it was told (reload)
        EvidenceLost ///< what was measured so far no longer counts
    };
    Kind kind = Kind::Watched;
    qint64 atMs = 0; ///< ms since 1970
    QString by; ///< "driver" or a person
    QString reason;
    QString id; ///< of a command
    qint64 expectedVersion = -1; ///< of the state a command was given for; -1: any
    std::optional<RolloutPlan> plan;
    QString live;
    QString rolloutId;
    qint64 watchedMs = 0;
    QList<GateReading> readings;

    bool isCommand() const { return kind <= Kind::Rollback; }
    QJsonObject toJson() const;
    static Result<RolloutEvent> fromJson(const QJsonObject& object);
};

QString eventName(RolloutEvent::Kind kind); ///< "start" ...
std::optional<RolloutEvent::Kind> eventFromName(const QString& name);

/// Done once when a change is made; what a state leaves open (traffic to be shifted, a release to
/// be deployed) is read from the state itself, so that it is taken up again after a restart.
struct RolloutEffect
{
    enum class Kind
    {
        ResetEvidence,
        Notify, ///< `text`
        Hook ///< `text`: "rolled_back" or "finished"
    };
    Kind kind = Kind::Notify;
    QString text;
};

struct RolloutStep
{
    RolloutState state;
    QList<RolloutEffect> effects;
    std::optional<Error> refused; ///< then `state` is the old one
};

/// The state machine: pure. A rollback is valid in every state, whatever its version, and at rest
/// does nothing. Nothing else goes from one share to a higher one than a stage that was verified,
/// watched for its soak and passed by its gates, or a person's promotion.
RolloutStep step(const RolloutState& state, const RolloutEvent& event);

} // namespace sluice::ops
