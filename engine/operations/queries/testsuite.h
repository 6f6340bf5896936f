#pragma once

#include "engine/base/result.h"
#include "engine/classification/classifier.h"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::ops {

/// What a test case asks of the answer. What is not said is not looked at.
struct Expectation
{
    std::optional<Verdict> verdict;
    /// With verdict accept or none: accepted as this ("oos": not accepted). With clarify or
    /// fallback: the first candidate.
    std::string intent;
    std::vector<std::pair<std::string, std::string>> entities; ///< type and value, each to be there

    bool operator==(const Expectation&) const = default;
};

/// A conversation, perhaps of one turn, whose last turn is judged.
struct TestCase
{
    std::string id; ///< given, or made of the turns: the same turns have the same name
    std::vector<Query> turns; ///< at least one
    Expectation expected;
    std::string note;
    std::string author;
    std::string at; ///< when it was saved, RFC 3339
    int line = 0; ///< of its file, from 1

    const Query& query() const { return turns.back(); }
    /// One line of a suite, without the end of the line (docs/FORMATS.md).
    std::string toJson() const;
};

/// The name that a case without one of its own has: 12 hexadecimal digits.
std::string caseIdOf(const std::vector<Query>& turns);

/// Test cases in a file of one JSON object a line, which a team can keep beside its code.
struct TestSuite
{
    std::vector<TestCase> cases;

    /// Input error with line and reason; two cases of the same id are one.
    static Result<TestSuite> fromJsonl(std::string_view text, std::string_view where);
    static Result<TestSuite> read(const std::filesystem::path& file);
};

/// Puts a case into the file (made where missing): in place of the one with the same turns, else at
/// its end. Whether it took another one's place.
Result<bool> saveCase(const std::filesystem::path& file, const TestCase& added);

/// Empty: the answer is as expected; else what differs: "refund_status expected, clarify
/// return_item 0.41 given".
std::string mismatch(const Expectation& expected, const Answer& answer);

} // namespace sluice::ops
