#pragma once

#include <cstdint>

namespace sluice {

struct Interval
{
    double low = 0;
    double high = 1;
};

/// Wilson's score interval for k of n (Wilson 1927), for display; `confidence` 0.95 by default. n =
/// 0: [0, 1].
Interval wilsonInterval(std::int64_t k, std::int64_t n, double confidence = 0.95);

/// P(X <= k) for X ~ Binomial(n, p), exact (regularised incomplete beta).
double binomialCdf(std::int64_t k, std::int64_t n, double p);

/// The largest share that k errors of n leave possible at 1 - delta: the one-sided exact bound of
/// Clopper and Pearson (1934). n = 0 or k = n: 1; delta is clamped to 0..1.
double exactUpperBound(std::int64_t k, std::int64_t n, double delta);

/// The smallest share that k of n leave possible at 1 - delta, the other side of the same bound.
/// n = 0 or k = 0: 0; delta is clamped to 0..1.
double exactLowerBound(std::int64_t k, std::int64_t n, double delta);

/// Clopper and Pearson's two-sided interval for k of n: never covers less than `confidence`.
Interval exactInterval(std::int64_t k, std::int64_t n, double confidence = 0.95);

/// McNemar's exact test of a paired change: `worse` rows went from right to wrong, `better` from
/// wrong to right. The two-sided p-value, 1 where nothing changed.
double mcnemar(std::int64_t worse, std::int64_t better);

/// The fewest trials of which `errors` errors refute an error rate above `alpha` at `delta`: the
/// smallest k with P(Bin(k, alpha) <= errors) <= delta. `alpha` and `delta` lie between 0 and 1,
/// exclusive.
std::int64_t trialsToRefute(std::int64_t errors, double alpha, double delta);

} // namespace sluice
