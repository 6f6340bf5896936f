#pragma once

#include "engine/classification/thresholds/thresholdset.h"

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace sluice {

/// A query as it was served: what the rule read, and its label where one is known.
struct RecordedRow
{
    float first = 0; ///< confidence of the first candidate
    float second = 0; ///< of the second; 0 without one
    std::int32_t predicted = -1; ///< the first candidate; -1: nothing in the query was known
    std::int32_t label = unlabelled;
    DecisionContext context;

    static constexpr std::int32_t outOfScope = -1; ///< as a label
    static constexpr std::int32_t unlabelled = -3;
};

/// What a threshold set does to recorded rows. Counts of rows.
struct Replay
{
    struct Intent
    {
        std::uint32_t accepted = 0; ///< as this intent
        std::uint32_t truePositives = 0;
        std::uint32_t falsePositives = 0; ///< accepted as this, labelled otherwise
        std::uint32_t falseNegatives = 0; ///< labelled as this, not accepted as it
        bool operator==(const Intent&) const = default;
    };
    std::vector<Intent> intents; ///< by label
    /// From the live set's verdict (row) to this one's (column), both by Verdict.
    std::array<std::array<std::uint32_t, 3>, 3> flips{};
    // Among the labelled rows, where accepting right or rejecting a wrong first candidate is well
    // done: flips for the worse and for the better, as mcnemar() takes them.
    std::uint32_t worse = 0;
    std::uint32_t better = 0;

    std::uint32_t count(Verdict verdict) const; ///< with this set
    std::uint32_t flipped() const; ///< rows of another verdict than with the live set
    bool operator==(const Replay&) const = default;
};

/// Recorded rows laid out to be judged again and again, as a slider moves: columns of plain
/// numbers, ordered so that those of one first candidate in one context follow each other and share
/// a threshold. Immutable; 1,000,000 rows take 14 MiB (more with times of day).
/// The verdicts are exactly those of CompiledThresholds::verdict() on the recorded confidences,
/// which are floats wherever a model made them.
class RecordedRows
{
public:
    /// `labels`: how many intents the model has; a label or first candidate beyond is unlabelled or
    /// unknown.
    RecordedRows(std::span<const RecordedRow> rows, std::size_t labels);

    std::size_t size() const { return m_first.size(); }

    /// Verdict of every row, in an order and a code of this class's own: to be passed to replay().
    using Verdicts = std::vector<std::uint8_t>;
    Verdicts verdicts(const CompiledThresholds& thresholds) const;

    /// Judges all rows anew and compares with the live set's verdicts(). One pass, no allocation
    /// but the counts.
    Replay replay(const CompiledThresholds& thresholds, const Verdicts& live) const;

    /// The rows (indices as given to the constructor, rising) that get another verdict, at most
    /// `most`.
    std::vector<std::uint32_t> flipped(
        const CompiledThresholds& thresholds, const Verdicts& live, std::size_t most) const;

private:
    /// Rows of one first candidate in one context, time of day apart.
    struct Run
    {
        std::uint32_t begin = 0;
        std::uint32_t end = 0;
        std::int32_t predicted = -1;
        DecisionContext context; ///< without a time
        bool timed = false; ///< its rows have times, rising
    };
    /// The rule on floats: at or above `accept` and `margin` it is accepted, at or above `clarify`
    /// clarified.
    struct Cuts
    {
        float accept;
        float clarify;
        float margin;
    };
    static Cuts cutsOf(const CompiledThresholds& thresholds, std::int32_t predicted,
        const DecisionContext& context);
    template <typename Each>
    void forEachStretch(const CompiledThresholds& thresholds, const Each& each) const;
    template <typename Each>
    void judge(
        const CompiledThresholds& thresholds, const Verdicts& before, const Each& each) const;

    std::vector<float> m_first;
    std::vector<float> m_margin;
    Verdicts m_truth; ///< of the first candidate: unlabelled, wrong or right
    std::vector<std::uint32_t> m_row; ///< index as given
    std::vector<std::chrono::sys_seconds> m_at; ///< empty where no row has a time
    std::vector<Run> m_runs;
    std::vector<std::uint32_t> m_support; ///< rows labelled so, by label
};

} // namespace sluice
