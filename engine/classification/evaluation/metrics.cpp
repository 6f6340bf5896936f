#include "engine/classification/evaluation/metrics.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace sluice {

namespace {

std::vector<ScoredTruth> byFallingScore(std::span<const ScoredTruth> rows)
{
    std::vector<ScoredTruth> sorted(rows.begin(), rows.end());
    std::sort(sorted.begin(), sorted.end(),
        [](const ScoredTruth& a, const ScoredTruth& b) { return a.score > b.score; });
    return sorted;
}

} // namespace

double areaUnderRoc(std::span<const ScoredTruth> rows)
{
    const auto sorted = byFallingScore(rows);
    double positives = 0;
    double negatives = 0;
    double pairs = 0;
    for (std::size_t at = 0; at < sorted.size();) {
        std::size_t end = at;
        double tiedPositives = 0;
        while (end < sorted.size() && sorted[end].score == sorted[at].score) {
            tiedPositives += sorted[end].positive ? 1 : 0;
            ++end;
        }
        const double tiedNegatives = double(end - at) - tiedPositives;
        pairs += tiedNegatives * (positives + tiedPositives / 2);
        positives += tiedPositives;
        negatives += tiedNegatives;
        at = end;
    }
    return positives > 0 && negatives > 0 ? pairs / (positives * negatives) : 0.5;
}

double falsePositiveRateAt95(std::span<const ScoredTruth> rows)
{
    const auto sorted = byFallingScore(rows);
    const auto positives = std::count_if(
        sorted.begin(), sorted.end(), [](const ScoredTruth& row) { return row.positive; });
    const auto negatives = std::ptrdiff_t(sorted.size()) - positives;
    if (positives == 0 || negatives == 0) {
        return 1;
    }
    const auto wanted = std::ptrdiff_t(std::ceil(0.95 * double(positives)));
    std::ptrdiff_t seen = 0;
    std::ptrdiff_t wrong = 0;
    for (std::size_t at = 0; at < sorted.size();) {
        const double score = sorted[at].score;
        for (; at < sorted.size() && sorted[at].score == score; ++at) {
            (sorted[at].positive ? seen : wrong) += 1;
        }
        if (seen >= wanted) {
            break;
        }
    }
    return double(wrong) / double(negatives);
}

double expectedCalibrationError(std::span<const ScoredTruth> rows, std::size_t bins)
{
    struct Bin
    {
        double confidence = 0;
        double right = 0;
        double count = 0;
    };
    std::vector<Bin> all(bins);
    for (const ScoredTruth& row : rows) {
        const double place = std::clamp(row.score, 0.0, 1.0) * double(bins);
        Bin& bin = all[std::min(std::size_t(place), bins - 1)];
        bin.confidence += row.score;
        bin.right += row.positive ? 1 : 0;
        bin.count += 1;
    }
    double sum = 0;
    for (const Bin& bin : all) {
        sum += std::abs(bin.right - bin.confidence);
    }
    return rows.empty() ? 0 : sum / double(rows.size());
}

} // namespace sluice
