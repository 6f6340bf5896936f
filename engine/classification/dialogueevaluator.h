#pragma once

#include "engine/classification/evaluation/labelleddata.h"
#include "engine/classification/model/model.h"
#include "engine/classification/thresholds/thresholdset.h"

#include <atomic>
#include <span>
#include <string>
#include <string_view>

namespace sluice {

/// What of a conversation the model is shown beside the query.
enum class DialogueContext
{
    None, ///< nothing: every turn as a query of its own
    Text, ///< the intents it gave before, the turn number, and what the system said
    Acts, ///< the same with what the system did instead
};
Result<DialogueContext> dialogueContextFromString(
    std::string_view name); ///< "none", "text", "acts"

/// Shares from 0 to 1. A turn is right when its first candidate is its intent; an out-of-scope turn
/// when it is not accepted.
struct DialogueEvaluation
{
    std::size_t dialogues = 0;
    std::size_t turns = 0;
    std::size_t followUps = 0; ///< turns after the first
    double accuracyAll = 0;
    double accuracyFirstTurn = 0;
    double accuracyFollowUp = 0;
    double dialoguesRight = 0; ///< with every turn right
};

/// Runs the turns of each conversation in order, feeding back what the model itself predicted.
/// Rows that belong to no conversation are passed over. Cancelled error when `cancel` becomes true.
Result<DialogueEvaluation> evaluateDialogues(const Model& model,
    const CompiledThresholds& thresholds, std::span<const LabelledQuery> rows,
    DialogueContext context, const std::atomic<bool>* cancel = nullptr);

} // namespace sluice
