#pragma once

#include "engine/classification/entities/literalscanner.h"

#include <cstdint>
#include <re2/re2.h>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sluice {

/// Says which of many patterns may occur in a text. What literals a pattern cannot do without is
/// RE2's own analysis (FilteredRE2); asked with every sort of literals missing, it gives clauses
/// ("one of jan, feb, ...", "one of 0 to 9"), all of which must be met. A pattern is looked up by
/// its rarest clause, so that the patterns of which a text holds nothing cost nothing.
class PatternFilter
{
public:
    /// A pattern's analysis takes steps in the square of its literals; when all are spent (some
    /// seconds) the patterns that follow are looked up by any of their literals.
    static constexpr std::size_t analysisSteps = 50'000'000;

    explicit PatternFilter(std::size_t steps = analysisSteps)
        : m_steps(steps)
    { }

    /// The next pattern; it must compile.
    void add(std::string_view pattern, const RE2::Options& options);
    void finish();

    /// The patterns that may occur, as numbers in the order of add(), ascending; none is missed.
    /// `text` is valid UTF-8.
    void candidates(std::string_view text, std::vector<std::uint32_t>& patterns) const;

private:
    using Clause = std::vector<std::uint32_t>; ///< literals, one of which must be there

    std::uint32_t literal(std::string_view atom);

    std::size_t m_steps; ///< left for analysis

    std::vector<std::vector<Clause>> m_patterns; ///< the clauses of each but its first
    std::vector<std::uint32_t> m_always; ///< patterns that need no literal
    std::vector<std::vector<std::uint32_t>> m_ofLiteral; ///< patterns whose first clause has it
    std::vector<std::string> m_literals;
    std::unordered_map<std::string, std::uint32_t> m_numbers;
    LiteralScanner m_scanner;
};

} // namespace sluice
