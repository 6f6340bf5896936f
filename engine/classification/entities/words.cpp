#include "engine/classification/entities/words.h"

#include <algorithm>

namespace sluice {

std::string asciiLower(std::string_view text)
{
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(),
        [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
    return out;
}

std::string asciiUpper(std::string_view text)
{
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(),
        [](char c) { return c >= 'a' && c <= 'z' ? char(c - 'a' + 'A') : c; });
    return out;
}

std::vector<std::string> wordsOf(std::string_view text)
{
    enum class Kind
    {
        Other,
        Digit,
        Letter
    };
    std::vector<std::string> out;
    Kind last = Kind::Other;
    for (const char c : asciiLower(text)) {
        const Kind kind = isAsciiDigit(c) ? Kind::Digit
            : c >= 'a' && c <= 'z'        ? Kind::Letter
                                          : Kind::Other;
        if (kind != Kind::Other) {
            if (kind != last) {
                out.emplace_back();
            }
            out.back() += c;
        }
        last = kind;
    }
    return out;
}

bool hasWord(const std::vector<std::string>& words, std::string_view word)
{
    return std::find(words.begin(), words.end(), word) != words.end();
}

} // namespace sluice
