#pragma once

#include "engine/base/result.h"
#include "engine/operations/loadtest/loadresult.h"
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
/// judged by the same rules, its latencies marked as not corrected. One object, one run.
class LocustRun : public QObject
{
    Q_OBJECT

public:
    explicit LocustRun(QObject* parent = nullptr);
    ~LocustRun() override; ///< ends every process, at once

    /// Input error for a scenario out of bounds, a target that is no http URL, or without Locust.
    Result<void> start(
        const LocustSetup& setup, const Scenario& scenario, const QUrl& target, quint64 seed = 1);
    void stop(); ///< no request is sent after a second; finished() follows
    bool isRunning() const;
    LocustRunner* runner() const;

Q_SIGNALS:
    void second(const sluice::ops::LoadSecond& second); ///< some three seconds after it was
    void block(const sluice::ops::LatencyBlock& block); ///< every ten seconds, and the rest
    void noted(const QString& note);
    void finished(const sluice::ops::LoadResult& result);
    void failed(const sluice::Error& error);

private:
    class Private;
    std::unique_ptr<Private> d;
};

} // namespace sluice::ops
