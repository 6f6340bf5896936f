#include "engine/base/jsontext.h"

#include <array>
#include <charconv>
#include <cmath>

namespace sluice {

namespace {

constexpr std::string_view hexDigits = "0123456789abcdef";

bool isPlain(unsigned char c)
{
    return c >= 0x20 && c != '"' && c != '\\';
}

void appendEscaped(std::string& text, unsigned char c)
{
    constexpr std::string_view named = "\"\"\\\\\bb\ff\nn\rr\tt";
    for (std::size_t index = 0; index < named.size(); index += 2) {
        if (std::uint8_t(named[index]) == c) {
            text += '\\';
            text += named[index + 1];
            return;
        }
    }
    text += "\\u00";
    text += hexDigits[c >> 4U];
    text += hexDigits[c & 15U];
}

void append(std::string& text, std::int64_t value)
{
    std::array<char, 24> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    text.append(digits.data(), end);
}

} // namespace

void appendJson(std::string& text, std::string_view opening, std::string_view value)
{
    text += opening;
    text += '"';
    std::size_t begin = 0;
    for (std::size_t at = 0; at < value.size(); ++at) {
        const auto c = std::uint8_t(value[at]);
        if (!isPlain(c)) {
            text.append(value, begin, at - begin);
            appendEscaped(text, c);
            begin = at + 1;
        }
    }
    text.append(value, begin);
    text += '"';
}

void appendJson(std::string& text, std::string_view opening, std::int64_t value)
{
    text += opening;
    append(text, value);
}

void appendJson(std::string& text, std::string_view opening, double value, int decimals)
{
    static constexpr std::array<std::int64_t, 10> powers{
        1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000};
    const std::int64_t unit = powers[std::size_t(decimals)];
    text += opening;
    const double scaled = std::round(value * double(unit));
    if (!(std::abs(scaled) < 9e18)) {
        std::array<char, 32> digits;
        const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
        text.append(
            std::isfinite(value) ? std::string_view(digits.data(), end) : std::string_view("0"));
        return;
    }
    const auto whole = std::int64_t(scaled);
    if (whole < 0) {
        text += '-';
    }
    const std::int64_t magnitude = whole < 0 ? -whole : whole;
    append(text, magnitude / unit);
    std::int64_t rest = magnitude % unit;
    if (rest == 0) {
        return;
    }
    std::array<char, 9> fraction;
    std::size_t places = 0;
    for (std::int64_t place = unit / 10; rest != 0; place /= 10) {
        fraction[places++] = char('0' + rest / place);
        rest %= place;
    }
    text += '.';
    text.append(fraction.data(), places);
}

} // namespace sluice
