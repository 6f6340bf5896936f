#include "engine/operations/loadtest/loadprofile.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace sluice::ops {

namespace {

/// An exponential ramp knows no zero.
double positive(double level)
{
    return std::max(level, 1.0);
}

} // namespace

std::string_view toString(RampShape shape)
{
    switch (shape) {
    case RampShape::Linear:
        return "linear";
    case RampShape::Exponential:
        return "exponential";
    case RampShape::Smooth:
        return "smooth";
    case RampShape::Step:
        break;
    }
    return "step";
}

LoadProfile::LoadProfile(std::vector<LoadPhase> phases)
{
    double last = 0;
    double areaBefore = 0;
    for (LoadPhase& phase : phases) {
        Part part{phase, m_seconds, phase.from.value_or(last), areaBefore};
        if (phase.shape == RampShape::Step) {
            part.from = phase.level;
        } else if (phase.shape == RampShape::Exponential) {
            part.from = positive(part.from);
            part.phase.level = positive(phase.level);
        }
        m_peak = std::max({m_peak, part.from, part.phase.level});
        m_seconds += phase.seconds;
        areaBefore += area(part, phase.seconds);
        last = part.phase.level;
        m_parts.push_back(part);
    }
}

int LoadProfile::phaseAt(double seconds) const
{
    const auto next = std::upper_bound(m_parts.begin(), m_parts.end(), seconds,
        [](double time, const Part& part) { return time < part.begin; });
    return std::max(0, int(next - m_parts.begin()) - 1);
}

double LoadProfile::level(const Part& part, double within)
{
    const double share = within / part.phase.seconds;
    const double rise = part.phase.level - part.from;
    switch (part.phase.shape) {
    case RampShape::Linear:
        return part.from + rise * share;
    case RampShape::Exponential:
        return part.from * std::pow(part.phase.level / part.from, share);
    case RampShape::Smooth:
        return part.from + rise * (1 - std::cos(std::numbers::pi * share)) / 2;
    case RampShape::Step:
        break;
    }
    return part.phase.level;
}

double LoadProfile::area(const Part& part, double within)
{
    const double length = part.phase.seconds;
    const double share = within / length;
    const double rise = part.phase.level - part.from;
    switch (part.phase.shape) {
    case RampShape::Linear:
        return (part.from + rise * share / 2) * within;
    case RampShape::Exponential: {
        const double growth = std::log(part.phase.level / part.from);
        return std::abs(growth) < 1e-9 ? part.from * within
                                       : part.from * length * std::expm1(growth * share) / growth;
    }
    case RampShape::Smooth:
        return part.from * within
            + rise / 2 * (within - length / std::numbers::pi * std::sin(std::numbers::pi * share));
    case RampShape::Step:
        break;
    }
    return part.phase.level * within;
}

/// Bisection narrowed by Newton's steps, which a level near zero would throw out.
double LoadProfile::within(const Part& part, double wanted)
{
    if (part.phase.shape == RampShape::Step) {
        return part.phase.level > 0 ? wanted / part.phase.level : part.phase.seconds;
    }
    if (wanted <= 0) {
        return 0;
    }
    double low = 0;
    double high = part.phase.seconds;
    double at = high / 2;
    while (high - low > 1e-9) {
        const double off = area(part, at) - wanted;
        (off > 0 ? high : low) = at;
        const double slope = level(part, at);
        const double step = slope > 0 ? off / slope : 0;
        if (std::abs(step) < 1e-10 && slope > 0) {
            break;
        }
        at = at - step > low && at - step < high && slope > 0 ? at - step : (low + high) / 2;
    }
    return at;
}

double LoadProfile::levelAt(double seconds) const
{
    if (seconds < 0 || seconds >= m_seconds) {
        return 0;
    }
    const Part& part = m_parts[std::size_t(phaseAt(seconds))];
    return level(part, seconds - part.begin);
}

bool LoadProfile::changesAt(double seconds) const
{
    const Part& part = m_parts[std::size_t(phaseAt(seconds))];
    return part.phase.shape != RampShape::Step && part.from != part.phase.level;
}

double LoadProfile::areaUntil(double seconds) const
{
    const double until = std::clamp(seconds, 0.0, m_seconds);
    const Part& part = m_parts[std::size_t(phaseAt(until))];
    return part.areaBefore + area(part, std::min(until - part.begin, part.phase.seconds));
}

double LoadProfile::timeOfArea(double wanted) const
{
    const auto next = std::upper_bound(m_parts.begin(), m_parts.end(), std::max(wanted, 0.0),
        [](double value, const Part& part) { return value < part.areaBefore; });
    const Part& part = *std::max(m_parts.begin(), next - 1);
    return std::min(m_seconds, part.begin + within(part, std::max(wanted, 0.0) - part.areaBefore));
}

} // namespace sluice::ops
