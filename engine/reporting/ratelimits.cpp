#include "engine/reporting/ratelimits.h"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <optional>

namespace sluice {

namespace {

constexpr std::chrono::seconds defaultLimit{60};
constexpr std::chrono::hours longest{24};

/// Cuts the part before `separator` off.
std::string_view cut(std::string_view& text, char separator)
{
    const auto at = std::min(text.find(separator), text.size());
    std::string_view part = text.substr(0, at);
    text.remove_prefix(std::min(at + 1, text.size()));
    while (part.starts_with(' ')) {
        part.remove_prefix(1);
    }
    while (part.ends_with(' ')) {
        part.remove_suffix(1);
    }
    return part;
}

std::optional<std::chrono::seconds> seconds(std::string_view text)
{
    // Whole seconds; Relay may send a fraction, which is rounded up.
    std::int64_t whole = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), whole);
    if (code != std::errc() || whole < 0) {
        return {};
    }
    const bool fraction = end != text.data() + text.size();
    if (fraction && *end != '.') {
        return {};
    }
    return std::min(std::chrono::seconds(whole + (fraction ? 1 : 0)),
        std::chrono::duration_cast<std::chrono::seconds>(longest));
}

/// Retry-After: seconds, or a date of RFC 9110.
std::optional<RateLimits::Time> retryAfter(const std::string& text, RateLimits::Time now)
{
    if (const auto delay = seconds(text)) {
        return now + *delay;
    }
    std::tm parts{};
    const char* end = ::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    if (end == nullptr || *end != '\0') {
        return {};
    }
    const auto date = std::chrono::system_clock::from_time_t(::timegm(&parts));
    return std::min<RateLimits::Time>(date, now + longest);
}

} // namespace

void RateLimits::note(int status, const Headers& headers, Time now)
{
    const auto header = [&](std::string_view name) -> const std::string* {
        const auto found = std::find_if(
            headers.begin(), headers.end(), [&](const auto& one) { return one.first == name; });
        return found == headers.end() ? nullptr : &found->second;
    };
    if (const std::string* limits = header("x-sentry-rate-limits")) {
        // "60:error;default:organization:reason, 2700::key": seconds:categories:scope:...
        std::string_view rest = *limits;
        while (!rest.empty()) {
            std::string_view quota = cut(rest, ',');
            const auto delay = seconds(cut(quota, ':'));
            std::string_view categories = cut(quota, ':');
            if (!delay) {
                continue;
            }
            do { // none at all means all of them
                limit(cut(categories, ';'), now + *delay);
            } while (!categories.empty());
        }
        return;
    }
    if (status == 429) {
        const std::string* after = header("retry-after");
        const auto until = after == nullptr ? std::nullopt : retryAfter(*after, now);
        limit("", until.value_or(now + defaultLimit));
    }
}

void RateLimits::limit(std::string_view category, Time until)
{
    Time& known = m_until[std::string(category)];
    known = std::max(known, until);
}

RateLimits::Time RateLimits::until(std::string_view category) const
{
    Time last;
    for (const std::string_view name : {category, std::string_view()}) {
        const auto found = m_until.find(name);
        last = found == m_until.end() ? last : std::max(last, found->second);
    }
    return last;
}

} // namespace sluice
