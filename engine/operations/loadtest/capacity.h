#pragma once

#include "engine/classification/thresholds/statistics.h"
#include "engine/operations/loadtest/loadresult.h"

#include <optional>
#include <vector>

namespace sluice::ops {

/// One step of a step-load run: so many requests in flight all the time.
struct CapacityStep
{
    double concurrency = 0;
    double rate = 0; ///< answered well, a second
    double p99Ms = 0;
    std::vector<double> rates; ///< by second: what a bootstrap draws from
};

/// A closed run without thinking, in steps of `seconds`: users = requests in flight.
Scenario stepScenario(const std::vector<int>& users, double seconds);

/// Whether a scenario is of that kind: closed, without thinking, in steps.
bool isStepLoad(const Scenario& scenario);

/// The steps of such a run; the first fifth of each, at least a second, is left out. Input error
/// for a run of another kind, or in which the generator was the limit.
Result<std::vector<CapacityStep>> stepsOf(const LoadResult& run);

/// Gunther's Universal Scalability Law (2007): X(N) = lambda N / (1 + sigma (N - 1) + kappa N (N -
/// 1)).
struct ScalabilityFit
{
    double lambda = 0; ///< requests a second of one at a time ("concurrency")
    double sigma = 0; ///< contention: the share that has to queue
    double kappa = 0; ///< coherency: the cost of agreeing; makes throughput fall again
    Interval lambdaInterval = {}; ///< 95 %, by the bootstrap over the seconds of each step
    Interval sigmaInterval = {};
    Interval kappaInterval = {};
    double relativeError = 0; ///< root mean square, of the steps

    double rateAt(double concurrency) const;
    /// Where throughput is largest; none: it grows for ever (kappa is 0).
    std::optional<double> peakConcurrency() const;
};

/// Least squares of relative errors, in the form N / X = a + b (N - 1) + c N (N - 1), which is
/// linear; negative b or c are held at 0. Input error for fewer than three steps.
Result<ScalabilityFit> fitScalability(const std::vector<CapacityStep>& steps);

/// 95 % intervals of the fitted rate at each of these concurrencies, by the same bootstrap. For
/// steps that fitScalability() takes.
std::vector<Interval> rateIntervals(
    const std::vector<CapacityStep>& steps, const std::vector<double>& concurrencies);

struct CapacityQuestion
{
    double rate = 100; ///< requests a second
    double p99Ms = 500;
    int workers = 1; ///< that shared the load of the run
    double busy = 0.7; ///< of what a worker can do, so much is planned with
};

struct CapacityAnswer
{
    double concurrency = 0; ///< in flight where p99 reaches the limit
    bool reached = true; ///< false: the largest step was still within it; it can do at least this
    double rate = 0; ///< there, of all workers together
    Interval rateInterval = {}; ///< 95 %
    double ratePerWorker = 0;
    int workers = 0; ///< for the rate asked for
    int workersLow = 0; ///< by the interval
    int workersHigh = 0;
};

/// How many workers for a rate at a p99: where the measured p99 reaches the limit (between steps by
/// interpolation of its logarithm) the fitted throughput is what `workers` can do; more are taken
/// to add up. Refused where not even the smallest step holds the limit.
Result<CapacityAnswer> workersFor(const CapacityQuestion& question,
    const std::vector<CapacityStep>& steps, const ScalabilityFit& fit);

/// Settings for so many workers: systemd instances, and a Kubernetes HorizontalPodAutoscaler
/// (autoscaling/v2) from `workers` up to twice as many at `busy` of a core.
QString systemdSettings(const CapacityQuestion& question, const CapacityAnswer& answer);
QString autoscalerSettings(const CapacityQuestion& question, const CapacityAnswer& answer);

} // namespace sluice::ops
