#pragma once

#include "engine/operations/rollout/gatereading.h"
#include "engine/operations/rollout/plan.h"

#include <QList>
#include <QObject>
#include <functional>

namespace sluice::ops {

struct RolloutState;

/// What a gate may know of the rollout it judges.
struct GateContext
{
    QString rolloutId;
    QString canary; ///< pool with the release
    QString stable; ///< the other one
    int stage = 0; ///< index in the plan
    int shareBasisPoints = 0; ///< on the canary; 10000: the canary is the live pool
    QList<PlannedGate> gates; ///< to be read: one reading each, in this order
    double timeScale = 1; ///< windows are this much shorter (PlannedGate::windowMs is unscaled)
    qint64 soakFromMs = 0; ///< ms since 1970 when the share was verified
    qint64 soakMs = 0; ///< planned, scaled
    qint64 nowMs = 0; ///< ms since 1970

    static GateContext of(const RolloutState& state, qint64 nowMs);

    /// Seconds of a gauge that a gate looks at: its window, scaled, 10 at least.
    double gaugeSeconds(const PlannedGate& gate) const;
    /// The last hour of a stable pool before it got no more traffic: length and end (since 1970),
    /// seconds.
    double stableHourSeconds() const;
    double stableHourEnd() const;
};

/// Reads gates. Asynchronous; one answer a call, never over 10 s late; a source that is down is a
/// reading (SOURCE_DOWN), not an error.
class GateSource : public QObject
{
    Q_OBJECT

public:
    using QObject::QObject;
    using Answered = std::function<void(QList<GateReading>)>;

    /// `context` gone: no call.
    virtual void evaluate(const GateContext& what, QObject* context, Answered answered) = 0;

    /// What has been gathered in this stage, to be journalled, and taken up again by a driver that
    /// was started anew. An empty object: nothing yet.
    virtual QJsonObject evidence() const { return {}; }
    virtual void restore(const QJsonObject&) { }
    /// A new stage, or something changed under the feet of this one: evidence begins anew.
    virtual void reset() { }
};

} // namespace sluice::ops
