#include "engine/classification/entities/values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <vector>

namespace sluice {

namespace {

using namespace std::chrono;

// ASCII only, whatever the program's locale.
std::string lower(std::string_view text)
{
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(),
        [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
    return out;
}

std::string upper(std::string_view text)
{
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(),
        [](char c) { return c >= 'a' && c <= 'z' ? char(c - 'a' + 'A') : c; });
    return out;
}

bool isDigit(char c)
{
    return c >= '0' && c <= '9';
}

/// Runs of letters and runs of digits, lower-cased.
std::vector<std::string> words(std::string_view text)
{
    std::vector<std::string> out;
    for (const char raw : lower(text)) {
        const bool digit = isDigit(raw);
        const bool letter = raw >= 'a' && raw <= 'z';
        if (!digit && !letter) {
            out.emplace_back();
        } else if (out.empty() || out.back().empty() || isDigit(out.back().front()) != digit) {
            if (!out.empty() && out.back().empty()) {
                out.back().push_back(raw);
            } else {
                out.emplace_back(1, raw);
            }
        } else {
            out.back() += raw;
        }
    }
    std::erase_if(out, [](const std::string& word) { return word.empty(); });
    return out;
}

/// The number in a text. The last mark is the decimal one, but groups of three after marks that are
/// alike are thousands: "1,000", "1.000.000"; "0.125" is none.
std::optional<double> number(std::string_view text)
{
    std::string digits;
    std::string marks;
    std::size_t lastMark = 0;
    for (const char c : text) {
        if (isDigit(c)) {
            digits += c;
        } else if ((c == '.' || c == ',') && !digits.empty()) {
            lastMark = digits.size();
            marks += c;
        }
    }
    if (digits.empty()) {
        return std::nullopt;
    }
    const bool alike = marks.find_first_not_of(marks.substr(0, 1)) == std::string::npos;
    const bool thousands = alike && digits.size() - lastMark == 3 && digits.front() != '0';
    if (!marks.empty() && !thousands && (marks.size() == 1 || !alike)) {
        digits.insert(digits.begin() + std::ptrdiff_t(lastMark), '.');
    }
    double value = 0;
    const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (code != std::errc()) {
        return std::nullopt;
    }
    return value;
}

std::string amount(std::string_view text)
{
    struct Currency
    {
        std::string_view sign;
        std::string_view code;
    };
    static constexpr Currency currencies[] = {{"€", "EUR"}, {"eur", "EUR"}, {"£", "GBP"},
        {"gbp", "GBP"}, {"pound", "GBP"}, {"quid", "GBP"}, {"chf", "CHF"}, {"franc", "CHF"},
        {"$", "USD"}, {"usd", "USD"}, {"dollar", "USD"}, {"buck", "USD"}};
    const auto value = number(text);
    if (!value) {
        return std::string(text);
    }
    const std::string small = lower(text);
    for (const Currency& currency : currencies) {
        if (small.find(currency.sign) != std::string::npos) {
            return fmt::format("{:.2f} {}", *value, currency.code);
        }
    }
    return fmt::format("{:.2f}", *value);
}

int monthOf(std::string_view word)
{
    static constexpr std::string_view names[] = {
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"};
    for (int index = 0; index < 12; ++index) {
        if (word.substr(0, 3) == names[index]) {
            return index + 1;
        }
    }
    return 0;
}

int weekdayOf(std::string_view word)
{
    static constexpr std::string_view names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
    for (int index = 0; index < 7; ++index) {
        if (word.size() >= 6 && word.substr(0, 3) == names[index] && word.ends_with("day")) {
            return index;
        }
    }
    return -1;
}

std::string iso(sys_days day)
{
    const year_month_day date(day);
    return fmt::format(
        "{:04}-{:02}-{:02}", int(date.year()), unsigned(date.month()), unsigned(date.day()));
}

std::optional<sys_days> dayOf(int y, int m, int d)
{
    if (y < 1 || y > 9999 || m < 1 || m > 12 || d < 1 || d > 31) {
        return std::nullopt; // chrono keeps a byte of each
    }
    const year_month_day date{year{y}, month{unsigned(m)}, std::chrono::day{unsigned(d)}};
    return date.ok() ? std::optional<sys_days>(sys_days(date)) : std::nullopt;
}

std::optional<sys_days> relativeDay(const std::vector<std::string>& parts, sys_days today)
{
    const auto has = [&](std::string_view word) {
        return std::find(parts.begin(), parts.end(), word) != parts.end();
    };
    if (has("today") || has("tonight")) {
        return today;
    }
    if (has("yesterday")) {
        return today - days(has("before") ? 2 : 1);
    }
    if (has("tomorrow")) {
        return today + days(has("after") ? 2 : 1);
    }
    for (const std::string& part : parts) {
        const int wanted = weekdayOf(part);
        if (wanted < 0) {
            continue;
        }
        const int here = int(weekday(today).c_encoding());
        const int ahead = (wanted - here + 7) % 7;
        if (has("last")) {
            return today - days(ahead == 0 ? 7 : 7 - ahead);
        }
        return today
            + days(ahead == 0 && has("next") ? 7
                                             : ahead); // the coming one; today counts unless "next"
    }
    return std::nullopt;
}

/// The latest such date that is at most 90 days ahead: customers speak of what was more than of
/// what will be.
std::optional<sys_days> likelyYear(int m, int d, sys_days today)
{
    const int thisYear = int(year_month_day(today).year());
    for (int y = thisYear + 1; y >= thisYear - 1; --y) {
        const auto candidate = dayOf(y, m, d);
        if (candidate && *candidate <= today + days(90)) {
            return candidate;
        }
    }
    return dayOf(thisYear - 2, m, d); // 29 February, perhaps
}

std::string date(std::string_view text, sys_seconds now)
{
    const sys_days today = floor<days>(now);
    const auto parts = words(text);
    if (const auto relative = relativeDay(parts, today)) {
        return iso(*relative);
    }
    std::vector<int> numbers;
    int namedMonth = 0;
    for (const std::string& part : parts) {
        if (isDigit(part.front())) {
            numbers.push_back(part.size() < 9 ? std::stoi(part) : 0);
        } else if (namedMonth == 0) {
            namedMonth = monthOf(part);
        }
    }
    std::optional<sys_days> found;
    if (namedMonth > 0 && numbers.size() == 1) {
        found = likelyYear(namedMonth, numbers[0], today);
    } else if (namedMonth > 0 && numbers.size() >= 2) {
        found = dayOf(numbers[1], namedMonth, numbers[0]);
    } else if (numbers.size() >= 3 && numbers[0] > 31) {
        found = dayOf(numbers[0], numbers[1], numbers[2]);
    } else if (numbers.size() >= 3) {
        const int y = numbers[2] < 100 ? 2000 + numbers[2] : numbers[2];
        // Day first, as most of the world writes it; month first where only that is a date.
        found =
            numbers[1] > 12 ? dayOf(y, numbers[0], numbers[1]) : dayOf(y, numbers[1], numbers[0]);
    } else if (numbers.size() == 2) {
        found = likelyYear(numbers[1], numbers[0], today);
    }
    return found ? iso(*found) : std::string(text);
}

std::string timeOfDay(std::string_view text)
{
    const auto parts = words(text);
    int hour = -1;
    int minute = 0;
    int numbers = 0;
    bool pm = false;
    bool am = false;
    for (const std::string& part : parts) {
        if (isDigit(part.front()) && part.size() <= 2) {
            if (numbers < 2) {
                (numbers == 0 ? hour : minute) = std::stoi(part);
            }
            ++numbers; // seconds are passed over
        } else {
            pm = pm || part.starts_with("p");
            am = am || part == "am" || part == "a";
        }
    }
    if (parts.size() == 1 && parts[0] == "noon") {
        hour = 12;
    }
    if (parts.size() == 1 && parts[0] == "midnight") {
        hour = 0;
    }
    hour = pm && hour < 12 ? hour + 12 : am && hour == 12 ? 0 : hour;
    if (hour < 0 || hour > 23 || minute > 59) {
        return std::string(text);
    }
    return fmt::format("{:02}:{:02}", hour, minute);
}

} // namespace

std::optional<Normaliser> normaliserFromString(std::string_view name)
{
    static constexpr std::pair<std::string_view, Normaliser> names[] = {{"none", Normaliser::None},
        {"lower", Normaliser::Lower}, {"upper", Normaliser::Upper}, {"digits", Normaliser::Digits},
        {"number", Normaliser::Number}, {"amount", Normaliser::Amount},
        {"percent", Normaliser::Percent}, {"iban", Normaliser::Iban}, {"date", Normaliser::Date},
        {"time", Normaliser::Time}};
    for (const auto& [known, normaliser] : names) {
        if (name == known) {
            return normaliser;
        }
    }
    return std::nullopt;
}

std::string normaliseValue(
    Normaliser normaliser, std::string_view text, std::chrono::sys_seconds now)
{
    switch (normaliser) {
    case Normaliser::Lower:
        return lower(text);
    case Normaliser::Upper:
        return upper(text);
    case Normaliser::Digits: {
        std::string out;
        for (const char c : text) {
            if (isDigit(c) || (c == '+' && out.empty())) {
                out += c;
            }
        }
        return out;
    }
    case Normaliser::Number: {
        const auto value = number(text);
        return value ? fmt::format("{}", *value) : std::string(text);
    }
    case Normaliser::Percent: {
        const auto value = number(text);
        return value ? fmt::format("{} %", *value) : std::string(text);
    }
    case Normaliser::Iban: {
        std::string out = upper(text);
        std::erase(out, ' ');
        return out;
    }
    case Normaliser::Amount:
        return amount(text);
    case Normaliser::Date:
        return date(text, now);
    case Normaliser::Time:
        return timeOfDay(text);
    case Normaliser::None:
        break;
    }
    return std::string(text);
}

} // namespace sluice
