#include "engine/classification/thresholds/contextrule.h"

#include "engine/base/json.h"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>
#include <memory>
#include <unicode/basictz.h>
#include <unicode/timezone.h>
#include <unicode/tztrans.h>
#include <unicode/unistr.h>

namespace sluice {

namespace json = boost::json;

namespace {

constexpr std::array conditions{
    Condition::FollowUp, Condition::Sensitive, Condition::RepeatedFailure, Condition::TimeOfDay};

/// "22:05" as the minute of the day; -1 for what is no time.
int minuteOf(std::string_view text)
{
    const auto digit = [&](std::size_t at) { return text[at] >= '0' && text[at] <= '9'; };
    if (text.size() != 5 || text[2] != ':' || !digit(0) || !digit(1) || !digit(3) || !digit(4)) {
        return -1;
    }
    const int hour = (text[0] - '0') * 10 + (text[1] - '0');
    const int minute = (text[3] - '0') * 10 + (text[4] - '0');
    return hour < 24 && minute < 60 ? hour * 60 + minute : -1;
}

std::string timeText(int minute)
{
    return fmt::format("{:02}:{:02}", minute / 60, minute % 60);
}

int readTime(JsonReader& in, std::string_view key)
{
    const int minute = minuteOf(in.string(key));
    if (minute < 0) {
        in.fail(key, "a time of day such as \"22:00\" is expected");
    }
    return std::max(minute, 0);
}

} // namespace

std::string_view toString(Condition condition)
{
    switch (condition) {
    case Condition::Sensitive:
        return "sensitive";
    case Condition::RepeatedFailure:
        return "repeated_failure";
    case Condition::TimeOfDay:
        return "time_of_day";
    case Condition::FollowUp:
        break;
    }
    return "follow_up";
}

Result<ContextRule> ContextRule::fromJson(const json::value& value, const std::string& where)
{
    ContextRule rule;
    JsonReader in(value, where);
    const std::string when = in.string("when");
    const auto* named = std::find_if(conditions.begin(), conditions.end(),
        [&](Condition condition) { return toString(condition) == when; });
    if (named == conditions.end()) {
        in.fail("when", "follow_up, sensitive, repeated_failure or time_of_day is expected");
        return in.finish().error();
    }
    rule.when = *named;
    rule.add = in.number("add", -1.0, 1.0);
    for (std::string& intent : in.optionalStrings("intents")) {
        rule.intents.insert(std::move(intent));
    }
    if (rule.when == Condition::Sensitive && rule.intents.empty()) {
        in.fail("intents", "name the intents that are sensitive");
    }
    if (rule.when == Condition::RepeatedFailure) {
        rule.failures = int(in.integer("failures", 1, 1000));
    }
    if (rule.when == Condition::TimeOfDay) {
        rule.from = readTime(in, "from");
        rule.to = readTime(in, "to");
        rule.zone = in.optionalString("zone").value_or("");
        if (auto clock = ZoneClock::open(rule.zone); !clock) {
            in.fail("zone", clock.error().message);
        }
    }
    if (auto done = in.finish(); !done) {
        return done.error();
    }
    return rule;
}

json::object ContextRule::condition() const
{
    json::object object{{"when", toString(when)}};
    if (!intents.empty()) {
        object["intents"] = json::array(intents.begin(), intents.end());
    }
    if (when == Condition::RepeatedFailure) {
        object["failures"] = failures;
    }
    if (when == Condition::TimeOfDay) {
        object["from"] = timeText(from);
        object["to"] = timeText(to);
        object["zone"] = zone;
    }
    return object;
}

json::object ContextRule::toJson() const
{
    json::object object = condition();
    object["add"] = add;
    return object;
}

std::string ContextRule::key() const
{
    return json::serialize(condition());
}

bool ContextRule::holdsAt(int minuteOfDay) const
{
    return from < to ? from <= minuteOfDay && minuteOfDay < to
                     : from <= minuteOfDay || minuteOfDay < to;
}

Result<ZoneClock> ZoneClock::open(std::string_view zone)
{
    constexpr double firstYear = 946684800e3; // 2000-01-01, in ICU's milliseconds
    constexpr double lastYear = 4102444800e3; // 2100-01-01
    std::string name(zone.empty() ? "UTC" : zone);
    const bool fixed = name[0] == '+' || name[0] == '-';
    const auto unknown = [&] {
        return inputError(fmt::format(
            "there is no time zone \"{}\": an IANA name such as Europe/Berlin, or an offset such "
            "as +02:00 is expected",
            zone));
    };
    if (fixed && minuteOf(std::string_view(name).substr(1)) < 0) {
        return unknown();
    }
    const std::unique_ptr<icu::TimeZone> found(
        icu::TimeZone::createTimeZone(icu::UnicodeString::fromUTF8(fixed ? "GMT" + name : name)));
    const auto* rules = dynamic_cast<const icu::BasicTimeZone*>(found.get());
    icu::UnicodeString id;
    if (rules == nullptr || found->getID(id) == icu::UnicodeString("Etc/Unknown")) {
        return unknown();
    }
    ZoneClock clock;
    std::int32_t raw = 0;
    std::int32_t daylight = 0;
    UErrorCode status = U_ZERO_ERROR;
    rules->getOffset(firstYear, 0, raw, daylight, status);
    clock.m_changes.push_back({std::int64_t(firstYear / 1000), (raw + daylight) / 1000});
    icu::TimeZoneTransition change;
    double at = firstYear;
    while (rules->getNextTransition(at, 0, change) != 0 && change.getTime() < lastYear) {
        at = change.getTime();
        const icu::TimeZoneRule* next = change.getTo();
        clock.m_changes.push_back(
            {std::int64_t(at / 1000), (next->getRawOffset() + next->getDSTSavings()) / 1000});
    }
    return clock;
}

std::vector<ZoneClock::Change>::const_iterator ZoneClock::after(std::chrono::sys_seconds at) const
{
    return std::upper_bound(m_changes.begin() + 1, m_changes.end(), at.time_since_epoch().count(),
        [](std::int64_t time, const Change& change) { return time < change.from; });
}

int ZoneClock::secondOfDay(std::chrono::sys_seconds at) const
{
    constexpr std::int64_t day = 86400;
    const std::int64_t local =
        (at.time_since_epoch().count() % day + std::prev(after(at))->offset) % day;
    return int(local < 0 ? local + day : local);
}

std::chrono::sys_seconds ZoneClock::nextChange(std::chrono::sys_seconds at) const
{
    const auto next = after(at);
    return next == m_changes.end() ? std::chrono::sys_seconds::max()
                                   : std::chrono::sys_seconds(std::chrono::seconds(next->from));
}

} // namespace sluice
