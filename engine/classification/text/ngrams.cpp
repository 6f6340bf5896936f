#include "engine/classification/text/ngrams.h"

#include <array>
#include <cstring>

namespace sluice {

namespace {

constexpr std::size_t shortestGram = 3;
constexpr std::size_t longestGram = 4;

constexpr std::uint64_t k1 = 0xa0761d6478bd642fULL;
constexpr std::uint64_t k2 = 0xe7037ed1a0b428dbULL;

/// A multiply-fold hash over eight bytes at a time (the construction of wyhash, Wang Yi 2019), with
/// a seed a feature group. Part of the model file's format: never change it without a new version.
constexpr std::uint64_t fold(std::uint64_t a, std::uint64_t b)
{
    __extension__ using Wide = unsigned __int128;
    const Wide product = Wide(a) * b;
    return std::uint64_t(product) ^ std::uint64_t(product >> 64);
}

constexpr std::uint64_t beginHash(std::size_t size, std::uint64_t seed)
{
    return seed ^ fold(seed ^ k1, size ^ k2);
}

/// `tail`: the last bytes, fewer than eight, as a number.
constexpr std::uint64_t endHash(std::uint64_t state, std::uint64_t tail, std::size_t size)
{
    return fold(state ^ tail ^ (std::uint64_t(size) << 56), k2);
}

/// Fewer than eight bytes as a little-endian number, without a loop.
std::uint64_t numberOf(const char* data, std::size_t size)
{
    if (size >= 4) {
        std::uint32_t first = 0;
        std::uint32_t last = 0;
        std::memcpy(&first, data, 4);
        std::memcpy(&last, data + size - 4, 4);
        return first | std::uint64_t(last) << (8 * (size - 4));
    }
    const auto byte = [&](std::size_t at) {
        return std::uint64_t(static_cast<unsigned char>(data[at])) << (8 * at);
    };
    return size == 0 ? 0 : byte(0) | byte(size / 2) | byte(size - 1);
}

std::uint64_t hashBytes(const char* data, std::size_t size, std::uint64_t seed)
{
    std::uint64_t state = beginHash(size, seed);
    while (size >= 8) {
        std::uint64_t block = 0;
        std::memcpy(&block, data, 8);
        state = fold(state ^ block, k1);
        data += 8;
        size -= 8;
    }
    return endHash(state, numberOf(data, size), size);
}

constexpr std::uint64_t wordSeed = 0x5157;
constexpr std::uint64_t pairSeed = 0x9a3d;
constexpr std::uint64_t characterSeed = 0xc0de;

bool isContinuation(char c)
{
    return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

enum class Sign : std::uint8_t
{
    Other,
    Word,
    Alone
};

constexpr auto signOfByte = [] {
    std::array<Sign, 256> signs{};
    for (std::size_t c = 0; c < signs.size(); ++c) {
        const bool word =
            c >= 0x80 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        const bool alone = c == '?' || c == '!' || c == '$' || c == '%';
        signs[c] = word ? Sign::Word : alone ? Sign::Alone : Sign::Other;
    }
    return signs;
}();

Sign signOf(char c)
{
    return signOfByte[static_cast<unsigned char>(c)];
}

/// Calls visit(begin, end) with the byte range in `framed` of every character n-gram.
template <typename Visit> void forEachGram(const std::string& framed, Visit visit)
{
    std::size_t starts[512];
    std::size_t count = 0;
    for (std::size_t at = 0; at < framed.size() && count < 511; ++at) {
        if (!isContinuation(framed[at])) {
            starts[count++] = at;
        }
    }
    starts[count] = framed.size();
    for (std::size_t begin = 0; begin < count; ++begin) {
        for (std::size_t length = shortestGram; length <= longestGram && begin + length <= count;
             ++length) {
            visit(starts[begin], starts[begin + length]);
        }
    }
}

/// Appends the character n-grams of a short word of ASCII: each is a number of three or four bytes.
/// False, and nothing done, for another word.
bool appendAsciiGrams(std::string_view word, std::vector<Ngram>& out)
{
    constexpr std::size_t longest = 62;
    constexpr std::uint64_t beginOfThree = beginHash(3, characterSeed);
    constexpr std::uint64_t beginOfFour = beginHash(4, characterSeed);
    if (word.size() > longest) {
        return false;
    }
    char framed[longest + 3] = {'~'}; // one more is read than there is
    char any = 0;
    for (std::size_t at = 0; at < word.size(); ++at) {
        framed[at + 1] = word[at];
        any |= word[at];
    }
    if ((static_cast<unsigned char>(any) & 0x80U) != 0) {
        return false;
    }
    framed[word.size() + 1] = '~';
    for (std::size_t begin = 0; begin < word.size(); ++begin) {
        std::uint32_t four = 0;
        std::memcpy(&four, framed + begin, 4);
        out.push_back({endHash(beginOfThree, four & 0xFFFFFFU, 3), NgramGroup::Character});
        if (begin + 1 < word.size()) {
            out.push_back({endHash(beginOfFour, four, 4), NgramGroup::Character});
        }
    }
    return true;
}

} // namespace

std::uint64_t wordHash(std::string_view word)
{
    return hashBytes(word.data(), word.size(), wordSeed);
}

std::uint64_t namedHash(std::uint64_t kind, std::string_view text)
{
    return hashBytes(text.data(), text.size(), wordSeed + (kind << 32));
}

std::uint64_t pairHash(std::uint64_t first, std::uint64_t second)
{
    return fold(first ^ pairSeed, second + 0x2545F4914F6CDD1DULL);
}

std::vector<std::string_view> tokenise(std::string_view normalised)
{
    std::vector<std::string_view> tokens;
    tokenise(normalised, tokens);
    return tokens;
}

void tokenise(std::string_view normalised, std::vector<std::string_view>& tokens)
{
    tokens.clear();
    for (std::size_t at = 0; at < normalised.size();) {
        const Sign sign = signOf(normalised[at]);
        std::size_t end = at + 1;
        while (sign == Sign::Word && end < normalised.size()
            && signOf(normalised[end]) == Sign::Word) {
            ++end;
        }
        if (sign != Sign::Other) {
            tokens.push_back(normalised.substr(at, end - at));
        }
        at = end;
    }
}

void extractNgrams(const std::vector<std::string_view>& tokens, std::vector<Ngram>& out)
{
    out.clear();
    std::string framed;
    std::uint64_t before = 0;
    for (std::size_t at = 0; at < tokens.size(); ++at) {
        const std::uint64_t word = wordHash(tokens[at]);
        if (at > 0) {
            out.push_back({pairHash(before, word), NgramGroup::Pair});
        }
        out.push_back({word, NgramGroup::Word});
        before = word;
        if (appendAsciiGrams(tokens[at], out)) {
            continue;
        }
        framed.assign(1, '~').append(tokens[at]).push_back('~');
        forEachGram(framed, [&](std::size_t begin, std::size_t end) {
            out.push_back({hashBytes(framed.data() + begin, end - begin, characterSeed),
                NgramGroup::Character});
        });
    }
}

std::vector<NamedNgram> namedNgrams(const std::vector<std::string_view>& tokens)
{
    std::vector<NamedNgram> out;
    for (std::size_t at = 0; at < tokens.size(); ++at) {
        const std::uint64_t word = wordHash(tokens[at]);
        out.push_back({{word, NgramGroup::Word}, std::string(tokens[at])});
        if (at + 1 < tokens.size()) {
            out.push_back({{pairHash(word, wordHash(tokens[at + 1])), NgramGroup::Pair},
                std::string(tokens[at]) + ' ' + std::string(tokens[at + 1])});
        }
        const std::string framed = '~' + std::string(tokens[at]) + '~';
        forEachGram(framed, [&](std::size_t begin, std::size_t end) {
            out.push_back({{hashBytes(framed.data() + begin, end - begin, characterSeed),
                               NgramGroup::Character},
                framed.substr(begin, end - begin)});
        });
    }
    return out;
}

} // namespace sluice
