#pragma once

#include "engine/operations/rollout/sequentialtest.h"

#include <optional>
#include <vector>

namespace sluice::ops {

/// One arm's latencies in one scrape interval, as a Prometheus histogram counts them: all requests,
/// and how many took at most each upper bound (not decreasing).
struct LatencyCounts
{
    double requests = 0;
    std::vector<double> atMost;
};

/// Two bounds of the histogram, by index: the canary's requests above `canary` are compared with
/// the baseline's above `baseline`.
struct BoundPair
{
    std::size_t canary = 0;
    std::size_t baseline = 0;
};

/// The pairs (t, factor x t) of `bounds` (seconds, increasing). With factor 2 and bounds that are
/// powers of two every bound but the largest has its pair. Equal to 1 part in 10^6 counts as equal.
std::vector<BoundPair> shiftedPairs(const std::vector<double>& bounds, double factor);

struct LatencyTestSettings
{
    std::vector<double> bounds; ///< upper bounds in seconds, increasing, without +Inf
    double factor = 1; ///< 1: any part got worse; 2: more than twice as slow
    /// Odds ratios of "slow" tried at each pair: over 1 for "worse", under 1 for "proven".
    std::vector<double> alternatives{1.25, 1.5, 2, 3, 5, 10, 40};
    double dispersion = 1; ///< divides the log e-values, at least 1
    double secondsPerStart = 300;
    int plannedStarts = 24;
};

LatencyTestSettings slowerLatency(
    std::vector<double> bounds, double factor, double soakSeconds, double dispersion = 1);
LatencyTestSettings provenLatency(
    std::vector<double> bounds, double factor = 2, double dispersion = 1);

/// Anytime-valid test of two latency distributions from raw histogram buckets, without reading any
/// quantile off them. "More than `factor` times as slow" is a statement about the shifted buckets:
/// if T_c <= factor T_b (stochastically) then P(T_c > factor t) <= P(T_b > t) at every t. Each pair
/// of bounds is a 2x2 table a scrape, with the e-variable of Turner, Ly & Grünwald, "Generic
/// E-variables for exact sequential k-sample tests" (J. Stat. Plan. Inference 230, 2024):
///
///     theta_b: the baseline's share so far (decay 0.98 a scrape), theta_c: that at odds ratio psi,
///     theta:   the mean of both, weighted by requests;
///     ln E = x_c ln(theta_c/theta) + (n_c-x_c) ln((1-theta_c)/(1-theta)) + the same of b.
///
/// One M is the mean over pairs, odds ratios and starts: "some part of the distribution is worse";
/// evidence(pair) says which. For the mirrored test every pair between the baseline's median and
/// 95th percentile has to be proven: the least of them counts. A step costs pairs x alternatives.
class LatencyTest
{
public:
    explicit LatencyTest(LatencyTestSettings settings);

    /// A scrape `seconds` after the beginning. One with an empty arm, or with counts that don't fit
    /// the bounds or fall, contributes nothing; the first good one only says what the baseline is.
    void add(double seconds, const LatencyCounts& canary, const LatencyCounts& baseline);
    /// ln M of "some part is slower" (alternatives over 1).
    double logEvidence() const;
    /// ln M of the weakest pair between the baseline's median and 95th percentile: "proven" when it
    /// is large (alternatives under 1). Empty while no pair lies there.
    std::optional<double> leastLogEvidence() const;
    /// The pair with the most evidence; empty before the first step or without pairs.
    std::optional<std::size_t> strongestPair() const;
    double logEvidence(std::size_t pair) const;
    /// Share of the baseline's requests above pair's bound, as known so far.
    double baselineShare(std::size_t pair) const { return m_tables[pair].share; }
    const std::vector<BoundPair>& pairs() const { return m_pairs; }
    const LatencyTestSettings& settings() const { return m_settings; }

    /// As StartMixture's.
    std::vector<double> state() const;
    bool restore(const std::vector<double>& state);

private:
    struct Table
    {
        double slow = 0; ///< baseline's requests above the bound, decayed
        double requests = 0;
        double share = 0;
        StartMixture mixture;
    };
    bool fits(const LatencyCounts& counts) const;

    LatencyTestSettings m_settings;
    std::vector<BoundPair> m_pairs;
    std::vector<Table> m_tables;
    std::vector<double> m_factors;
    bool m_hasStepped = false;
};

} // namespace sluice::ops
