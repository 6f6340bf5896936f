#include "engine/operations/rollout/releasedeployer.h"

#include "engine/operations/queries/suiterun.h"
#include "engine/operations/threads/handover.h"

#include <QDateTime>
#include <QFile>
#include <QJsonDocument>
#include <QNetworkReply>
#include <QPointer>
#include <QProcess>
#include <QThread>
#include <QTimer>

namespace sluice::ops {

namespace {

constexpr int uploadTimeoutMs = 120000;
constexpr qint64 mostModelBytes = qint64(512) << 20;

/// What a hook is told.
QList<std::pair<QString, QString>> factsOf(const RolloutState& state)
{
    const Release& release = state.plan.release;
    return {{QStringLiteral("SLUICE_ROLLOUT"), state.rolloutId},
        {QStringLiteral("SLUICE_RELEASE"), release.id},
        {QStringLiteral("SLUICE_POOL"), state.canary},
        {QStringLiteral("SLUICE_WORKER_VERSION"), release.workerVersion},
        {QStringLiteral("SLUICE_MODEL"), release.modelHash},
        {QStringLiteral("SLUICE_THRESHOLD_SET"), QString::number(release.thresholdSet)}};
}

/// What a worker says that is not the release; empty: it is.
QString differs(const WorkerInfo& info, const Release& release)
{
    const QString who = info.endpoint.url.authority();
    if (!info.reachable) {
        return who % QStringLiteral(" does not answer: ") % info.error;
    }
    if (!release.workerVersion.isEmpty() && info.version != release.workerVersion) {
        return QStringLiteral("%1 is version %2, not %3")
            .arg(who, info.version, release.workerVersion);
    }
    if (!release.modelHash.isEmpty() && info.modelHash != release.modelHash) {
        return QStringLiteral("%1 serves model %2, not %3")
            .arg(who, info.modelHash.left(12), release.modelHash.left(12));
    }
    if (release.thresholdSet >= 0 && info.thresholdSet != release.thresholdSet) {
        return QStringLiteral("%1 serves threshold set %2, not %3")
            .arg(who)
            .arg(info.thresholdSet)
            .arg(release.thresholdSet);
    }
    return {};
}

/// Runs one suite; a sentence, or what failed.
Result<QString> runPlanned(const PlannedSuite& planned, const QueryTarget& target,
    const std::shared_ptr<std::atomic<bool>>& cancel)
{
    const auto suite = TestSuite::read(planned.file.toStdString());
    if (!suite) {
        return suite.error();
    }
    const auto source = openSource(target);
    const auto result = runSuite(*suite, *source, {}, cancel.get());
    if (!result) {
        return result.error();
    }
    const std::string where = " of " + std::to_string(result->cases.size()) + " cases of "
        + planned.file.toStdString() + " on " + target.name.toStdString();
    if (result->failed() > 0) {
        std::string first;
        for (const CaseResult& one : result->cases) {
            if (!one.passed() && first.empty()) {
                first = one.query + ": " + one.why;
            }
        }
        return refusedError(std::to_string(result->failed()) + where + " fail", first);
    }
    return QString::fromStdString("all" + where + " pass");
}

} // namespace

struct ReleaseDeployer::Job
{
    RolloutState state;
    QString at; ///< of the hooks
    QPointer<QObject> context;
    Answered answered;
    qint64 untilMs = 0;
    QStringList done;

    void finish(Result<QString> result)
    {
        if (answered && context != nullptr) {
            std::exchange(answered, nullptr)(std::move(result));
        }
    }
};

ReleaseDeployer::ReleaseDeployer(Options options, PublishedThresholds* thresholds, QObject* parent)
    : ReleaseWorks(parent)
    , m_options(std::move(options))
    , m_thresholds(thresholds)
{ }

ReleaseDeployer::~ReleaseDeployer()
{
    if (m_suites) {
        *m_cancel = true;
        m_suites->wait(); // a worker's answer is waited for 5 s at most
    }
}

QList<WorkerEndpoint> ReleaseDeployer::workersOf(const QString& pool) const
{
    QList<WorkerEndpoint> found;
    for (const WorkerEndpoint& worker : m_options.workers) {
        if (worker.pool == pool) {
            found << worker;
        }
    }
    return found;
}

void ReleaseDeployer::deploy(const RolloutState& state, QObject* context, Answered answered)
{
    auto job = std::make_shared<Job>();
    job->state = state;
    job->context = context;
    job->answered = std::move(answered);
    job->untilMs = QDateTime::currentMSecsSinceEpoch() + m_options.deployTimeoutMs;
    if (workersOf(state.canary).isEmpty()) {
        job->finish(inputError("the environment names no worker of pool "
            + state.canary.toStdString() + ": nothing can be deployed there"));
        return;
    }
    hook(QStringLiteral("deploy"), state, this, [this, job](const Result<QString>& hooks) {
        if (!hooks) {
            job->finish(hooks.error());
            return;
        }
        point(job, [this, job](const Result<void>& pointed) {
            if (!pointed) {
                job->finish(pointed.error());
                return;
            }
            wait(job);
        });
    });
}

/// The pool's pointer to the threshold set.
void ReleaseDeployer::point(const std::shared_ptr<Job>& job, const Next& next)
{
    const qint64 wanted = job->state.plan.release.thresholdSet;
    if (wanted < 0) {
        next({});
        return;
    }
    m_thresholds->active(job->state.canary, this, [this, job, next, wanted](const auto& active) {
        if (!active) {
            next(active.error());
            return;
        }
        const qint64 now = *active ? (*active)->number : 0;
        if (now == wanted) {
            next({});
            return;
        }
        m_thresholds->activate(
            wanted, job->state.canary, now, this,
            [next](const Result<qint64>& number) {
                next(number ? Result<void>() : Result<void>(number.error()));
            },
            QStringLiteral("rollout ") % job->state.rolloutId, DuringRollout::Own);
    });
}

/// Until every worker says that it is the release.
void ReleaseDeployer::wait(const std::shared_ptr<Job>& job)
{
    if (job->context == nullptr) {
        return;
    }
    m_thresholds->workers(
        workersOf(job->state.canary), this, [this, job](const QList<WorkerInfo>& infos) {
            const Release& release = job->state.plan.release;
            QString wrong;
            bool otherModel = false;
            for (const WorkerInfo& info : infos) {
                const QString what = differs(info, release);
                wrong = wrong.isEmpty() ? what : wrong;
                otherModel = otherModel
                    || (info.reachable && !release.modelHash.isEmpty()
                        && info.modelHash != release.modelHash);
            }
            if (wrong.isEmpty()) {
                job->finish(QStringLiteral("%1 workers of %2 are %3")
                                .arg(infos.size())
                                .arg(job->state.canary, release.id));
            } else if (QDateTime::currentMSecsSinceEpoch() > job->untilMs) {
                job->finish(
                    refusedError("in time not every worker is the release", wrong.toStdString()));
            } else if (otherModel && !release.modelFile.isEmpty()
                && !job->done.contains(QStringLiteral("uploaded"))) {
                job->done << QStringLiteral("uploaded");
                upload(job, infos);
            } else {
                QTimer::singleShot(m_options.askMs, this, [this, job] { wait(job); });
            }
        });
}

void ReleaseDeployer::upload(const std::shared_ptr<Job>& job, const QList<WorkerInfo>& infos)
{
    const Release& release = job->state.plan.release;
    QFile file(release.modelFile);
    if (!file.open(QIODevice::ReadOnly) || file.size() > mostModelBytes) {
        job->finish(inputError("the model " + release.modelFile.toStdString() + " can't be read",
            file.errorString().toStdString()));
        return;
    }
    const QByteArray model = file.readAll();
    auto open = std::make_shared<int>(0);
    for (const WorkerInfo& info : infos) {
        if (!info.reachable || info.modelHash == release.modelHash) {
            continue;
        }
        ++*open;
        QUrl url = info.endpoint.url;
        url.setPath(QStringLiteral("/v1/admin/model"));
        QNetworkRequest request(url);
        request.setTransferTimeout(uploadTimeoutMs);
        request.setHeader(
            QNetworkRequest::ContentTypeHeader, QStringLiteral("application/octet-stream"));
        request.setRawHeader("X-Content-SHA256", release.modelHash.toUtf8());
        if (!m_options.token.isEmpty()) {
            request.setRawHeader("Authorization", "Bearer " + m_options.token.toUtf8());
        }
        QNetworkReply* reply = m_network.post(request, model);
        connect(reply, &QNetworkReply::finished, this, [this, job, reply, open] {
            reply->deleteLater();
            const int status = reply->attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt();
            if (status != 200) {
                const QString said = QJsonDocument::fromJson(reply->readAll())
                                         .object()[QStringLiteral("detail")]
                                         .toString();
                job->finish(refusedError(
                    "the model could not be put on " + reply->url().authority().toStdString(),
                    (said.isEmpty() ? reply->errorString() : said).toStdString()));
            }
            if (--*open == 0 && job->answered) {
                wait(job);
            }
        });
    }
}

void ReleaseDeployer::stage(const RolloutState& state, QObject* context, Answered answered)
{
    if (m_suites && m_suites->isRunning()) {
        answered(refusedError("suites of an earlier attempt still run: try again in a moment"));
        return;
    }
    auto job = std::make_shared<Job>();
    job->state = state;
    job->context = context;
    job->answered = std::move(answered);
    hook(QStringLiteral("staging"), state, this, [this, job](const Result<QString>& hooks) {
        if (!hooks) {
            job->finish(hooks.error());
            return;
        }
        const RolloutPlan& plan = job->state.plan;
        QList<std::pair<PlannedSuite, QueryTarget>> runs;
        const QList<WorkerEndpoint> workers = workersOf(job->state.canary);
        qint64 timeoutMs = 0;
        for (const WorkerEndpoint& worker : workers) { // the smoke suite on each, the other on one
            QueryTarget target;
            target.name = worker.pool % u' ' % worker.url.authority();
            target.worker = worker.url;
            target.token = m_options.token;
            if (!plan.smoke.file.isEmpty()) {
                runs << std::pair(plan.smoke, target);
                timeoutMs += plan.smoke.timeoutMs;
            }
            if (!plan.system.file.isEmpty() && worker == workers.last()) {
                runs << std::pair(plan.system, target);
                timeoutMs += plan.system.timeoutMs;
            }
        }
        if (runs.isEmpty()) {
            job->finish(QStringLiteral("the plan names no suites"));
            return;
        }
        m_cancel = std::make_shared<std::atomic<bool>>(false);
        auto* over = new HandOver(this);
        m_suites.reset(QThread::create([runs, cancel = m_cancel, over, job] {
            QStringList said;
            std::optional<Error> wrong;
            for (const auto& [suite, target] : runs) {
                auto ran = runPlanned(suite, target, cancel);
                if (!ran) {
                    wrong = ran.error();
                    break;
                }
                said << *ran;
            }
            over->post([job, over, said, wrong] {
                over->deleteLater();
                job->finish(wrong ? Result<QString>(*wrong)
                                  : Result<QString>(said.join(QStringLiteral("; "))));
            });
        }));
        m_suites->start();
        QTimer::singleShot(int(timeoutMs), this, [job, cancel = m_cancel] {
            *cancel = true;
            job->finish(refusedError("the suites did not end in time"));
        });
    });
}

void ReleaseDeployer::hook(
    const QString& at, const RolloutState& state, QObject* context, Answered answered)
{
    auto job = std::make_shared<Job>();
    job->state = state;
    job->at = at;
    job->context = context;
    job->answered = std::move(answered);
    runHook(job, 0);
}

void ReleaseDeployer::runHook(const std::shared_ptr<Job>& job, qsizetype index)
{
    const QList<PlannedHook>& hooks = job->state.plan.hooks;
    while (index < hooks.size() && hooks[index].at != job->at) {
        ++index;
    }
    if (index == hooks.size()) {
        job->finish(
            job->done.isEmpty() ? QStringLiteral("none") : job->done.join(QStringLiteral(", ")));
        return;
    }
    const PlannedHook& hook = hooks[index];
    const QString name = hook.url.isEmpty() ? hook.command.first() : hook.url;
    const Next next = [this, job, index, name](const Result<void>& done) {
        if (!done) {
            job->finish(done.error());
            return;
        }
        job->done << name % QStringLiteral(" done");
        runHook(job, index + 1);
    };
    if (hook.url.isEmpty()) {
        runCommand(hook, job->state, this, next);
    } else {
        callUrl(hook, job->state, this, next);
    }
}

void ReleaseDeployer::runCommand(
    const PlannedHook& hook, const RolloutState& state, QObject* context, const Next& next)
{
    auto* process = new QProcess(context);
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    for (const auto& [name, value] : factsOf(state)) {
        environment.insert(name, value);
    }
    process->setProcessEnvironment(environment);
    process->setProcessChannelMode(QProcess::MergedChannels);
    process->setStandardInputFile(QProcess::nullDevice());
    const std::string name = hook.command.first().toStdString();
    auto told = std::make_shared<bool>(false);
    const auto finish = [told, next](const Result<void>& result) {
        if (!std::exchange(*told, true)) {
            next(result);
        }
    };
    connect(process, &QProcess::finished, context, [process, finish, name](int code) {
        process->deleteLater();
        const std::string tail = process->readAll().right(500).trimmed().toStdString();
        finish(code == 0 && process->exitStatus() == QProcess::NormalExit
                ? Result<void>()
                : Result<void>(refusedError(
                    "the hook " + name + " ended with code " + std::to_string(code), tail)));
    });
    connect(process, &QProcess::errorOccurred, context,
        [process, finish, name](QProcess::ProcessError error) {
            if (error == QProcess::FailedToStart) {
                process->deleteLater();
                finish(inputError("the hook " + name + " can't be started",
                    process->errorString().toStdString()));
            }
        });
    QTimer::singleShot(int(hook.timeoutMs), process, [process, finish, name] {
        process->kill();
        finish(refusedError("the hook " + name + " did not end in time: it was killed"));
    });
    process->start(hook.command.first(), hook.command.mid(1));
}

void ReleaseDeployer::callUrl(
    const PlannedHook& hook, const RolloutState& state, QObject* context, const Next& next)
{
    QJsonObject facts{{QStringLiteral("at"), hook.at}};
    for (const auto& [name, value] : factsOf(state)) {
        facts[name] = value;
    }
    QNetworkRequest request{QUrl(hook.url)};
    request.setTransferTimeout(int(hook.timeoutMs));
    request.setHeader(QNetworkRequest::ContentTypeHeader, QStringLiteral("application/json"));
    QNetworkReply* reply =
        m_network.post(request, QJsonDocument(facts).toJson(QJsonDocument::Compact));
    connect(reply, &QNetworkReply::finished, context, [reply, next] {
        reply->deleteLater();
        const int status = reply->attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt();
        next(status >= 200 && status < 300
                ? Result<void>()
                : Result<void>(refusedError(
                    "the hook " + reply->url().toString().toStdString() + " did not take it",
                    reply->errorString().toStdString())));
    });
}

} // namespace sluice::ops
