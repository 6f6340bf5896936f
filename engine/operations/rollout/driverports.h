#pragma once

#include "engine/base/result.h"
#include "engine/operations/rollout/rolloutmachine.h"
#include "engine/operations/rollout/trafficrouter.h"

#include <QJsonObject>
#include <QList>
#include <QObject>
#include <QString>
#include <functional>

namespace sluice::ops {

/// One balancer, as the driver knows it. Every call answers once, within 3 s; `context` gone: no
/// call.
class Balancer : public QObject
{
    Q_OBJECT

public:
    using QObject::QObject;
    using Answered = std::function<void(Result<TrafficSplit>)>;

    virtual QString name() const = 0;
    virtual void read(QObject* context, Answered answered) = 0;
    /// Makes it so and reads it back. `untilMs`: after that the balancer by itself sends everything
    /// to the live pool, where it can. Refused when a pool that is to get sessions has no healthy
    /// server and the other one has.
    virtual void apply(
        const TrafficTarget& target, qint64 untilMs, QObject* context, Answered answered) = 0;
    /// Moves that time alone.
    virtual void renew(qint64 untilMs, QObject* context, Answered answered) = 0;
};

struct Lease
{
    bool held = false; ///< by us
    qint64 epoch = 0; ///< grows with each new holder
    QString holder;
};

/// Where commands come from and the state is shown: Redis.
class ControlPlane : public QObject
{
    Q_OBJECT

public:
    using QObject::QObject;

    /// Takes the lease when it is free, prolongs it when it is ours. A new epoch is greater than
    /// `leastEpoch`, which a journal knows.
    virtual void renewLease(const QString& owner, qint64 lifeMs, qint64 leastEpoch,
        QObject* context, std::function<void(Result<Lease>)> answered) = 0;
    /// Writes the state and adds `audit` to the event stream, in one; Refused when the lease is not
    /// `owner`'s. Entries with a number up to the last one written for this journal are skipped, so
    /// that none is there twice.
    virtual void publish(const QString& owner, const QString& journal, const QByteArray& state,
        const QList<QJsonObject>& audit, QObject* context,
        std::function<void(Result<void>)> answered) = 0;
    /// The number of the last audit entry of this journal; 0: none.
    virtual void lastAudited(
        const QString& journal, QObject* context, std::function<void(Result<qint64>)> answered) = 0;
    /// What people asked for since the last call (at first: in the last 5 s).
    virtual void commands(
        QObject* context, std::function<void(Result<QList<RolloutEvent>>)> answered) = 0;
    /// Keeps thresholds from being published to the pools of this rollout (empty: lets them).
    /// Answers who published all the same since the last call; empty: nobody.
    virtual void guardThresholds(const QString& rolloutId, QObject* context,
        std::function<void(Result<QString>)> answered) = 0;
};

/// What is done to a pool before it gets users.
class ReleaseWorks : public QObject
{
    Q_OBJECT

public:
    using QObject::QObject;
    using Answered = std::function<void(Result<QString>)>; ///< what was done, in a sentence

    /// Puts the plan's release on state.canary; answers when every worker there says so. Doing it
    /// again does no harm.
    virtual void deploy(const RolloutState& state, QObject* context, Answered answered) = 0;
    /// Runs the suites against state.canary.
    virtual void stage(const RolloutState& state, QObject* context, Answered answered) = 0;
    /// Runs the hooks of that time.
    virtual void hook(
        const QString& at, const RolloutState& state, QObject* context, Answered answered) = 0;
};

/// Tells people.
class Notifier : public QObject
{
    Q_OBJECT

public:
    using QObject::QObject;
    /// Takes it for sending; one whose id was taken before is not sent again.
    virtual void enqueue(const QString& id, const QString& text, const RolloutState& state) = 0;
};

} // namespace sluice::ops
