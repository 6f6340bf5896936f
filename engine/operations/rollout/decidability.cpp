#include "engine/operations/rollout/decidability.h"

#include "engine/operations/rollout/sequentialtest.h"

#include <QCoreApplication>
#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace sluice::ops {

namespace {

constexpr double windowSeconds = 300;
constexpr double leastRequests = 200;
constexpr double faultRatio = 10;
constexpr double leastShare = 1e-3; // of a fault where the stable pool makes no errors: 1 %
const double failLimit = std::log(1000.0);
const double provenLimit = std::log(20.0);

/// Seconds until `test` reaches `limit` in one simulated soak; empty when it does not.
template <class Test>
std::optional<double> firstTime(const StageTraffic& traffic, Test test, double canaryShare,
    double limit, std::mt19937_64& random)
{
    const double canary = traffic.canaryPerSecond * traffic.scrapeSeconds;
    const double baseline = traffic.baselinePerSecond * traffic.scrapeSeconds;
    std::poisson_distribution<int> canaryErrors(std::max(1e-12, canary * canaryShare));
    std::poisson_distribution<int> baselineErrors(std::max(1e-12, baseline * traffic.errorShare));
    for (double now = traffic.scrapeSeconds; now <= traffic.soakSeconds + 1e-6;
         now += traffic.scrapeSeconds) {
        const double badCanary = std::min(canary, double(canaryErrors(random)));
        const double badBaseline = std::min(baseline, double(baselineErrors(random)));
        test.add(now, {{canary, badCanary}, {baseline, badBaseline}});
        if (test.logEvidence() >= limit) {
            return now;
        }
    }
    return std::nullopt;
}

struct Times
{
    double share = 0;
    std::optional<double> median;
};

template <class Test>
Times simulate(
    const StageTraffic& traffic, const Test& test, double canaryShare, double limit, int runs)
{
    std::mt19937_64 random(20240517);
    std::vector<double> times;
    for (int run = 0; run < runs; ++run) {
        if (const auto time = firstTime(traffic, test, canaryShare, limit, random)) {
            times.push_back(*time);
        }
    }
    std::sort(times.begin(), times.end());
    Times result;
    result.share = double(times.size()) / double(runs);
    if (const auto middle = std::size_t(runs) / 2; times.size() > middle) {
        result.median = times[middle];
    }
    return result;
}

QString duration(double seconds)
{
    if (seconds < 120) {
        return QStringLiteral("%1 s").arg(std::round(seconds));
    }
    return seconds < 7200 ? QStringLiteral("%1 min").arg(std::round(seconds / 60))
                          : QStringLiteral("%1 h").arg(std::round(seconds / 360) / 10);
}

QString tr(const char* text)
{
    return QCoreApplication::translate("Decidability", text);
}

} // namespace

Decidability decidability(const StageTraffic& traffic, int runs)
{
    Decidability result;
    result.requestsPerWindow = traffic.canaryPerSecond * windowSeconds;
    if (!(traffic.canaryPerSecond > 0) || !(traffic.baselinePerSecond > 0)
        || !(traffic.errorShare >= 0) || !(traffic.scrapeSeconds > 0) || runs <= 0) {
        return result;
    }
    const Times proven =
        simulate(traffic, RateProof(2, traffic.dispersion), traffic.errorShare, provenLimit, runs);
    result.provenShare = proven.share;
    result.provenSeconds = proven.median;
    const Times found =
        simulate(traffic, RateRatioTest(worseRate(traffic.soakSeconds, 1, traffic.dispersion)),
            std::min(0.9, faultRatio * std::max(traffic.errorShare, leastShare)), failLimit, runs);
    result.foundShare = found.share;
    result.foundSeconds = found.median;
    return result;
}

QString Decidability::text(const StageTraffic& traffic) const
{
    const QString rate = QString::number(traffic.canaryPerSecond, 'g', 2);
    const QString soak = duration(traffic.soakSeconds);
    QString text;
    if (!(traffic.canaryPerSecond > 0) || !(traffic.baselinePerSecond > 0)) {
        text = tr("Without requests in both pools no gate can decide anything.");
    } else if (canDecide()) {
        text = tr("At %1 req/s the proof \"no worse than 2x\" takes about %2.")
                   .arg(rate, duration(provenSeconds.value_or(traffic.soakSeconds)));
    } else if (provenShare >= 0.05) {
        text = tr("At %1 req/s \"no worse than 2x\" is proven in only %2 % of healthy soaks of %3.")
                   .arg(rate, QString::number(std::round(provenShare * 100)), soak);
    } else {
        text = tr("At %1 req/s this gate can't decide in %2.").arg(rate, soak);
    }
    if (traffic.canaryPerSecond > 0 && traffic.baselinePerSecond > 0) {
        const QString fault =
            QString::number(faultRatio * std::max(traffic.errorShare, leastShare) * 100, 'g', 2);
        text += u' '
            + (foundSeconds ? tr("A fault of %1 % errors is found in about %2.")
                                  .arg(fault, duration(*foundSeconds))
                    : foundShare >= 0.05
                    ? tr("A fault of %1 % errors is found in only %2 % of soaks.")
                          .arg(fault)
                          .arg(std::round(foundShare * 100))
                    : tr("A fault of %1 % errors would not be found.").arg(fault));
    }
    if (requestsPerWindow < leastRequests) {
        text += u' '
            + tr("A 5 min window holds %1 requests, under the 200 that the error trigger needs.")
                  .arg(std::round(requestsPerWindow));
    }
    return text;
}

} // namespace sluice::ops
