#include "engine/operations/loadtest/loadresult.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <cmath>
#include <map>

namespace sluice::ops {

namespace {

constexpr auto states = {
    CheckState::Passed, CheckState::Failed, CheckState::NoData, CheckState::NotMeasured};

QString nameOf(CheckState state)
{
    switch (state) {
    case CheckState::Passed:
        return QStringLiteral("passed");
    case CheckState::NoData:
        return QStringLiteral("no data");
    case CheckState::NotMeasured:
        return QStringLiteral("not measured");
    case CheckState::Failed:
        break;
    }
    return QStringLiteral("failed");
}

QJsonObject countsJson(const QHash<QString, qint64>& counts)
{
    QJsonObject object;
    for (auto count = counts.begin(); count != counts.end(); ++count) {
        object[count.key()] = count.value();
    }
    return object;
}

QHash<QString, qint64> countsOf(const QJsonObject& object)
{
    QHash<QString, qint64> counts;
    for (auto member = object.begin(); member != object.end(); ++member) {
        counts.insert(member.key(), member.value().toInteger());
    }
    return counts;
}

void put(QJsonObject& object, const QString& key, const std::optional<double>& value)
{
    if (value) {
        object[key] = *value;
    }
}

std::optional<double> optional(const QJsonObject& object, const QString& key)
{
    const QJsonValue value = object[key];
    return value.isDouble() ? std::optional(value.toDouble()) : std::nullopt;
}

QJsonObject checkJson(const LoadCheck& check)
{
    QJsonObject object{{QStringLiteral("name"), check.name}, {QStringLiteral("value"), check.value},
        {QStringLiteral("limit"), check.limit}, {QStringLiteral("passed"), check.passed},
        {QStringLiteral("state"), nameOf(check.state)}, {QStringLiteral("at_least"), check.atLeast},
        {QStringLiteral("unit"), check.unit}, {QStringLiteral("number"), check.number},
        {QStringLiteral("bound"), check.bound}};
    put(object, QStringLiteral("low"), check.low);
    put(object, QStringLiteral("high"), check.high);
    return object;
}

LoadCheck checkOf(const QJsonObject& object)
{
    LoadCheck check;
    check.name = object[QStringLiteral("name")].toString();
    check.value = object[QStringLiteral("value")].toString();
    check.limit = object[QStringLiteral("limit")].toString();
    check.passed = object[QStringLiteral("passed")].toBool();
    for (const CheckState state : states) {
        if (nameOf(state) == object[QStringLiteral("state")].toString()) {
            check.state = state;
        }
    }
    check.atLeast = object[QStringLiteral("at_least")].toBool();
    check.unit = object[QStringLiteral("unit")].toString();
    check.number = object[QStringLiteral("number")].toDouble();
    check.bound = object[QStringLiteral("bound")].toDouble();
    check.low = optional(object, QStringLiteral("low"));
    check.high = optional(object, QStringLiteral("high"));
    return check;
}

/// The numbers that both ways need: one table, so that neither forgets one.
template <typename Second, typename Visit> void eachNumber(Second& second, Visit visit)
{
    visit("second", second.second);
    visit("scheduled", second.scheduled);
    visit("sent", second.sent);
    visit("completed", second.completed);
    visit("errors", second.errors);
    visit("in_flight", second.inFlight);
    visit("connections", second.connections);
    visit("users", second.users);
    visit("planned_rate", second.plannedRate);
    visit("p50_ms", second.p50Ms);
    visit("p95_ms", second.p95Ms);
    visit("p99_ms", second.p99Ms);
    visit("max_ms", second.maxMs);
    visit("uncorrected_p99_ms", second.uncorrectedP99Ms);
    visit("lag_p99_ms", second.lagP99Ms);
    visit("generator_cpu", second.generatorCpu);
    visit("generator_mib", second.generatorMiB);
}

template <typename Load, typename Visit> void eachFigure(Load& result, Visit visit)
{
    visit("p50_ms", result.p50Ms);
    visit("p95_ms", result.p95Ms);
    visit("p99_ms", result.p99Ms);
    visit("max_ms", result.maxMs);
    visit("uncorrected_p95_ms", result.uncorrectedP95Ms);
    visit("uncorrected_p99_ms", result.uncorrectedP99Ms);
    visit("start_lag_p99_ms", result.startLagP99Ms);
    visit("achieved_rate", result.achievedRate);
    visit("elapsed_seconds", result.elapsedSeconds);
    visit("generator_cpu", result.generatorCpu);
    visit("generator_peak_mib", result.generatorPeakMiB);
    visit("scheduled", result.scheduled);
    visit("sent", result.sent);
    visit("succeeded", result.succeeded);
    visit("pid", result.pid);
}

struct Writes
{
    QJsonObject& object;
    template <typename Number> void operator()(const char* key, const Number& value) const
    {
        object[QLatin1StringView(key)] = value;
    }
};

struct Reads
{
    const QJsonObject& object;
    template <typename Number> void operator()(const char* key, Number& value) const
    {
        const QJsonValue found = object[QLatin1StringView(key)];
        if constexpr (std::is_same_v<Number, double>) {
            value = found.toDouble();
        } else {
            value = Number(found.toInteger());
        }
    }
};

} // namespace

double heatEdgeMs(int bucket)
{
    return bucket <= 0 ? 0 : std::exp2(bucket / 2.0) / 1000;
}

QList<HeatCell> heatOf(const LatencyHistogram& histogram)
{
    std::map<int, qint64> cells;
    for (const HistogramBucket& bucket : histogram.buckets()) {
        const double microseconds = double(LatencyHistogram::valueOf(bucket.index)) / 1000;
        const int cell = microseconds <= 1 ? 0 : int(std::floor(2 * std::log2(microseconds)));
        cells[cell] += qint64(bucket.count);
    }
    QList<HeatCell> heat;
    for (const auto& [bucket, count] : cells) {
        heat << HeatCell{bucket, count};
    }
    return heat;
}

QJsonObject LoadSecond::toJson() const
{
    QJsonObject object;
    eachNumber(*this, Writes{object});
    if (!errorsByKind.isEmpty()) {
        object[QStringLiteral("errors_by_kind")] = countsJson(errorsByKind);
    }
    QJsonArray cells;
    for (const HeatCell& cell : heat) {
        cells << QJsonArray{cell.bucket, cell.count};
    }
    object[QStringLiteral("heat")] = cells;
    put(object, QStringLiteral("worker_mib"), server.workerMiB);
    put(object, QStringLiteral("worker_cpu_share"), server.workerCpuShare);
    put(object, QStringLiteral("cache_hit_share"), server.cacheHitShare);
    return object;
}

LoadSecond LoadSecond::fromJson(const QJsonObject& object)
{
    LoadSecond second;
    eachNumber(second, Reads{object});
    second.errorsByKind = countsOf(object[QStringLiteral("errors_by_kind")].toObject());
    const QJsonArray cells = object[QStringLiteral("heat")].toArray();
    for (const auto& cell : cells) {
        second.heat << HeatCell{cell.toArray().at(0).toInt(), cell.toArray().at(1).toInteger()};
    }
    second.server = {optional(object, QStringLiteral("worker_mib")),
        optional(object, QStringLiteral("worker_cpu_share")),
        optional(object, QStringLiteral("cache_hit_share"))};
    return second;
}

namespace {

QJsonArray bucketsJson(const std::vector<HistogramBucket>& buckets)
{
    QJsonArray list;
    for (const HistogramBucket& bucket : buckets) {
        list << QJsonArray{qint64(bucket.index), qint64(bucket.count)};
    }
    return list;
}

std::vector<HistogramBucket> bucketsOf(const QJsonArray& list)
{
    std::vector<HistogramBucket> buckets;
    for (const auto& pair : list) {
        const QJsonArray bucket = pair.toArray();
        buckets.push_back(
            {std::uint32_t(bucket.at(0).toInteger()), std::uint64_t(bucket.at(1).toInteger())});
    }
    return buckets;
}

} // namespace

void LatencyBlock::addCounts(const LatencyBlock& other)
{
    const auto addTo = [](std::vector<HistogramBucket>& sum,
                           const std::vector<HistogramBucket>& more) {
        LatencyHistogram both;
        both.merge(sum, 0);
        both.merge(more, 0);
        sum = both.buckets();
    };
    scheduled += other.scheduled;
    errors += other.errors;
    maxNs = std::max(maxNs, other.maxNs);
    addTo(corrected, other.corrected);
    addTo(uncorrected, other.uncorrected);
    addTo(lag, other.lag);
}

void LatencySum::add(const LatencyBlock& block)
{
    m_corrected.merge(block.corrected, block.maxNs);
    m_uncorrected.merge(block.uncorrected, block.maxNs);
    m_lag.merge(block.lag, INT64_MAX); // its largest is not kept
}

void LatencySum::tell(LoadResult& result) const
{
    const auto ms = [](std::int64_t nanoseconds) { return double(nanoseconds) / 1e6; };
    result.p50Ms = ms(m_corrected.quantile(0.50));
    result.p95Ms = ms(m_corrected.quantile(0.95));
    result.p99Ms = ms(m_corrected.quantile(0.99));
    result.maxMs = ms(m_corrected.max());
    result.uncorrectedP95Ms = ms(m_uncorrected.quantile(0.95));
    result.uncorrectedP99Ms = ms(m_uncorrected.quantile(0.99));
    result.startLagP99Ms = ms(m_lag.quantile(0.99));
}

QJsonObject LatencyBlock::toJson() const
{
    return {{QStringLiteral("second"), second}, {QStringLiteral("seconds"), seconds},
        {QStringLiteral("scheduled"), scheduled}, {QStringLiteral("errors"), errors},
        {QStringLiteral("max_ns"), maxNs}, {QStringLiteral("corrected"), bucketsJson(corrected)},
        {QStringLiteral("uncorrected"), bucketsJson(uncorrected)},
        {QStringLiteral("lag"), bucketsJson(lag)}};
}

LatencyBlock LatencyBlock::fromJson(const QJsonObject& object)
{
    LatencyBlock block;
    block.second = object[QStringLiteral("second")].toInt();
    block.seconds = object[QStringLiteral("seconds")].toDouble();
    block.scheduled = object[QStringLiteral("scheduled")].toInteger();
    block.errors = object[QStringLiteral("errors")].toInteger();
    block.maxNs = object[QStringLiteral("max_ns")].toInteger();
    block.corrected = bucketsOf(object[QStringLiteral("corrected")].toArray());
    block.uncorrected = bucketsOf(object[QStringLiteral("uncorrected")].toArray());
    block.lag = bucketsOf(object[QStringLiteral("lag")].toArray());
    return block;
}

double LoadCheck::margin() const
{
    if (bound == 0) {
        return number == 0 ? 1 : -1;
    }
    return (atLeast ? number - bound : bound - number) / bound;
}

qint64 LoadResult::failures() const
{
    qint64 sum = 0;
    for (const qint64 count : errors) {
        sum += count;
    }
    return sum;
}

double LoadResult::errorShare() const
{
    return scheduled > 0 ? double(failures()) / double(scheduled) : 1;
}

QString LoadResult::verdict() const
{
    if (state == QLatin1StringView("running")) {
        return state;
    }
    if (passed) {
        return QStringLiteral("passed");
    }
    const bool breached = state == QLatin1StringView("breached");
    const bool failed = std::any_of(checks.begin(), checks.end(),
        [](const LoadCheck& check) { return check.state == CheckState::Failed; });
    return !generatorLimited && (breached || (completed && failed)) ? QStringLiteral("failed")
                                                                    : QStringLiteral("no verdict");
}

QJsonObject LoadResult::toJson() const
{
    QJsonArray list;
    for (const LoadCheck& check : checks) {
        list << checkJson(check);
    }
    QJsonArray samples;
    for (const ErrorSample& sample : errorSamples) {
        samples << QJsonObject{{QStringLiteral("kind"), sample.kind},
            {QStringLiteral("second"), sample.second}, {QStringLiteral("detail"), sample.detail}};
    }
    QJsonObject object{{QStringLiteral("v"), 1}, {QStringLiteral("id"), id},
        {QStringLiteral("generator"), generator},
        {QStringLiteral("latency_corrected"), latencyCorrected},
        {QStringLiteral("scenario"), scenario.toJson()},
        {QStringLiteral("target"), target.toString()}, {QStringLiteral("environment"), environment},
        {QStringLiteral("seed"), QString::number(seed)},
        {QStringLiteral("started_at"), startedAt.toString(Qt::ISODateWithMs)},
        {QStringLiteral("ended_at"), endedAt.toString(Qt::ISODateWithMs)},
        {QStringLiteral("versions"), versions}, {QStringLiteral("state"), state},
        {QStringLiteral("completed"), completed}, {QStringLiteral("passed"), passed},
        {QStringLiteral("verdict"), verdict()},
        {QStringLiteral("generator_limited"), generatorLimited},
        {QStringLiteral("has_prometheus"), hasPrometheus},
        {QStringLiteral("errors"), countsJson(errors)}, {QStringLiteral("error_samples"), samples},
        {QStringLiteral("checks"), list},
        {QStringLiteral("notes"), QJsonArray::fromStringList(notes)}};
    eachFigure(*this, Writes{object});
    return object;
}

Result<LoadResult> LoadResult::fromJson(const QJsonObject& object, const QString& where)
{
    if (object[QStringLiteral("v")].toInt() != 1) {
        return inputError(where.toStdString()
            + ": is not the result of a load run, or of a later "
              "version's");
    }
    LoadResult result;
    const auto scenario = Scenario::fromJson(
        QJsonDocument(object[QStringLiteral("scenario")].toObject()).toJson(), where);
    if (!scenario) {
        return scenario.error();
    }
    result.scenario = *scenario;
    result.id = object[QStringLiteral("id")].toString();
    result.generator = object[QStringLiteral("generator")].toString();
    result.latencyCorrected = object[QStringLiteral("latency_corrected")].toBool();
    result.target = QUrl(object[QStringLiteral("target")].toString());
    result.environment = object[QStringLiteral("environment")].toString();
    result.seed = object[QStringLiteral("seed")].toString().toULongLong();
    const auto time = [&](const QString& key) {
        return QDateTime::fromString(object[key].toString(), Qt::ISODateWithMs);
    };
    result.startedAt = time(QStringLiteral("started_at"));
    result.endedAt = time(QStringLiteral("ended_at"));
    result.versions = object[QStringLiteral("versions")].toObject();
    result.state = object[QStringLiteral("state")].toString();
    result.completed = object[QStringLiteral("completed")].toBool();
    result.passed = object[QStringLiteral("passed")].toBool();
    result.generatorLimited = object[QStringLiteral("generator_limited")].toBool();
    result.hasPrometheus = object[QStringLiteral("has_prometheus")].toBool();
    result.errors = countsOf(object[QStringLiteral("errors")].toObject());
    eachFigure(result, Reads{object});
    const QJsonArray samples = object[QStringLiteral("error_samples")].toArray();
    for (const auto& one : samples) {
        const QJsonObject sample = one.toObject();
        result.errorSamples << ErrorSample{sample[QStringLiteral("kind")].toString(),
            sample[QStringLiteral("second")].toDouble(),
            sample[QStringLiteral("detail")].toString()};
    }
    const QJsonArray checks = object[QStringLiteral("checks")].toArray();
    for (const auto& check : checks) {
        result.checks << checkOf(check.toObject());
    }
    const QJsonArray notes = object[QStringLiteral("notes")].toArray();
    for (const auto& note : notes) {
        result.notes << note.toString();
    }
    return result;
}

} // namespace sluice::ops
