#pragma once

#include "engine/classification/evaluation/labelleddata.h"
#include "engine/classification/thresholds/thresholdset.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace sluice {

/// A labelled query after scoring: all that a threshold set needs to be judged on it. Rows are
/// scored once (scoreRows() in model/modelevaluation.h); outcome() is then applied for every
/// position of a slider.
struct ScoredRow
{
    static constexpr int outOfScopeIntent = -1;
    static constexpr int unknownIntent = -2; ///< in scope, but the model has no such label

    int intent = outOfScopeIntent; ///< index of the true intent's label, or one of the above
    int candidates = 0; ///< how many of `top` are set: 0..2; 0: nothing in the query was known
    std::array<Candidate, 2> top; ///< falling confidence
    double outOfScope = 1.0; ///< 0..1

    std::span<const Candidate> ranking() const { return {top.data(), std::size_t(candidates)}; }
    bool isOutOfScope() const { return intent == outOfScopeIntent; }
    /// Whether the first candidate is the true intent.
    bool isRight() const { return candidates > 0 && intent >= 0 && top[0].label == intent; }
    /// Of the first candidate; 0 without one.
    double confidence() const { return candidates > 0 ? top[0].confidence : 0.0; }
};

/// What a threshold set does to a set of rows.
struct Outcome
{
    std::size_t rows = 0;
    std::size_t accepted = 0;
    std::size_t clarified = 0;
    std::size_t fellBack = 0;
    std::size_t acceptedErrors = 0; ///< accepted with a wrong intent, or out of scope
    std::size_t outOfScopeRows = 0;
    std::size_t outOfScopeHeld = 0; ///< out-of-scope rows that were not accepted

    double coverage() const; ///< accepted / rows
    double errorRate() const; ///< acceptedErrors / accepted
    double clarifyShare() const; ///< clarified / rows
    double fallbackShare() const; ///< fellBack / rows
    double outOfScopeRecall() const; ///< outOfScopeHeld / outOfScopeRows
    /// In-scope rows accepted with the right intent and out-of-scope rows held, over all rows.
    double accuracy() const;
};

/// Pure and fast (5,000 rows take well under a millisecond): for a slider.
Outcome outcome(std::span<const ScoredRow> rows, const CompiledThresholds& thresholds,
    const DecisionContext& context = {});

/// One point of the curve over the global threshold.
struct SweepPoint
{
    double global = 0.0;
    Outcome outcome;
};

/// The outcome at `points` global thresholds from 0 to 1, all else as in `set`. Input error as of
/// CompiledThresholds::compile.
Result<std::vector<SweepPoint>> sweep(std::span<const ScoredRow> rows, const ThresholdSet& set,
    std::span<const std::string> labels, std::size_t points = 101);

/// One confidence threshold and what it gives, the way of the CLINC150 paper: a query below it is
/// out of scope, one at or above it has its first candidate; no margin, no clarifying.
struct ThresholdScore
{
    double threshold = 0.0;
    double accuracy = 0.0; ///< over all rows, out of scope as one more class
    double accuracyInScope = 0.0; ///< in-scope rows that are right and not below the threshold
    std::optional<double> outOfScopeRecall; ///< out-of-scope rows below it
};

ThresholdScore scoreAt(std::span<const ScoredRow> rows, double threshold);
/// The threshold with the best `accuracy` on these rows; the middle of the best gap.
ThresholdScore bestThreshold(std::span<const ScoredRow> rows);

/// How an intent fared under the decision rule.
struct IntentScore
{
    std::string intent;
    std::size_t rows = 0; ///< rows that have this intent
    std::size_t accepted = 0; ///< rows accepted as this intent
    std::size_t right = 0; ///< of those, rightly
    double precision() const; ///< right / accepted; 0 when none was accepted
    double recall() const; ///< right / rows; 0 when there is none
};

/// A cell of the confusion matrix that is not on its diagonal, before the decision rule.
struct Confusion
{
    std::string intent; ///< true; outOfScope for out-of-scope rows
    std::string predicted; ///< first candidate; empty when nothing was known
    std::size_t count = 0;
};

/// Counts of rows by the confidence of their first candidate, in bins of equal width over 0..1.
struct ConfidenceHistogram
{
    std::vector<std::size_t> right; ///< in scope, first candidate right
    std::vector<std::size_t> wrong; ///< in scope, first candidate wrong
    std::vector<std::size_t> outOfScope;
};

ConfidenceHistogram confidenceHistogram(std::span<const ScoredRow> rows, std::size_t bins = 40);

/// A model measured on labelled rows.
struct Evaluation
{
    std::size_t inScope = 0;
    std::size_t outOfScope = 0;
    double accuracyInScope = 0.0; ///< first candidate right, nothing rejected
    ThresholdScore atThreshold; ///< at the set's global threshold
    std::optional<double> auroc; ///< in scope against out of scope, by 1 - ScoredRow::outOfScope
    std::optional<double> falsePositiveRateAt95; ///< same
    std::optional<double>
        calibrationError; ///< of the first candidate's confidence; an out-of-scope row is wrong
    Outcome outcome; ///< under the whole threshold set
    std::vector<IntentScore> intents; ///< in the order of the labels
    std::vector<Confusion> confusions; ///< falling count, then by name
};

/// Measures rows that were scored already; `labels` are the model's.
Evaluation evaluate(std::span<const ScoredRow> rows, std::span<const std::string> labels,
    const CompiledThresholds& thresholds);

} // namespace sluice
