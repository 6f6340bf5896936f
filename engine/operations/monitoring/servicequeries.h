#pragma once

#include <QString>

/// The PromQL of the console's pages and the gates, in one place. Only requests to /v1/classify
/// (and /v1/classify/batch) count as service traffic: health checks and scrapes would hide errors
/// and flatter latencies. `window` is the range of the rates, in seconds (see rateWindow()).
/// A ratio without traffic is NaN or empty, never 0: no data is not good news.
namespace sluice::ops::queries {

/// The shortest honest window: at least four scrapes, never less than a step, so that no increase
/// falls between two points.
double rateWindow(double scrapeSeconds, double stepSeconds);

QString requestRate(double window); ///< requests a second, one series
QString requestRateByPool(double window); ///< by (pool)
QString latency(double quantile, double window); ///< seconds, all pools together
QString latencyByPool(double quantile, double window); ///< seconds, by (pool)
QString errorShare(double window); ///< 0..1, answers 5xx of all
QString errorShareByPool(double window); ///< 0..1, by (pool)
/// 0..1 by (proxy), as the balancer sees it: a worker that crashed reports nothing itself.
QString balancerErrorShare(double window);
QString balancerRequestRate(double window); ///< requests a second by (proxy): "blue", "green"
QString residentMemory(); ///< bytes, the largest worker by (pool)
QString cpuShare(double window); ///< 1 = one core busy, the busiest worker by (pool)
QString cacheHitRatio(double window); ///< 0..1
QString decisionShare(double window); ///< 0..1 by (decision): accept, clarify, fallback
QString intentShare(double window); ///< 0..1 by (intent), of what was accepted
QString requestRateBy(const QString& label, double window); ///< pool, version, route, instance
QString errorShareBy(const QString& label, double window);
QString latencyBy(const QString& label, double quantile, double window);
/// Answers a second by (le), cumulative, as a heat map needs them.
QString latencyBuckets(double window);
QString cpuByInstance(double window); ///< 1 = one core busy, by (instance)
QString residentMemoryByInstance(); ///< bytes, by (instance)
QString inFlight(); ///< requests being worked on, by (instance)
QString connections(); ///< open client connections, by (instance)
/// The largest value of an expression over the last `range` seconds, looked at every `step`.
QString largestOver(const QString& expression, double range, double step);
QString smallestOver(const QString& expression, double range, double step);
QString thresholdSet(); ///< number of the set served, by (pool, instance)

} // namespace sluice::ops::queries
