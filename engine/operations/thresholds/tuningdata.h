#pragma once

#include "engine/classification/evaluator.h"

#include <atomic>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace sluice::ops {

/// A labelled file before it is used: what is in it, and what of it may judge thresholds.
struct DataPreview
{
    std::string source; ///< file names
    ImportReport report;
    std::map<Split, std::size_t> splits; ///< rows of each
    std::size_t intents = 0;
    std::size_t outOfScope = 0; ///< rows
    std::map<std::string, std::size_t> unknown; ///< intents that the model does not have: rows
    std::size_t heldOut = 0; ///< rows that trained nothing, as far as the file says
    std::size_t seen = 0; ///< of those, left out: their text stands in training or validation too
    bool undeclared = false; ///< nothing in the file says that its rows were not trained on
};

/// Labelled rows, scored, to tune on.
struct TuningData
{
    DataPreview preview;
    std::vector<LabelledQuery> queries; ///< the held-out ones
    std::vector<ScoredRow> rows; ///< theirs; ScoredRow::query indexes queries
    std::vector<ScoredRow> validation; ///< scores that the grid of a certificate may come from

    /// The rows a certificate may stand on: of the split "calibration", and those without one.
    std::vector<ScoredRow> calibration() const;
    /// What a certificate calls its data: SHA-256 over the calibration rows.
    std::string calibrationHash() const;
};

/// Which rows judge: those that are neither of the training nor of the validation part, without
/// texts that stand there too.
DataPreview previewOf(const LabelledData& data, std::string source, const Model& model);

/// Scores the held-out rows and the validation rows. `progress`: share done. Input error when
/// nothing is held out; cancelled when `cancel` was set.
Result<TuningData> tuningData(const LabelledData& data, std::string source, const Model& model,
    const std::function<void(double)>& progress = {}, const std::atomic<bool>* cancel = nullptr);

} // namespace sluice::ops
