#pragma once

#include "engine/classification/entities/zone.h"

#include <optional>
#include <string>
#include <string_view>

namespace sluice {

/// The date in a text, in ISO 8601 where there is a form for it:
/// - a day "2026-03-12", a week "2026-W11", a weekend "2026-W11-WE" (TIMEX3), a month "2026-03",
///   a year "2026".
/// - "in 3 days", "two weeks ago": the day; with hours or minutes "2026-03-12T13:00".
/// - A weekday is the coming one, today included; with "next" today not included; with "last" the
///   one before today. Months and years go with "last", "this" and "next" likewise.
/// - A date without a year is the latest one at most 90 days ahead: customers speak of what was
///   more than of what will be. "The 13th" is the nearest one.
/// - "12/03/2026" is day first, unless only month first is a date.
/// Nothing where the text is no date.
std::optional<std::string> dateValue(std::string_view text, const Moment& now);

/// A date and a time in one text, as ISO 8601 ("2026-03-12T17:30", local), or a moment so many
/// hours or minutes away.
std::optional<std::string> dateTimeValue(std::string_view text, const Moment& now);

} // namespace sluice
