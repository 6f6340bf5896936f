#pragma once

#include "engine/base/result.h"

#include <QByteArray>
#include <QList>
#include <QString>
#include <QStringList>
#include <QUrl>

namespace sluice::ops {

/// A point of a curve of load; straight lines between, a step where two points have one time.
struct LocustPoint
{
    double seconds = 0; ///< from the start
    double users = 0;
    double requestsPerSecond = 0; ///< of all users together; 0: users ask after their time to think
};

/// One request: what is posted where.
struct LocustRequest
{
    QString path; ///< "/v1/classify"
    QByteArray body; ///< JSON
};

/// What a user asks, one after another: a single query in the user's session, several in a session
/// of their own.
struct LocustScript
{
    QList<LocustRequest> requests; ///< not empty
    double weight = 1; ///< over 0: how often it is drawn against the others
};

/// What Locust users do; the whole of what a generated locustfile knows.
struct LocustPlan
{
    QUrl target; ///< scheme, host and port
    QList<LocustPoint> curve; ///< ascending in time; the run ends at the last
    QList<LocustScript> scripts; ///< not empty
    double thinkSeconds = 1; ///< from an answer to the next request
    double jitter = 0.5; ///< pauses vary by this share (0..1) either way
    double timeoutSeconds = 10;
    quint64 seed = 1;

    /// Input error that names what is wrong.
    Result<void> check() const;
    double seconds() const { return curve.isEmpty() ? 0 : curve.last().seconds; }
};

/// The locustfile: the plan as one line of Python, then resources/loadtest/locustfile.py, which
/// says how it is asked and mends what Debian's Locust 2.12 does wrong when it runs distributed (an
/// empty version, a history that is not flushed, the last second lost). Internal error where that
/// file is missing.
Result<QByteArray> locustfile(const LocustPlan& plan);

/// The commands of a run, program first.
QStringList locustMaster(const QString& program, const QString& file, const QString& bindHost,
    quint16 port, int workers, int workerWaitSeconds);
QStringList locustWorker(
    const QString& program, const QString& file, const QString& masterHost, quint16 port);
/// The one line for a shell on another host that takes the locustfile (`bytes` long) from its
/// standard input and works with it until that input ends.
QString remoteLocustWorker(
    const QString& program, qsizetype bytes, const QString& masterHost, quint16 port);

} // namespace sluice::ops
