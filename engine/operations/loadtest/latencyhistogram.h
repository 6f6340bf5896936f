#pragma once

#include <cstdint>
#include <vector>

namespace sluice::ops {

/// Counts of durations in buckets of constant relative width, the way of HdrHistogram (Tene):
/// powers of two, each cut in 128. A quantile is off by at most 0.4 %. Merging is exact. 0 to 2^40
/// ns (18 minutes); what is longer counts as that.
class LatencyHistogram
{
public:
    LatencyHistogram();

    void add(std::int64_t nanoseconds);
    void merge(const LatencyHistogram& other);
    void clear();

    std::uint64_t count() const { return m_count; }
    /// The duration in ns that a share `q` (0..1) of the values does not exceed; 0 without values.
    std::int64_t quantile(double q) const;
    std::int64_t max() const { return m_max; } ///< exact

private:
    std::vector<std::uint64_t> m_buckets;
    std::uint64_t m_count = 0;
    std::int64_t m_max = 0;
};

} // namespace sluice::ops
