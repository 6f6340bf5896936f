#pragma once

#include <cstdint>
#include <vector>

namespace sluice::ops {

/// Requests of one arm in one scrape interval, and how many of them were bad.
struct ArmCounts
{
    double requests = 0;
    double bad = 0;
};

/// The two arms in the same interval: the release that is tried, and the one that serves now.
struct ArmPair
{
    ArmCounts canary;
    ArmCounts baseline;
};

/// A mixture of test martingales over the time at which a fault begins. A plain product of e-values
/// carries the evidence of the hours before the fault against it; here a copy starts every few
/// minutes with a share of the weight, and what has not started yet waits with the value 1:
///
///     N_k = E_k (N_{k-1} + starts due / planned),   M_k = N_k + share not yet started.
///
/// Starts depend on the clock alone, so M stays an e-process: under the null hypothesis the chance
/// that it ever reaches 1/alpha is at most alpha (Ville). After the planned starts no copy starts.
/// Source: Shin, Ramdas & Rinaldo, "E-detectors: a nonparametric framework for sequential change
/// detection" (2023); research: statistics section (a). Logarithms, so that nothing overflows; a
/// step costs one exponential a term.
class StartMixture
{
public:
    /// `terms` alternatives with equal weight; a start each `secondsPerStart`, `planned` of them.
    StartMixture(std::size_t terms, double secondsPerStart, int planned);

    /// Takes the step that ends `seconds` after the beginning, with the log of each alternative's
    /// e-value of this step (as many as there are terms). Times must not go back.
    void step(double seconds, const std::vector<double>& logFactors);
    /// ln M, the mean over the terms with the share not yet started; 0 before the first step.
    double logEvidence() const { return m_logEvidence; }
    /// ln of one term's own mixture.
    double logEvidence(std::size_t term) const;
    int started() const { return m_started; }

    /// All that the next step needs, for a journal; exact to the bit. restore() is false, and
    /// changes nothing, for a state of another number of terms.
    std::vector<double> state() const;
    bool restore(const std::vector<double>& state);

private:
    double m_secondsPerStart;
    int m_planned;
    int m_started = 0;
    std::vector<double> m_logs; ///< ln N of each term
    double m_logEvidence = 0;
};

/// What RateRatioTest looks for.
struct RateTestSettings
{
    /// Null hypothesis: rate of the canary <= margin x rate of the baseline (alternatives over 1),
    /// or >= margin x (alternatives under 1).
    double margin = 1;
    /// The ratios tried, relative to the margin.
    std::vector<double> alternatives{1.5, 2, 3, 5, 8, 12, 20, 40};
    /// Variance over mean of the baseline's errors a scrape, at least 1: see dispersionOf().
    double dispersion = 1;
    double secondsPerStart = 300;
    int plannedStarts = 24; ///< 2 h
};

/// "The canary's errors are more frequent": alternatives above `margin`.
RateTestSettings worseRate(double soakSeconds, double margin = 1, double dispersion = 1);
/// "It is proven that they are less than `margin` times as frequent": the mirrored test, one start.
RateTestSettings provenRate(double margin = 2, double dispersion = 1);

/// Anytime-valid test of two error rates from raw counts, compared within each scrape: any common
/// rate that varies over time and any split cancel out, since given the errors e of both arms
/// together the canary's are Binomial(e, n_c r0 / (n_c r0 + n_b)). A step's e-value is
///
///     psi^x_c / [(n_c r0 psi + n_b) / (n_c r0 + n_b)]^e, its log divided by the dispersion (and a
///     fifth of what that is over 1, since bursts are skewed).
///
/// Exact for Poisson counts; for rare errors of requests (Bernoulli) with margin 1 conservative
/// (Hoeffding 1963). The division by the dispersion is a practical correction, no theorem: errors
/// in bursts of three would else give 75 % false alarms. Sources: Lindon & Malek, "Anytime-Valid
/// Inference for Multinomial Count Data" (NeurIPS 2022), two arms. Bounded: a step costs as many
/// logarithms as there are alternatives; deterministic: the same counts give the same M bit by bit.
class RateRatioTest
{
public:
    explicit RateRatioTest(RateTestSettings settings);

    /// One scrape, `seconds` after the beginning of the soak. An interval in which either arm has
    /// no requests, or fewer requests than errors, or anything that is not finite, contributes
    /// nothing.
    void add(double seconds, const ArmPair& counts);
    double logEvidence() const { return m_mixture.logEvidence(); }
    const RateTestSettings& settings() const { return m_settings; }
    std::vector<double> state() const { return m_mixture.state(); }
    bool restore(const std::vector<double>& state) { return m_mixture.restore(state); }

private:
    RateTestSettings m_settings;
    StartMixture m_mixture;
    std::vector<double> m_factors;
    double m_divisor;
};

/// The proof that lets a stage pass: the canary's errors are less than `margin` times as frequent
/// as the stable pool's, or rarer than `harmless` of its requests. Where neither pool makes errors
/// the first can't be proven by any amount of traffic; the second takes about 5,700 good answers
/// (for 0.001, limit 20). The mean of the mirrored ratio test and of a binomial likelihood ratio
/// against p >= harmless, an e-process while neither claim is true.
class RateProof
{
public:
    explicit RateProof(double margin = 2, double dispersion = 1, double harmless = 0.001);

    void add(double seconds, const ArmPair& counts);
    double logEvidence() const;
    std::vector<double> state() const;
    bool restore(const std::vector<double>& state);

private:
    RateRatioTest m_ratio;
    StartMixture m_absolute;
    double m_harmless;
    double m_divisor;
};

/// Variance over mean of errors a scrape, at least 1; 1 for fewer than 20 scrapes or no errors. Of
/// a day of the stable pool's scrapes it is exact to about 5 %.
double dispersionOf(const std::vector<double>& errorsPerScrape);

} // namespace sluice::ops
