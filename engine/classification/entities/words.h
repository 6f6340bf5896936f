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

/// A byte of UTF-8 that begins no character.
inline bool isContinuation(char c)
{
    return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

std::string asciiLower(std::string_view text);
std::string asciiUpper(std::string_view text);

/// Runs of letters and runs of digits, lower-cased: "5pm, Friday" -> "5", "pm", "friday".
std::vector<std::string> wordsOf(std::string_view text);

bool hasWord(const std::vector<std::string>& words, std::string_view word);

} // namespace sluice
