#pragma once

#include "engine/classification/model/modelfile.h"

#include <span>
#include <string_view>
#include <vector>

namespace sluice {

/// What speaks for staying with the last intent. `logits`: of the query with its context, without
/// the continuation; `words`, `unseenShare`: of the query; `normalised`: its text.
StayingFeatures stayingFeaturesOf(std::span<const float> logits, std::string_view normalised,
    std::size_t words, double unseenShare, const QueryContext& context);

/// A later turn as the fit sees it.
struct ContinuationRow
{
    std::vector<float> logits;
    StayingFeatures features{};
    int last = -1; ///< label of the turn before
    int before = -1; ///< of the one before that; -1: none, or the same
    int label = -1; ///< the true one
};

/// Fits the weights by conditional likelihood (multinomial logit whose inputs are the logits times
/// a factor of their own, and the bonuses; Newton's method with a ridge). Empty where there are
/// fewer than `fewestContinuationRows`.
inline constexpr std::size_t fewestContinuationRows = 100;
Continuation fitContinuation(std::span<const ContinuationRow> rows);

/// Adds the bonuses; labels below 0 get none.
void addContinuation(const Continuation& continuation, const StayingFeatures& features, int last,
    int before, std::span<float> logits);

} // namespace sluice
