#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice {

/// Until when Sentry wants to hear no more, by category ("error", "" is all of them).
class RateLimits
{
public:
    using Time = std::chrono::system_clock::time_point;
    using Headers = std::vector<std::pair<std::string, std::string>>; ///< names in lower case

    /// Takes note of a reply: X-Sentry-Rate-Limits of any, else Retry-After (seconds or a date) of
    /// a 429, else 60 s of a 429. The longer limit stays.
    void note(int status, const Headers& headers, Time now);
    /// The end of the limit on `category`; not after `now` when there is none.
    Time until(std::string_view category) const;
    bool isLimited(std::string_view category, Time now) const { return until(category) > now; }

private:
    void limit(std::string_view category, Time until);

    std::map<std::string, Time, std::less<>> m_until;
};

} // namespace sluice
