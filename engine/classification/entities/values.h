#pragma once

#include "engine/classification/entities/zone.h"

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
    Number, ///< "number": "1,234.50", "1.234,50" -> "1234.5"; "twelve" -> "12"
    Amount, ///< "amount": "€20", "twenty euros" -> "20.00 EUR"
    Percent, ///< "percent": "15 percent" -> "15 %"
    Iban, ///< "iban": "at61 1904 ..." -> "AT611904..."; the check digits are not looked at
    Url, ///< "url": scheme (https where there is none) and host in lower case
    Date, ///< "date": see dateValue()
    Time, ///< "time": see timeValue()
    DateTime, ///< "datetime": see dateTimeValue()
    Duration, ///< "duration": see durationValue()
};
std::optional<Normaliser> normaliserFromString(std::string_view name);
/// Every name, for messages: "none, lower, ...".
std::string normaliserNames();

/// The value of `text` as `normaliser` reads it; nothing where the text is none such ("50/50" is
/// no date).
std::optional<std::string> normaliseValue(
    Normaliser normaliser, std::string_view text, const Moment& now);

} // namespace sluice
