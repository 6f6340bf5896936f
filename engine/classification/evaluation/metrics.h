#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace sluice {

/// Area under the ROC curve: the probability that a random member of `positive` has a higher score
/// than a random member of `negative`, ties counting half. nullopt when either is empty.
std::optional<double> auroc(std::span<const double> positive, std::span<const double> negative);

/// False positive rate at 95 % true positives: the share of `negative` at or above the highest
/// threshold that keeps at least 95 % of `positive`. nullopt when either is empty.
std::optional<double> falsePositiveRateAt95(
    std::span<const double> positive, std::span<const double> negative);

/// A prediction with its stated confidence.
struct Prediction
{
    double confidence = 0.0; ///< 0..1
    bool right = false;
};

/// Expected calibration error over equal-width bins of confidence (Naeini et al. 2015): the mean,
/// weighted by count, of |accuracy - mean confidence|. nullopt without predictions.
std::optional<double> expectedCalibrationError(
    std::span<const Prediction> predictions, std::size_t bins = 15);

/// Counts of values 0..1 in `bins` bins of equal width; 1.0 falls in the last.
std::vector<std::size_t> histogram(std::span<const double> values, std::size_t bins);

} // namespace sluice
