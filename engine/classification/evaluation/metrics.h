#pragma once

#include <cstddef>
#include <span>

namespace sluice {

/// A score and the truth it is held against.
struct ScoredTruth
{
    double score = 0;
    bool positive = false;
};

/// Area under the ROC curve: the probability that a positive scores above a negative, ties counted
/// half (Mann-Whitney). 0.5 where one side is empty.
double areaUnderRoc(std::span<const ScoredTruth> rows);

/// The share of negatives that score at or above the threshold that keeps 95 % of the positives
/// (FPR at 95 % TPR). 1 where one side is empty.
double falsePositiveRateAt95(std::span<const ScoredTruth> rows);

/// Expected calibration error over `bins` equal bins of confidence (`score`; `positive`: the answer
/// was right): the mean distance of accuracy from confidence (Guo et al. 2017, arXiv 1706.04599). 0
/// for no rows.
double expectedCalibrationError(std::span<const ScoredTruth> rows, std::size_t bins = 15);

} // namespace sluice
