#pragma once

#include "engine/operations/loadtest/loadresult.h"

namespace sluice::ops {

/// The p99 of the generator's own lateness from which a run is doubted, ms.
inline constexpr double lagLimitMs = 5;

/// Judges a run against its scenario's targets, target by target, with 95 % intervals (bootstrap
/// over blocks; Clopper and Pearson for errors), and sets `checks`, `generatorLimited` and
/// `passed`.
/// - The generator was the limit: it started late (p99 over 5 ms and a fifth of the p99 measured),
///   or it had nothing left (over 0.95 of its core in a closed model without thinking), or the
///   machine refused it sockets. Then there is no verdict.
/// - The server's targets are judged where the run had a Prometheus; no data there is no pass.
/// - Latencies that are not corrected (Locust) can fail a run and never pass it.
void judge(LoadResult& result);

/// Whether one second misses the scenario's p95, p99 or errors: what the stop rule counts.
bool isBreached(const LoadSecond& second, const LoadTargets& targets);

} // namespace sluice::ops
