#pragma once

#include "engine/operations/rollout/sequentialtest.h"

namespace sluice::ops {

/// Whether the requests are split as asked (sample-ratio mismatch), scrape by scrape.
struct SplitCheckSettings
{
    double share = 0; ///< asked of the canary, 0..1
    /// What is still the asked share: relative to it, a reload's few stray requests and sessions of
    /// unequal length included. 5 % asked: 4.5 to 5.5 % pass.
    double tolerance = 0.1;
    /// Requests of one session are together: variance over mean of the requests a session. At least
    /// 1.
    double dispersion = 1;
    double secondsPerStart = 300;
    int plannedStarts = 24;
};

/// Anytime-valid binomial test against p in [share (1 - tolerance), share (1 + tolerance)]: for q
/// above the band's upper end h the step's e-value is (q/h)^n_c ((1-q)/(1-h))^n_b, whose mean is at
/// most 1 for every p <= h; likewise below. Mixed over q on both sides, down to almost nothing, and
/// over starts. At 200 requests/s 5 % asked and 4 or 6 % real is found in under a minute, a share
/// that a reload set to 0 in one scrape of 15 s. Source: Ville; research: statistics (d).
class SplitCheck
{
public:
    explicit SplitCheck(SplitCheckSettings settings);

    void add(double seconds, double canaryRequests, double baselineRequests);
    double logEvidence() const { return m_mixture.logEvidence(); }
    /// Of everything counted so far; 0 without requests.
    double observed() const;
    const SplitCheckSettings& settings() const { return m_settings; }

    /// As StartMixture's.
    std::vector<double> state() const;
    bool restore(const std::vector<double>& state);

private:
    struct Side
    {
        double tried = 0; ///< q
        double edge = 0; ///< the end of the band that it is compared with
    };
    SplitCheckSettings m_settings;
    std::vector<Side> m_sides;
    StartMixture m_mixture;
    std::vector<double> m_factors;
    double m_canary = 0;
    double m_all = 0;
};

} // namespace sluice::ops
