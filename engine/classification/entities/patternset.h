#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <re2/set.h>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// Says which of some dozens of patterns match a text, all at once, by one automaton (RE2::Set):
/// the fastest there is while the automaton stays small. A pattern can blow it up, and RE2 then
/// builds a state a byte; so its time is watched, and it gives up for good before that has cost
/// more than some tenths of a second in all. Who asks has another way (PatternFilter), which
/// misses as little.
class PatternSet
{
public:
    /// Of fewer patterns PatternFilter is as fast, of more the automaton is too large.
    static constexpr std::size_t minPatterns = 16;
    static constexpr std::size_t maxPatterns = 256;
    static constexpr std::size_t maxTextBytes = 512; ///< of a text that is looked at

    PatternSet();

    /// The next pattern; it must compile. False: it is too large.
    bool add(const std::string& pattern, bool caseSensitive);
    /// To be called once, after the last add(). False: they are too large.
    bool finish();

    /// The patterns that match, as numbers in the order of add(), ascending. False: not said.
    bool matching(std::string_view text, std::vector<std::uint32_t>& patterns) const;

private:
    RE2::Set m_set;
    mutable std::atomic<std::int64_t> m_patience; ///< nanoseconds; none left: it has given up
};

} // namespace sluice
