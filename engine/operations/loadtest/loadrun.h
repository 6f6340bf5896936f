#pragma once

#include "engine/base/result.h"
#include "engine/operations/loadtest/loadresult.h"
#include "engine/operations/loadtest/runfolder.h"

#include <QObject>
#include <memory>

namespace sluice::ops {

/// What a run needs besides its scenario.
struct LoadOptions
{
    Scenario scenario;
    QUrl target; ///< http://HOST:PORT
    quint64 seed = 1;
    QString environment; ///< its name; empty: none
    /// The target's host as a person typed it: load is never aimed at another machine by accident.
    QString iMean;
    bool loadTarget = false; ///< the environment is marked as one: need not be typed
    QUrl prometheus; ///< where the server's side is read; empty: it is not
    QString token; ///< bearer token
    QString folder; ///< run folder, written while it runs; empty: none
    QJsonObject versions; ///< kept with the run, beside what is known here
};

/// The numeric address of a target that may be loaded: loopback, typed (`iMean`), or marked. Input
/// error for what is no http URL, can't be resolved, or is another machine's.
Result<std::string> loadAddress(const QUrl& target, const QString& iMean, bool loadTarget);

/// Raises the limit of open descriptors, so that `connections` fit. Input error where the system
/// does not allow so many, saying how many and what to do.
Result<void> raiseDescriptorLimit(int connections);

/// Runs a scenario against a URL with the native generator, on a thread of its own; judges the run,
/// applies the scenario's stop rule, writes the run folder. One object, one run.
class LoadRun : public QObject
{
    Q_OBJECT

public:
    explicit LoadRun(QObject* parent = nullptr);
    ~LoadRun() override; ///< stops and waits (under a second)

    Result<void> start(const Scenario& scenario, const QUrl& target, quint64 seed = 1);
    /// Errors of loadAddress(), of a scenario out of bounds, of queries that can't be read, of a
    /// folder that can't be written, of too few descriptors.
    Result<void> start(const LoadOptions& options);
    void stop(); ///< ends within a second; finished() follows
    bool isRunning() const;

Q_SIGNALS:
    void second(const sluice::ops::LoadSecond& second);
    void finished(const sluice::ops::LoadResult& result);
    /// What was measured could not be kept; the run goes on.
    void failed(const sluice::Error& error);

private:
    class Private;
    std::unique_ptr<Private> d;
};

} // namespace sluice::ops
