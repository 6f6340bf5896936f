#pragma once

#include "engine/classification/evaluation/labelleddata.h"

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace sluice::ctl {

struct LabelledRows
{
    LabelledData data;
    std::vector<LabelledQuery> queries; ///< of the split
};

/// Options of the commands that read labelled queries, and what they name.
struct LabelledInput
{
    std::vector<std::string> data;
    std::string format = "auto";
    std::string split = "test";

    void addTo(CLI::App& app);
    /// Input error also where the split has no row.
    Result<LabelledRows> read() const;
};

} // namespace sluice::ctl
