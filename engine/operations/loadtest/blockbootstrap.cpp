#include "engine/operations/loadtest/blockbootstrap.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>

namespace sluice::ops {

namespace {

constexpr int draws = 1000;
constexpr std::size_t fewestBlocks = 6;
constexpr std::size_t mostBlocks = 200; ///< longer runs: neighbours are put together

/// Blocks as columns of the buckets that occur at all.
class Blocks
{
public:
    explicit Blocks(const std::vector<LatencyBlock>& blocks)
    {
        std::vector<std::uint32_t> column(LatencyHistogram::bucketCount(), 0);
        for (const LatencyBlock& block : blocks) {
            for (const HistogramBucket& bucket : block.corrected) {
                column[bucket.index] = 1;
            }
        }
        for (std::uint32_t index = 0; index < column.size(); ++index) {
            if (column[index] > 0) {
                column[index] = std::uint32_t(m_values.size());
                m_values.push_back(double(LatencyHistogram::valueOf(index)) / 1e6);
            }
        }
        const std::size_t together = (blocks.size() + mostBlocks - 1) / mostBlocks;
        for (std::size_t index = 0; index < blocks.size(); ++index) {
            if (index % std::max<std::size_t>(together, 1) == 0) {
                m_rows.emplace_back();
            }
            for (const HistogramBucket& bucket : blocks[index].corrected) {
                m_rows.back().push_back({column[bucket.index], bucket.count});
            }
        }
    }

    std::size_t count() const { return m_rows.size(); }

    double drawnQuantile(double q, std::mt19937_64& random) const
    {
        std::vector<std::uint64_t> sum(m_values.size(), 0);
        std::uint64_t total = 0;
        for (std::size_t draw = 0; draw < m_rows.size(); ++draw) {
            for (const HistogramBucket& bucket : m_rows[std::size_t(random() % m_rows.size())]) {
                sum[bucket.index] += bucket.count;
                total += bucket.count;
            }
        }
        const auto wanted = std::uint64_t(std::ceil(q * double(total)));
        std::uint64_t seen = 0;
        for (std::size_t index = 0; index < sum.size(); ++index) {
            seen += sum[index];
            if (seen >= wanted && seen > 0) {
                return m_values[index];
            }
        }
        return 0;
    }

private:
    std::vector<double> m_values; ///< ms, by column
    std::vector<std::vector<HistogramBucket>> m_rows; ///< index: column
};

double drawnMean(const std::vector<double>& values, std::mt19937_64& random)
{
    double sum = 0;
    for (std::size_t draw = 0; draw < values.size(); ++draw) {
        sum += values[std::size_t(random() % values.size())];
    }
    return sum / double(values.size());
}

Interval percentiles(const std::function<double(std::mt19937_64&)>& draw)
{
    std::mt19937_64 random(20240229);
    std::vector<double> values;
    for (int index = 0; index < draws; ++index) {
        values.push_back(draw(random));
    }
    std::sort(values.begin(), values.end());
    return {values[draws / 40], values[draws - 1 - draws / 40]};
}

double change(double before, double after)
{
    return before > 0 ? after / before - 1 : 0;
}

} // namespace

std::optional<Interval> quantileInterval(const std::vector<LatencyBlock>& blocks, double q)
{
    if (blocks.size() < fewestBlocks) {
        return std::nullopt;
    }
    const Blocks all(blocks);
    return percentiles([&](std::mt19937_64& random) { return all.drawnQuantile(q, random); });
}

std::optional<Interval> quantileChange(
    const std::vector<LatencyBlock>& before, const std::vector<LatencyBlock>& after, double q)
{
    if (before.size() < fewestBlocks || after.size() < fewestBlocks) {
        return std::nullopt;
    }
    const Blocks first(before);
    const Blocks second(after);
    return percentiles([&](std::mt19937_64& random) {
        const double old = first.drawnQuantile(q, random);
        return change(old, second.drawnQuantile(q, random));
    });
}

std::optional<Interval> meanInterval(const std::vector<double>& blocks)
{
    if (blocks.size() < fewestBlocks) {
        return std::nullopt;
    }
    return percentiles([&](std::mt19937_64& random) { return drawnMean(blocks, random); });
}

std::optional<Interval> meanChange(
    const std::vector<double>& before, const std::vector<double>& after)
{
    if (before.size() < fewestBlocks || after.size() < fewestBlocks) {
        return std::nullopt;
    }
    return percentiles([&](std::mt19937_64& random) {
        const double old = drawnMean(before, random);
        return change(old, drawnMean(after, random));
    });
}

} // namespace sluice::ops
