#include "engine/classification/thresholds/statistics.h"

#include <algorithm>
#include <boost/math/distributions/beta.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/special_functions/beta.hpp>
#include <cmath>

namespace sluice {

Interval wilsonInterval(std::int64_t k, std::int64_t n, double confidence)
{
    if (n <= 0) {
        return {};
    }
    const double level = std::clamp(confidence, 0.0, 1.0 - 1e-12);
    const double z = boost::math::quantile(boost::math::normal(), 0.5 + level / 2);
    const double share = std::clamp(double(k) / double(n), 0.0, 1.0);
    const double zz = z * z / double(n);
    const double centre = share + zz / 2;
    const double spread = z * std::sqrt((share * (1 - share) + zz / 4) / double(n));
    return {
        std::max(0.0, (centre - spread) / (1 + zz)), std::min(1.0, (centre + spread) / (1 + zz))};
}

double binomialCdf(std::int64_t k, std::int64_t n, double p)
{
    if (k < 0) {
        return 0;
    }
    if (k >= n || p <= 0) {
        return 1;
    }
    if (p >= 1) {
        return 0;
    }
    return boost::math::ibetac(double(k) + 1, double(n - k), p);
}

double exactUpperBound(std::int64_t k, std::int64_t n, double delta)
{
    if (n <= 0 || k >= n || !(delta > 0)) {
        return 1;
    }
    if (k < 0 || delta >= 1) {
        return 0;
    }
    const boost::math::beta_distribution<> shares(double(k) + 1, double(n - k));
    return boost::math::quantile(boost::math::complement(shares, delta));
}

double exactLowerBound(std::int64_t k, std::int64_t n, double delta)
{
    // As many successes as there are failures from the other side.
    return 1 - exactUpperBound(n - k, n, delta);
}

Interval exactInterval(std::int64_t k, std::int64_t n, double confidence)
{
    const double tail = (1 - std::clamp(confidence, 0.0, 1.0)) / 2;
    return {exactLowerBound(k, n, tail), exactUpperBound(k, n, tail)};
}

double mcnemar(std::int64_t worse, std::int64_t better)
{
    return std::min(1.0, 2 * binomialCdf(std::min(worse, better), worse + better, 0.5));
}

std::int64_t trialsToRefute(std::int64_t errors, double alpha, double delta)
{
    std::int64_t low = errors; // as many errors as trials refute nothing
    std::int64_t high = errors + 1;
    while (binomialCdf(errors, high, alpha) > delta) {
        low = high;
        high *= 2;
    }
    while (high - low > 1) {
        const std::int64_t middle = low + (high - low) / 2;
        (binomialCdf(errors, middle, alpha) > delta ? low : high) = middle;
    }
    return high;
}

} // namespace sluice
