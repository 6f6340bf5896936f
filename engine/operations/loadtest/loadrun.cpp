#include "engine/operations/loadtest/loadrun.h"

#include "engine/operations/loadtest/generator.h"
#include "engine/operations/loadtest/verdict.h"
#include "engine/operations/threads/handover.h"

#include <QHostAddress>
#include <sys/resource.h>

namespace sluice::ops {

namespace {

double ms(std::int64_t nanoseconds)
{
    return double(nanoseconds) / 1e6;
}

/// The loopback address of a target, or an error: load is never aimed at a foreign machine by
/// accident.
Result<std::string> loopbackHost(const QUrl& target)
{
    const QString host = target.host();
    const bool plain = target.scheme() == QLatin1StringView("http");
    if (!target.isValid() || !plain || host.isEmpty()) {
        return inputError("the target \"" + target.toString().toStdString()
            + "\" is not a URL like http://127.0.0.1:8080");
    }
    if (host == QLatin1StringView("localhost") || host == QLatin1StringView("127.0.0.1")) {
        return std::string("127.0.0.1");
    }
    if (QHostAddress(host).isLoopback()) {
        return host.toStdString();
    }
    return inputError("the target " + host.toStdString()
        + " is not this machine: load runs go to loopback addresses only");
}

Result<void> raiseDescriptorLimit(int connections)
{
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    const auto needed = rlim_t(connections) + 200;
    if (limit.rlim_cur >= needed) {
        return {};
    }
    if (limit.rlim_max < needed) {
        return inputError("this run may need " + std::to_string(needed)
            + " file descriptors, but at most " + std::to_string(limit.rlim_max)
            + " are allowed here: raise `ulimit -n`, or take fewer users");
    }
    limit.rlim_cur = needed;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    return {};
}

LoadSecond secondOf(const GeneratorSecond& from)
{
    LoadSecond second;
    second.second = from.second;
    second.scheduled = from.scheduled;
    second.completed = from.completed;
    second.errors = from.errors;
    second.inFlight = from.inFlight;
    second.p50Ms = ms(from.corrected.quantile(0.50));
    second.p95Ms = ms(from.corrected.quantile(0.95));
    second.p99Ms = ms(from.corrected.quantile(0.99));
    second.maxMs = ms(from.corrected.max());
    return second;
}

LoadResult resultOf(const Scenario& scenario, const QUrl& target, const GeneratorResult& from,
    QList<LoadSecond> seconds)
{
    LoadResult result;
    result.scenario = scenario;
    result.target = target;
    result.completed = from.completed;
    result.state = from.completed ? QStringLiteral("completed") : QStringLiteral("stopped");
    result.scheduled = from.scheduled;
    result.sent = from.sent;
    result.succeeded = from.succeeded;
    for (const auto& [kind, count] : from.errors) {
        result.errors.insert(QString::fromStdString(kind), count);
    }
    result.p50Ms = ms(from.corrected.quantile(0.50));
    result.p95Ms = ms(from.corrected.quantile(0.95));
    result.p99Ms = ms(from.corrected.quantile(0.99));
    result.maxMs = ms(from.corrected.max());
    result.uncorrectedP99Ms = ms(from.uncorrected.quantile(0.99));
    result.startLagP99Ms = ms(from.startLag.quantile(0.99));
    result.achievedRate =
        from.elapsedSeconds > 0 ? double(from.succeeded) / from.elapsedSeconds : 0;
    result.seconds = std::move(seconds);
    judge(result);
    return result;
}

} // namespace

class LoadRun::Private
{
public:
    explicit Private(LoadRun* owner)
        : q(owner)
    { }

    LoadRun* q;
    HandOver handOver;
    std::unique_ptr<Generator> generator; ///< after handOver: gone before it
    Scenario scenario;
    QUrl target;
    QList<LoadSecond> seconds;
    bool running = false;
};

LoadRun::LoadRun(QObject* parent)
    : QObject(parent)
    , d(std::make_unique<Private>(this))
{ }

LoadRun::~LoadRun() = default;

Result<void> LoadRun::start(const Scenario& scenario, const QUrl& target, quint64 seed)
{
    if (d->running || d->generator != nullptr) {
        return internalError("a load run object runs once");
    }
    const auto host = loopbackHost(target);
    if (!host) {
        return host.error();
    }
    if (auto checked = scenario.check(); !checked) {
        return checked;
    }
    GeneratorPlan plan;
    plan.host = *host;
    plan.port = quint16(target.port(80));
    if (scenario.model != LoadModel::Open || scenario.phases.size() != 1) {
        return inputError("this generator runs one steady phase of an open model");
    }
    plan.users = scenario.sessions;
    plan.requestsPerSecond = scenario.phases.front().level;
    plan.seconds = scenario.durationSeconds();
    plan.seed = seed;
    plan.maxConnections = std::min(scenario.sessions + 64, scenario.maxInFlight);
    const auto conversations = resolveConversations(scenario, seed);
    if (!conversations) {
        return conversations.error();
    }
    for (const Conversation& conversation : *conversations) {
        plan.queries.push_back(conversation.turns.first().text.toStdString());
    }
    if (auto raised = raiseDescriptorLimit(plan.maxConnections); !raised) {
        return raised;
    }
    d->scenario = scenario;
    d->target = target;
    d->running = true;
    d->generator = std::make_unique<Generator>(std::move(plan));
    // The destructor joins the thread before the hand-over goes.
    d->generator->start(
        [this](const GeneratorSecond& second) {
            d->handOver.post([this, summary = secondOf(second)] {
                d->seconds << summary;
                Q_EMIT this->second(summary);
            });
        },
        [this](GeneratorResult result) {
            d->handOver.post([this, result = std::move(result)] {
                d->running = false;
                Q_EMIT finished(resultOf(d->scenario, d->target, result, d->seconds));
            });
        });
    return {};
}

void LoadRun::stop()
{
    if (d->generator != nullptr && d->running) {
        d->generator->stop();
    }
}

bool LoadRun::isRunning() const
{
    return d->running;
}

} // namespace sluice::ops
