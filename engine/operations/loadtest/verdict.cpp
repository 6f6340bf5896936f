#include "engine/operations/loadtest/verdict.h"

#include "engine/operations/loadtest/blockbootstrap.h"
#include "engine/operations/loadtest/endurance.h"

#include <algorithm>
#include <cmath>

namespace sluice::ops {

namespace {

constexpr double fullCore = 0.95;

QString number(double value, int digits)
{
    return QString::number(value, 'f', digits);
}

QString formatted(const QString& unit, double value)
{
    if (unit == QLatin1StringView("ms")) {
        return number(value, value < 10 ? 2 : value < 100 ? 1 : 0) + QStringLiteral(" ms");
    }
    if (unit == QLatin1StringView("share")) {
        return number(value * 100, 2) + QStringLiteral(" %");
    }
    if (unit == QLatin1StringView("core")) {
        return number(value * 100, 1) + QStringLiteral(" % of a core");
    }
    return number(value, 1) + u' ' + unit;
}

LoadCheck check(const QString& name, const QString& unit, std::optional<double> value, double bound,
    bool atLeast = false)
{
    LoadCheck made;
    made.name = name;
    made.unit = unit;
    made.bound = bound;
    made.atLeast = atLeast;
    made.limit = formatted(unit, bound);
    if (!value) {
        made.value = QStringLiteral("no data");
        made.state = CheckState::NoData;
        return made;
    }
    made.number = *value;
    made.value = formatted(unit, *value);
    made.passed = atLeast ? *value >= bound : *value < bound || (*value == 0 && bound == 0);
    made.state = made.passed ? CheckState::Passed : CheckState::Failed;
    return made;
}

void setInterval(LoadCheck& check, const std::optional<Interval>& interval)
{
    if (interval) {
        check.low = interval->low;
        check.high = interval->high;
    }
}

/// The values of a server's series; empty where it never answered.
std::vector<double> series(const LoadResult& result, std::optional<double> ServerSample::*member)
{
    std::vector<double> values;
    for (const LoadSecond& second : result.seconds) {
        if (const auto& value = second.server.*member) {
            values.push_back(*value);
        }
    }
    return values;
}

/// Means of ten neighbouring samples: single ones hang together.
std::vector<double> blockMeans(const std::vector<double>& values)
{
    std::vector<double> means;
    for (std::size_t begin = 0; begin + 10 <= values.size(); begin += 10) {
        double sum = 0;
        for (std::size_t index = begin; index < begin + 10; ++index) {
            sum += values[index];
        }
        means.push_back(sum / 10);
    }
    return means;
}

std::optional<double> mean(const std::vector<double>& values)
{
    if (values.empty()) {
        return std::nullopt;
    }
    double sum = 0;
    for (const double value : values) {
        sum += value;
    }
    return sum / double(values.size());
}

/// A leak is shown, or ruled out, by the whole interval: a noisy hour does neither.
LoadCheck growthCheck(const LoadResult& result, double limit)
{
    const auto slope = memorySlope(result.seconds);
    LoadCheck made = check(QStringLiteral("memory growth"), QStringLiteral("MiB/h"),
        slope ? std::optional(slope->mibPerHour) : std::nullopt, limit);
    if (slope) {
        setInterval(made, slope->interval);
        made.passed = slope->interval.high < limit;
        made.state = made.passed          ? CheckState::Passed
            : slope->interval.low > limit ? CheckState::Failed
                                          : CheckState::NoData;
        if (made.state == CheckState::NoData) {
            made.value += QStringLiteral(", too short to tell");
        }
    }
    return made;
}

void addServerChecks(LoadResult& result)
{
    const LoadTargets& limits = result.scenario.targets;
    const auto add = [&](LoadCheck made) {
        if (!result.hasPrometheus && made.state == CheckState::NoData) {
            made.state = CheckState::NotMeasured;
            made.value = QStringLiteral("not measured");
        }
        result.checks << made;
    };
    if (limits.workerMiB) {
        const auto values = series(result, &ServerSample::workerMiB);
        add(check(QStringLiteral("worker memory"), QStringLiteral("MiB"),
            values.empty() ? std::nullopt
                           : std::optional(*std::max_element(values.begin(), values.end())),
            *limits.workerMiB));
    }
    if (limits.workerCpuShare) {
        const auto values = series(result, &ServerSample::workerCpuShare);
        LoadCheck made = check(QStringLiteral("worker CPU"), QStringLiteral("core"), mean(values),
            *limits.workerCpuShare);
        setInterval(made, meanInterval(blockMeans(values)));
        add(made);
    }
    if (limits.cacheHitShare) {
        const auto values = series(result, &ServerSample::cacheHitShare);
        LoadCheck made = check(QStringLiteral("cache hits"), QStringLiteral("share"), mean(values),
            *limits.cacheHitShare, true);
        setInterval(made, meanInterval(blockMeans(values)));
        add(made);
    }
    if (limits.workerGrowth) {
        add(growthCheck(result, *limits.workerGrowth));
    }
}

bool wasLimited(const LoadResult& result)
{
    const bool late = result.startLagP99Ms > lagLimitMs && result.startLagP99Ms > result.p99Ms / 5;
    const bool flatOut = result.scenario.model == LoadModel::Closed
        && result.scenario.think.meanSeconds == 0 && result.generatorCpu > fullCore;
    const bool refused = result.errors.contains(QStringLiteral("out of descriptors"))
        || result.errors.contains(QStringLiteral("out of ports"))
        || result.errors.contains(QStringLiteral("generator queue full"));
    return late || flatOut || refused;
}

} // namespace

void judge(LoadResult& result)
{
    const LoadTargets& limits = result.scenario.targets;
    const bool measured = result.scheduled > 0;
    const auto known = [&](double value) { return measured ? std::optional(value) : std::nullopt; };
    result.checks.clear();
    LoadCheck p95 =
        check(QStringLiteral("p95"), QStringLiteral("ms"), known(result.p95Ms), limits.p95Ms);
    setInterval(p95, quantileInterval(result.blocks, 0.95));
    LoadCheck p99 =
        check(QStringLiteral("p99"), QStringLiteral("ms"), known(result.p99Ms), limits.p99Ms);
    setInterval(p99, quantileInterval(result.blocks, 0.99));
    LoadCheck errors = check(QStringLiteral("errors"), QStringLiteral("share"),
        known(result.errorShare()), limits.errorShare);
    if (measured) {
        setInterval(errors, exactInterval(result.failures(), result.scheduled));
    }
    result.checks << p95 << p99 << errors;
    if (limits.leastRate) {
        std::vector<double> rates;
        for (const LatencyBlock& block : result.blocks) {
            rates.push_back(double(block.scheduled - block.errors) / block.seconds);
        }
        LoadCheck rate = check(QStringLiteral("requests"), QStringLiteral("1/s"),
            known(result.achievedRate), *limits.leastRate, true);
        setInterval(rate, meanInterval(rates));
        result.checks << rate;
    }
    addServerChecks(result);
    result.generatorLimited = wasLimited(result);
    result.passed = result.completed && result.latencyCorrected && !result.generatorLimited
        && result.succeeded > 0
        && std::all_of(result.checks.begin(), result.checks.end(), [](const LoadCheck& one) {
               return one.state == CheckState::Passed || one.state == CheckState::NotMeasured;
           });
}

bool isBreached(const LoadSecond& second, const LoadTargets& targets)
{
    if (second.scheduled == 0 && second.completed == 0 && second.errors == 0) {
        return false;
    }
    const double asked = std::max(second.scheduled, second.completed);
    const bool silent = second.completed == 0 && second.scheduled > 0 && second.inFlight > 0;
    return silent || second.p95Ms >= targets.p95Ms || second.p99Ms >= targets.p99Ms
        || double(second.errors) > targets.errorShare * std::max(asked, 1.0);
}

} // namespace sluice::ops
