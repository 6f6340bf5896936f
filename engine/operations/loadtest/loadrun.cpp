#include "engine/operations/loadtest/loadrun.h"

#include "engine/base/file.h"
#include "engine/base/resources.h"
#include "engine/classification/evaluation/labelleddata.h"
#include "engine/operations/loadtest/generator.h"
#include "engine/operations/threads/handover.h"

#include <QHostAddress>
#include <QJsonArray>
#include <QJsonDocument>
#include <sys/resource.h>

namespace sluice::ops {

namespace {

constexpr double lagLimitMs =
    5; ///< p99 of the generator's own lateness from which a run is doubtful

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

Result<std::vector<std::string>> bundledQueries()
{
    const auto data = readLabelledData(resourceFile("queries.jsonl"));
    if (!data) {
        return data.error();
    }
    std::vector<std::string> queries;
    for (const LabelledQuery& query : data->part(Split::Test)) {
        queries.push_back(query.text);
    }
    return queries;
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

QString millis(double value)
{
    return QStringLiteral("%1 ms").arg(value, 0, 'f', value < 10 ? 2 : value < 100 ? 1 : 0);
}

QString percent(double share)
{
    return QStringLiteral("%1 %").arg(share * 100, 0, 'f', 2);
}

LoadResult resultOf(const Scenario& scenario, const QUrl& target, const GeneratorResult& from,
    QList<LoadSecond> seconds)
{
    LoadResult result;
    result.scenario = scenario;
    result.target = target;
    result.completed = from.completed;
    result.scheduled = from.scheduled;
    result.sent = from.sent;
    result.succeeded = from.succeeded;
    qint64 failures = 0;
    for (const auto& [kind, count] : from.errors) {
        result.errors.insert(QString::fromStdString(kind), count);
        failures += count;
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
    const double errorShare =
        result.scheduled > 0 ? double(failures) / double(result.scheduled) : 1;
    const LoadTargets& limits = scenario.targets;
    result.checks = {{QStringLiteral("p95"), millis(result.p95Ms), millis(limits.p95Ms),
                         result.p95Ms < limits.p95Ms},
        {QStringLiteral("p99"), millis(result.p99Ms), millis(limits.p99Ms),
            result.p99Ms < limits.p99Ms},
        {QStringLiteral("errors"), percent(errorShare), percent(limits.errorShare),
            errorShare < limits.errorShare}};
    result.generatorLimited =
        result.startLagP99Ms > lagLimitMs && result.startLagP99Ms > result.p99Ms / 2;
    result.passed = result.completed && !result.generatorLimited && result.succeeded > 0
        && std::all_of(result.checks.begin(), result.checks.end(),
            [](const LoadCheck& check) { return check.passed; });
    return result;
}

} // namespace

QJsonObject LoadResult::toJson() const
{
    QJsonArray list;
    for (const LoadCheck& check : checks) {
        list << QJsonObject{{QStringLiteral("name"), check.name},
            {QStringLiteral("value"), check.value}, {QStringLiteral("limit"), check.limit},
            {QStringLiteral("passed"), check.passed}};
    }
    QJsonObject kinds;
    for (auto error = errors.begin(); error != errors.end(); ++error) {
        kinds[error.key()] = error.value();
    }
    return {{QStringLiteral("scenario"), scenario.toJson()},
        {QStringLiteral("target"), target.toString()}, {QStringLiteral("completed"), completed},
        {QStringLiteral("passed"), passed}, {QStringLiteral("generator_limited"), generatorLimited},
        {QStringLiteral("scheduled"), scheduled}, {QStringLiteral("sent"), sent},
        {QStringLiteral("succeeded"), succeeded}, {QStringLiteral("errors"), kinds},
        {QStringLiteral("p50_ms"), p50Ms}, {QStringLiteral("p95_ms"), p95Ms},
        {QStringLiteral("p99_ms"), p99Ms}, {QStringLiteral("max_ms"), maxMs},
        {QStringLiteral("uncorrected_p99_ms"), uncorrectedP99Ms},
        {QStringLiteral("start_lag_p99_ms"), startLagP99Ms},
        {QStringLiteral("achieved_rate"), achievedRate}, {QStringLiteral("checks"), list}};
}

Result<void> saveRun(const QString& folder, const LoadResult& result)
{
    if (auto writable = ensureWritableFolder(folder.toStdString()); !writable) {
        return writable;
    }
    QByteArray csv("second,scheduled,completed,errors,in_flight,p50_ms,p95_ms,p99_ms,max_ms\n");
    for (const LoadSecond& second : result.seconds) {
        csv += QStringLiteral("%1,%2,%3,%4,%5,%6,%7,%8,%9\n")
                   .arg(second.second)
                   .arg(second.scheduled)
                   .arg(second.completed)
                   .arg(second.errors)
                   .arg(second.inFlight)
                   .arg(second.p50Ms)
                   .arg(second.p95Ms)
                   .arg(second.p99Ms)
                   .arg(second.maxMs)
                   .toUtf8();
    }
    const std::string base = folder.toStdString();
    if (auto written = writeFileAtomically(base + "/seconds.csv", csv.toStdString()); !written) {
        return written;
    }
    return writeFileAtomically(
        base + "/result.json", QJsonDocument(result.toJson()).toJson().toStdString());
}

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
    plan.users = scenario.users;
    plan.requestsPerSecond = scenario.requestsPerSecond;
    plan.seconds = scenario.durationSeconds;
    plan.seed = seed;
    plan.maxConnections = std::min(scenario.users + 64, 4000);
    for (const QString& query : scenario.queries) {
        plan.queries.push_back(query.toStdString());
    }
    if (plan.queries.empty()) {
        auto bundled = bundledQueries();
        if (!bundled) {
            return bundled.error();
        }
        plan.queries = std::move(*bundled);
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
