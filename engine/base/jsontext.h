#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice {

// Writing JSON piece by piece, without a document in between. `opening` goes in front as it is:
//
//     appendJson(text, R"({"intent":)", intent);
//     appendJson(text, R"(,"turn":)", turn);

/// A string, quoted. Valid UTF-8 is for the caller.
void appendJson(std::string& text, std::string_view opening, std::string_view value);
void appendJson(std::string& text, std::string_view opening, std::int64_t value);
/// A number rounded to `decimals` (0 to 9) places, as a decimal fraction without trailing zeros: a
/// float's last digits are noise to a person. 0 where it is not finite.
void appendJson(std::string& text, std::string_view opening, double value, int decimals);

} // namespace sluice
