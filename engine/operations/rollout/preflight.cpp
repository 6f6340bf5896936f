#include "engine/operations/rollout/preflight.h"

#include "engine/operations/monitoring/redismonitor.h"

#include <QDateTime>
#include <QJsonDocument>
#include <QJsonObject>
#include <QNetworkReply>
#include <QPointer>
#include <QSet>
#include <algorithm>

namespace sluice::ops {

namespace {

constexpr int timeoutMs = 5000;
constexpr double day = 86400;
constexpr double certificateDays = 14;

using State = PreflightResult::State;

PreflightResult made(const char* check, const char* task, State state, const QString& text)
{
    return {QString::fromLatin1(check), QString::fromUtf8(task), state, text};
}

QString words(const Error& error)
{
    return QString::fromStdString(error.text());
}

const char* const balancerTask = "The balancer answers, both pools have healthy servers";
const char* const workersTask = "Every worker answers, one version and model a pool";
const char* const certificatesTask = "No certificate ends within 14 days";
const char* const alertsTask = "Alerting rules are loaded and evaluated";
const char* const probesTask = "Synthetic probes succeed";
const char* const persistenceTask = "Redis keeps what it is told over a restart";
const char* const evictionTask = "Redis evicts nothing but what expires";
const char* const backupTask = "Redis' last snapshot is younger than a day";

QString notConfigured()
{
    return QStringLiteral("not configured in this environment");
}

} // namespace

PreflightResult Preflight::judgeBalancer(const Result<TrafficSplit>& split)
{
    if (!split) {
        return made("balancer", balancerTask, State::Unknown, words(split.error()));
    }
    const QString healthy = QStringLiteral("%1 healthy in %2, %3 in %4")
                                .arg(split->liveServersUp)
                                .arg(split->live)
                                .arg(split->nextServersUp)
                                .arg(split->next);
    const bool both = split->liveServersUp > 0 && split->nextServersUp > 0;
    return made("balancer", balancerTask, both ? State::Passed : State::Failed, healthy);
}

PreflightResult Preflight::judgeWorkers(
    const QList<WorkerEndpoint>& asked, const QHash<QString, QJsonObject>& infos)
{
    if (asked.isEmpty()) {
        return made("workers", workersTask, State::Unknown, notConfigured());
    }
    QMap<QString, QSet<QString>> runs; // by pool
    QStringList silent;
    for (const WorkerEndpoint& worker : asked) {
        const QJsonObject info = infos.value(worker.url.toString());
        if (info.isEmpty()) {
            silent << worker.url.authority();
            continue;
        }
        runs[worker.pool].insert(info[QLatin1StringView("version")].toString() + u' '
            + info[QLatin1StringView("model")].toString().left(8));
    }
    if (!silent.isEmpty()) {
        return made("workers", workersTask, State::Failed,
            QStringLiteral("no answer from %1").arg(silent.join(QStringLiteral(", "))));
    }
    QStringList said;
    bool single = true;
    for (auto pool = runs.begin(); pool != runs.end(); ++pool) {
        QStringList versions(pool->begin(), pool->end());
        versions.sort();
        said << QStringLiteral("%1: %2").arg(pool.key(), versions.join(QStringLiteral(" and ")));
        single = single && versions.size() == 1;
    }
    return made("workers", workersTask, single ? State::Passed : State::Failed,
        said.join(QStringLiteral("; ")));
}

PreflightResult Preflight::judgeCertificates(const Result<QList<InstantSample>>& ends, double now)
{
    if (!ends) {
        return made("certificates", certificatesTask, State::Unknown, words(ends.error()));
    }
    double first = 0;
    for (const InstantSample& end : *ends) {
        if (end.value > 0 && (first <= 0 || end.value < first)) { // 0: without TLS
            first = end.value;
        }
    }
    if (first <= 0) {
        return ends->isEmpty() ? made("certificates", certificatesTask, State::Unknown,
                   QStringLiteral("no worker tells when its certificate ends"))
                               : made("certificates", certificatesTask, State::Passed,
                                   QStringLiteral("the workers speak without TLS"));
    }
    const double days = (first - now) / day;
    return made("certificates", certificatesTask,
        days >= certificateDays ? State::Passed
            : days > 0          ? State::Warned
                                : State::Failed,
        days > 0 ? QStringLiteral("the first ends in %1 days").arg(std::floor(days))
                 : QStringLiteral("one ended %1 days ago").arg(std::ceil(-days)));
}

PreflightResult Preflight::judgeAlerts(const Result<QList<AlertRule>>& rules)
{
    if (!rules) {
        return made("alerts", alertsTask, State::Unknown, words(rules.error()));
    }
    QStringList broken;
    QStringList firing;
    for (const AlertRule& rule : *rules) {
        if (!rule.error.isEmpty()) {
            broken << rule.name;
        }
        if (rule.state == QLatin1StringView("firing")) {
            firing << rule.name;
        }
    }
    if (rules->isEmpty()) {
        return made("alerts", alertsTask, State::Failed,
            QStringLiteral("Prometheus has no alerting rules: nobody would be called"));
    }
    if (!broken.isEmpty()) {
        return made("alerts", alertsTask, State::Failed,
            QStringLiteral("can't be evaluated: %1").arg(broken.join(QStringLiteral(", "))));
    }
    if (!firing.isEmpty()) {
        return made("alerts", alertsTask, State::Warned,
            QStringLiteral("%1 rules; firing now: %2")
                .arg(rules->size())
                .arg(firing.join(QStringLiteral(", "))));
    }
    return made("alerts", alertsTask, State::Passed, QStringLiteral("%1 rules").arg(rules->size()));
}

PreflightResult Preflight::judgeProbes(const Result<QList<InstantSample>>& probes)
{
    if (!probes) {
        return made("probes", probesTask, State::Unknown, words(probes.error()));
    }
    if (probes->isEmpty()) {
        return made("probes", probesTask, State::Unknown,
            QStringLiteral("Prometheus has no probe_success: no blackbox exporter is scraped"));
    }
    QStringList failed;
    for (const InstantSample& sample : *probes) {
        if (!(sample.value >= 1)) {
            failed << sample.labels.value(
                QStringLiteral("target"), sample.labels.value(QStringLiteral("instance")));
        }
    }
    return failed.isEmpty() ? made("probes", probesTask, State::Passed,
               QStringLiteral("%1 of %1 answer as they should").arg(probes->size()))
                            : made("probes", probesTask, State::Failed,
                                QStringLiteral("%1 of %2 fail: %3")
                                    .arg(failed.size())
                                    .arg(probes->size())
                                    .arg(failed.join(QStringLiteral(", "))));
}

QList<PreflightResult> Preflight::judgeRedis(const Result<QByteArray>& info, double now)
{
    if (!info) {
        return {made("persistence", persistenceTask, State::Unknown, words(info.error())),
            made("eviction", evictionTask, State::Unknown, words(info.error())),
            made("backup", backupTask, State::Unknown, words(info.error()))};
    }
    const QHash<QByteArray, QByteArray> fields = parseRedisInfo(*info);
    const auto field = [&](const char* name) { return fields.value(name); };
    PreflightResult persistence = made("persistence", persistenceTask, State::Passed,
        QStringLiteral("an append-only file, written without errors"));
    if (field("aof_enabled") == "1") {
        if (field("aof_last_write_status") != "ok") {
            persistence.state = State::Failed;
            persistence.text = QStringLiteral("the append-only file can't be written");
        }
    } else if (!field("rdb_last_save_time").isEmpty() && field("rdb_last_bgsave_status") == "ok"
        && field("rdb_saves") != "0") {
        persistence.state = State::Warned;
        persistence.text =
            QStringLiteral("snapshots alone: what was written since the last one is lost");
    } else {
        persistence.state = State::Failed;
        persistence.text =
            QStringLiteral("neither append-only file nor snapshots: a restart forgets all");
    }
    const QByteArray policy = field("maxmemory_policy");
    const bool careful = policy == "noeviction" || policy.startsWith("volatile");
    const PreflightResult eviction =
        made("eviction", evictionTask, careful ? State::Passed : State::Failed,
            careful ? QString::fromLatin1(policy)
                    : QStringLiteral("%1 may evict thresholds and the rollout itself: set "
                                     "maxmemory-policy volatile-ttl")
                          .arg(QString::fromLatin1(policy)));
    // Every server says when it last saved; one that never did says its start.
    const double age = now - field("rdb_last_save_time").toDouble();
    const PreflightResult backup =
        made("backup", backupTask, age < day ? State::Passed : State::Warned,
            QStringLiteral("%1 h old: run BGSAVE and keep the file elsewhere")
                .arg(std::max(0.0, std::round(age / 3600))));
    return {persistence, eviction, backup};
}

struct Preflight::Run
{
    QPointer<QObject> context;
    Answered answered;
    int open = 1;
    PreflightResult balancer;
    PreflightResult certificates;
    PreflightResult alerts;
    PreflightResult probes;
    QList<PreflightResult> redis;
    QList<WorkerEndpoint> workers;
    QHash<QString, QJsonObject> infos;

    void finishOne()
    {
        if (--open == 0 && context != nullptr) {
            answered(QList<PreflightResult>{
                         balancer, judgeWorkers(workers, infos), certificates, alerts, probes}
                + redis);
        }
    }
};

Preflight::Preflight(QObject* parent)
    : QObject(parent)
{
    m_network.setTransferTimeout(timeoutMs);
}

void Preflight::run(TrafficRouter* router, PrometheusClient* prometheus, RedisClient* redis,
    const QList<WorkerEndpoint>& workers, QObject* context, Answered answered)
{
    const auto run = std::make_shared<Run>();
    run->context = context;
    run->answered = std::move(answered);
    run->workers = workers;
    const double now = double(QDateTime::currentMSecsSinceEpoch()) / 1000;
    run->balancer = made("balancer", balancerTask, State::Unknown, notConfigured());
    run->certificates = made("certificates", certificatesTask, State::Unknown, notConfigured());
    run->alerts = made("alerts", alertsTask, State::Unknown, notConfigured());
    run->probes = made("probes", probesTask, State::Unknown, notConfigured());
    run->redis = judgeRedis(unreachableError(notConfigured().toStdString()), now);
    if (router != nullptr) {
        ++run->open;
        router->read(this, [run](const Result<TrafficSplit>& split) {
            run->balancer = judgeBalancer(split);
            run->finishOne();
        });
    }
    if (prometheus != nullptr) {
        run->open += 3;
        prometheus->query(
            QStringLiteral("probe_success"), this,
            [run](const Result<QList<InstantSample>>& probes) {
                run->probes = judgeProbes(probes);
                run->finishOne();
            },
            timeoutMs);
        prometheus->query(
            QStringLiteral("sluice_certificate_expiry_timestamp_seconds"), this,
            [run, now](const Result<QList<InstantSample>>& ends) {
                run->certificates = judgeCertificates(ends, now);
                run->finishOne();
            },
            timeoutMs);
        prometheus->rules(
            this,
            [run](const Result<QList<AlertRule>>& rules) {
                run->alerts = judgeAlerts(rules);
                run->finishOne();
            },
            timeoutMs);
    }
    if (redis != nullptr) {
        ++run->open;
        redis->command(
            {"INFO"}, this,
            [run, now](const Result<RedisReply>& reply) {
                run->redis = judgeRedis(
                    reply ? Result<QByteArray>(reply->text) : Result<QByteArray>(reply.error()),
                    now);
                run->finishOne();
            },
            timeoutMs);
    }
    for (const WorkerEndpoint& worker : workers) {
        ++run->open;
        QUrl url = worker.url;
        url.setPath(QStringLiteral("/v1/info"));
        QNetworkReply* reply = m_network.get(QNetworkRequest(url));
        connect(reply, &QNetworkReply::finished, this, [run, reply, key = worker.url.toString()] {
            reply->deleteLater();
            if (reply->error() == QNetworkReply::NoError) {
                run->infos.insert(key, QJsonDocument::fromJson(reply->readAll()).object());
            }
            run->finishOne();
        });
    }
    QMetaObject::invokeMethod(
        this, [run] { run->finishOne(); }, Qt::QueuedConnection);
}

} // namespace sluice::ops
