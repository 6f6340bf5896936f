#include "engine/operations/loadtest/loadrun.h"

#include "engine/operations/loadtest/generator.h"
#include "engine/operations/loadtest/runrecord.h"
#include "engine/operations/threads/handover.h"

#include <QHostAddress>
#include <QHostInfo>
#include <cmath>
#include <sys/resource.h>

namespace sluice::ops {

namespace {

double ms(std::int64_t nanoseconds)
{
    return double(nanoseconds) / 1e6;
}

AskedTurn askedTurn(const ScriptTurn& turn)
{
    AskedTurn asked{turn.text.toStdString(), turn.system.toStdString(), {}};
    for (const QString& act : turn.systemActs) {
        asked.systemActs.push_back(act.toStdString());
    }
    return asked;
}

Result<GeneratorPlan> planOf(const LoadOptions& options, std::string address)
{
    const Scenario& scenario = options.scenario;
    const auto conversations = resolveConversations(scenario, options.seed);
    if (!conversations) {
        return conversations.error();
    }
    GeneratorPlan plan;
    plan.host = std::move(address);
    plan.port = quint16(options.target.port(80));
    plan.profile = scenario.profile();
    plan.open = scenario.model == LoadModel::Open;
    plan.users = int(std::ceil(scenario.peakUsers()));
    plan.thinkSeconds = scenario.think.meanSeconds;
    plan.thinkJitter = scenario.think.jitter;
    plan.seed = options.seed;
    plan.maxInFlight = scenario.maxInFlight;
    plan.timeoutSeconds = scenario.timeoutSeconds;
    plan.maxRequests = std::int64_t(Scenario::maxRequests);
    plan.requests.host = options.target.authority(QUrl::FullyEncoded).toStdString();
    plan.requests.token = options.token.toStdString();
    plan.requests.batchSize = scenario.routes.batchSize;
    plan.requests.routes = {scenario.routes.classify, scenario.routes.batch,
        scenario.routes.feedback, scenario.routes.info};
    for (const Conversation& conversation : *conversations) {
        Script script{{}, conversation.weight};
        for (const ScriptTurn& turn : conversation.turns) {
            script.turns.push_back(askedTurn(turn));
        }
        plan.scripts.push_back(std::move(script));
    }
    return plan;
}

LoadSecond secondOf(const GeneratorSecond& from, bool open)
{
    LoadSecond second;
    second.second = from.second;
    second.scheduled = from.scheduled;
    second.sent = from.sent;
    second.completed = from.completed;
    second.inFlight = from.inFlight;
    second.connections = from.connections;
    second.users = from.users;
    second.plannedRate = open ? from.level : 0;
    for (const auto& [kind, count] : from.errors) {
        second.errorsByKind.insert(QString::fromStdString(kind), count);
        second.errors += int(count);
    }
    second.p50Ms = ms(from.corrected.quantile(0.50));
    second.p95Ms = ms(from.corrected.quantile(0.95));
    second.p99Ms = ms(from.corrected.quantile(0.99));
    second.maxMs = ms(from.corrected.max());
    second.uncorrectedP99Ms = ms(from.uncorrected.quantile(0.99));
    second.lagP99Ms = ms(from.startLag.quantile(0.99));
    second.generatorCpu = from.cpuShare;
    second.generatorMiB = from.residentMiB;
    second.heat = heatOf(from.corrected);
    return second;
}

LatencyBlock blockOf(const GeneratorSecond& from)
{
    LatencyBlock block;
    block.second = from.second;
    block.seconds = from.seconds;
    block.scheduled = from.scheduled;
    for (const auto& [kind, count] : from.errors) {
        block.errors += count;
    }
    block.corrected = from.corrected.buckets();
    block.uncorrected = from.uncorrected.buckets();
    block.lag = from.startLag.buckets();
    block.maxNs = from.corrected.max();
    return block;
}

} // namespace

Result<std::string> loadAddress(const QUrl& target, const QString& iMean, bool loadTarget)
{
    const QString host = target.host();
    if (!target.isValid() || target.scheme() != QLatin1StringView("http") || host.isEmpty()) {
        return inputError("the target \"" + target.toString().toStdString()
            + "\" is not a URL like http://127.0.0.1:8080");
    }
    QHostAddress address(
        host == QLatin1StringView("localhost") ? QStringLiteral("127.0.0.1") : host);
    if (!address.isLoopback() && !loadTarget && iMean != host) {
        return inputError("the target " + host.toStdString()
            + " is not this machine: type its name to load it all the same (--i-mean "
            + host.toStdString() + ")");
    }
    if (address.isNull()) {
        const QList<QHostAddress> found = QHostInfo::fromName(host).addresses();
        if (found.isEmpty()) {
            return inputError("the target's name " + host.toStdString() + " is not known");
        }
        address = found.first();
    }
    return address.toString().toStdString();
}

Result<void> raiseDescriptorLimit(int connections)
{
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    const auto needed = rlim_t(connections) + 100;
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

class LoadRun::Private
{
public:
    explicit Private(LoadRun* owner)
        : q(owner)
        , record([owner](const Error& error) { Q_EMIT owner->failed(error); })
    { }

    void end(const GeneratorResult& from);

    LoadRun* q;
    RunRecord record;
    bool running = false;
    HandOver handOver;
    std::unique_ptr<Generator> generator; ///< after handOver: gone before it
};

/// The generator's own counts are the exact ones: they know what was on its way at the end.
void LoadRun::Private::end(const GeneratorResult& from)
{
    running = false;
    LoadResult& result = record.result;
    result.scheduled = from.scheduled;
    result.sent = from.sent;
    result.succeeded = from.succeeded;
    result.errors.clear();
    for (const auto& [kind, count] : from.errors) {
        result.errors.insert(QString::fromStdString(kind), count);
    }
    for (const GeneratorError& sample : from.samples) {
        result.errorSamples << ErrorSample{QString::fromStdString(sample.kind), sample.second,
            QString::fromStdString(sample.detail)};
    }
    result.elapsedSeconds = from.elapsedSeconds;
    result.achievedRate =
        from.elapsedSeconds > 0 ? double(from.succeeded) / from.elapsedSeconds : 0;
    result.generatorCpu = from.elapsedSeconds > 0 ? from.cpuSeconds / from.elapsedSeconds : 0;
    record.finish(
        from.completed, from.bounded ? QStringLiteral("bounded") : QStringLiteral("stopped"));
    Q_EMIT q->finished(result);
}

LoadRun::LoadRun(QObject* parent)
    : QObject(parent)
    , d(std::make_unique<Private>(this))
{ }

LoadRun::~LoadRun() = default;

Result<void> LoadRun::start(const Scenario& scenario, const QUrl& target, quint64 seed)
{
    LoadOptions options;
    options.scenario = scenario;
    options.target = target;
    options.seed = seed;
    return start(options);
}

Result<void> LoadRun::start(const LoadOptions& options)
{
    if (d->running || d->generator != nullptr) {
        return internalError("a load run object runs once");
    }
    auto address = loadAddress(options.target, options.iMean, options.loadTarget);
    if (!address) {
        return address.error();
    }
    if (auto checked = options.scenario.check(); !checked) {
        return checked;
    }
    auto plan = planOf(options, std::move(*address));
    if (!plan) {
        return plan.error();
    }
    if (auto raised =
            raiseDescriptorLimit(plan->open ? std::min(plan->maxInFlight, 10000) : plan->users);
        !raised) {
        return raised;
    }
    if (auto begun = d->record.begin(options); !begun) {
        return begun;
    }
    const bool open = plan->open;
    d->generator = std::make_unique<Generator>(std::move(*plan));
    // The destructor joins the thread before the hand-over goes.
    auto started = d->generator->start(
        [this, open](const GeneratorSecond& second) {
            d->handOver.post(
                [this, summary = secondOf(second, open), block = blockOf(second)]() mutable {
                    if (d->record.add(std::move(summary), std::move(block))) {
                        d->generator->stop();
                    }
                    Q_EMIT this->second(d->record.result.seconds.last());
                });
        },
        [this](GeneratorResult end) {
            d->handOver.post([this, end = std::move(end)] { d->end(end); });
        });
    if (!started) {
        d->generator.reset();
        return started;
    }
    d->running = true;
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
