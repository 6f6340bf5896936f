#include "engine/classification/entities/durations.h"

#include "engine/classification/entities/numbers.h"
#include "engine/classification/entities/words.h"

#include <algorithm>
#include <fmt/format.h>

namespace sluice {

namespace {

constexpr double maxCount = 100'000; ///< more is no length of time that a customer speaks of

struct Unit
{
    std::string_view name; ///< singular; the plural has an s
    int Duration::*field;
    int factor;
    int half; ///< what half of one adds to halfField
    int Duration::*halfField;
    std::string_view unknown; ///< of an unknown count
};

constexpr Unit units[] = {{"second", &Duration::seconds, 1, 0, nullptr, "PTXS"},
    {"sec", &Duration::seconds, 1, 0, nullptr, "PTXS"},
    {"minute", &Duration::minutes, 1, 30, &Duration::seconds, "PTXM"},
    {"min", &Duration::minutes, 1, 30, &Duration::seconds, "PTXM"},
    {"hour", &Duration::hours, 1, 30, &Duration::minutes, "PTXH"},
    {"hr", &Duration::hours, 1, 30, &Duration::minutes, "PTXH"},
    {"h", &Duration::hours, 1, 30, &Duration::minutes, "PTXH"},
    {"day", &Duration::days, 1, 12, &Duration::hours, "PXD"},
    {"week", &Duration::weeks, 1, 0, nullptr, "PXW"},
    {"fortnight", &Duration::weeks, 2, 1, &Duration::weeks, "PXW"},
    {"month", &Duration::months, 1, 15, &Duration::days, "PXM"},
    {"year", &Duration::years, 1, 6, &Duration::months, "PXY"}};

const Unit* unitOf(std::string_view word)
{
    for (const Unit& unit : units) {
        if (word == unit.name
            || (word.size() == unit.name.size() + 1 && word.starts_with(unit.name)
                && word.ends_with('s'))) {
            return &unit;
        }
    }
    return nullptr;
}

void addHalf(Duration& duration, const Unit& unit)
{
    if (unit.halfField != nullptr) {
        duration.*unit.halfField += unit.half;
    }
}

std::string isoOf(const Duration& duration)
{
    if (!duration.unknown.empty()) {
        return duration.unknown;
    }
    const auto part = [](int count, char unit) {
        return count == 0 ? std::string() : fmt::format("{}{}", count, unit);
    };
    const std::string time =
        part(duration.hours, 'H') + part(duration.minutes, 'M') + part(duration.seconds, 'S');
    std::string date = part(duration.years, 'Y') + part(duration.months, 'M');
    // Weeks stand alone or are days.
    if (date.empty() && time.empty() && duration.days == 0) {
        date = part(duration.weeks, 'W');
    } else {
        date += part(duration.weeks * 7 + duration.days, 'D');
    }
    return "P" + date + (time.empty() ? "" : "T" + time);
}

} // namespace

std::optional<Duration> parseDuration(std::span<const std::string> words)
{
    Duration duration;
    const Unit* last = nullptr;
    double count = 1;
    bool unknown = false;
    bool half = false;
    for (std::size_t at = 0; at < words.size(); ++at) {
        const std::string& word = words[at];
        if (const Unit* unit = unitOf(word)) {
            last = unit;
            if (unknown) {
                duration.unknown = unit->unknown;
            } else if (half) {
                addHalf(duration, *unit);
            } else {
                if (count > maxCount) {
                    return std::nullopt;
                }
                duration.*unit->field += int(count) * unit->factor;
            }
            count = 1;
            unknown = half = false;
        } else if (word == "couple") {
            count = 2;
        } else if (word == "few" || word == "several") {
            unknown = true;
        } else if (word == "half") {
            // "an hour and a half" or "half an hour".
            if (last != nullptr) {
                addHalf(duration, *last);
            } else {
                half = true;
            }
        } else if (const auto number = parseNumber(words.subspan(at))) {
            count = number->value;
            at += number->words - 1;
        }
    }
    return duration == Duration() ? std::nullopt : std::optional<Duration>(duration);
}

std::optional<std::string> durationValue(std::string_view text)
{
    const auto words = wordsOf(text);
    const auto duration = parseDuration(words);
    return duration ? std::optional<std::string>(isoOf(*duration)) : std::nullopt;
}

} // namespace sluice
