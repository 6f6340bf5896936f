#pragma once

#include "app/sluicectl/command.h"
#include "engine/operations/loadtest/comparison.h"
#include "engine/operations/loadtest/loadrun.h"

namespace sluice::ctl {

/// Where a load goes, and what is known about it.
struct LoadTarget
{
    EnvironmentOptions environment;
    std::string target;
    std::string iMean;

    void addTo(CLI::App& app);
    /// Target, Prometheus, versions; refuses what was not meant, Unreachable where nobody answers.
    Result<ops::LoadOptions> options(const Output& output) const;

private:
    const CLI::App* m_app = nullptr;
};

/// Runs to the end, a line (or JSON object) a second; Ctrl+C ends it. The exit code of `conclude`.
int runToItsEnd(const Output& output, const ops::LoadOptions& options, bool untilStdinCloses,
    const std::function<int(const ops::LoadResult&)>& conclude);

void printJson(const QJsonObject& object);
void printVerdict(const Output& output, const ops::LoadResult& result);
void printComparison(const Output& output, const ops::Comparison& comparison);

void addLoadRuns(CLI::App& group, Commands& commands); ///< list, show, compare, baseline, merge
void addLoadCapacity(CLI::App& group, Commands& commands);
void addLoadExport(CLI::App& group, Commands& commands); ///< export (JMeter), report

} // namespace sluice::ctl
