#pragma once

#include "engine/classification/dialogueevaluator.h"
#include "engine/classification/evaluator.h"
#include "engine/operations/queries/modellist.h"

#include <functional>

namespace sluice::ops {

struct RetrainOptions
{
    std::vector<std::filesystem::path> data; ///< trained on, and judged on their held-out part
    Tier tier = Tier::Fast;
    std::filesystem::path vectors; ///< accurate tier only; may be empty
    std::uint64_t seed = 1;
    int cnns = 3; ///< of the accurate tier
};

/// A new model beside the one in use, both judged on the same rows that trained neither stopped the
/// new one.
struct Retrained
{
    std::shared_ptr<const Model> model;
    std::size_t rows = 0; ///< of the data
    std::size_t duplicates = 0;
    std::size_t conflicts = 0;
    Split heldOut = Split::Test; ///< the rows that both are judged on
    std::size_t heldOutRows = 0; ///< 0: the data holds none, and nothing is judged
    Evaluation now; ///< of the new model, at its own thresholds
    Evaluation before; ///< of the one in use, at its own thresholds
    DialogueEvaluation talksNow; ///< of held-out conversations, turn by turn; may hold none
    DialogueEvaluation talksBefore;
    bool sawTheSame = false; ///< the one in use was trained on the same rows
};

/// `progress`: share done from 0 to 1, and of what. Cancelled when `cancel` becomes true.
Result<Retrained> retrain(const RetrainOptions& options, const Model& inUse,
    const std::function<void(double, const QString&)>& progress, const std::atomic<bool>* cancel);

/// The scores as the model list keeps them, named as `sluicectl evaluate --json` does.
QJsonObject scoresOf(const Evaluation& evaluation);

} // namespace sluice::ops
