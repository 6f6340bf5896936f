#pragma once

#include "engine/base/result.h"
#include "engine/operations/loadtest/loadrun.h"
#include "engine/operations/loadtest/locustrunner.h"

#include <QObject>
#include <memory>

namespace sluice::ops {

/// A scenario as Locust can run it: users, and of an open model the rate by pacing each user.
/// Input error where its queries can't be read. `notes` says what Locust does otherwise than the
/// native generator.
Result<LocustPlan> locustPlanOf(
    const Scenario& scenario, const QUrl& target, quint64 seed, QStringList* notes = nullptr);

/// Runs a scenario on Locust and tells it as LoadRun does: the same seconds, blocks and result,
/// judged by the same rules and kept in the same folder, its latencies marked as not corrected. One
/// object, one run.
class LocustRun : public QObject
{
    Q_OBJECT

public:
    explicit LocustRun(QObject* parent = nullptr);
    ~LocustRun() override; ///< ends every process, at once

    /// Errors of loadAddress(), of a scenario out of bounds, of queries that can't be read, of a
    /// folder that can't be written; or Locust is not installed.
    Result<void> start(const LocustSetup& setup, const LoadOptions& options);
    void stop(); ///< no request is sent after a second; finished() follows
    bool isRunning() const;
    LocustRunner* runner() const;

Q_SIGNALS:
    void second(const sluice::ops::LoadSecond& second); ///< some three seconds after it was
    void noted(const QString& note);
    void finished(const sluice::ops::LoadResult& result); ///< the last signal, or
    void failed(const sluice::Error& error); ///< there is no result

private:
    class Private;
    std::unique_ptr<Private> d;
};

} // namespace sluice::ops
