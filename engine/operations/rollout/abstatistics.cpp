#include "engine/operations/rollout/abstatistics.h"

#include <algorithm>
#include <cmath>

namespace sluice::ops {

namespace {

constexpr double z95 = 1.959963984540054;

} // namespace

Interval wilsonShare(double share, double size)
{
    if (!(size > 0)) {
        return {};
    }
    const double zz = z95 * z95 / size;
    const double spread = z95 * std::sqrt((share * (1 - share) + zz / 4) / size);
    return {std::max(0.0, (share + zz / 2 - spread) / (1 + zz)),
        std::min(1.0, (share + zz / 2 + spread) / (1 + zz))};
}

Interval newcombeDifference(double p1, Interval one, double p2, Interval other)
{
    return {p1 - p2 - std::hypot(p1 - one.low, other.high - p2),
        p1 - p2 + std::hypot(one.high - p1, p2 - other.low)};
}

namespace ab {

namespace {

Estimate around(double value, double variance, double scale = 1)
{
    const double half = z95 * std::sqrt(variance);
    return {scale * value, scale * (value - half), scale * (value + half)};
}

/// The number of independent yes-or-no answers that say as much as this ratio.
double effectiveSize(const Ratio& share)
{
    const double spread = share.value * (1 - share.value);
    return spread > 0 && share.variance > 0 ? spread / share.variance : double(share.sessions);
}

double percentile(std::vector<double>& sorted, double share)
{
    const double at = share * double(sorted.size() - 1);
    const auto low = std::size_t(at);
    const double high = low + 1 < sorted.size() ? sorted[low + 1] : sorted[low];
    return sorted[low] + (at - double(low)) * (high - sorted[low]);
}

/// Latencies of an arm in the order of time taken, each with its session.
class Latencies
{
public:
    Latencies(const Arm& arm, std::vector<double> Session::*which)
        : m_weights(arm.size())
    {
        for (std::size_t index = 0; index < arm.size(); ++index) {
            m_weights[index] = arm[index].weight;
            m_sessions += (arm[index].*which).empty() ? 0 : 1;
            for (const double ms : arm[index].*which) {
                m_values.emplace_back(ms, index);
            }
        }
        std::sort(m_values.begin(), m_values.end());
    }

    qint64 sessions() const { return m_sessions; }
    std::size_t arm() const { return m_weights.size(); }

    double quantile(double share, const std::vector<double>& times) const
    {
        double all = 0;
        for (const auto& [ms, index] : m_values) {
            all += times[index] * m_weights[index];
        }
        double seen = 0;
        for (const auto& [ms, index] : m_values) {
            seen += times[index] * m_weights[index];
            if (seen > 0 && seen >= share * all) {
                return ms;
            }
        }
        return notKnown;
    }

private:
    std::vector<std::pair<double, std::size_t>> m_values;
    std::vector<double> m_weights;
    qint64 m_sessions = 0;
};

} // namespace

Ratio ratioOf(const Arm& arm, Figure over, Figure under)
{
    double top = 0;
    double bottom = 0;
    Ratio ratio;
    for (const Session& one : arm) {
        const double base = under != nullptr ? one.*under : 1;
        top += one.weight * (one.*over);
        bottom += one.weight * base;
        ratio.sessions += base > 0 ? 1 : 0;
    }
    if (bottom <= 0) {
        return ratio;
    }
    ratio.value = top / bottom;
    if (ratio.sessions > 1) {
        double squares = 0; // sum of (y - R n)^2: its mean is 0
        for (const Session& one : arm) {
            const double base = under != nullptr ? one.*under : 1;
            const double rest = one.weight * (one.*over - ratio.value * base);
            squares += rest * rest;
        }
        const double n = double(ratio.sessions);
        ratio.variance = n / (n - 1) * squares / (bottom * bottom);
    }
    return ratio;
}

void compareShares(ComparedMeasure& measure, const Ratio& canary, const Ratio& stable)
{
    measure.canarySessions = canary.sessions;
    measure.stableSessions = stable.sessions;
    if (std::isnan(canary.value) || std::isnan(stable.value)) {
        return;
    }
    const Interval one = wilsonShare(canary.value, effectiveSize(canary));
    const Interval other = wilsonShare(stable.value, effectiveSize(stable));
    const Interval apart = newcombeDifference(canary.value, one, stable.value, other);
    measure.canary = {100 * canary.value, 100 * one.low, 100 * one.high};
    measure.stable = {100 * stable.value, 100 * other.low, 100 * other.high};
    measure.difference = {100 * (canary.value - stable.value), 100 * apart.low, 100 * apart.high};
}

void compareMeans(ComparedMeasure& measure, const Ratio& canary, const Ratio& stable)
{
    measure.canarySessions = canary.sessions;
    measure.stableSessions = stable.sessions;
    measure.canary = around(canary.value, canary.variance);
    measure.stable = around(stable.value, stable.variance);
    measure.difference = around(canary.value - stable.value, canary.variance + stable.variance);
}

Estimate drawn(double value, std::vector<double>& found)
{
    std::erase_if(found, [](double one) { return std::isnan(one); });
    if (found.size() < draws / 2) {
        return {value, notKnown, notKnown};
    }
    std::sort(found.begin(), found.end());
    return {value, percentile(found, 0.025), percentile(found, 0.975)};
}

void drawSessions(std::vector<double>& times, std::mt19937_64& random)
{
    std::fill(times.begin(), times.end(), 0);
    for (std::size_t draw = 0; draw < times.size(); ++draw) {
        ++times[random() % times.size()];
    }
}

void compareQuantiles(ComparedMeasure& measure, const Arm& canaryArm, const Arm& stableArm,
    std::vector<double> Session::*which, double share)
{
    const Latencies canary(canaryArm, which);
    const Latencies stable(stableArm, which);
    measure.canarySessions = canary.sessions();
    measure.stableSessions = stable.sessions();
    if (canary.sessions() == 0 || stable.sessions() == 0) {
        return;
    }
    std::vector<double> one(canary.arm(), 1);
    std::vector<double> other(stable.arm(), 1);
    const double canaryValue = canary.quantile(share, one);
    const double stableValue = stable.quantile(share, other);
    std::vector<double> ones;
    std::vector<double> others;
    std::vector<double> apart;
    const bool enough =
        canary.sessions() >= qint64(fewestSessions) && stable.sessions() >= qint64(fewestSessions);
    std::mt19937_64 random(seed);
    for (int draw = 0; enough && draw < draws; ++draw) {
        drawSessions(one, random);
        drawSessions(other, random);
        ones.push_back(canary.quantile(share, one));
        others.push_back(stable.quantile(share, other));
        apart.push_back(ones.back() - others.back());
    }
    measure.canary = drawn(canaryValue, ones);
    measure.stable = drawn(stableValue, others);
    measure.difference = drawn(canaryValue - stableValue, apart);
}

Agreement::Agreement(const Arm& canary, const Arm& stable, int queries, std::vector<int> queryOf)
    : m_canary(canary)
    , m_stable(stable)
    , m_queryOf(std::move(queryOf))
    , m_canaryCounts(m_queryOf.size())
    , m_stableCounts(m_queryOf.size())
    , m_canaryAsked(std::size_t(queries))
    , m_stableAsked(std::size_t(queries))
    , m_ownPairs(std::size_t(queries))
    , m_ownSame(std::size_t(queries))
{ }

std::pair<double, double> Agreement::reckon(
    const std::vector<double>& canaryTimes, const std::vector<double>& stableTimes)
{
    for (auto* list : {&m_canaryCounts, &m_stableCounts, &m_canaryAsked, &m_stableAsked,
             &m_ownPairs, &m_ownSame}) {
        std::fill(list->begin(), list->end(), 0);
    }
    add(m_canary, canaryTimes, m_canaryCounts, m_canaryAsked, false);
    add(m_stable, stableTimes, m_stableCounts, m_stableAsked, true);
    std::vector<double> same(m_canaryAsked.size(), 0);
    std::vector<double> own(m_canaryAsked.size(), 0);
    for (std::size_t decision = 0; decision < m_queryOf.size(); ++decision) {
        const auto query = std::size_t(m_queryOf[decision]);
        same[query] += m_canaryCounts[decision] * m_stableCounts[decision];
        own[query] += m_stableCounts[decision] * m_stableCounts[decision];
    }
    double weight = 0;
    double sum = 0;
    double ownWeight = 0;
    double ownSum = 0;
    for (std::size_t query = 0; query < same.size(); ++query) {
        const double times = m_canaryAsked[query];
        if (times > 0 && m_stableAsked[query] > 0) {
            weight += times;
            sum += same[query] / m_stableAsked[query];
        }
        // Pairs of different sessions alone: a session agrees with itself.
        const double pairs = m_stableAsked[query] * m_stableAsked[query] - m_ownPairs[query];
        if (times > 0 && pairs > 0) {
            ownWeight += times;
            ownSum += times * (own[query] - m_ownSame[query]) / pairs;
        }
    }
    return {weight > 0 ? 100 * sum / weight : notKnown,
        ownWeight > 0 ? 100 * ownSum / ownWeight : notKnown};
}

void Agreement::add(const Arm& arm, const std::vector<double>& times, std::vector<double>& counts,
    std::vector<double>& asked, bool own)
{
    for (std::size_t index = 0; index < arm.size(); ++index) {
        if (times[index] <= 0) {
            continue;
        }
        for (const Cell& cell : arm[index].cells) {
            const double count = cell.count * times[index];
            counts[std::size_t(cell.decision)] += count;
            if (own) {
                m_ownSame[std::size_t(cell.query)] += count * count;
            }
        }
        for (const auto& [query, often] : arm[index].asked) {
            const double count = often * times[index];
            asked[std::size_t(query)] += count;
            if (own) {
                m_ownPairs[std::size_t(query)] += count * count;
            }
        }
    }
}

} // namespace ab

} // namespace sluice::ops
