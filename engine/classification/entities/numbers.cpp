#include "engine/classification/entities/numbers.h"

#include "engine/classification/entities/words.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <vector>

namespace sluice {

namespace {

std::optional<double> toDouble(const std::string& digits)
{
    double value = 0;
    const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return code == std::errc() ? std::optional<double>(value) : std::nullopt;
}

/// The number in figures; nothing where there are none.
std::optional<double> figures(std::string_view text)
{
    std::string digits;
    std::string marks;
    std::size_t lastMark = 0;
    for (const char c : text) {
        if (isAsciiDigit(c)) {
            digits += c;
        } else if ((c == '.' || c == ',') && !digits.empty()) {
            lastMark = digits.size();
            marks += c;
        }
    }
    if (digits.empty()) {
        return std::nullopt;
    }
    const bool alike = marks.find_first_not_of(marks.substr(0, 1)) == std::string::npos;
    const bool thousands = alike && digits.size() - lastMark == 3 && digits.front() != '0';
    if (!marks.empty() && !thousands && (marks.size() == 1 || !alike)) {
        digits.insert(digits.begin() + std::ptrdiff_t(lastMark), '.');
    }
    return toDouble(digits);
}

struct Numeral
{
    std::string_view word;
    int value;
};

constexpr Numeral small[] = {{"zero", 0}, {"a", 1}, {"an", 1}, {"one", 1}, {"two", 2}, {"three", 3},
    {"four", 4}, {"five", 5}, {"six", 6}, {"seven", 7}, {"eight", 8}, {"nine", 9}, {"ten", 10},
    {"eleven", 11}, {"twelve", 12}, {"thirteen", 13}, {"fourteen", 14}, {"fifteen", 15},
    {"sixteen", 16}, {"seventeen", 17}, {"eighteen", 18}, {"nineteen", 19}, {"twenty", 20},
    {"thirty", 30}, {"forty", 40}, {"fifty", 50}, {"sixty", 60}, {"seventy", 70}, {"eighty", 80},
    {"ninety", 90}};
constexpr Numeral large[] = {{"dozen", 12}, {"hundred", 100}, {"thousand", 1000}};

std::optional<int> valueIn(std::span<const Numeral> numerals, std::string_view word)
{
    const auto found = std::find_if(numerals.begin(), numerals.end(),
        [&](const Numeral& numeral) { return numeral.word == word; });
    return found == numerals.end() ? std::nullopt : std::optional<int>(found->value);
}

std::optional<WordNumber> inWords(std::span<const std::string> words)
{
    double thousands = 0;
    double current = 0;
    std::size_t taken = 0;
    for (std::size_t at = 0; at < words.size(); ++at) {
        const std::string& word = words[at];
        if (const auto value = valueIn(small, word)) {
            // "twenty five", but neither "five five" nor "two a".
            const auto tens = int(current) % 100;
            const bool joins = taken == 0 || tens == 0 || (tens >= 20 && tens % 10 == 0);
            if (!joins || (taken > 0 && (*value == 0 || word == "a" || word == "an"))
                || (tens > 0 && *value >= 10)) {
                break;
            }
            current += *value;
        } else if (const auto factor = valueIn(large, word)) {
            if (*factor == 1000) {
                thousands += std::max(current, 1.0) * 1000;
                current = 0;
            } else {
                current = std::max(current, 1.0) * *factor;
            }
        } else if (word == "and" && taken > 0 && valueIn(large, words[at - 1])) {
            continue; // counts only when a number follows
        } else {
            break;
        }
        taken = at + 1;
    }
    return taken == 0 ? std::nullopt
                      : std::optional<WordNumber>(WordNumber{thousands + current, taken});
}

} // namespace

std::optional<WordNumber> parseNumber(std::span<const std::string> words)
{
    if (!words.empty() && isAsciiDigit(words.front().front())) {
        const auto value = toDouble(words.front());
        return value ? std::optional<WordNumber>(WordNumber{*value, 1}) : std::nullopt;
    }
    return inWords(words);
}

std::optional<double> parseNumber(std::string_view text)
{
    if (const auto value = figures(text)) {
        return value;
    }
    const auto words = wordsOf(text);
    const auto number = inWords(words);
    return number ? std::optional<double>(number->value) : std::nullopt;
}

std::optional<std::string> numberValue(std::string_view text)
{
    const auto value = parseNumber(text);
    return value ? std::optional<std::string>(fmt::format("{}", *value)) : std::nullopt;
}

std::optional<std::string> percentValue(std::string_view text)
{
    const auto value = parseNumber(text);
    return value ? std::optional<std::string>(fmt::format("{} %", *value)) : std::nullopt;
}

std::optional<std::string> amountValue(std::string_view text)
{
    struct Currency
    {
        std::string_view sign;
        std::string_view code;
    };
    static constexpr Currency currencies[] = {{"€", "EUR"}, {"eur", "EUR"}, {"£", "GBP"},
        {"gbp", "GBP"}, {"pound", "GBP"}, {"quid", "GBP"}, {"chf", "CHF"}, {"franc", "CHF"},
        {"$", "USD"}, {"usd", "USD"}, {"dollar", "USD"}, {"buck", "USD"}};
    const auto value = parseNumber(text);
    if (!value) {
        return std::nullopt;
    }
    const std::string lower = asciiLower(text);
    for (const Currency& currency : currencies) {
        if (lower.find(currency.sign) != std::string::npos) {
            return fmt::format("{:.2f} {}", *value, currency.code);
        }
    }
    return fmt::format("{:.2f}", *value);
}

} // namespace sluice
