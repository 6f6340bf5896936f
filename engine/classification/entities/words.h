#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sluice {

// ASCII only, whatever the program's locale.

inline bool isAsciiDigit(char c)
{
    return c >= '0' && c <= '9';
}

std::string asciiLower(std::string_view text);
std::string asciiUpper(std::string_view text);

/// Runs of letters and runs of digits, lower-cased: "5pm, Friday" -> "5", "pm", "friday".
std::vector<std::string> wordsOf(std::string_view text);

} // namespace sluice
