#include "engine/operations/loadtest/locustrun.h"

#include "engine/operations/loadtest/runrecord.h"

#include <QJsonArray>
#include <QJsonDocument>

namespace sluice::ops {

namespace {

constexpr int curvedPoints = 20; ///< of a phase that is no straight line
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
        , record([owner](const Error& error) {
            Q_EMIT owner->noted(QStringLiteral("the run folder could not be written: ")
                + QString::fromStdString(error.text()));
        })
    { }

    void take(const LocustSecond& from);
    void end(const LocustEnd& end);

    LocustRun* q;
    LocustRunner runner;
    RunRecord record;
    int until = 0; ///< seconds recorded
    double busiest = 0;
    double cpuSum = 0;
};

void LocustRun::Private::take(const LocustSecond& from)
{
    LoadResult& result = record.result;
    LoadSecond second;
    second.second = from.second;
    second.users = from.users;
    qint64 errors = 0;
    for (auto kind = from.errors.begin(); kind != from.errors.end(); ++kind) {
        errors += kind.value();
        second.errorsByKind[kind.key()] = kind.value();
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

    LatencyBlock part; // sent is all that Locust knows: both columns are the same
    part.second = until;
    part.seconds = from.second + 1 - until;
    part.scheduled = second.scheduled;
    part.errors = errors;
    part.corrected = from.latency.buckets();
    part.uncorrected = part.corrected;
    part.maxNs = from.latency.max();
    until = from.second + 1;
    if (record.add(second, std::move(part))) {
        runner.stop();
    }
    Q_EMIT q->second(result.seconds.last());
}

void LocustRun::Private::end(const LocustEnd& end)
{
    LoadResult& result = record.result;
    result.elapsedSeconds = end.seconds;
    result.achievedRate = end.seconds > 0 ? double(result.succeeded) / end.seconds : 0;
    result.generatorCpu = result.seconds.isEmpty() ? 0 : cpuSum / double(result.seconds.size());
    result.notes << end.notes;
    if (busiest > busyCpu) {
        result.notes << QStringLiteral(
            "a worker of Locust used %1 % of its core: the generator may "
            "have been the limit; take more workers")
                            .arg(busiest, 0, 'f', 0);
    }
    record.finish(end.completed, QStringLiteral("stopped"));
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
    LoadResult& result = d->record.result;
    result.generator = QStringLiteral("locust");
    result.latencyCorrected = false;
    result.notes = notes;
    LoadOptions all = options;
    all.versions[QStringLiteral("locust_workers")] =
        setup.localWorkers + int(setup.remoteWorkers.size());
    if (auto started = d->runner.start(*plan, setup); !started) {
        return started;
    }
    if (auto begun = d->record.begin(all); !begun) {
        d->runner.stop();
        return begun;
    }
    return {};
}

void LocustRun::stop()
{
    d->runner.stop();
}

} // namespace sluice::ops
