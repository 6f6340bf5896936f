#pragma once

#include "engine/operations/environment/environment.h"
#include "engine/operations/rollout/driverports.h"
#include "engine/operations/thresholds/publishedthresholds.h"

#include <QNetworkAccessManager>
#include <QThread>
#include <atomic>
#include <memory>

namespace sluice::ops {

/// Puts a release on the idle pool, runs suites against it, and calls hooks.
///
/// Deploying: hooks first (they bring the worker version about), then the pool's pointer to the
/// threshold set, then the model to every worker that has another one (POST /v1/admin/model, with
/// its SHA-256); done when every worker of the pool says all three of itself.
class ReleaseDeployer : public ReleaseWorks
{
    Q_OBJECT

public:
    struct Options
    {
        QList<WorkerEndpoint> workers;
        QString token; ///< of role admin or lead, for the upload; empty: none is sent
        qint64 deployTimeoutMs = 300000; ///< until every worker says so
        int askMs = 500;
    };
    ReleaseDeployer(Options options, PublishedThresholds* thresholds, QObject* parent = nullptr);
    ~ReleaseDeployer() override; ///< waits for a suite that runs (5 s at most)

    void deploy(const RolloutState& state, QObject* context, Answered answered) override;
    void stage(const RolloutState& state, QObject* context, Answered answered) override;
    void hook(
        const QString& at, const RolloutState& state, QObject* context, Answered answered) override;

private:
    struct Job;
    using Next = std::function<void(Result<void>)>;

    void point(const std::shared_ptr<Job>& job, const Next& next);
    void upload(const std::shared_ptr<Job>& job, const QList<WorkerInfo>& infos);
    void wait(const std::shared_ptr<Job>& job);
    void runHook(const std::shared_ptr<Job>& job, qsizetype index);
    void runCommand(
        const PlannedHook& hook, const RolloutState& state, QObject* context, const Next& next);
    void callUrl(
        const PlannedHook& hook, const RolloutState& state, QObject* context, const Next& next);
    QList<WorkerEndpoint> workersOf(const QString& pool) const;

    Options m_options;
    PublishedThresholds* m_thresholds;
    QNetworkAccessManager m_network;
    std::shared_ptr<std::atomic<bool>> m_cancel;
    std::unique_ptr<QThread> m_suites;
};

} // namespace sluice::ops
