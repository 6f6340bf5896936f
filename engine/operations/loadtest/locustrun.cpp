#include "engine/operations/loadtest/locustrun.h"

#include "engine/operations/loadtest/endurance.h"
#include "engine/operations/loadtest/runfolder.h"
#include "engine/operations/loadtest/serversampler.h"
#include "engine/operations/loadtest/verdict.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QSysInfo>
#include <QThread>
#include <unistd.h>

namespace sluice::ops {

namespace {

constexpr int curvedPoints = 20; ///< of a phase that is no straight line
constexpr int longBlockSeconds = 10;
constexpr double longRunSeconds = 60; ///< from which blocks are ten seconds long, else one
constexpr int checkpointSeconds = 60;
constexpr int sampleLimit = 20;
constexpr double busyCpu = 90; ///< percent of a core from which a Locust worker is doubted

double ms(std::int64_t nanoseconds)
{
    return double(nanoseconds) / 1e6;
}

LocustRequest requestOf(const ScriptTurn& turn)
{
    QJsonObject body{{QStringLiteral("text"), turn.text}};
    if (!turn.system.isEmpty()) {
        body[QStringLiteral("system")] = turn.system;
    }
    if (!turn.systemActs.isEmpty()) {
        body[QStringLiteral("system_acts")] = QJsonArray::fromStringList(turn.systemActs);
    }
    return {QStringLiteral("/v1/classify"), QJsonDocument(body).toJson(QJsonDocument::Compact)};
}

QList<LocustPoint> curveOf(const Scenario& scenario)
{
    const LoadProfile profile = scenario.profile();
    const bool open = scenario.model == LoadModel::Open;
    QList<LocustPoint> curve;
    const auto add = [&](double seconds, double level) {
        curve << LocustPoint{seconds, open ? double(scenario.sessions) : level, open ? level : 0};
    };
    double begin = 0;
    for (const LoadPhase& phase : scenario.phases) {
        const int pieces =
            phase.shape == RampShape::Step || phase.shape == RampShape::Linear ? 1 : curvedPoints;
        add(begin, profile.levelAt(begin));
        for (int piece = 1; piece < pieces; ++piece) {
            const double at = begin + phase.seconds * piece / pieces;
            add(at, profile.levelAt(at));
        }
        begin += phase.seconds;
        add(begin, phase.level);
    }
    return curve;
}

} // namespace

Result<LocustPlan> locustPlanOf(
    const Scenario& scenario, const QUrl& target, quint64 seed, QStringList* notes)
{
    const auto conversations = resolveConversations(scenario, seed);
    if (!conversations) {
        return conversations.error();
    }
    LocustPlan plan;
    plan.target = target;
    plan.curve = curveOf(scenario);
    plan.thinkSeconds = scenario.think.meanSeconds;
    plan.jitter = scenario.think.jitter;
    plan.timeoutSeconds = scenario.timeoutSeconds;
    plan.seed = seed;
    for (const Conversation& conversation : *conversations) {
        LocustScript script;
        script.weight = conversation.weight;
        for (const ScriptTurn& turn : conversation.turns) {
            script.requests << requestOf(turn);
        }
        plan.scripts << script;
    }
    if (notes != nullptr) {
        *notes << QStringLiteral("latencies count from the moment a user sent, not from when it "
                                 "should have: a server that stands still hides its waiting");
        if (scenario.model == LoadModel::Open) {
            *notes << QStringLiteral("Locust has no open model: %1 users are paced to the rate, "
                                     "and ask less when the server is slow")
                          .arg(scenario.sessions);
        }
        if (scenario.routes.batch > 0 || scenario.routes.feedback > 0 || scenario.routes.info > 0) {
            *notes << QStringLiteral("Locust asks /v1/classify alone: the other routes of the mix "
                                     "were left out");
        }
    }
    return plan;
}

class LocustRun::Private
{
public:
    explicit Private(LocustRun* owner)
        : q(owner)
    { }

    void take(const LocustSecond& from);
    void closeBlock();
    void sum();
    void keep(const Result<void>& written);
    void end(const LocustEnd& end);

    LocustRun* q;
    LocustRunner runner;
    LoadResult result;
    RunWriter writer;
    std::unique_ptr<ServerSampler> sampler;
    int blockSeconds = 1;
    double breachedSeconds = 0;
    bool breached = false;
    LatencyBlock open; ///< the block that is being filled
    LatencyHistogram openLatency;
    LatencyHistogram all;
    double busiest = 0;
    double cpuSum = 0;
};

void LocustRun::Private::take(const LocustSecond& from)
{
    LoadSecond second;
    second.second = from.second;
    second.users = from.users;
    qint64 errors = 0;
    for (auto kind = from.errors.begin(); kind != from.errors.end(); ++kind) {
        errors += kind.value();
        second.errorsByKind[kind.key()] = kind.value();
        result.errors[kind.key()] += kind.value();
    }
    for (auto sample = from.samples.begin(); sample != from.samples.end(); ++sample) {
        if (result.errorSamples.size() < sampleLimit) {
            result.errorSamples << ErrorSample{sample.key(), double(from.second), sample.value()};
        }
    }
    qint64 refused = 0; // answered, but not well
    for (auto kind = from.errors.begin(); kind != from.errors.end(); ++kind) {
        refused += kind.key().startsWith(QLatin1StringView("status ")) ? kind.value() : 0;
    }
    second.completed = int(from.succeeded + refused);
    second.sent = int(from.succeeded + errors);
    second.scheduled = second.sent; // a closed model sends when a user is ready
    second.errors = int(errors);
    second.plannedRate = result.scenario.model == LoadModel::Open
        ? result.scenario.profile().levelAt(from.second)
        : 0;
    second.p50Ms = ms(from.latency.quantile(0.50));
    second.p95Ms = ms(from.latency.quantile(0.95));
    second.p99Ms = ms(from.latency.quantile(0.99));
    second.maxMs = ms(from.latency.max());
    second.uncorrectedP99Ms = second.p99Ms;
    second.heat = heatOf(from.latency);
    second.generatorCpu = from.cpu / 100;
    busiest = std::max(busiest, from.busiestWorkerCpu);
    cpuSum += second.generatorCpu;

    result.scheduled += second.scheduled;
    result.sent += second.sent;
    result.succeeded += from.succeeded;
    all.merge(from.latency);
    openLatency.merge(from.latency);
    open.scheduled += second.scheduled;
    open.errors += errors;
    open.seconds = from.second - open.second + 1;
    if (sampler != nullptr) {
        second.server = sampler->latest();
    }
    result.seconds << second;
    result.elapsedSeconds = from.second + 1;
    if (writer.isOpen()) {
        keep(writer.add(second));
    }
    if (open.seconds >= blockSeconds) {
        closeBlock();
    }
    if (writer.isOpen() && (from.second + 1) % checkpointSeconds == 0) {
        sum();
        judge(result);
        keep(writer.save(result));
    }
    const Scenario& scenario = result.scenario;
    breachedSeconds = isBreached(second, scenario.targets) ? breachedSeconds + 1 : 0;
    if (scenario.stopAfterBreachedSeconds > 0 && !breached
        && breachedSeconds >= scenario.stopAfterBreachedSeconds) {
        breached = true;
        result.notes << QStringLiteral("stopped after %1 s in a row in which a target was missed")
                            .arg(breachedSeconds);
        runner.stop();
    }
    Q_EMIT q->second(second);
}

void LocustRun::Private::keep(const Result<void>& written)
{
    const QString note = QStringLiteral("the run folder could not be written");
    if (!written && !result.notes.contains(note)) {
        result.notes << note;
        Q_EMIT q->noted(
            note + QStringLiteral(": ") + QString::fromStdString(written.error().text()));
    }
}

void LocustRun::Private::sum()
{
    result.p50Ms = ms(all.quantile(0.50));
    result.p95Ms = ms(all.quantile(0.95));
    result.p99Ms = ms(all.quantile(0.99));
    result.maxMs = ms(all.max());
    result.uncorrectedP95Ms = result.p95Ms;
    result.uncorrectedP99Ms = result.p99Ms;
}

void LocustRun::Private::closeBlock()
{
    if (open.seconds <= 0) {
        return;
    }
    // Sent is all that Locust knows: both columns are the same.
    open.corrected = openLatency.buckets();
    open.uncorrected = open.corrected;
    open.maxNs = openLatency.max();
    result.blocks.push_back(open);
    const LatencyBlock closed = open;
    open = LatencyBlock{};
    open.second = closed.second + int(closed.seconds);
    open.seconds = 0;
    openLatency.clear();
    if (writer.isOpen()) {
        keep(writer.add(closed));
    }
}

void LocustRun::Private::end(const LocustEnd& end)
{
    closeBlock();
    result.completed = end.completed;
    result.state = end.completed ? QStringLiteral("completed")
        : breached               ? QStringLiteral("breached")
                                 : QStringLiteral("stopped");
    result.endedAt = QDateTime::currentDateTimeUtc();
    result.elapsedSeconds = end.seconds;
    result.achievedRate = end.seconds > 0 ? double(result.succeeded) / end.seconds : 0;
    result.generatorCpu = result.seconds.isEmpty() ? 0 : cpuSum / double(result.seconds.size());
    sum();
    result.notes << end.notes;
    if (busiest > busyCpu) {
        result.notes << QStringLiteral(
            "a worker of Locust used %1 % of its core: the generator may "
            "have been the limit; take more workers")
                            .arg(busiest, 0, 'f', 0);
    }
    result.notes << enduranceNotes(result);
    judge(result);
    if (writer.isOpen()) {
        keep(writer.save(result));
    }
    Q_EMIT q->finished(result);
}

LocustRun::LocustRun(QObject* parent)
    : QObject(parent)
    , d(std::make_unique<Private>(this))
{
    connect(&d->runner, &LocustRunner::second, this,
        [this](const LocustSecond& second) { d->take(second); });
    connect(
        &d->runner, &LocustRunner::finished, this, [this](const LocustEnd& end) { d->end(end); });
    connect(&d->runner, &LocustRunner::noted, this, &LocustRun::noted);
    connect(&d->runner, &LocustRunner::failed, this, &LocustRun::failed);
}

LocustRun::~LocustRun() = default;

bool LocustRun::isRunning() const
{
    return d->runner.isRunning();
}

LocustRunner* LocustRun::runner() const
{
    return &d->runner;
}

Result<void> LocustRun::start(const LocustSetup& setup, const LoadOptions& options)
{
    if (auto address = loadAddress(options.target, options.iMean, options.loadTarget); !address) {
        return address.error();
    }
    if (auto checked = options.scenario.check(); !checked) {
        return checked;
    }
    QStringList notes;
    const auto plan = locustPlanOf(options.scenario, options.target, options.seed, &notes);
    if (!plan) {
        return plan.error();
    }
    LoadResult& result = d->result;
    result.generator = QStringLiteral("locust");
    result.latencyCorrected = false;
    result.scenario = options.scenario;
    result.target = options.target;
    result.environment = options.environment;
    result.seed = options.seed;
    result.startedAt = QDateTime::currentDateTimeUtc();
    result.pid = ::getpid();
    result.state = QStringLiteral("running");
    result.hasPrometheus = !options.prometheus.isEmpty();
    result.versions = {{QStringLiteral("sluicectl"), QStringLiteral(SLUICE_VERSION)},
        {QStringLiteral("kernel"), QSysInfo::kernelVersion()},
        {QStringLiteral("host"), QSysInfo::machineHostName()},
        {QStringLiteral("cpus"), QThread::idealThreadCount()},
        {QStringLiteral("locust_workers"), setup.localWorkers + int(setup.remoteWorkers.size())}};
    for (auto version = options.versions.begin(); version != options.versions.end(); ++version) {
        result.versions[version.key()] = version.value();
    }
    result.notes = notes;
    d->open.seconds = 0;
    d->blockSeconds = options.scenario.durationSeconds() < longRunSeconds ? 1 : longBlockSeconds;
    if (auto started = d->runner.start(*plan, setup); !started) {
        return started;
    }
    if (!options.folder.isEmpty()) {
        if (auto created = d->writer.create(options.folder, result); !created) {
            d->runner.stop();
            return created;
        }
        result.id = options.folder.section(u'/', -1, -1, QString::SectionSkipEmpty);
    }
    if (result.hasPrometheus) {
        d->sampler = std::make_unique<ServerSampler>(options.prometheus);
    }
    return {};
}

void LocustRun::stop()
{
    d->runner.stop();
}

} // namespace sluice::ops
