#pragma once

#include "engine/classification/thresholds/statistics.h"
#include "engine/operations/loadtest/loadresult.h"

#include <optional>

namespace sluice::ops {

/// How the largest worker's memory went, MiB an hour, with its 95 % interval.
struct MemorySlope
{
    double mibPerHour = 0;
    Interval interval = {};
    double hours = 0; ///< that it was measured over
};

/// Least squares over 24 block means of the last three quarters of a run (the first one warms up:
/// caches fill); Student's t with 22 degrees of freedom, since single samples hang together. None
/// for fewer than 240 samples.
std::optional<MemorySlope> memorySlope(const QList<LoadSecond>& seconds);

/// What must be said of a run's length: that its times were scaled, and that it ended before its
/// time, so that nobody takes an hour for a day; and how memory went.
QStringList enduranceNotes(const LoadResult& result);

} // namespace sluice::ops
