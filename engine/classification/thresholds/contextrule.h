#pragma once

#include "engine/base/result.h"

#include <boost/json/object.hpp>
#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// What must hold for a context rule to apply.
enum class Condition
{
    FollowUp, ///< there were turns before in this session
    Sensitive, ///< the first candidate is one of the rule's intents
    RepeatedFailure, ///< so many turns just before ended in clarify or fallback
    TimeOfDay ///< the clock in a zone stands between two times
};
/// "follow_up", "sensitive", "repeated_failure", "time_of_day"; they name the parts of a threshold.
std::string_view toString(Condition condition);

/// One adjustment of the threshold by context: while its condition holds, `add` is added.
struct ContextRule
{
    static constexpr int minutesADay = 24 * 60;

    Condition when = Condition::FollowUp;
    double add = 0.0; ///< -1..1; above 0 is stricter
    std::set<std::string> intents; ///< for these first candidates alone; empty: for all (Sensitive
                                   ///< names some)
    int failures = 1; ///< RepeatedFailure: from so many on, 1..1000
    int from = 0; ///< TimeOfDay: minute of the day, 0..1439
    int to = 0; ///< TimeOfDay: the minute it ends before; at or below `from`: on the next day
    std::string zone; ///< TimeOfDay: IANA name or "+02:00"; empty: UTC

    bool operator==(const ContextRule&) const = default;

    /// Input error naming the member that is wrong; members of other conditions are errors.
    static Result<ContextRule> fromJson(const boost::json::value& value, const std::string& where);
    boost::json::object toJson() const;
    /// The condition alone, as JSON text: two rules of one key say the same of different amounts.
    std::string key() const;
    bool holdsAt(int minuteOfDay) const; ///< TimeOfDay

private:
    boost::json::object condition() const; ///< all but the amount
};

/// A time zone's offsets from UTC, read once (ICU's zone data, 2000 to 2100), so that asking for
/// the local minute is a search in a short list.
class ZoneClock
{
public:
    /// `zone` as in ContextRule. Input error for a name that ICU does not know.
    static Result<ZoneClock> open(std::string_view zone);
    int secondOfDay(std::chrono::sys_seconds at) const; ///< local, 0..86399
    int minuteOfDay(std::chrono::sys_seconds at) const { return secondOfDay(at) / 60; }
    /// When the offset from UTC changes next after `at`; the end of time where it does not.
    std::chrono::sys_seconds nextChange(std::chrono::sys_seconds at) const;

private:
    struct Change
    {
        std::int64_t from; ///< Unix seconds
        std::int64_t offset; ///< seconds east of UTC
    };
    std::vector<Change>::const_iterator after(std::chrono::sys_seconds at) const;

    std::vector<Change> m_changes; ///< by `from`; the first holds for all time before, too
};

} // namespace sluice
