#pragma once

#include "engine/operations/queries/answersource.h"
#include "engine/operations/queries/testsuite.h"

#include <QString>
#include <functional>
#include <map>

namespace sluice::ops {

struct CaseResult
{
    std::string id;
    std::string query; ///< the judged turn
    std::string why; ///< empty: passed
    Verdict verdict = Verdict::Fallback;
    std::string intent; ///< first candidate
    double confidence = 0;
    bool newlyFailing = false; ///< failed, and passed the last time it ran

    bool passed() const { return why.empty(); }
};

struct SuiteResult
{
    std::vector<CaseResult> cases; ///< in the suite's order
    TargetFacts facts;
    bool hasBaseline = false; ///< there was a run to compare with

    std::size_t failed() const;
    std::size_t newlyFailing() const;
};

/// Passed or failed, by the case's id.
using Baseline = std::map<std::string, bool>;

/// Asks every case in a session of its own. `progress` gets how many are done. Cancelled when
/// `cancel` becomes true; the first error of the target ends it (a query that it refuses is a
/// failed case).
Result<SuiteResult> runSuite(const TestSuite& suite, AnswerSource& source,
    const std::function<void(std::size_t)>& progress = {},
    const std::atomic<bool>* cancel = nullptr);

/// Marks what fails now and passed in `before`.
void compareWith(SuiteResult& result, const Baseline& before);

/// Results of earlier runs, a file for each suite and target, in $SLUICE_DATA_HOME/suites (else
/// $XDG_DATA_HOME/sluice/suites): console and command line share them.
class SuiteMemory
{
public:
    explicit SuiteMemory(const QString& folder = {}); ///< empty: the user's own

    /// nullopt: it has not run there yet.
    std::optional<Baseline> last(const QString& suite, const QString& target) const;
    Result<void> keep(const QString& suite, const QString& target, const SuiteResult& result) const;

private:
    QString fileOf(const QString& suite, const QString& target) const;
    QString m_folder;
};

} // namespace sluice::ops
