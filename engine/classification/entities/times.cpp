#include "engine/classification/entities/times.h"

#include "engine/classification/entities/numbers.h"
#include "engine/classification/entities/words.h"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <span>
#include <vector>

namespace sluice {

namespace {

using Words = std::vector<std::string>;

struct TimeOfDay
{
    int hour = -1;
    int minute = 0;
};

/// "half past five", "quarter to nine", "ten past nine".
std::optional<TimeOfDay> spokenTime(const Words& words)
{
    for (std::size_t at = 1; at < words.size(); ++at) {
        const bool past = words[at] == "past" || words[at] == "after";
        if (!past && words[at] != "to" && words[at] != "till") {
            continue;
        }
        const auto all = std::span<const std::string>(words);
        const auto hour = parseNumber(all.subspan(at + 1));
        const auto minutesSaid = parseNumber(all.first(at));
        const int minutes = words[at - 1] == "half" ? 30
            : words[at - 1] == "quarter"            ? 15
            : minutesSaid                           ? int(minutesSaid->value)
                                                    : -1;
        if (!hour || hour->value < 0 || hour->value > 24 || minutes < 0 || minutes > 59) {
            return std::nullopt;
        }
        const int whole = int(hour->value);
        return past ? TimeOfDay{whole, minutes}
                    : TimeOfDay{whole == 0 ? 23 : whole - 1, (60 - minutes) % 60};
    }
    return std::nullopt;
}

std::optional<TimeOfDay> clockTime(const Words& words)
{
    TimeOfDay time;
    int numbers = 0;
    for (std::size_t at = 0; at < words.size(); ++at) {
        if (isAsciiDigit(words[at].front())) {
            if (words[at].size() > 2) {
                return std::nullopt;
            }
            if (numbers < 2) { // seconds are passed over
                (numbers == 0 ? time.hour : time.minute) = std::atoi(words[at].c_str());
            }
            ++numbers;
        } else if (const auto spoken = words[at] == "a"
                       ? std::nullopt
                       : parseNumber(std::span<const std::string>(words).subspan(at));
                   spoken && numbers == 0 && spoken->value < 24) {
            time.hour = int(spoken->value);
            ++numbers;
        }
    }
    return time.hour < 0 ? std::nullopt : std::optional<TimeOfDay>(time);
}

} // namespace

std::optional<std::string> timeValue(std::string_view text)
{
    const Words words = wordsOf(text);
    std::optional<TimeOfDay> time;
    if (hasWord(words, "noon") || hasWord(words, "midday")) {
        time = TimeOfDay{12, 0};
    } else if (hasWord(words, "midnight")) {
        time = TimeOfDay{0, 0};
    } else if (time = spokenTime(words); !time) {
        time = clockTime(words);
    }
    if (!time) {
        return std::nullopt;
    }
    const auto said = [&](std::initializer_list<std::string_view> wanted) {
        return std::any_of(words.begin(), words.end(), [&](const std::string& word) {
            return std::find(wanted.begin(), wanted.end(), word) != wanted.end();
        });
    };
    if (said({"pm", "p", "afternoon", "evening", "night"}) && time->hour < 12) {
        time->hour += 12;
    } else if (said({"am", "a", "morning"}) && time->hour == 12) {
        time->hour = 0;
    }
    if (time->hour > 23 || time->minute > 59) {
        return std::nullopt;
    }
    return fmt::format("{:02}:{:02}", time->hour, time->minute);
}

} // namespace sluice
