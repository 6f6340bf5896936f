#pragma once

#include "engine/operations/environment/environment.h"
#include "engine/operations/environment/redisclient.h"
#include "engine/operations/monitoring/prometheusclient.h"
#include "engine/operations/rollout/trafficrouter.h"

#include <QHash>
#include <QNetworkAccessManager>
#include <QObject>
#include <functional>
#include <memory>

namespace sluice::ops {

/// One task before a deployment that a machine can look at.
struct PreflightResult
{
    enum class State
    {
        Passed,
        Warned, ///< works, and somebody should look
        Failed,
        Unknown ///< the source does not answer, or is not configured
    };
    QString check; ///< "balancer", "workers", "certificates", "alerts", "probes", "persistence",
                   ///< "eviction", "backup"
    QString task; ///< "Redis keeps what it is told"
    State state = State::Unknown;
    QString text; ///< what was found, and what to do
};

/// The checks of a checklist that need no person: the balancer answers with healthy servers in both
/// pools; every worker answers, those of a pool with one version and model; no certificate ends
/// within 14 days; Prometheus has alerting rules and they are evaluated; synthetic probes, where a
/// blackbox exporter makes some, succeed; Redis writes to disk,
/// evicts nothing but what expires, and its last snapshot is younger than a day.
class Preflight : public QObject
{
    Q_OBJECT

public:
    explicit Preflight(QObject* parent = nullptr);

    using Answered = std::function<void(QList<PreflightResult>)>;
    /// Null pointers and an empty list are sources that are not configured. Answers once, within 6
    /// s; `context` gone: no call. The order of the results is that of the names above.
    void run(TrafficRouter* router, PrometheusClient* prometheus, RedisClient* redis,
        const QList<WorkerEndpoint>& workers, QObject* context, Answered answered);

    // The judgements, pure.
    static PreflightResult judgeBalancer(const Result<TrafficSplit>& split);
    static PreflightResult judgeWorkers(
        const QList<WorkerEndpoint>& asked, const QHash<QString, QJsonObject>& infos);
    static PreflightResult judgeCertificates(const Result<QList<InstantSample>>& ends, double now);
    static PreflightResult judgeAlerts(const Result<QList<AlertRule>>& rules);
    /// Samples of probe_success; none: Unknown, for no blackbox exporter is scraped.
    static PreflightResult judgeProbes(const Result<QList<InstantSample>>& probes);
    /// Persistence, eviction, backup; `info` is INFO's text.
    static QList<PreflightResult> judgeRedis(const Result<QByteArray>& info, double now);

private:
    struct Run;
    QNetworkAccessManager m_network;
};

} // namespace sluice::ops
