#pragma once

#include "app/sluicectl/command.h"
#include "app/sluicectl/labelledinput.h"

#include "engine/classification/evaluator.h"

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace sluice::ctl {

/// A threshold set from a file.
Result<ThresholdSet> readThresholds(const std::string& file);
Result<void> writeThresholds(const std::string& file, const ThresholdSet& set);

/// Options of the commands that judge thresholds on labelled data.
struct ThresholdInput : LabelledInput
{
    std::string model;
    std::string thresholds;

    ThresholdInput() { split = "calibration"; }

    void addTo(CLI::App& app);
};

/// What the options name, loaded and scored.
struct ScoredInput
{
    Model model;
    ThresholdSet set;
    CompiledThresholds thresholds;
    LabelledData data;
    std::vector<LabelledQuery> queries; ///< of the split
    std::vector<ScoredRow> rows; ///< theirs

    /// Leaves out rows whose very text the data's training or validation part holds too: the model
    /// has seen them. The number left out.
    std::size_t leaveOutSeen();
};
Result<ScoredInput> loadInput(const ThresholdInput& input);
void sayLeftOut(const Output& output, std::size_t rows); ///< on standard error; nothing for none

/// Scores of recorded traffic: JSON Lines, an object a line with "text" or "query" (as in
/// docs/FORMATS.md, labelled queries and answers); other members are not looked at.
Result<std::vector<ScoredRow>> scoreTraffic(const Model& model, const std::string& file);

} // namespace sluice::ctl
