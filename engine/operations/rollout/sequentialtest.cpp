#include "engine/operations/rollout/sequentialtest.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

namespace sluice::ops {

namespace {

constexpr double nothing = -std::numeric_limits<double>::infinity();

/// Variance and mean say nothing of how skewed the bursts are; by so much more than what is
/// measured over 1 the evidence is tempered. Simulated (docs/evidence/rollout-sim.md): without it
/// bursts of mean 3 give 0.29 % false alarms at a nominal 0.1 %, with it under 0.1 %.
constexpr double burstMargin = 1.2;

/// ln(e^a + e^b)
double logAdd(double a, double b)
{
    const double high = std::max(a, b);
    return high == nothing ? nothing : high + std::log1p(std::exp(std::min(a, b) - high));
}

bool isUsable(const ArmCounts& arm)
{
    return std::isfinite(arm.requests) && std::isfinite(arm.bad) && arm.requests > 0 && arm.bad >= 0
        && arm.bad <= arm.requests;
}

} // namespace

StartMixture::StartMixture(std::size_t terms, double secondsPerStart, int planned)
    : m_secondsPerStart(secondsPerStart)
    , m_planned(std::max(1, planned))
    , m_logs(terms, nothing)
{ }

void StartMixture::step(double seconds, const std::vector<double>& logFactors)
{
    // A step that ends at a start belongs to the copies before it.
    const double due = std::ceil(std::max(seconds, 1e-9) / m_secondsPerStart);
    const int starts = int(std::clamp(due, double(m_started), double(m_planned)));
    const double fresh =
        starts > m_started ? std::log(double(starts - m_started) / double(m_planned)) : nothing;
    m_started = starts;
    double sum = nothing;
    for (std::size_t term = 0; term < m_logs.size(); ++term) {
        m_logs[term] = logFactors[term] + logAdd(m_logs[term], fresh);
        sum = logAdd(sum, m_logs[term]);
    }
    const double waiting = double(m_planned - m_started) / double(m_planned);
    m_logEvidence = logAdd(sum - std::log(double(m_logs.size())), std::log(waiting));
}

double StartMixture::logEvidence(std::size_t term) const
{
    return logAdd(m_logs[term], std::log(double(m_planned - m_started) / double(m_planned)));
}

std::vector<double> StartMixture::state() const
{
    std::vector<double> state{double(m_started), m_logEvidence};
    state.insert(state.end(), m_logs.begin(), m_logs.end());
    return state;
}

bool StartMixture::restore(const std::vector<double>& state)
{
    if (state.size() != m_logs.size() + 2 || !(state[0] >= 0) || state[0] > double(m_planned)) {
        return false;
    }
    m_started = int(state[0]);
    m_logEvidence = state[1];
    m_logs.assign(state.begin() + 2, state.end());
    return true;
}

RateTestSettings worseRate(double soakSeconds, double margin, double dispersion)
{
    RateTestSettings settings;
    settings.margin = margin;
    settings.dispersion = dispersion;
    settings.plannedStarts = std::max(1, int(std::ceil(soakSeconds / settings.secondsPerStart)));
    return settings;
}

RateTestSettings provenRate(double margin, double dispersion)
{
    RateTestSettings settings;
    settings.margin = margin;
    settings.dispersion = dispersion;
    // Ratios of 1, 0.8 and 0.6 between the arms.
    settings.alternatives = {1 / margin, 0.8 / margin, 0.6 / margin};
    settings.plannedStarts = 1;
    return settings;
}

RateRatioTest::RateRatioTest(RateTestSettings settings)
    : m_settings(std::move(settings))
    , m_mixture(
          m_settings.alternatives.size(), m_settings.secondsPerStart, m_settings.plannedStarts)
    , m_factors(m_settings.alternatives.size())
    , m_divisor(1 + burstMargin * (std::max(1.0, m_settings.dispersion) - 1))
{ }

void RateRatioTest::add(double seconds, const ArmPair& counts)
{
    if (!std::isfinite(seconds) || !isUsable(counts.canary) || !isUsable(counts.baseline)) {
        return;
    }
    const double errors = counts.canary.bad + counts.baseline.bad;
    const double canary = counts.canary.requests * m_settings.margin;
    for (std::size_t index = 0; index < m_factors.size(); ++index) {
        const double ratio = m_settings.alternatives[index];
        const double tilt =
            (canary * ratio + counts.baseline.requests) / (canary + counts.baseline.requests);
        m_factors[index] =
            (counts.canary.bad * std::log(ratio) - errors * std::log(tilt)) / m_divisor;
    }
    m_mixture.step(seconds, m_factors);
}

namespace {

/// Shares of `harmless` that are tried.
constexpr std::array triedShares{0.0, 0.25, 0.5};
constexpr double absoluteWeight = 0.2;

} // namespace

RateProof::RateProof(double margin, double dispersion, double harmless)
    : m_ratio(provenRate(margin, dispersion))
    , m_absolute(triedShares.size(), m_ratio.settings().secondsPerStart, 1)
    , m_harmless(harmless)
    , m_divisor(1 + burstMargin * (std::max(1.0, dispersion) - 1))
{ }

void RateProof::add(double seconds, const ArmPair& counts)
{
    m_ratio.add(seconds, counts);
    if (!std::isfinite(seconds) || !isUsable(counts.canary)) {
        return;
    }
    std::vector<double> factors;
    for (const double part : triedShares) {
        const double good = counts.canary.requests - counts.canary.bad;
        const double tried = part * m_harmless;
        // Of no errors at all one error is the end; it comes back by the other terms alone.
        const double bad =
            counts.canary.bad > 0 ? (part > 0 ? counts.canary.bad * std::log(part) : nothing) : 0;
        factors.push_back((bad + good * std::log((1 - tried) / (1 - m_harmless))) / m_divisor);
    }
    m_absolute.step(seconds, factors);
}

double RateProof::logEvidence() const
{
    return logAdd(m_ratio.logEvidence() + std::log(1 - absoluteWeight),
        m_absolute.logEvidence() + std::log(absoluteWeight));
}

std::vector<double> RateProof::state() const
{
    std::vector<double> state = m_ratio.state();
    const std::vector<double> absolute = m_absolute.state();
    state.insert(state.end(), absolute.begin(), absolute.end());
    return state;
}

bool RateProof::restore(const std::vector<double>& state)
{
    const auto split = std::ptrdiff_t(m_ratio.state().size());
    if (std::ptrdiff_t(state.size()) < split) {
        return false;
    }
    return m_ratio.restore({state.begin(), state.begin() + split})
        && m_absolute.restore({state.begin() + split, state.end()});
}

double dispersionOf(const std::vector<double>& errorsPerScrape)
{
    if (errorsPerScrape.size() < 20) {
        return 1;
    }
    double mean = 0;
    double squares = 0; // Welford
    double count = 0;
    for (const double errors : errorsPerScrape) {
        count += 1;
        const double step = errors - mean;
        mean += step / count;
        squares += step * (errors - mean);
    }
    return mean > 0 ? std::max(1.0, squares / (count - 1) / mean) : 1;
}

} // namespace sluice::ops
