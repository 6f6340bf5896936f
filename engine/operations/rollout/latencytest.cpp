#include "engine/operations/rollout/latencytest.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace sluice::ops {

namespace {

constexpr double decay = 0.98; // a scrape; at 15 s half of the weight is 8.6 minutes old

double logMean(const std::vector<double>& logs)
{
    const double high = *std::max_element(logs.begin(), logs.end());
    double sum = 0;
    for (const double value : logs) {
        sum += std::exp(value - high);
    }
    return high + std::log(sum / double(logs.size()));
}

/// ln of the likelihood of `bad` among `requests` at `share` over that at `mean`.
double logLikelihoodRatio(const ArmCounts& arm, double share, double mean)
{
    return arm.bad * std::log(share / mean)
        + (arm.requests - arm.bad) * std::log((1 - share) / (1 - mean));
}

} // namespace

std::vector<BoundPair> shiftedPairs(const std::vector<double>& bounds, double factor)
{
    std::vector<BoundPair> pairs;
    for (std::size_t low = 0; low < bounds.size(); ++low) {
        for (std::size_t high = low; high < bounds.size(); ++high) {
            if (std::abs(bounds[high] - factor * bounds[low]) <= 1e-6 * bounds[high]) {
                pairs.push_back({high, low});
                break;
            }
        }
    }
    return pairs;
}

LatencyTestSettings slowerLatency(
    std::vector<double> bounds, double factor, double soakSeconds, double dispersion)
{
    LatencyTestSettings settings;
    settings.bounds = std::move(bounds);
    settings.factor = factor;
    settings.dispersion = dispersion;
    settings.plannedStarts = std::max(1, int(std::ceil(soakSeconds / settings.secondsPerStart)));
    return settings;
}

LatencyTestSettings provenLatency(std::vector<double> bounds, double factor, double dispersion)
{
    LatencyTestSettings settings;
    settings.bounds = std::move(bounds);
    settings.factor = factor;
    settings.dispersion = dispersion;
    settings.alternatives = {0.8, 0.5, 0.2};
    settings.plannedStarts = 1;
    return settings;
}

LatencyTest::LatencyTest(LatencyTestSettings settings)
    : m_settings(std::move(settings))
    , m_pairs(shiftedPairs(m_settings.bounds, m_settings.factor))
    , m_factors(m_settings.alternatives.size())
{
    m_settings.dispersion = std::max(1.0, m_settings.dispersion);
    m_tables.assign(m_pairs.size(),
        Table{0, 0, 0,
            StartMixture(m_settings.alternatives.size(), m_settings.secondsPerStart,
                m_settings.plannedStarts)});
}

bool LatencyTest::fits(const LatencyCounts& counts) const
{
    if (!(counts.requests > 0) || !std::isfinite(counts.requests)
        || counts.atMost.size() != m_settings.bounds.size()) {
        return false;
    }
    double before = 0;
    for (const double count : counts.atMost) {
        if (!(count >= before) || !(count <= counts.requests)) {
            return false;
        }
        before = count;
    }
    return true;
}

void LatencyTest::add(double seconds, const LatencyCounts& canary, const LatencyCounts& baseline)
{
    if (!std::isfinite(seconds) || !fits(canary) || !fits(baseline)) {
        return;
    }
    for (std::size_t index = 0; index < m_pairs.size(); ++index) {
        Table& table = m_tables[index];
        const ArmCounts slowCanary{
            canary.requests, canary.requests - canary.atMost[m_pairs[index].canary]};
        const ArmCounts slowBaseline{
            baseline.requests, baseline.requests - baseline.atMost[m_pairs[index].baseline]};
        if (table.requests > 0) {
            // What the e-variable assumes has to be known before the scrape.
            const double shareB = table.share;
            for (std::size_t term = 0; term < m_factors.size(); ++term) {
                const double odds = m_settings.alternatives[term];
                const double shareC = odds * shareB / (1 - shareB + odds * shareB);
                const double mean = (slowCanary.requests * shareC + slowBaseline.requests * shareB)
                    / (slowCanary.requests + slowBaseline.requests);
                m_factors[term] = (logLikelihoodRatio(slowCanary, shareC, mean)
                                      + logLikelihoodRatio(slowBaseline, shareB, mean))
                    / m_settings.dispersion;
            }
            table.mixture.step(seconds, m_factors);
            m_hasStepped = true;
        }
        table.slow = decay * table.slow + slowBaseline.bad;
        table.requests = decay * table.requests + slowBaseline.requests;
        table.share = (table.slow + 0.5) / (table.requests + 1); // never 0 or 1
    }
}

double LatencyTest::logEvidence() const
{
    if (m_tables.empty()) {
        return 0;
    }
    std::vector<double> logs;
    logs.reserve(m_tables.size());
    for (const Table& table : m_tables) {
        logs.push_back(table.mixture.logEvidence());
    }
    return logMean(logs);
}

std::optional<double> LatencyTest::leastLogEvidence() const
{
    // From the first bound with at most half of the baseline above it to the first with at most 5
    // %.
    std::optional<double> least;
    for (const Table& table : m_tables) {
        if (table.requests <= 0 || table.share > 0.5) {
            continue;
        }
        const double evidence = table.mixture.logEvidence();
        least = least ? std::min(*least, evidence) : evidence;
        if (table.share <= 0.05) {
            break;
        }
    }
    return least;
}

std::optional<std::size_t> LatencyTest::strongestPair() const
{
    if (!m_hasStepped) {
        return std::nullopt;
    }
    std::size_t best = 0;
    for (std::size_t index = 1; index < m_tables.size(); ++index) {
        if (m_tables[index].mixture.logEvidence() > m_tables[best].mixture.logEvidence()) {
            best = index;
        }
    }
    return best;
}

double LatencyTest::logEvidence(std::size_t pair) const
{
    return m_tables[pair].mixture.logEvidence();
}

std::vector<double> LatencyTest::state() const
{
    std::vector<double> state{m_hasStepped ? 1.0 : 0.0};
    for (const Table& table : m_tables) {
        const std::vector<double> mixture = table.mixture.state();
        state.insert(state.end(), {table.slow, table.requests, table.share});
        state.insert(state.end(), mixture.begin(), mixture.end());
    }
    return state;
}

bool LatencyTest::restore(const std::vector<double>& state)
{
    const std::size_t each = 3 + 2 + m_settings.alternatives.size();
    if (state.size() != 1 + each * m_tables.size()) {
        return false;
    }
    std::vector<Table> tables = m_tables;
    for (std::size_t index = 0; index < tables.size(); ++index) {
        const auto from = state.begin() + std::ptrdiff_t(1 + each * index);
        Table& table = tables[index];
        table.slow = from[0];
        table.requests = from[1];
        table.share = from[2];
        if (!table.mixture.restore({from + 3, from + std::ptrdiff_t(each)})) {
            return false;
        }
    }
    m_tables = std::move(tables);
    m_hasStepped = state[0] != 0;
    return true;
}

} // namespace sluice::ops
