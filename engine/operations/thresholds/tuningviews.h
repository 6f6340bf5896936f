#pragma once

#include "engine/classification/evaluator.h"
#include "engine/classification/thresholds/statistics.h"
#include "engine/classification/thresholds/tuning.h"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

/// What the Thresholds page draws, as plain functions on scored rows.
namespace sluice::ops {

/// Which label became which answer, after the decision rule.
struct Confusion
{
    std::size_t labels = 0;
    /// Rows: the true intents, then out of scope (and intents that the model does not have).
    /// Columns: the answers: the intents, then clarify, then fallback.
    std::size_t rowCount() const { return labels + 1; }
    std::size_t columnCount() const { return labels + 2; }
    std::size_t clarify() const { return labels; }
    std::size_t fallback() const { return labels + 1; }
    std::vector<std::uint32_t> counts; ///< row by row
    std::vector<std::uint32_t> cells; ///< for each scored row its index into counts

    std::uint32_t at(std::size_t row, std::size_t column) const
    {
        return counts[row * columnCount() + column];
    }
    /// Scored rows behind a cell, rising.
    std::vector<std::uint32_t> behind(std::size_t row, std::size_t column) const;
};
Confusion confusion(
    std::span<const ScoredRow> rows, const CompiledThresholds& thresholds, std::size_t labels);

/// Is a confidence of 0.8 right in eight of ten? Bins of equal width over the first candidate's
/// confidence.
struct ReliabilityBin
{
    std::int64_t rows = 0;
    std::int64_t right = 0;
    double confidence = 0; ///< their mean
    Interval accuracy; ///< Wilson, 95 %
    double share() const { return rows == 0 ? 0 : double(right) / double(rows); }
};
struct Reliability
{
    std::vector<ReliabilityBin> bins;
    double error = 0; ///< ECE over these bins: the mean gap, weighted by rows
};
Reliability reliability(std::span<const ScoredRow> rows, std::size_t bins = 10);

/// Coverage and error rate for every pair of a global threshold and a margin (no intent's own
/// threshold, no context): one pass over the rows, whatever the size of the grid.
struct HeatMap
{
    struct Cell
    {
        std::int64_t accepted = 0;
        std::int64_t errors = 0;
    };
    static constexpr int thresholds = 21; ///< 0, 0.05 ... 1
    static constexpr int margins = 11; ///< 0, 0.05 ... 0.5
    static double threshold(int column) { return column / 20.0; }
    static double margin(int row) { return row / 20.0; }

    std::int64_t rows = 0;
    std::vector<Cell> cells; ///< margin by margin
    const Cell& at(int margin, int threshold) const
    {
        return cells[std::size_t(margin) * thresholds + std::size_t(threshold)];
    }
};
HeatMap heatMap(std::span<const ScoredRow> rows);

/// The bounds that a certificate with an assumed out-of-scope share stands on, at one threshold:
/// each exact at delta / 3, so that all hold together whatever the share is.
struct StratifiedBounds
{
    double outOfScopeAccepted = 1; ///< F, from above
    double wrong = 1; ///< w: in-scope rows accepted wrong, from above
    double right = 0; ///< g: in-scope rows accepted right, from below

    /// Upper bound of the error rate at an out-of-scope share.
    double errorRate(double share) const;
    /// The largest share at which it is at most alpha; none: not even without out-of-scope queries.
    std::optional<double> mostOutOfScope(double alpha) const;
};
StratifiedBounds stratifiedBounds(std::span<const JudgedRow> rows, double threshold, double delta);

/// The share of out-of-scope queries in unlabelled traffic, from how many of them are accepted:
/// with A and F the shares of in-scope and out-of-scope rows that are accepted, (A - a) / (A - F)
/// (Rogan and Gladen 1978), between 0 and 1. The interval carries the error of `a` alone. None
/// where labelled rows of both kinds are missing, or are accepted alike.
struct ShareEstimate
{
    double share = 0;
    Interval interval;
};
std::optional<ShareEstimate> outOfScopeShare(
    const Outcome& labelled, std::int64_t accepted, std::int64_t rows);

} // namespace sluice::ops
