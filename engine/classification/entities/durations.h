#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sluice {

/// A length of time as it was said, by unit.
struct Duration
{
    int years = 0;
    int months = 0;
    int weeks = 0;
    int days = 0;
    int hours = 0;
    int minutes = 0;
    int seconds = 0;
    /// "P", "PT" and unit of "a few days", whose count nobody knows; empty otherwise.
    std::string unknown;

    bool operator==(const Duration&) const = default;
    bool hasTime() const { return hours != 0 || minutes != 0 || seconds != 0; }
};

/// The duration in words ("2 hours and 30 minutes", "an hour and a half", "14-day"); words that
/// are none are passed over.
std::optional<Duration> parseDuration(std::span<const std::string> words);

/// ISO 8601: "3 weeks" -> "P3W", "90 min" -> "PT90M", "a year and a half" -> "P1Y6M"; an unknown
/// count is X as in TIMEX3: "a few days" -> "PXD".
std::optional<std::string> durationValue(std::string_view text);

} // namespace sluice
