#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sluice {

/// "5pm", "half past five", "8 in the morning" -> "17:00", "05:30", "08:00"; without am, pm or a
/// part of the day the hour is as it was said. Seconds are passed over.
std::optional<std::string> timeValue(std::string_view text);

} // namespace sluice
