#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace sluice::ops {

/// How a phase goes from where it begins to its level.
enum class RampShape
{
    Step, ///< at its level from the first moment on
    Linear,
    Exponential, ///< the same factor in every second; from 0 it begins at 1
    Smooth ///< half a cosine: slow at both ends
};
std::string_view toString(RampShape shape); ///< "step", "linear", "exponential", "smooth"

/// One part of a load profile. `level` is requests a second in an open model, users in a closed
/// one.
struct LoadPhase
{
    double seconds = 60; ///< over 0
    double level = 1; ///< at its end; not negative
    RampShape shape = RampShape::Step;
    std::optional<double> from = {}; ///< where it begins; none: the end of the phase before, or 0

    bool operator==(const LoadPhase&) const = default;
};

/// The level of a load over time: phases one after another. Pure; times in seconds from the start.
class LoadProfile
{
public:
    explicit LoadProfile(std::vector<LoadPhase> phases);

    double seconds() const { return m_seconds; }
    double peak() const { return m_peak; }
    double levelAt(double seconds) const; ///< 0 before the start and from the end on
    int phaseAt(double seconds) const; ///< index; that of the last one from the end on
    bool changesAt(double seconds) const; ///< inside a ramp
    double endOfPhase(int phase) const { return m_parts[std::size_t(phase)].begin + length(phase); }

    /// The area under the level up to a time: requests scheduled by an open model.
    double areaUntil(double seconds) const;
    /// The time at which the area reaches `area` (the inverse, to a nanosecond); `seconds()` where
    /// it never does. The fastest for rising arguments.
    double timeOfArea(double area) const;

private:
    struct Part
    {
        LoadPhase phase;
        double begin = 0; ///< s
        double from = 0; ///< level
        double areaBefore = 0;
    };
    double length(int phase) const { return m_parts[std::size_t(phase)].phase.seconds; }
    static double level(const Part& part, double within);
    static double area(const Part& part, double within);
    static double within(const Part& part, double area);

    std::vector<Part> m_parts;
    double m_seconds = 0;
    double m_peak = 0;
};

} // namespace sluice::ops
