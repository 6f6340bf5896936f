#pragma once

#include "engine/classification/evaluator.h"
#include "engine/classification/thresholds/recordedrows.h"

#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace sluice::ops {

/// One intent after the decision rule. Counts of queries.
struct IntentFigures
{
    std::size_t support = 0; ///< labelled with it
    std::size_t candidates = 0; ///< of which it is the first candidate
    std::size_t accepted = 0; ///< accepted as it
    std::size_t right = 0; ///< of the accepted, labelled with it
    std::size_t wrong = 0; ///< of the accepted, labelled otherwise

    std::size_t judged() const { return right + wrong; }
    double precision() const { return judged() == 0 ? 0 : double(right) / double(judged()); }
    double recall() const { return support == 0 ? 0 : double(right) / double(support); }
    /// Of the queries that the model takes for it, the share accepted.
    double coverage() const { return candidates == 0 ? 0 : double(accepted) / double(candidates); }
};

/// What a threshold set does to rows.
struct TuningFigures
{
    Outcome outcome; ///< labels count where there are some; verdicts everywhere
    std::vector<IntentFigures> intents; ///< by label
    Replay replay; ///< against the live set
};

/// A row of which the verdict would be another than with the live set.
struct Flip
{
    std::uint32_t row = 0; ///< as given to the constructor
    Verdict before = Verdict::Fallback;
    Verdict after = Verdict::Fallback;
    enum class Effect
    {
        Unlabelled,
        Neutral, ///< neither verdict accepts, or the label says nothing of it
        Better, ///< a right answer is now accepted, or a wrong one is not
        Worse
    };
    Effect effect = Effect::Unlabelled;
};

/// Rows, labelled or recorded, that are judged again and again while thresholds move: two passes of
/// RecordedRows a move (1,000,000 rows: 2 to 3 ms). Pure; safe to read from any thread.
class TuningRows
{
public:
    TuningRows(std::vector<RecordedRow> rows, std::size_t labels);

    std::size_t size() const { return m_rows.size(); }
    const std::vector<RecordedRow>& rows() const { return m_rows; }
    /// The set to compare with.
    void setLive(const CompiledThresholds& live);
    TuningFigures judge(const CompiledThresholds& thresholds) const;
    /// Rows with another verdict than with the live set, in their order, at most `most`.
    std::vector<Flip> flips(const CompiledThresholds& thresholds, const CompiledThresholds& live,
        std::size_t most) const;
    Verdict verdict(std::uint32_t row, const CompiledThresholds& thresholds) const;

private:
    std::vector<RecordedRow> m_rows;
    RecordedRows m_all;
    RecordedRows m_outOfScope; ///< those labelled so
    RecordedRows::Verdicts m_live;
    RecordedRows::Verdicts m_liveOutOfScope;
    std::vector<IntentFigures> m_base; ///< support and candidates
    std::size_t m_inScope = 0;
    std::size_t m_labelledOutOfScope = 0;
};

} // namespace sluice::ops
