#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sluice {

/// The number in a text, in figures or English words. In figures the last mark is the decimal one,
/// but groups of three after marks that are alike are thousands: "1,000", "1.000.000"; "0.125" is
/// none. Words go up to the hundred thousands: "two hundred and fifty", "a dozen".
std::optional<double> parseNumber(std::string_view text);

/// The number that the words begin with, in figures or in English words ("a" and "an" are 1), and
/// how many of the words it takes.
struct WordNumber
{
    double value = 0;
    std::size_t words = 0;
};
std::optional<WordNumber> parseNumber(std::span<const std::string> words);

std::optional<std::string> numberValue(std::string_view text); ///< "1.234,50" -> "1234.5"
std::optional<std::string> percentValue(std::string_view text); ///< "15%" -> "15 %"
/// "€20", "twenty euros" -> "20.00 EUR"; "59.99" -> "59.99". The currency is its ISO 4217 code.
std::optional<std::string> amountValue(std::string_view text);

} // namespace sluice
