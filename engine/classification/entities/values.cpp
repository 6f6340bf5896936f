#include "engine/classification/entities/values.h"

#include "engine/classification/entities/dates.h"
#include "engine/classification/entities/durations.h"
#include "engine/classification/entities/numbers.h"
#include "engine/classification/entities/times.h"
#include "engine/classification/entities/words.h"

namespace sluice {

namespace {

constexpr std::pair<std::string_view, Normaliser> names[] = {{"none", Normaliser::None},
    {"lower", Normaliser::Lower}, {"upper", Normaliser::Upper}, {"digits", Normaliser::Digits},
    {"number", Normaliser::Number}, {"amount", Normaliser::Amount},
    {"percent", Normaliser::Percent}, {"iban", Normaliser::Iban}, {"url", Normaliser::Url},
    {"date", Normaliser::Date}, {"time", Normaliser::Time}, {"datetime", Normaliser::DateTime},
    {"duration", Normaliser::Duration}};

std::string digits(std::string_view text)
{
    std::string out;
    for (const char c : text) {
        if (isAsciiDigit(c) || (c == '+' && out.empty())) {
            out += c;
        }
    }
    return out;
}

std::string url(std::string_view text)
{
    const auto scheme = text.find("://");
    std::string out =
        scheme == std::string_view::npos ? "https://" + std::string(text) : std::string(text);
    const auto host = out.find("://") + 3;
    const auto path = std::min(out.find_first_of("/?#", host), out.size());
    return asciiLower(std::string_view(out).substr(0, path)) + out.substr(path);
}

} // namespace

std::optional<Normaliser> normaliserFromString(std::string_view name)
{
    for (const auto& [known, normaliser] : names) {
        if (name == known) {
            return normaliser;
        }
    }
    return std::nullopt;
}

std::string normaliserNames()
{
    std::string all;
    for (const auto& [name, normaliser] : names) {
        all += all.empty() ? "" : ", ";
        all += name;
    }
    return all;
}

std::optional<std::string> normaliseValue(
    Normaliser normaliser, std::string_view text, const Moment& now)
{
    switch (normaliser) {
    case Normaliser::Lower:
        return asciiLower(text);
    case Normaliser::Upper:
        return asciiUpper(text);
    case Normaliser::Digits:
        return digits(text);
    case Normaliser::Number:
        return numberValue(text);
    case Normaliser::Percent:
        return percentValue(text);
    case Normaliser::Iban: {
        std::string out = asciiUpper(text);
        std::erase(out, ' ');
        return out;
    }
    case Normaliser::Url:
        return url(text);
    case Normaliser::Amount:
        return amountValue(text);
    case Normaliser::Date:
        return dateValue(text, now);
    case Normaliser::Time:
        return timeValue(text);
    case Normaliser::DateTime:
        return dateTimeValue(text, now);
    case Normaliser::Duration:
        return durationValue(text);
    case Normaliser::None:
        break;
    }
    return std::string(text);
}

} // namespace sluice
