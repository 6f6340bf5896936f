#pragma once

#include "engine/base/result.h"

#include <QObject>
#include <QString>
#include <functional>
#include <memory>

namespace sluice::ops {

/// How the balancer splits now, as read back from it.
struct TrafficSplit
{
    QString live; ///< pool that takes what is not shifted: "blue" or "green"
    QString next; ///< the other one
    int nextShareBasisPoints = 0; ///< configured share of sessions on `next`, 0..10000
    qint64 leaseUntilMs = 0; ///< ms since 1970; past: the balancer sends everything to `live`
    int liveServersUp = 0;
    int nextServersUp = 0;
    quint64 liveRequests = 0; ///< since HAProxy's start
    quint64 nextRequests = 0;
    quint64 liveErrors = 0; ///< 5xx, connection and response errors
    quint64 nextErrors = 0;
};

/// The live split, by HAProxy's runtime API (unix socket), as in the map files
/// live.map and num.map that the local stack generates. Every change is read back; an answer is
/// what HAProxy says, not what was asked.
class TrafficRouter : public QObject
{
    Q_OBJECT

public:
    using Answered = std::function<void(Result<TrafficSplit>)>;

    explicit TrafficRouter(QString socket, QObject* parent = nullptr);
    ~TrafficRouter() override;

    void read(QObject* context, Answered answered);
    /// Sends `basisPoints` of the sessions to the pool that is not live, with a lease until
    /// `untilMs`. Refused when that pool has no healthy server and the share is not 0.
    void shift(int basisPoints, qint64 untilMs, QObject* context, Answered answered);
    /// Makes it so: `live` is the live pool, the other one gets `nextBasisPoints` until `untilMs`.
    /// Absolute: doing it twice is doing it once. A swap is written into the map's file too, so
    /// that a reload keeps it. Refused when a pool that is to get sessions has no healthy server
    /// and the other one has. Cancelled: a newer order was given meanwhile.
    void apply(const QString& live, int nextBasisPoints, qint64 untilMs, QObject* context,
        Answered answered);
    /// Renews the lease alone.
    void renew(qint64 untilMs, QObject* context, Answered answered);
    /// Share 0: everything to the live pool. Valid in every state.
    void rollback(QObject* context, Answered answered);
    /// Makes the other pool live, with share 0 on the one that was: what 100 % ends with.
    void swapLive(QObject* context, Answered answered);

private:
    class Private;
    std::unique_ptr<Private> d;
};

} // namespace sluice::ops
