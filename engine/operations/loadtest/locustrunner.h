#pragma once

#include "engine/base/result.h"
#include "engine/operations/loadtest/latencyhistogram.h"
#include "engine/operations/loadtest/locustplan.h"

#include <QMap>
#include <QObject>
#include <memory>

namespace sluice::ops {

/// Where a Locust run's processes are.
struct LocustSetup
{
    QString program = QStringLiteral("locust");
    int localWorkers = 2;
    /// Further workers: each a command that runs the one shell line it is given on another host,
    /// with our standard input as its ("ssh load1").
    QStringList remoteWorkers;
    QString masterHost = QStringLiteral("127.0.0.1"); ///< as the workers reach this machine
    int workerWaitSeconds = 60; ///< until all have connected
};

/// One second of all workers together. A closed model: latencies count from the moment when a user
/// sent, so a server that stands still hides its waiting (coordinated omission).
struct LocustSecond
{
    int second = 0; ///< from 0
    double users = 0;
    int workers = 0; ///< that report
    qint64 succeeded = 0;
    QMap<QString, qint64> errors; ///< by kind, in the words of the native generator
    QMap<QString, QString> samples; ///< one text of each kind that occurred
    LatencyHistogram latency; ///< of what succeeded; buckets of 0.8 %
    double cpu = 0; ///< of all workers, percent of a core
    double busiestWorkerCpu = 0; ///< percent of a core
};

struct LocustEnd
{
    bool completed = false; ///< false: stopped, or no worker was left
    double seconds = 0;
    qint64 requests = 0; ///< as Locust itself counted, failures with them
    qint64 failures = 0;
    QStringList notes; ///< a worker lost or back, exceptions in the locustfile
};

/// Runs a plan on Locust: a headless master and its workers, all of which end with this object and
/// with the program, however that ends. One object, one run.
class LocustRunner : public QObject
{
    Q_OBJECT

public:
    explicit LocustRunner(QObject* parent = nullptr);
    ~LocustRunner() override; ///< ends every process, at once

    /// Input error for a wrong plan or where Locust is not installed.
    Result<void> start(const LocustPlan& plan, const LocustSetup& setup = {});
    void stop(); ///< no request is sent after a second; finished() follows when reports are in
    bool isRunning() const;
    QList<qint64> workerPids() const; ///< of the local ones

Q_SIGNALS:
    void started(int workers); ///< connected; users come now
    void second(const sluice::ops::LocustSecond& second); ///< some three seconds after it was
    void noted(const QString& note);
    void finished(const sluice::ops::LocustEnd& end); ///< the last signal, or
    void failed(const sluice::Error& error);

private:
    class Private;
    std::unique_ptr<Private> d;
};

} // namespace sluice::ops
