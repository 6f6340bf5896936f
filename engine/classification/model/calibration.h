#pragma once

#include "engine/classification/model/modelfile.h"

#include <span>
#include <vector>

namespace sluice {

/// One held-out query as the calibration sees it.
struct CalibrationRow
{
    std::vector<float> logits; ///< one a label
    int label = -1; ///< true label; -1: out of scope
    double unseenShare = 0;
};

/// The share of out-of-scope queries that the out-of-scope score assumes in traffic. Validation
/// data hold too few to estimate one (CLINC150: 100 of 3,100), so rows are weighted to this share.
inline constexpr double assumedOutOfScopeShare = 0.15;

/// Fits temperature (least negative log-likelihood on in-scope rows; Guo et al. 2017, arXiv
/// 1706.04599) and, where there are at least ten out-of-scope rows, the out-of-scope score
/// (logistic regression by Newton's method with a small ridge).
Calibration calibrate(std::span<const CalibrationRow> rows);

/// The global threshold with the best accuracy on these rows, where rejecting an out-of-scope row
/// counts as right (Larson et al. 2019, section 3.2); without out-of-scope rows, the one that
/// accepts 95 % of the right answers.
double bestThreshold(std::span<const CalibrationRow> rows, const Calibration& calibration);

} // namespace sluice
