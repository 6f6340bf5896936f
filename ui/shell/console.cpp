#include "ui/shell/console.h"

#include "engine/base/resources.h"
#include "engine/classification/classifier.h"
#include "engine/operations/environment/localstack.h"
#include "engine/operations/environment/redisclient.h"
#include "engine/operations/environment/secretstore.h"
#include "engine/operations/monitoring/prometheusclient.h"
#include "engine/operations/monitoring/redismonitor.h"
#include "engine/operations/rollout/trafficrouter.h"
#include "engine/operations/thresholds/publishedthresholds.h"

#include <QElapsedTimer>
#include <algorithm>
#include <pwd.h>
#include <unistd.h>

namespace sluice::ui {

namespace {

constexpr int pollMs = 5000;
constexpr qsizetype keptNotifications = 200;

QString desktopUser()
{
    const passwd* entry = ::getpwuid(::geteuid());
    return entry == nullptr ? QStringLiteral("operator") : QString::fromLocal8Bit(entry->pw_name);
}

QString secretName(const ops::Environment& environment, const QString& user)
{
    return QStringLiteral("%1/redis/%2").arg(environment.name, user);
}

} // namespace

Console::Console(const QString& configFolder, const QString& historyFile, QObject* parent)
    : QObject(parent)
    , m_configFolder(configFolder.isEmpty() ? ops::EnvironmentStore::defaultFolder() : configFolder)
    , m_store(m_configFolder)
    , m_historyFile(historyFile.isEmpty() ? ops::History::defaultFile() : historyFile)
    , m_redis(new ops::RedisClient(this))
    , m_monitorRedis(new ops::RedisClient(this))
    , m_prometheus(new ops::PrometheusClient(this))
    , m_redisMonitor(new ops::RedisMonitor(m_monitorRedis, this))
    , m_publishedThresholds(new ops::PublishedThresholds(m_redis, this))
    , m_history(new ops::History(this))
    , m_secrets(new ops::SecretStore(this))
    , m_localStack(new ops::LocalStack(this))
{
    m_poll.setInterval(pollMs);
    connect(&m_poll, &QTimer::timeout, this, &Console::pollSources);
    connect(m_redis, &ops::RedisClient::stateChanged, this,
        [this](ops::RedisClient::State state) { takeRedisState(static_cast<int>(state)); });
    connect(m_redisMonitor, &ops::RedisMonitor::sampled, this,
        [this] { report(Source::Redis, nullptr, m_monitorRedis->roundTripMs()); });
    connect(m_localStack, &ops::LocalStack::ready, this, [this](const ops::StackStatus& status) {
        m_stackStarting = false;
        readStackUsers(status);
        Q_EMIT localStackChanged();
        connectTo(status.environment);
        notify(Tone::Ok,
            tr("The local stack runs: %n part(s) healthy.", nullptr,
                static_cast<int>(status.parts.size())));
    });
    connect(m_localStack, &ops::LocalStack::failed, this, [this](const Error& error) {
        m_stackStarting = false;
        Q_EMIT localStackChanged();
        notify(Tone::Bad, QString::fromStdString(error.text()));
    });
    connect(m_localStack, &ops::LocalStack::stopped, this, [this] {
        m_stackStarting = false;
        Q_EMIT localStackChanged();
        notify(Tone::None, tr("The local stack has ended."));
    });
}

Console::~Console()
{
    // Work on the pool may hold the classifier; nothing it reports may reach a half-gone console.
    m_jobs.cancelAll();
    m_redis->disconnect(this);
    m_localStack->disconnect(this);
}

void Console::start()
{
    const Result<void> opened = m_history->open(m_historyFile);
    if (!opened) {
        m_historyError = QString::fromStdString(opened.error().text());
        notify(Tone::Bad, tr("The record can't be written: %1").arg(m_historyError),
            QStringLiteral("history"));
    }
    loadClassifier();
}

QList<ops::Environment> Console::environments() const
{
    QList<ops::Environment> all;
    if (const auto stack = ops::LocalStack::status(); stack.ok() && stack->running) {
        all.append(stack->environment);
    }
    if (const auto saved = m_store.load(); saved.ok()) {
        for (const ops::Environment& environment : *saved) {
            if (all.isEmpty() || environment.name != all.first().name) {
                all.append(environment);
            }
        }
    }
    return all;
}

void Console::connectTo(const ops::Environment& environment)
{
    ++m_epoch;
    m_redisMonitor->stop();
    m_redis->close();
    m_monitorRedis->close();
    m_environment = environment;
    for (SourceState& state : m_sources) {
        state = {};
    }
    m_router.reset();
    if (!environment.balancerSocket.isEmpty()) {
        m_router = std::make_shared<ops::TrafficRouter>(environment.balancerSocket);
    }
    m_prometheus->setBaseUrl(environment.prometheus);
    if (environment.name == QLatin1StringView("local")) {
        if (const auto stack = ops::LocalStack::status(); stack.ok() && stack->running) {
            readStackUsers(*stack);
        }
    } else {
        m_users = {environment.redis.user};
    }
    if (environment.redis.port != 0) {
        set(Source::Redis, {SourceState::Kind::Connecting, {}, {}, 0});
    }
    if (!environment.prometheus.isEmpty()) {
        set(Source::Prometheus, {SourceState::Kind::Connecting, {}, {}, 0});
    }
    if (m_router) {
        set(Source::Balancer, {SourceState::Kind::Connecting, {}, {}, 0});
    }
    Q_EMIT environmentChanged();
    Q_EMIT userChanged();
    openRedis();
    pollSources();
    m_poll.start();
}

void Console::disconnectFromAll()
{
    m_poll.stop();
    connectTo({});
    m_poll.stop();
}

void Console::reconnect()
{
    if (!hasEnvironment()) {
        return;
    }
    if (m_redis->state() != ops::RedisClient::State::Connected) {
        openRedis();
    }
    pollSources();
}

void Console::openRedis()
{
    if (m_environment.redis.port == 0) {
        return;
    }
    const ops::RedisEndpoint redis = m_environment.redis;
    const int epoch = m_epoch;
    const auto open = [this, redis, epoch](const QString& password) {
        if (epoch != m_epoch) {
            return;
        }
        m_redis->open(
            redis.host, redis.port, redis.user, password, QStringLiteral("sluice-console"));
        m_monitorRedis->open(
            redis.host, redis.port, redis.user, password, QStringLiteral("sluice-monitor"));
        m_redisMonitor->start(1000);
    };
    if (redis.user.isEmpty()) {
        open({});
        return;
    }
    m_secrets->find(
        secretName(m_environment, redis.user), this, [this, open, epoch](Result<QString> found) {
            if (epoch != m_epoch) {
                return;
            }
            if (!found) {
                set(Source::Redis,
                    {SourceState::Kind::Lost, QString::fromStdString(found.error().text()), {}, 0});
                return;
            }
            open(*found);
        });
}

void Console::takeRedisState(int state)
{
    if (m_environment.redis.port == 0) {
        return;
    }
    SourceState next = source(Source::Redis);
    switch (static_cast<ops::RedisClient::State>(state)) {
    case ops::RedisClient::State::Connected:
        next.kind = SourceState::Kind::Connected;
        next.error.clear();
        next.lastAnswer = QDateTime::currentDateTimeUtc();
        next.latencyMs = m_redis->roundTripMs();
        break;
    case ops::RedisClient::State::Connecting:
        if (next.kind != SourceState::Kind::Lost) {
            next.kind = SourceState::Kind::Connecting;
        }
        break;
    case ops::RedisClient::State::Lost:
        next.kind = SourceState::Kind::Lost;
        next.error = m_redis->lastError();
        break;
    case ops::RedisClient::State::Idle:
        return;
    }
    set(Source::Redis, next);
}

SourceState Console::source(Source source) const
{
    return m_sources.at(static_cast<std::size_t>(source));
}

QString Console::sourceName(Source source)
{
    switch (source) {
    case Source::Redis:
        return QStringLiteral("Redis");
    case Source::Prometheus:
        return QStringLiteral("Prometheus");
    case Source::Balancer:
        break;
    }
    return tr("Balancer");
}

void Console::set(Source source, SourceState state)
{
    SourceState& now = at(source);
    const bool lost = now.isUp() && state.kind == SourceState::Kind::Lost;
    const bool back = now.kind == SourceState::Kind::Lost && state.isUp();
    if (!state.lastAnswer.isValid()) {
        state.lastAnswer = now.lastAnswer;
    }
    now = state;
    if (lost) {
        notify(Tone::Bad, tr("%1 is lost: %2").arg(sourceName(source), state.error));
    }
    if (back) {
        notify(Tone::Ok, tr("%1 is back.").arg(sourceName(source)));
    }
    Q_EMIT sourceChanged(source);
}

void Console::report(Source source, const Error* error, double latencyMs)
{
    SourceState next = this->source(source);
    if (next.kind == SourceState::Kind::NotConfigured) {
        return;
    }
    // A refusal is an answer: the server is there.
    if (error != nullptr && error->kind == ErrorKind::Unreachable) {
        next.kind = SourceState::Kind::Lost;
        next.error = QString::fromStdString(error->text());
    } else {
        next.kind = SourceState::Kind::Connected;
        next.error.clear();
        next.lastAnswer = QDateTime::currentDateTimeUtc();
        if (latencyMs > 0) {
            next.latencyMs = latencyMs;
        }
    }
    set(source, next);
}

void Console::pollSources()
{
    const int epoch = m_epoch;
    QElapsedTimer asked;
    asked.start();
    if (!m_environment.prometheus.isEmpty()) {
        m_prometheus->query(
            QStringLiteral("vector(1)"), this,
            [this, epoch, asked](const Result<QList<ops::InstantSample>>& answer) {
                if (epoch == m_epoch) {
                    report(Source::Prometheus, answer.ok() ? nullptr : &answer.error(),
                        static_cast<double>(asked.nsecsElapsed()) * 1e-6);
                }
            },
            3000);
    }
    if (m_router) {
        m_router->read(this, [this, epoch, asked](const Result<ops::TrafficSplit>& answer) {
            if (epoch == m_epoch) {
                report(Source::Balancer, answer.ok() ? nullptr : &answer.error(),
                    static_cast<double>(asked.nsecsElapsed()) * 1e-6);
            }
        });
    }
}

QString Console::user() const
{
    return m_environment.redis.user.isEmpty() ? desktopUser() : m_environment.redis.user;
}

QString Console::role() const
{
    const QString user = m_environment.redis.user;
    if (!hasEnvironment() || m_environment.redis.port == 0) {
        return tr("offline");
    }
    if (user.isEmpty()) {
        return tr("default user");
    }
    QString role = user;
    return role.replace(QLatin1Char('-'), QLatin1Char(' '));
}

void Console::setUser(const QString& user)
{
    if (user == m_environment.redis.user) {
        return;
    }
    ops::Environment environment = m_environment;
    environment.redis.user = user;
    const QStringList users = m_users;
    connectTo(environment);
    m_users = users;
    Q_EMIT userChanged();
}

void Console::readStackUsers(const ops::StackStatus& status)
{
    m_users.clear();
    // Workers and drivers are machines; a person acts in a person's role.
    for (auto it = status.passwords.begin(); it != status.passwords.end(); ++it) {
        m_secrets->keep(QStringLiteral("local/redis/%1").arg(it.key()), it.value());
        if (it.key() != QLatin1StringView("worker") && it.key() != QLatin1StringView("driver")
            && it.key() != QLatin1StringView("default")) {
            m_users.append(it.key());
        }
    }
    std::sort(m_users.begin(), m_users.end());
}

void Console::startLocalStack()
{
    if (m_stackStarting) {
        return;
    }
    m_stackStarting = true;
    Q_EMIT localStackChanged();
    ops::StackOptions options;
    options.tied = true;
    m_localStack->up(options);
}

void Console::loadClassifier(const QString& modelFile)
{
    const QString file = modelFile.isEmpty()
        ? QString::fromStdString(resourceFile("helpdesk.model").string())
        : modelFile;
    using Loaded = std::shared_ptr<const Classifier>;
    m_jobs.start<Loaded>(
        tr("Loading the model"), QStringLiteral("classifier"),
        [file](JobControl&) -> Result<Loaded> {
            auto loaded = Classifier::load(
                file.toStdString(), resourceFile("entities.json"), 16U * 1024 * 1024);
            if (!loaded) {
                return loaded.error();
            }
            return Loaded(std::move(*loaded));
        },
        this,
        [this, file](Result<Loaded> loaded) {
            if (loaded) {
                m_classifier = std::move(*loaded);
                m_modelFile = file;
                m_classifierError.reset();
            } else {
                // The one that serves already goes on serving.
                m_classifierError = loaded.error();
                notify(Tone::Bad, QString::fromStdString(loaded.error().text()),
                    QStringLiteral("classify"));
            }
            Q_EMIT classifierLoaded();
        });
}

void Console::setTimeRange(const TimeRange& range)
{
    if (!(range == m_range)) {
        m_range = range;
        Q_EMIT timeRangeChanged();
    }
}

void Console::setLive(bool live)
{
    if (live != m_live) {
        m_live = live;
        Q_EMIT liveChanged(live);
    }
}

void Console::notify(Tone tone, const QString& text, const QString& workspace)
{
    const Notification notification{QDateTime::currentDateTimeUtc(), tone, text, workspace};
    m_notifications.prepend(notification);
    if (m_notifications.size() > keptNotifications) {
        m_notifications.removeLast();
    }
    Q_EMIT notified(notification);
}

void Console::record(ops::HistoryEntry entry)
{
    if (!entry.at.isValid()) {
        entry.at = QDateTime::currentDateTimeUtc();
    }
    if (entry.actor.isEmpty()) {
        entry.actor = user();
    }
    if (entry.environment.isEmpty()) {
        entry.environment =
            hasEnvironment() ? m_environment.name : QStringLiteral("none (embedded engine)");
    }
    if (const Result<qint64> added = m_history->add(std::move(entry)); !added) {
        m_historyError = QString::fromStdString(added.error().text());
        notify(Tone::Bad, tr("The record can't be written: %1").arg(m_historyError),
            QStringLiteral("history"));
    }
}

} // namespace sluice::ui
