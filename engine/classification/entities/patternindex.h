#pragma once

#include "engine/base/result.h"
#include "engine/classification/entities/patternfilter.h"
#include "engine/classification/entities/patternset.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <re2/re2.h>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// The patterns of a catalogue: refuses wrong ones, finds what the others match. A pattern can't
/// slow a query down: RE2 is linear, its programs are bounded, and so is what one text may ask for.
class PatternIndex
{
public:
    /// What a pattern found. `begin` and `end` are bytes: of the group "span" where the pattern has
    /// one. `value` is the group "value", or else of the span, or else the first group.
    struct Hit
    {
        std::size_t begin = 0;
        std::size_t end = 0;
        std::uint32_t id = 0; ///< as given to add()
        std::string_view value;
    };

    static constexpr std::size_t maxPatterns = 10'000;
    static constexpr std::size_t maxPatternBytes = 4096;
    static constexpr std::size_t maxAllBytes = std::size_t(4) << 20;
    static constexpr int maxProgram = 4000; ///< instructions of RE2
    static constexpr int maxMatches = 256; ///< of one pattern in one text

    /// Input error that begins with `where` and says what is wrong at which character, and what to
    /// do.
    Result<void> add(
        const std::string& pattern, bool caseSensitive, std::uint32_t id, const std::string& where);
    /// To be called once, after the last add().
    void finish();

    void find(std::string_view text, std::vector<Hit>& hits) const;
    std::size_t size() const { return m_patterns.size(); }

private:
    struct Pattern
    {
        std::unique_ptr<RE2> expression;
        std::uint32_t id = 0;
        int spanGroup = 0;
        int valueGroup = 0;
    };

    static void find(
        const Pattern& pattern, std::string_view text, std::int64_t& steps, std::vector<Hit>& hits);

    std::vector<Pattern> m_patterns;
    std::unique_ptr<PatternSet> m_set; ///< null where the filter does better
    PatternFilter m_filter;
    std::size_t m_bytes = 0;
};

} // namespace sluice
