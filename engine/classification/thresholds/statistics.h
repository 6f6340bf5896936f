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

} // namespace sluice
