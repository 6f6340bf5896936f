#pragma once

#include "engine/classification/model/modelfile.h"
#include "engine/classification/model/scorer.h"

#include <span>
#include <vector>

namespace sluice {

/// One held-out query as the calibration sees it.
struct CalibrationRow
{
    RawScores raw;
    int label = -1; ///< true label; -1: out of scope
};

/// The share of out-of-scope queries that the out-of-scope score assumes in traffic. Validation
/// data hold too few to estimate one (CLINC150: 100 of 3,100), so rows are weighted to this share.
inline constexpr double assumedOutOfScopeShare = 0.15;

/// Fits temperature (least negative log-likelihood on in-scope rows; Guo et al. 2017, arXiv
/// 1706.04599) and, where there are at least ten out-of-scope rows, the out-of-scope score
/// (logistic regression by Newton's method with a small ridge).
Calibration calibrate(std::span<const CalibrationRow> rows);

/// The global threshold with the best accuracy on these rows, where rejecting an out-of-scope row
/// counts as right (Larson et al. 2019, section 3.2). Out-of-scope rows are few, and the curve's
/// highest point turns on single ones; so each row is spread over its neighbourhood first (a
/// Gaussian kernel of `thresholdBandwidth` on the logit of the confidence; Wand and Jones, Kernel
/// Smoothing, 1995). Near the top the smooth curve is flat: taken is the strictest threshold that
/// loses at most `thresholdTolerance` of accuracy (two rows of CLINC150's 3,100), since an
/// out-of-scope query that gets an answer is the dearer mistake. To three decimals. Without
/// out-of-scope rows, the threshold that accepts 95 % of the right answers.
inline constexpr double thresholdBandwidth = 0.4;
inline constexpr double thresholdTolerance = 0.00065;

/// What a threshold is chosen from: a query's confidence, and whether answering it is right.
struct ConfidenceRow
{
    double confidence = 0;
    bool right = false; ///< the first candidate is the true label
    bool outOfScope = false;
};
double bestThreshold(std::vector<ConfidenceRow> rows);

} // namespace sluice
