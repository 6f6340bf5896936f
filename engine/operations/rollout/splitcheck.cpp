#include "engine/operations/rollout/splitcheck.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace sluice::ops {

namespace {

/// Relative to the ends of the band; the last below is "nothing arrives", the last above "all".
constexpr std::array above{1.1, 1.3, 2.0, 4.0};
constexpr std::array below{0.9, 0.7, 0.4, 0.01};
constexpr std::size_t sides = above.size() + below.size();
constexpr double least = 1e-6;

} // namespace

SplitCheck::SplitCheck(SplitCheckSettings settings)
    : m_settings(settings)
    , m_mixture(sides, settings.secondsPerStart, settings.plannedStarts)
    , m_factors(sides)
{
    m_settings.dispersion = std::max(1.0, settings.dispersion);
    const auto inside = [](double share) { return std::clamp(share, least, 1 - least); };
    const double high = inside(settings.share * (1 + settings.tolerance));
    const double low = inside(settings.share * (1 - settings.tolerance));
    for (const double times : above) {
        // Past the middle the odds are multiplied: a share has no room for its double.
        const double odds = times * high / (1 - high);
        m_sides.push_back({inside(odds / (1 + odds)), high});
    }
    for (const double times : below) {
        m_sides.push_back({inside(times * low), low});
    }
}

void SplitCheck::add(double seconds, double canaryRequests, double baselineRequests)
{
    if (!std::isfinite(seconds) || !(canaryRequests >= 0) || !(baselineRequests >= 0)
        || !std::isfinite(canaryRequests + baselineRequests)
        || canaryRequests + baselineRequests <= 0) {
        return;
    }
    m_canary += canaryRequests;
    m_all += canaryRequests + baselineRequests;
    for (std::size_t index = 0; index < sides; ++index) {
        const Side& side = m_sides[index];
        m_factors[index] = (canaryRequests * std::log(side.tried / side.edge)
                               + baselineRequests * std::log((1 - side.tried) / (1 - side.edge)))
            / m_settings.dispersion;
    }
    m_mixture.step(seconds, m_factors);
}

std::vector<double> SplitCheck::state() const
{
    std::vector<double> state = m_mixture.state();
    state.insert(state.end(), {m_canary, m_all});
    return state;
}

bool SplitCheck::restore(const std::vector<double>& state)
{
    if (state.size() < 2 || !m_mixture.restore({state.begin(), state.end() - 2})) {
        return false;
    }
    m_canary = *(state.end() - 2);
    m_all = *(state.end() - 1);
    return true;
}

double SplitCheck::observed() const
{
    return m_all > 0 ? m_canary / m_all : 0;
}

} // namespace sluice::ops
