#include "engine/classification/entities/dates.h"

#include "engine/classification/entities/durations.h"
#include "engine/classification/entities/times.h"
#include "engine/classification/entities/words.h"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <vector>

namespace sluice {

namespace {

using namespace std::chrono;

constexpr days likelyAhead{90};
constexpr int firstYear = 1900; ///< of the years that may stand alone
constexpr int lastYear = 2199;

using Words = std::vector<std::string>;

int monthOf(std::string_view word)
{
    static constexpr std::string_view names[] = {"january", "february", "march", "april", "may",
        "june", "july", "august", "september", "october", "november", "december"};
    for (int index = 0; index < 12; ++index) {
        if (word.size() >= 3 && (names[index].starts_with(word) || word == "sept")
            && word.substr(0, 3) == names[index].substr(0, 3)) {
            return index + 1;
        }
    }
    return 0;
}

std::optional<weekday> weekdayOf(std::string_view word)
{
    static constexpr std::string_view names[] = {
        "sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"};
    for (unsigned index = 0; index < 7; ++index) {
        if (word == names[index]
            || (word.size() >= 3 && word.size() <= 5 && names[index].starts_with(word))) {
            return weekday(index);
        }
    }
    return std::nullopt;
}

std::optional<weekday> weekdayIn(const Words& words)
{
    for (const std::string& word : words) {
        if (const auto day = weekdayOf(word)) {
            return day;
        }
    }
    return std::nullopt;
}

std::string iso(local_days day)
{
    const year_month_day date(day);
    return fmt::format(
        "{:04}-{:02}-{:02}", int(date.year()), unsigned(date.month()), unsigned(date.day()));
}

std::string iso(local_seconds time)
{
    const auto day = floor<days>(time);
    const hh_mm_ss clock(time - day);
    return fmt::format("{}T{:02}:{:02}", iso(day), clock.hours().count(), clock.minutes().count());
}

/// ISO 8601 week; the week of a year's first Thursday is its first.
std::string isoWeek(local_days day)
{
    const weekday here(day);
    const local_days thursday = day + days(4 - int(here.iso_encoding()));
    const year_month_day date(thursday);
    const local_days firstOfYear(date.year() / January / 1);
    return fmt::format("{:04}-W{:02}", int(date.year()), (thursday - firstOfYear).count() / 7 + 1);
}

std::optional<local_days> dayOf(int y, int m, int d)
{
    if (y < 1 || y > 9999 || m < 1 || m > 12 || d < 1 || d > 31) {
        return std::nullopt; // chrono keeps a byte of each
    }
    const year_month_day date{year{y}, month{unsigned(m)}, day{unsigned(d)}};
    return date.ok() ? std::optional<local_days>(local_days(date)) : std::nullopt;
}

/// The latest such date that is at most 90 days ahead.
std::optional<local_days> likelyYear(int m, int d, local_days today)
{
    const int thisYear = int(year_month_day(today).year());
    for (int y = thisYear + 1; y >= thisYear - 1; --y) {
        const auto candidate = dayOf(y, m, d);
        if (candidate && *candidate <= today + likelyAhead) {
            return candidate;
        }
    }
    return dayOf(thisYear - 2, m, d); // 29 February, perhaps
}

/// Easter Sunday (Meeus, Jones, Butcher: Gregorian, any year).
local_days easterOf(int y)
{
    const int a = y % 19;
    const int b = y / 100;
    const int c = y % 100;
    const int h = (19 * a + b - b / 4 - (b - (b + 8) / 25 + 1) / 3 + 15) % 30;
    const int l = (32 + 2 * (b % 4) + 2 * (c / 4) - h - c % 4) % 7;
    const int m = (a + 11 * h + 22 * l) / 451;
    const int n = h + l - 7 * m + 114;
    return local_days(year(y) / (n / 31) / (n % 31 + 1));
}

/// "Easter", "Easter Monday", "Easter Friday": of the year that is likely.
std::optional<std::string> easterDate(const Words& words, local_days today)
{
    if (!hasWord(words, "easter")) {
        return std::nullopt;
    }
    const days away(hasWord(words, "monday") ? 1 : hasWord(words, "friday") ? -2 : 0);
    int y = int(year_month_day(today).year()) + 1;
    while (easterOf(y) + away > today + likelyAhead) {
        --y;
    }
    return iso(easterOf(y) + away);
}

/// `date` moved by months; the last of the month where it has no such day.
local_days plusMonths(local_days date, int count)
{
    const year_month_day from(date);
    const year_month_day moved = from + months(count);
    return moved.ok() ? local_days(moved) : local_days(moved.year() / moved.month() / last);
}

/// "last" -1, "next" 1, "this" and neither 0.
int direction(const Words& words)
{
    return hasWord(words, "last") ? -1 : hasWord(words, "next") ? 1 : 0;
}

std::optional<std::string> namedDay(const Words& words, local_days today)
{
    if (hasWord(words, "yesterday")) {
        return iso(today - days(hasWord(words, "before") ? 2 : 1));
    }
    if (hasWord(words, "tomorrow")) {
        return iso(today + days(hasWord(words, "after") ? 2 : 1));
    }
    if (hasWord(words, "last") && hasWord(words, "night")) {
        return iso(today - days(1));
    }
    const auto partOfDay = {"morning", "afternoon", "evening"};
    const bool thisPart = hasWord(words, "this")
        && std::any_of(partOfDay.begin(), partOfDay.end(),
            [&](const char* part) { return hasWord(words, part); });
    if (thisPart || hasWord(words, "today") || hasWord(words, "tonight")) {
        return iso(today);
    }
    return std::nullopt;
}

/// "in 3 days", "2 hours ago".
std::optional<std::string> awayFrom(const Words& words, const Moment& now)
{
    const int sign = hasWord(words, "ago")               ? -1
        : hasWord(words, "in") || hasWord(words, "from") ? 1
                                                         : 0;
    const auto duration =
        sign == 0 ? std::nullopt : parseDuration(std::span<const std::string>(words));
    if (!duration || !duration->unknown.empty()) {
        return std::nullopt;
    }
    const auto away =
        hours(duration->hours) + minutes(duration->minutes) + seconds(duration->seconds);
    const local_seconds then = now.zone.toLocal(now.utc + sign * away);
    const int monthsAway = duration->years * 12 + duration->months;
    if (monthsAway > 12'000 || duration->weeks > 52'000 || duration->days > 365'000) {
        return std::nullopt; // years have four digits
    }
    const local_days base = floor<days>(then);
    const local_days day = plusMonths(base, sign * monthsAway)
        + sign * (days(duration->weeks * 7) + days(duration->days));
    return duration->hasTime() ? iso(day + (then - base)) : iso(day);
}

std::optional<std::string> weekdayDate(const Words& words, local_days today)
{
    const auto wanted = weekdayIn(words);
    if (!wanted) {
        return std::nullopt;
    }
    const days ahead = *wanted - weekday(today);
    switch (direction(words)) {
    case -1:
        return iso(today + ahead - days(7));
    case 1:
        return iso(today + (ahead == days(0) ? days(7) : ahead));
    default:
        return iso(today + ahead);
    }
}

/// "next week", "this weekend", "last year".
std::optional<std::string> namedPeriod(const Words& words, local_days today)
{
    const int step = direction(words);
    if (hasWord(words, "week")) {
        return isoWeek(today + days(7 * step));
    }
    if (hasWord(words, "weekend")) {
        return isoWeek(today + days(7 * step)) + "-WE";
    }
    const year_month_day date(today);
    if (hasWord(words, "month")) {
        const year_month month = date.year() / date.month() + months(step);
        return fmt::format("{:04}-{:02}", int(month.year()), unsigned(month.month()));
    }
    if (hasWord(words, "year")) {
        return fmt::format("{:04}", int(date.year()) + step);
    }
    return std::nullopt;
}

/// A month alone: "March", "last January".
std::optional<std::string> monthAlone(int month, const Words& words, local_days today)
{
    const year_month_day date(today);
    const int here = int(unsigned(date.month()));
    int y = int(date.year());
    switch (direction(words)) {
    case -1:
        y -= month >= here ? 1 : 0;
        break;
    case 1:
        y += month <= here ? 1 : 0;
        break;
    default:
        y = int(year_month_day(*likelyYear(month, 1, today)).year());
    }
    return fmt::format("{:04}-{:02}", y, month);
}

/// "The 13th": of this month or one beside it, whichever is nearest; the later of two.
std::optional<local_days> nearestDay(int d, local_days today)
{
    const year_month_day date(today);
    std::optional<local_days> best;
    for (int step = -1; step <= 1; ++step) {
        const year_month month = date.year() / date.month() + months(step);
        const auto candidate = dayOf(int(month.year()), int(unsigned(month.month())), d);
        if (candidate && (!best || abs(*candidate - today) <= abs(*best - today))) {
            best = candidate;
        }
    }
    return best;
}

/// A date in figures, perhaps with a month's name.
std::optional<std::string> calendarDate(const Words& words, local_days today)
{
    std::vector<int> numbers;
    int month = 0;
    for (const std::string& word : words) {
        if (isAsciiDigit(word.front())) {
            numbers.push_back(word.size() < 9 ? std::atoi(word.c_str()) : 0);
        } else if (month == 0) {
            month = monthOf(word);
        }
    }
    const auto yearOf = [](int number) { return number < 100 ? 2000 + number : number; };
    const auto isYear = [](int number) { return number >= firstYear && number <= lastYear; };
    std::optional<local_days> found;
    if (month > 0 && numbers.empty()) {
        return monthAlone(month, words, today);
    }
    if (month > 0 && numbers.size() == 1 && isYear(numbers[0])) {
        return fmt::format("{:04}-{:02}", numbers[0], month);
    }
    if (month > 0 && numbers.size() == 1) {
        found = likelyYear(month, numbers[0], today);
    } else if (month > 0 && numbers.size() >= 2) {
        found = dayOf(yearOf(numbers[1]), month, numbers[0]);
    } else if (numbers.size() >= 3 && numbers[0] > 31) {
        found = dayOf(numbers[0], numbers[1], numbers[2]);
    } else if (numbers.size() >= 3) {
        const int y = yearOf(numbers[2]);
        // Day first, as most of the world writes it; month first where only that is a date.
        found =
            numbers[1] > 12 ? dayOf(y, numbers[0], numbers[1]) : dayOf(y, numbers[1], numbers[0]);
    } else if (numbers.size() == 2) {
        found = likelyYear(numbers[1], numbers[0], today);
    } else if (numbers.size() == 1 && isYear(numbers[0])) {
        return fmt::format("{}", numbers[0]);
    } else if (numbers.size() == 1) {
        found = nearestDay(numbers[0], today);
    }
    return found ? std::optional<std::string>(iso(*found)) : std::nullopt;
}

} // namespace

std::optional<std::string> dateValue(std::string_view text, const Moment& now)
{
    const local_days today = floor<days>(now.local());
    const Words words = wordsOf(text);
    if (auto named = namedDay(words, today)) {
        return named;
    }
    if (auto away = awayFrom(words, now)) {
        return away;
    }
    if (auto easter = easterDate(words, today)) {
        return easter;
    }
    const bool figures = std::any_of(words.begin(), words.end(),
        [](const std::string& word) { return isAsciiDigit(word.front()); });
    if (!figures) {
        if (auto day = weekdayDate(words, today)) {
            return day;
        }
        if (auto period = namedPeriod(words, today)) {
            return period;
        }
    }
    return calendarDate(words, today);
}

std::optional<std::string> dateTimeValue(std::string_view text, const Moment& now)
{
    if (auto away = awayFrom(wordsOf(text), now)) {
        return away;
    }
    const auto t = text.find_first_of("Tt ");
    if (t == std::string_view::npos) {
        return std::nullopt;
    }
    const auto date = dateValue(text.substr(0, t), now);
    const auto time = timeValue(text.substr(t + 1));
    return date && time ? std::optional<std::string>(*date + "T" + *time) : std::nullopt;
}

} // namespace sluice
