#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace sluice {

/// How a match becomes a value; the names stand in the catalogue.
enum class Normaliser
{
    None, ///< "none": as written
    Lower, ///< "lower"
    Upper, ///< "upper"
    Digits, ///< "digits": digits and a leading + alone
    Number, ///< "number": "1,234.50" and "1.234,50" -> "1234.5"
    Amount, ///< "amount": "€20", "20 euros" -> "20.00 EUR"
    Iban, ///< "iban": "at61 1904 ..." -> "AT611904..."; the check digits are not looked at
    Percent, ///< "percent": "15 %" -> "15 %"
    Date, ///< "date": ISO 8601 ("2026-03-12"), relative ones against a given day
    Time, ///< "time": "half past" is not read; "5pm", "17:30" -> "17:30"
};
std::optional<Normaliser> normaliserFromString(std::string_view name);

/// The value of `text` as `normaliser` reads it; the text itself where it can't. `now` is UTC.
std::string normaliseValue(
    Normaliser normaliser, std::string_view text, std::chrono::sys_seconds now);

} // namespace sluice
