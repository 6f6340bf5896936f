#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace sluice::ops {

/// So many values in one bucket of a LatencyHistogram.
struct HistogramBucket
{
    std::uint32_t index = 0;
    std::uint64_t count = 0;

    bool operator==(const HistogramBucket&) const = default;
};

/// Counts of durations in buckets of constant relative width, the way of HdrHistogram (Tene):
/// powers of two, each cut in 128. A quantile is off by at most 0.4 %. Merging is exact. 0 to 2^40
/// ns (18 minutes); what is longer counts as that.
class LatencyHistogram
{
public:
    LatencyHistogram();

    void add(std::int64_t nanoseconds);
    void merge(const LatencyHistogram& other);
    /// The same from buckets as of buckets(), with the largest value among them.
    void merge(std::span<const HistogramBucket> buckets, std::int64_t max);
    void clear();

    std::uint64_t count() const { return m_count; }
    /// The duration in ns that a share `q` (0..1) of the values does not exceed; 0 without values.
    std::int64_t quantile(double q) const;
    std::int64_t max() const { return m_max; } ///< exact

    std::vector<HistogramBucket> buckets() const; ///< those with values, by index
    static std::int64_t valueOf(std::uint32_t index); ///< ns, the middle of a bucket
    static std::uint32_t bucketCount();

private:
    std::vector<std::uint64_t> m_buckets;
    std::uint64_t m_count = 0;
    std::int64_t m_max = 0;
};

} // namespace sluice::ops
