#include "engine/service/service.h"

#include "engine/base/file.h"
#include "engine/base/resources.h"
#include "engine/classification/context/memorysessionstore.h"
#include "engine/classification/context/plainsessionstore.h"
#include "engine/classification/context/rediscluster.h"
#include "engine/classification/context/redissentinel.h"
#include "engine/classification/context/redissessionstore.h"
#include "engine/reporting/logging.h"
#include "engine/service/http/server.h"
#include "engine/service/profiler.h"
#include "engine/service/requestlog.h"
#include "engine/service/routes.h"
#include "engine/service/thresholdwatcher.h"

#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <csignal>
#include <ctime>
#include <optional>
#include <spdlog/spdlog.h>
#include <unistd.h>

namespace sluice::service {

namespace {

/// How long a balancer may take to see that this worker is no longer ready, before it stops
/// accepting.
constexpr std::chrono::milliseconds noticePeriod{300};

#ifdef NDEBUG
constexpr const char* buildType = "release";
#else
constexpr const char* buildType = "debug";
#endif
#ifdef __clang__
constexpr const char* compilerName = "clang " __clang_version__;
#else
constexpr const char* compilerName = "gcc " __VERSION__;
#endif

std::string rfc3339Now()
{
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    ::gmtime_r(&now, &parts);
    char text[32];
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return text;
}

ServerLimits serverLimits(
    const LimitSettings& settings, std::function<std::size_t(const Request&)> adminBodyBytes)
{
    ServerLimits limits;
    limits.request.headerBytes = settings.headerBytes;
    limits.request.bodyBytes = settings.bodyBytes;
    limits.request.adminBodyBytes = std::move(adminBodyBytes);
    limits.connections = settings.connections;
    limits.inFlight = settings.inFlight;
    limits.queueDelay = settings.queueDelay;
    limits.headerTimeout = settings.headerTimeout;
    limits.readTimeout = settings.readTimeout;
    limits.idleTimeout = settings.idleTimeout;
    limits.writeTimeout = settings.writeTimeout;
    return limits;
}

} // namespace

class Service::Private
{
public:
    Private(const Configuration& configuration, const std::string& version, const Clock& clock,
        std::function<LoadedConfiguration()> reread)
        : m_settings(configuration)
        , m_version(version)
        , m_clock(clock)
        , m_reread(std::move(reread))
        , m_metrics(configuration.listen.pool, version)
        , m_redis(makeRedis())
        , m_redisMessages(m_loop, redisSettings("sluiced-sub", configuration.redis.cluster))
        , m_privacy(configuration.privacy)
        , m_decisions(configuration.decisionLog, m_privacy,
              configuration.usesRedis() ? m_redis.get() : nullptr, configuration.listen.pool,
              version)
        , m_models(m_loop, m_background, configuration.model, configuration.listen.pool,
              [this](ModelKeeper::ClassifierPointer classifier) {
                  m_watcher->serve(std::move(classifier));
                  describeModel();
              })
        , m_server(
              m_loop, limitsOf(configuration.limits),
              [this](const std::shared_ptr<Request>& request, const Server::Respond& respond) {
                  m_routes->handle(request, respond);
              },
              [this](const Request& request, int status) {
                  const double seconds = secondsSince(request.received);
                  m_metrics.request(request.route, status, seconds, request.id);
                  if (m_settings.log.access) {
                      logAnswered(request, status, seconds);
                  }
              })
        , m_signals(m_loop)
        , m_notice(m_loop)
    {
        m_metrics.startTime = m_startTime;
    }

    /// What still waits for Redis is answered while those who asked are there.
    ~Private() { m_redis.reset(); }

    /// Everything that can fail: the model, the feedback's folder, the port.
    Result<void> open()
    {
        auto classifier = m_models.load();
        if (!classifier) {
            return classifier.error();
        }
        m_watcher.emplace(m_loop, std::move(*classifier), *m_redis, m_redisMessages,
            m_settings.listen.pool, m_metrics);
        describeModel();
        auto feedback = Feedback::make(m_loop, m_background, m_settings.feedback,
            m_settings.usesRedis() ? m_redis.get() : nullptr);
        if (!feedback) {
            return feedback.error();
        }
        m_feedback = std::move(*feedback);
        m_routes.emplace(routeContext(), AccessControl(m_settings.auth, m_settings.limits));
        if (auto secured = setTls(m_settings.tls); !secured) {
            return secured;
        }
        const auto port = m_server.listen(m_settings.listen.host, m_settings.listen.port);
        if (!port) {
            return port.error();
        }
        m_port = *port;
        return {};
    }

    void run()
    {
        boost::system::error_code code;
        m_signals.add(SIGTERM, code);
        m_signals.add(SIGINT, code);
        m_signals.add(SIGHUP, code);
        waitForSignal();
        if (m_settings.usesRedis()) {
            m_redis->start();
            if (m_settings.redis.sentinels.empty()) { // else where they say
                m_redisMessages.start();
            }
            m_watcher->start();
            m_feedback->start();
        }
        m_models.watch();
        m_ready = true;
        spdlog::info("pool {} serves on {}://{}:{}, model {}, {} intents", m_settings.listen.pool,
            m_settings.tls.certificate.empty() ? "http" : "https", m_settings.listen.host, m_port,
            m_models.file(), m_watcher->current()->classifier->model().labels().size());
        m_loop.run();
        spdlog::info("ended");
    }

    void reload()
    {
        const LoadedConfiguration loaded =
            m_reread ? m_reread() : LoadedConfiguration{m_settings, {}};
        for (const std::string& problem : loaded.problems) {
            spdlog::error("not reloaded: {}", problem);
        }
        if (!loaded.problems.empty()) {
            return;
        }
        const Configuration& fresh = loaded.configuration;
        if (auto secured = setTls(fresh.tls); !secured) {
            spdlog::error("not reloaded: {}", secured.error().text());
            return;
        }
        m_settings.tls = fresh.tls;
        m_settings.auth = fresh.auth;
        m_settings.limits = fresh.limits;
        m_server.setLimits(limitsOf(fresh.limits));
        m_routes->setAccess(AccessControl(fresh.auth, fresh.limits), fresh.limits);
        m_settings.log.access = fresh.log.access;
        setLogLevel(fresh.log.level);
        reopenLog();
        spdlog::info(
            "reloaded: certificates, tokens, limits, log level and file; the rest needs a restart");
    }

    void drain()
    {
        if (m_draining) {
            return;
        }
        m_draining = true;
        m_ready = false;
        spdlog::info("draining: not ready, {} requests in flight", m_server.inFlight());
        m_notice.expires_after(
            std::min<std::chrono::milliseconds>(noticePeriod, m_settings.listen.drain));
        m_notice.async_wait([this](const boost::system::error_code& stopped) {
            if (!stopped) {
                m_server.drain(m_settings.listen.drain, [this] { m_loop.stop(); });
            }
        });
    }

    boost::asio::io_context m_loop{1};
    boost::asio::thread_pool m_background{1}; ///< for what would hold the loop up
    std::uint16_t m_port = 0;

private:
    ServerLimits limitsOf(const LimitSettings& settings)
    {
        return serverLimits(
            settings, [this](const Request& request) { return m_routes->adminBodyBytes(request); });
    }

    /// New connections speak with what the files hold now; nothing changes when they can't be used.
    Result<void> setTls(const TlsSettings& settings)
    {
        std::shared_ptr<const TlsContext> context;
        if (!settings.certificate.empty()) {
            auto loaded = TlsContext::load(settings);
            if (!loaded) {
                return loaded.error();
            }
            context = std::move(*loaded);
        }
        m_metrics.certificateExpiry =
            context ? double(context->expires().time_since_epoch().count()) : 0;
        m_server.setTls(std::move(context));
        return {};
    }

    /// `nodes` empty: the one server. A node that is none was refused with the configuration.
    RedisSettings redisSettings(const char* name, const std::vector<std::string>& nodes) const
    {
        RedisSettings settings;
        settings.address = {m_settings.redis.host, m_settings.redis.port};
        for (const std::string& node : nodes) {
            settings.others.push_back(RedisAddress::parse(node).value());
        }
        if (!settings.others.empty()) {
            settings.address = settings.others.front();
            settings.others.erase(settings.others.begin());
        }
        settings.user = m_settings.redis.user;
        settings.password = m_settings.redis.password;
        settings.clientName = name;
        settings.probe = m_settings.redis.budget;
        return settings;
    }

    std::unique_ptr<RedisCommands> makeRedis()
    {
        const RedisSettingsOfWorker& redis = m_settings.redis;
        if (!redis.cluster.empty()) {
            return std::make_unique<RedisCluster>(m_loop, redisSettings("sluiced", redis.cluster));
        }
        if (redis.sentinels.empty()) {
            return std::make_unique<RedisConnection>(m_loop, redisSettings("sluiced", {}));
        }
        RedisSentinel::Settings settings;
        settings.master = redis.sentinelMaster;
        settings.sentinels = redisSettings("sluiced-sentinel", redis.sentinels);
        settings.sentinels.user = redis.sentinelUser;
        settings.sentinels.password = redis.sentinelPassword;
        settings.servers = redisSettings("sluiced", {});
        return std::make_unique<RedisSentinel>(
            m_loop, settings, [this](const RedisAddress& master) {
                m_redisMessages.moveTo(master);
                m_redisMessages.start();
            });
    }

    std::unique_ptr<SessionStore> makeSessions()
    {
        const SessionSettings& sessions = m_settings.sessions;
        if (m_settings.plain.redis && m_settings.redis.port != 0) {
            return std::make_unique<PlainSessionStore>(
                PlainSessionStore::Settings{m_settings.redis.host, m_settings.redis.port,
                    m_settings.redis.user, m_settings.redis.password, sessions.life});
        }
        if (m_settings.usesRedis()) {
            return std::make_unique<RedisSessionStore>(
                *m_redis, sessions.life, m_settings.redis.budget);
        }
        return std::make_unique<MemorySessionStore>(sessions.inMemory, sessions.life);
    }

    RouteContext routeContext()
    {
        RouteContext context;
        context.serving = [this] { return m_watcher->current(); };
        context.sessions = m_sessions.get();
        context.metrics = &m_metrics;
        context.decisions = &m_decisions;
        context.feedback = m_feedback.get();
        context.models = &m_models;
        context.privacy = &m_privacy;
        context.profiler = &m_profiler;
        context.now = m_clock;
        context.ready = [this] { return m_ready; };
        context.metricsText = [this](MetricsFormat format) { return metricsText(format); };
        context.limits = m_settings.limits;
        if (m_settings.plain.patterns && m_settings.model.catalogue != "none") {
            const std::filesystem::path named = m_settings.model.catalogue;
            if (auto text = readFile(named.empty() ? resourceFile("entities.json") : named)) {
                context.plainCatalogue = std::move(*text);
            }
        }
        context.pool = m_settings.listen.pool;
        context.version = m_version;
        context.startedAt = m_startedAt;
        return context;
    }

    std::string metricsText(MetricsFormat format)
    {
        const CacheStatistics cache = m_watcher->current()->classifier->cacheStatistics();
        m_metrics.redisUp = m_redis->isConnected() ? 1 : 0;
        m_metrics.redisBreaker = int(m_redis->circuit());
        m_metrics.cacheHits = cache.hits;
        m_metrics.cacheMisses = cache.misses;
        m_metrics.cacheBytes = cache.bytes;
        m_metrics.inFlight = m_server.inFlight();
        m_metrics.connections = m_server.connections();
        m_metrics.logLinesDropped = droppedLogLines();
        m_metrics.decisionLogWritten = m_decisions.counts().written;
        m_metrics.decisionLogDropped = m_decisions.counts().dropped;
        m_metrics.feedbackAdded = m_feedback->counts().added;
        m_metrics.feedbackRefused = m_feedback->counts().refused;
        m_metrics.feedbackBuffered = m_feedback->waiting();
        m_metrics.modelSwaps = m_models.counts().served;
        m_metrics.modelsRefused = m_models.counts().refused;
        m_metrics.readProcess();
        return m_metrics.text(format);
    }

    /// What the model says of itself, once it is served.
    void describeModel()
    {
        const Model& model = m_watcher->current()->classifier->model();
        m_metrics.setIntents(model.labels());
        m_metrics.model.set({model.hash()});
        m_metrics.build.set({model.hash(), compilerName, buildType});
    }

    void waitForSignal()
    {
        m_signals.async_wait([this](const boost::system::error_code& code, int number) {
            if (code) {
                return;
            }
            if (number == SIGHUP) {
                reload();
                waitForSignal();
                return;
            }
            if (m_draining) {
                spdlog::warn("second signal {}: ending at once", number);
                m_loop.stop();
                return;
            }
            drain();
            waitForSignal();
        });
    }

    Configuration m_settings;
    std::string m_version;
    Clock m_clock;
    std::function<LoadedConfiguration()> m_reread;
    Metrics m_metrics;
    Profiler m_profiler{m_loop};
    std::unique_ptr<RedisCommands> m_redis;
    RedisConnection m_redisMessages;
    std::unique_ptr<SessionStore> m_sessions = makeSessions();
    Privacy m_privacy;
    DecisionLog m_decisions;
    ModelKeeper m_models;
    std::unique_ptr<Feedback> m_feedback;
    std::optional<ThresholdWatcher> m_watcher;
    std::string m_startedAt = rfc3339Now();
    double m_startTime = double(std::time(nullptr));
    bool m_ready = false;
    bool m_draining = false;
    std::optional<Routes> m_routes;
    Server m_server;
    boost::asio::signal_set m_signals;
    boost::asio::steady_timer m_notice;
};

Service::Service(std::unique_ptr<Private> all)
    : d(std::move(all))
{ }

Service::~Service() = default;

std::chrono::sys_seconds Service::systemClock()
{
    return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

Result<std::unique_ptr<Service>> Service::make(const Configuration& configuration,
    const std::string& version, const Clock& clock, std::function<LoadedConfiguration()> reread)
{
    auto all = std::make_unique<Private>(configuration, version, clock, std::move(reread));
    if (auto opened = all->open(); !opened) {
        return opened.error();
    }
    return std::unique_ptr<Service>(new Service(std::move(all)));
}

std::uint16_t Service::port() const
{
    return d->m_port;
}

void Service::run()
{
    d->run();
}

void Service::reload()
{
    boost::asio::post(d->m_loop, [this] { d->reload(); });
}

void Service::stop()
{
    boost::asio::post(d->m_loop, [this] { d->drain(); });
}

} // namespace sluice::service
