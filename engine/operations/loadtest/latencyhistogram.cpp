#include "engine/operations/loadtest/latencyhistogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace sluice::ops {

namespace {

constexpr int subBits = 7;
constexpr int subCount = 1 << subBits;
constexpr int topBit = 40;
constexpr std::int64_t longest = (std::int64_t(1) << topBit) - 1;
/// Values below 2^8 have a bucket each; from there every power of two has 128.
constexpr std::size_t size = std::size_t(topBit - subBits + 1) * std::size_t(subCount);

std::size_t indexOf(std::int64_t value)
{
    const auto v = std::uint64_t(value);
    if (v < 2 * subCount) {
        return std::size_t(v);
    }
    const int shift = int(std::bit_width(v)) - 1 - subBits;
    return std::size_t(shift) * subCount + std::size_t(v >> shift);
}

} // namespace

LatencyHistogram::LatencyHistogram()
    : m_buckets(size, 0)
{ }

std::uint32_t LatencyHistogram::bucketCount()
{
    return std::uint32_t(size);
}

std::int64_t LatencyHistogram::valueOf(std::uint32_t index)
{
    if (index < 2 * subCount) {
        return std::int64_t(index);
    }
    const int shift = int(index / subCount) - 1;
    const auto low = (std::int64_t(index) - std::int64_t(shift) * subCount) << shift;
    return low + (std::int64_t(1) << shift) / 2;
}

void LatencyHistogram::add(std::int64_t nanoseconds)
{
    const std::int64_t value = std::clamp<std::int64_t>(nanoseconds, 0, longest);
    ++m_buckets[indexOf(value)];
    ++m_count;
    m_max = std::max(m_max, value);
}

void LatencyHistogram::merge(const LatencyHistogram& other)
{
    for (std::size_t index = 0; index < size; ++index) {
        m_buckets[index] += other.m_buckets[index];
    }
    m_count += other.m_count;
    m_max = std::max(m_max, other.m_max);
}

void LatencyHistogram::merge(std::span<const HistogramBucket> buckets, std::int64_t max)
{
    for (const HistogramBucket& bucket : buckets) {
        m_buckets[std::min(std::size_t(bucket.index), size - 1)] += bucket.count;
        m_count += bucket.count;
    }
    m_max = std::max(m_max, max);
}

std::vector<HistogramBucket> LatencyHistogram::buckets() const
{
    std::vector<HistogramBucket> used;
    for (std::size_t index = 0; index < size; ++index) {
        if (m_buckets[index] > 0) {
            used.push_back({std::uint32_t(index), m_buckets[index]});
        }
    }
    return used;
}

void LatencyHistogram::clear()
{
    std::fill(m_buckets.begin(), m_buckets.end(), 0);
    m_count = 0;
    m_max = 0;
}

std::int64_t LatencyHistogram::quantile(double q) const
{
    if (m_count == 0) {
        return 0;
    }
    const auto wanted = std::max<std::uint64_t>(
        1, std::uint64_t(std::ceil(std::clamp(q, 0.0, 1.0) * double(m_count))));
    std::uint64_t seen = 0;
    for (std::size_t index = 0; index < size; ++index) {
        seen += m_buckets[index];
        if (seen >= wanted) {
            return std::min(valueOf(std::uint32_t(index)), m_max);
        }
    }
    return m_max;
}

} // namespace sluice::ops
