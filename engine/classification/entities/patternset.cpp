#include "engine/classification/entities/patternset.h"

#include <algorithm>
#include <ctime>

namespace sluice {

namespace {

constexpr int setMemory = 32 << 20;
constexpr std::int64_t wholePatience = 100'000'000;
/// One call in so many is timed.
constexpr unsigned sampled = 16;
/// What a call may take that has few states to build, and what one that does gives back, so that
/// states that are built now and then do not add up.
constexpr std::int64_t allowedNanoseconds = 5'000;
constexpr std::int64_t allowedPerByte = 20;
constexpr std::int64_t givenBack = 1'000;

std::int64_t cpuNanoseconds()
{
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::int64_t(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

RE2::Options setOptions()
{
    RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(setMemory);
    return options;
}

} // namespace

PatternSet::PatternSet()
    : m_set(setOptions(), RE2::UNANCHORED)
    , m_patience(wholePatience)
{ }

bool PatternSet::add(const std::string& pattern, bool caseSensitive)
{
    return m_set.Add(caseSensitive ? pattern : "(?i)" + pattern, nullptr) >= 0;
}

bool PatternSet::finish()
{
    return m_set.Compile();
}

bool PatternSet::matching(std::string_view text, std::vector<std::uint32_t>& patterns) const
{
    const std::int64_t patience = m_patience.load(std::memory_order_relaxed);
    if (patience <= 0 || text.size() > maxTextBytes) {
        return false;
    }
    thread_local std::vector<int> found;
    thread_local unsigned calls = 0;
    const bool timed = ++calls % sampled == 0;
    const std::int64_t begin = timed ? cpuNanoseconds() : 0;
    RE2::Set::ErrorInfo error{RE2::Set::kNoError};
    const bool any = m_set.Match(re2::StringPiece(text.data(), text.size()), &found, &error);
    if (timed) {
        const std::int64_t over = cpuNanoseconds() - begin - allowedNanoseconds
            - allowedPerByte * std::int64_t(text.size());
        m_patience.store(over > 0 ? patience - over * std::int64_t(sampled)
                                  : std::min(patience + givenBack, wholePatience),
            std::memory_order_relaxed);
    }
    if (!any && error.kind != RE2::Set::kNoError) {
        return false;
    }
    patterns.assign(found.begin(), found.end());
    std::sort(patterns.begin(), patterns.end());
    return true;
}

} // namespace sluice
