#pragma once

#include "engine/classification/evaluation/evaluation.h"
#include "engine/classification/model/model.h"

#include <atomic>
#include <functional>
#include <span>
#include <vector>

namespace sluice {

/// Scores labelled queries, each by itself (without context), for outcome(), sweep() and
/// evaluate(). `progress` is called now and then with the number of rows done; setting `*cancel`
/// ends early with the rows so far.
std::vector<ScoredRow> scoreRows(const Model& model, std::span<const LabelledQuery> queries,
    const std::function<void(std::size_t)>& progress = {},
    const std::atomic<bool>* cancel = nullptr);

/// scoreRows() and evaluate() in one.
Evaluation evaluate(const Model& model, std::span<const LabelledQuery> queries,
    const CompiledThresholds& thresholds);

} // namespace sluice
