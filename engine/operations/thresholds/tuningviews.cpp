#include "engine/operations/thresholds/tuningviews.h"

#include <algorithm>
#include <cmath>

namespace sluice::ops {

std::vector<std::uint32_t> Confusion::behind(std::size_t row, std::size_t column) const
{
    std::vector<std::uint32_t> found;
    const std::size_t cell = row * columnCount() + column;
    for (std::uint32_t index = 0; index < cells.size(); ++index) {
        if (cells[index] == cell) {
            found.push_back(index);
        }
    }
    return found;
}

Confusion confusion(
    std::span<const ScoredRow> rows, const CompiledThresholds& thresholds, std::size_t labels)
{
    Confusion matrix;
    matrix.labels = labels;
    matrix.counts.assign(matrix.rowCount() * matrix.columnCount(), 0);
    matrix.cells.reserve(rows.size());
    for (const ScoredRow& row : rows) {
        const std::size_t truth = row.label >= 0 ? std::size_t(row.label) : labels;
        const Verdict verdict = thresholds.verdict(row.span(), {});
        const std::size_t answer = verdict == Verdict::Accept ? std::size_t(row.top[0].label)
            : verdict == Verdict::Clarify                     ? matrix.clarify()
                                                              : matrix.fallback();
        const std::size_t cell = truth * matrix.columnCount() + answer;
        ++matrix.counts[cell];
        matrix.cells.push_back(std::uint32_t(cell));
    }
    return matrix;
}

Reliability reliability(std::span<const ScoredRow> rows, std::size_t bins)
{
    Reliability found;
    found.bins.resize(bins);
    for (const ScoredRow& row : rows) {
        const double confidence = row.candidates > 0 ? row.top[0].confidence : 0;
        const std::size_t place = std::min(std::size_t(confidence * double(bins)), bins - 1);
        ReliabilityBin& bin = found.bins[place];
        ++bin.rows;
        bin.right += row.isRight() ? 1 : 0;
        bin.confidence += confidence;
    }
    for (ReliabilityBin& bin : found.bins) {
        if (bin.rows > 0) {
            bin.confidence /= double(bin.rows);
            found.error +=
                std::abs(bin.share() - bin.confidence) * double(bin.rows) / double(rows.size());
        }
        bin.accuracy = wilsonInterval(bin.right, bin.rows);
    }
    return found;
}

HeatMap heatMap(std::span<const ScoredRow> rows)
{
    constexpr int columns = HeatMap::thresholds;
    HeatMap map;
    map.rows = std::int64_t(rows.size());
    map.cells.resize(std::size_t(columns) * HeatMap::margins);
    // A row counts where it is just accepted; the sums below carry it to all that is looser. The
    // sum of a float and a small amount keeps 0.15, as a float, in the column of 0.15.
    const auto step = [](double value, int steps) {
        return std::clamp(int(std::floor((value + 1e-7) * 20)), 0, steps - 1);
    };
    for (const ScoredRow& row : rows) {
        if (row.candidates == 0) {
            continue;
        }
        const double first = row.top[0].confidence;
        const double second = row.candidates > 1 ? row.top[1].confidence : 0;
        auto& cell = map.cells[std::size_t(step(first - second, HeatMap::margins)) * columns
            + std::size_t(step(first, columns))];
        ++cell.accepted;
        cell.errors += row.isRight() ? 0 : 1;
    }
    const auto add = [&](int margin, int threshold, int fromMargin, int fromThreshold) {
        auto& cell = map.cells[std::size_t(margin) * columns + std::size_t(threshold)];
        const HeatMap::Cell& from = map.at(fromMargin, fromThreshold);
        cell.accepted += from.accepted;
        cell.errors += from.errors;
    };
    for (int margin = 0; margin < HeatMap::margins; ++margin) {
        for (int threshold = columns - 2; threshold >= 0; --threshold) {
            add(margin, threshold, margin, threshold + 1);
        }
    }
    for (int margin = HeatMap::margins - 2; margin >= 0; --margin) {
        for (int threshold = 0; threshold < columns; ++threshold) {
            add(margin, threshold, margin + 1, threshold);
        }
    }
    return map;
}

double StratifiedBounds::errorRate(double share) const
{
    const double errors = share * outOfScopeAccepted + (1 - share) * wrong;
    const double accepted = errors + (1 - share) * right;
    return accepted <= 0 ? 1 : errors / accepted;
}

std::optional<double> StratifiedBounds::mostOutOfScope(double alpha) const
{
    if (errorRate(0) > alpha) {
        return std::nullopt;
    }
    // share * a + (1 - share) * b = 0, where the error rate is alpha.
    const double a = outOfScopeAccepted * (1 - alpha);
    const double b = wrong - alpha * (wrong + right);
    return a <= 0 ? 1.0 : std::clamp(-b / (a - b), 0.0, 1.0);
}

StratifiedBounds stratifiedBounds(std::span<const JudgedRow> rows, double threshold, double delta)
{
    std::int64_t outside = 0;
    std::int64_t outsideAccepted = 0;
    std::int64_t inside = 0;
    std::int64_t wrong = 0;
    std::int64_t right = 0;
    for (const JudgedRow& row : rows) {
        const bool accepted = row.score >= threshold;
        if (row.isOutOfScope()) {
            ++outside;
            outsideAccepted += accepted ? 1 : 0;
        } else {
            ++inside;
            right += accepted && row.isRight() ? 1 : 0;
            wrong += accepted && !row.isRight() ? 1 : 0;
        }
    }
    return {exactUpperBound(outsideAccepted, outside, delta / 3),
        exactUpperBound(wrong, inside, delta / 3), exactLowerBound(right, inside, delta / 3)};
}

std::optional<ShareEstimate> outOfScopeShare(
    const Outcome& labelled, std::int64_t accepted, std::int64_t rows)
{
    if (labelled.inScope == 0 || labelled.outOfScope == 0 || rows == 0) {
        return std::nullopt;
    }
    const double inside =
        double(labelled.accepted - labelled.acceptedOutOfScope) / double(labelled.inScope);
    const double outside = double(labelled.acceptedOutOfScope) / double(labelled.outOfScope);
    if (inside - outside < 0.05) {
        return std::nullopt;
    }
    const auto at = [&](double share) {
        return std::clamp((inside - share) / (inside - outside), 0.0, 1.0);
    };
    const Interval interval = wilsonInterval(accepted, rows);
    return ShareEstimate{
        at(double(accepted) / double(rows)), {at(interval.high), at(interval.low)}};
}

} // namespace sluice::ops
