#pragma once

#include "engine/base/result.h"

#include <cstddef>
#include <span>

namespace sluice {

/// What a labelled row was used for before it came to judge thresholds.
enum class RowUse
{
    HeldOut, ///< nothing: set apart for this
    Undeclared, ///< not said: rows without a split, or those kept for the last report
    Training,
    Stopping ///< validation: training stopped and calibrated on it
};

/// A labelled query as threshold tuning sees it.
struct JudgedRow
{
    /// What the global threshold is held against: the row is accepted when it is at least that.
    /// `never` and `always` where the global threshold has no say (too near to the second
    /// candidate; an intent with a threshold of its own).
    double score = never;
    int label = -1; ///< the true intent; -1: out of scope; -2: one that the model does not have
    int predicted = -1; ///< the first candidate; -1: none
    RowUse use = RowUse::Undeclared;

    static constexpr double never = -2;
    static constexpr double always = 2;

    bool isRight() const { return predicted >= 0 && label == predicted; }
    bool isOutOfScope() const { return label == -1; }
};

/// Input error when rows served training or stopping, or, unless `declaredHeldOut`, when nothing
/// says that they did not: what is learnt from such rows says nothing of new ones.
Result<void> checkHeldOut(std::span<const JudgedRow> rows, bool declaredHeldOut);

} // namespace sluice
