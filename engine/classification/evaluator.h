#pragma once

#include "engine/classification/evaluation/labelleddata.h"
#include "engine/classification/model/model.h"
#include "engine/classification/thresholds/certification.h"
#include "engine/classification/thresholds/judgedrow.h"
#include "engine/classification/thresholds/recordedrows.h"
#include "engine/classification/thresholds/thresholdset.h"

#include <array>
#include <atomic>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace sluice {

/// A labelled query as the decision rule sees it: scored once, judged against any threshold set
/// after that.
struct ScoredRow
{
    static constexpr int outOfScopeLabel = -1;
    static constexpr int unknownLabel = -2; ///< an intent that the model does not have

    int label = outOfScopeLabel; ///< the true intent, an index into the model's labels
    std::array<Candidate, 2> top; ///< first and second candidate
    int candidates = 0; ///< 0 when nothing in the query was known
    double outOfScope = 1; ///< 0..1
    std::size_t query = 0; ///< index into the labelled queries
    Split split = Split::None; ///< of the query

    std::span<const Candidate> span() const { return {top.data(), std::size_t(candidates)}; }
    bool isRight() const { return candidates > 0 && top[0].label == label; }
};

/// Scores every query, without context. `progress` gets the number done now and then; `cancel`
/// stops early (what was scored is returned).
std::vector<ScoredRow> scoreRows(const Model& model, std::span<const LabelledQuery> queries,
    const std::function<void(std::size_t)>& progress = {},
    const std::atomic<bool>* cancel = nullptr);

/// What a threshold set does to scored rows. Counts of queries.
struct Outcome
{
    std::size_t inScope = 0;
    std::size_t outOfScope = 0;
    std::size_t accepted = 0;
    std::size_t acceptedRight = 0;
    std::size_t acceptedOutOfScope = 0;
    std::size_t clarified = 0;
    std::size_t fallback = 0;
    std::size_t rejectedOutOfScope = 0; ///< clarify or fallback on an out-of-scope query

    std::size_t rows() const { return inScope + outOfScope; }
    std::size_t acceptedWrong() const
    {
        return accepted - acceptedRight;
    } ///< wrong intent, or out of scope
    double coverage() const { return rows() == 0 ? 0 : double(accepted) / double(rows()); }
    /// Share of the accepted that is wrong (selective risk); 0 when nothing is accepted.
    double errorRate() const
    {
        return accepted == 0 ? 0 : double(acceptedWrong()) / double(accepted);
    }
    /// Right and accepted among the in-scope queries.
    double accuracyInScope() const
    {
        return inScope == 0 ? 0 : double(acceptedRight) / double(inScope);
    }
    double outOfScopeRecall() const
    {
        return outOfScope == 0 ? 0 : double(rejectedOutOfScope) / double(outOfScope);
    }
};

Outcome outcomeOf(std::span<const ScoredRow> rows, const CompiledThresholds& thresholds);

/// The same by intent, after the decision rule; one entry a label of the model, in its order.
struct IntentOutcome
{
    std::size_t support = 0; ///< queries of this intent
    std::size_t accepted = 0; ///< of them, accepted as anything
    std::size_t right = 0; ///< of them, accepted as this
    std::size_t predicted = 0; ///< of all queries, accepted as this

    double precision() const { return predicted == 0 ? 0 : double(right) / double(predicted); }
    double recall() const { return support == 0 ? 0 : double(right) / double(support); }
    double coverage() const { return support == 0 ? 0 : double(accepted) / double(support); }
};
std::vector<IntentOutcome> intentOutcomes(
    std::span<const ScoredRow> rows, const CompiledThresholds& thresholds, std::size_t labels);

/// One point of the risk-coverage curve: what the global threshold alone would do.
struct RiskPoint
{
    double threshold = 0;
    double coverage = 0;
    double risk = 0;
};
/// The curve from the strictest threshold to 0, at most `most` points.
std::vector<RiskPoint> riskCoverage(std::span<const ScoredRow> rows, std::size_t most = 200);

/// Numbers of an evaluation, as `sluicectl evaluate --json` prints them (docs/CLI.md).
struct Evaluation
{
    std::size_t inScope = 0;
    std::size_t outOfScope = 0;
    std::size_t unknownIntents =
        0; ///< rows whose intent the model does not have; they count as in scope and wrong
    double accuracyInScope = 0; ///< first candidate right, no rejection
    /// By the threshold alone (the intent's own where it has one), as the literature has it (Larson
    /// et al. 2019): at or above it and right, among in-scope rows.
    double accuracyAtThreshold = 0;
    double outOfScopeRecall = 0; ///< below it, among out-of-scope rows
    double outOfScopeAuroc = 0.5; ///< positives: out of scope; score: the out-of-scope score
    double outOfScopeFpr95 = 1; ///< out-of-scope rows kept where 95 % of the in-scope rows are
    double calibrationError = 0; ///< ECE, 15 bins, over all rows
    Outcome outcome; ///< by the whole rule, margin and all
};
Evaluation evaluate(std::span<const ScoredRow> rows, const CompiledThresholds& thresholds);

/// Whether an intent's own threshold stands while the global one is tuned, or is what is tuned.
enum class OwnThresholds
{
    Keep,
    Replace
};

/// The scored rows as the tuning functions take them, for the margin and the sensitive intents of
/// this set (without further context). A row's split says what it was used for: calibration rows
/// are held out; test rows, and those without a split, are Undeclared.
std::vector<JudgedRow> judgedRows(std::span<const ScoredRow> rows,
    const CompiledThresholds& thresholds, OwnThresholds own = OwnThresholds::Keep);

/// The grid's scores from rows whose labels are not looked at.
std::vector<GridScore> gridScores(std::span<const JudgedRow> rows);

/// The scored rows as recorded rows, in their order, without context.
std::vector<RecordedRow> recordedRows(std::span<const ScoredRow> rows);

/// SHA-256 over texts and intents, in order: what a certificate calls its data.
std::string hashOf(std::span<const LabelledQuery> queries);

} // namespace sluice
