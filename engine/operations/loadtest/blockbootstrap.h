#pragma once

#include "engine/classification/thresholds/statistics.h"
#include "engine/operations/loadtest/loadresult.h"

#include <optional>
#include <vector>

namespace sluice::ops {

/// 95 % intervals by the bootstrap over blocks of time (Kuensch 1989, blocks that don't overlap):
/// blocks are drawn with replacement, whole, so that what hangs together within a block stays so.
/// Percentile intervals of 1,000 seeded draws. None below 6 blocks: they say nothing there.

/// Of the `q` quantile of the corrected latency, ms.
std::optional<Interval> quantileInterval(const std::vector<LatencyBlock>& blocks, double q);

/// Of the relative change of that quantile, after / before - 1; blocks of both are drawn
/// independently.
std::optional<Interval> quantileChange(
    const std::vector<LatencyBlock>& before, const std::vector<LatencyBlock>& after, double q);

/// Of the mean of a value a block (a rate, a memory), and of its relative change.
std::optional<Interval> meanInterval(const std::vector<double>& blocks);
std::optional<Interval> meanChange(
    const std::vector<double>& before, const std::vector<double>& after);

} // namespace sluice::ops
