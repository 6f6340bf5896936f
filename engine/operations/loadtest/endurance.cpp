#include "engine/operations/loadtest/endurance.h"

#include <array>
#include <cmath>
#include <numeric>

namespace sluice::ops {

namespace {

constexpr std::size_t blocks = 24;
constexpr std::size_t fewestSamples = 240;
constexpr double t95 = 2.074; // Student's t, two-sided, 22 degrees of freedom

QString duration(double seconds)
{
    if (seconds < 120) {
        return QStringLiteral("%1 s").arg(seconds, 0, 'f', 0);
    }
    return seconds < 7200 ? QStringLiteral("%1 min").arg(seconds / 60, 0, 'f', 0)
                          : QStringLiteral("%1 h").arg(seconds / 3600, 0, 'f', 1);
}

} // namespace

std::optional<MemorySlope> memorySlope(const QList<LoadSecond>& seconds)
{
    std::vector<double> at;
    std::vector<double> mib;
    for (const LoadSecond& second : seconds) {
        if (second.server.workerMiB) {
            at.push_back(second.second);
            mib.push_back(*second.server.workerMiB);
        }
    }
    if (mib.size() < fewestSamples) {
        return std::nullopt;
    }
    const std::size_t first = mib.size() / 4;
    const std::size_t length = (mib.size() - first) / blocks;
    std::array<double, blocks> x{};
    std::array<double, blocks> y{};
    for (std::size_t block = 0; block < blocks; ++block) {
        const auto begin = std::ptrdiff_t(first + block * length);
        const auto end = begin + std::ptrdiff_t(length);
        x[block] =
            std::accumulate(at.begin() + begin, at.begin() + end, 0.0) / double(length) / 3600;
        y[block] = std::accumulate(mib.begin() + begin, mib.begin() + end, 0.0) / double(length);
    }
    const double middleX = std::accumulate(x.begin(), x.end(), 0.0) / blocks;
    const double middleY = std::accumulate(y.begin(), y.end(), 0.0) / blocks;
    double xx = 0;
    double xy = 0;
    for (std::size_t block = 0; block < blocks; ++block) {
        xx += (x[block] - middleX) * (x[block] - middleX);
        xy += (x[block] - middleX) * (y[block] - middleY);
    }
    const double slope = xy / xx;
    double residual = 0;
    for (std::size_t block = 0; block < blocks; ++block) {
        const double off = y[block] - middleY - slope * (x[block] - middleX);
        residual += off * off;
    }
    const double error = t95 * std::sqrt(residual / (blocks - 2) / xx);
    return MemorySlope{slope, {slope - error, slope + error}, (at.back() - at[first]) / 3600};
}

QStringList enduranceNotes(const LoadResult& result)
{
    QStringList notes;
    const double planned = result.scenario.durationSeconds();
    const double whole = planned / result.scenario.timeScale;
    if (result.scenario.timeScale < 0.999) {
        notes << QStringLiteral(
            "a short run: %1 instead of the scenario's %2; what takes longer to "
            "show was not looked for")
                     .arg(duration(planned), duration(whole));
    }
    if (!result.completed) {
        notes << QStringLiteral("%1 of %2 were run")
                     .arg(duration(double(result.seconds.size())), duration(planned));
    }
    if (const auto slope = memorySlope(result.seconds)) {
        notes << QStringLiteral("the largest worker's memory went by %1 MiB an hour (95 % interval "
                                "%2 to %3), over %4")
                     .arg(slope->mibPerHour, 0, 'f', 2)
                     .arg(slope->interval.low, 0, 'f', 2)
                     .arg(slope->interval.high, 0, 'f', 2)
                     .arg(duration(slope->hours * 3600));
    }
    return notes;
}

} // namespace sluice::ops
