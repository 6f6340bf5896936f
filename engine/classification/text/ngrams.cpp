#include "engine/classification/text/ngrams.h"

#include <cstring>

namespace sluice {

namespace {

constexpr std::size_t shortestGram = 3;
constexpr std::size_t longestGram = 4;

/// A multiply-fold hash over eight bytes at a time (the construction of wyhash, Wang Yi 2019), with
/// a seed a feature group. Part of the model file's format: never change it without a new version.
std::uint64_t fold(std::uint64_t a, std::uint64_t b)
{
    __extension__ using Wide = unsigned __int128;
    const Wide product = Wide(a) * b;
    return std::uint64_t(product) ^ std::uint64_t(product >> 64);
}

std::uint64_t hashBytes(const char* data, std::size_t size, std::uint64_t seed)
{
    constexpr std::uint64_t k1 = 0xa0761d6478bd642fULL;
    constexpr std::uint64_t k2 = 0xe7037ed1a0b428dbULL;
    std::uint64_t state = seed ^ fold(seed ^ k1, size ^ k2);
    while (size >= 8) {
        std::uint64_t block = 0;
        std::memcpy(&block, data, 8);
        state = fold(state ^ block, k1);
        data += 8;
        size -= 8;
    }
    std::uint64_t tail = 0;
    std::memcpy(&tail, data, size);
    return fold(state ^ tail ^ (std::uint64_t(size) << 56), k2);
}

constexpr std::uint64_t wordSeed = 0x5157;
constexpr std::uint64_t pairSeed = 0x9a3d;
constexpr std::uint64_t characterSeed = 0xc0de;

bool isContinuation(char c)
{
    return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

bool isWordByte(unsigned char c)
{
    return c >= 0x80 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool isSign(unsigned char c)
{
    return c == '?' || c == '!' || c == '$' || c == '%';
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
    std::size_t at = 0;
    while (at < normalised.size()) {
        const auto c = static_cast<unsigned char>(normalised[at]);
        if (isSign(c)) {
            tokens.push_back(normalised.substr(at++, 1));
            continue;
        }
        std::size_t end = at;
        while (end < normalised.size() && isWordByte(static_cast<unsigned char>(normalised[end]))) {
            ++end;
        }
        if (end > at) {
            tokens.push_back(normalised.substr(at, end - at));
            at = end;
        } else {
            ++at;
        }
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
