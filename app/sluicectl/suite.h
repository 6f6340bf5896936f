#pragma once

#include "app/sluicectl/command.h"

#include <string>

namespace sluice::ctl {

struct SuiteArguments
{
    std::string file;
    std::string target; ///< a worker's address; empty: the engine in this program
    std::string catalogue;
    bool forget = false;
};

void addSuiteOptions(CLI::App& app, SuiteArguments& arguments);

/// Runs a suite of test cases; `model` and `thresholds` are files, empty: the bundled ones. 0 when
/// every case passes, 1 when one fails.
int runSuite(const Output& output, const SuiteArguments& arguments, const std::string& model,
    const std::string& thresholds);

} // namespace sluice::ctl
