#include "engine/classification/text/ngrams.h"

#include "engine/classification/text/utf8.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <unicode/uchar.h>

namespace sluice {

namespace {

enum class Kind : std::uint8_t
{
    Separator,
    Letter,
    Alone
};

constexpr std::array<Kind, 128> asciiKinds = [] {
    std::array<Kind, 128> kinds{};
    for (std::size_t c = 0; c < kinds.size(); ++c) {
        const bool letter =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        const bool alone = c == '?' || c == '!' || c == '$' || c == '%';
        kinds[c] = letter ? Kind::Letter : alone ? Kind::Alone : Kind::Separator;
    }
    return kinds;
}();

Kind kindOf(UChar32 codePoint)
{
    if (codePoint < 0) {
        return Kind::Separator;
    }
    constexpr std::uint32_t letters = U_GC_L_MASK | U_GC_N_MASK | U_GC_M_MASK;
    const std::uint32_t category = U_GET_GC_MASK(codePoint);
    if ((category & letters) != 0) {
        return Kind::Letter;
    }
    return (category & U_GC_SC_MASK) != 0 ? Kind::Alone : Kind::Separator;
}

void findTokens(std::string_view text, std::vector<std::string_view>& tokens)
{
    tokens.clear();
    constexpr std::size_t none = std::size_t(-1);
    std::size_t begin = none;
    const auto flush = [&](std::size_t end) {
        if (begin != none) {
            tokens.push_back(text.substr(begin, end - begin));
            begin = none;
        }
    };
    std::size_t at = 0;
    while (at < text.size()) {
        Kind kind = Kind::Separator;
        std::size_t used = 1;
        if (const auto byte = std::uint8_t(text[at]); byte < 0x80U) {
            kind = asciiKinds[byte];
        } else {
            const DecodedCodePoint next = decodeUtf8(text, at);
            kind = kindOf(next.value);
            used = next.length;
        }
        if (kind == Kind::Letter) {
            begin = begin == none ? at : begin;
        } else {
            flush(at);
            if (kind == Kind::Alone) {
                tokens.push_back(text.substr(at, used));
            }
        }
        at += used;
    }
    flush(text.size());
}

constexpr std::uint64_t wordSeed = 0x9E3779B97F4A7C15U;
constexpr std::uint64_t pairSeed = 0xC2B2AE3D27D4EB4FU;
constexpr std::uint64_t characterSeed = 0x165667B19E3779F9U;

std::uint64_t mix(std::uint64_t value)
{
    // The finaliser of SplitMix64: a bijection that spreads every bit.
    value ^= value >> 30U;
    value *= 0xBF58476D1CE4E5B9U;
    value ^= value >> 27U;
    value *= 0x94D049BB133111EBU;
    return value ^ (value >> 31U);
}

/// Bytes in the order of their addresses as a little-endian number, whatever the machine.
std::uint64_t little(const char* bytes, std::size_t count)
{
    std::uint64_t value = 0;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    std::memcpy(&value, bytes, count);
#else
    for (std::size_t i = 0; i < count; ++i) {
        value |= std::uint64_t(std::uint8_t(bytes[i])) << (8 * i);
    }
#endif
    return value;
}

std::uint64_t hashBytes(std::string_view bytes, std::uint64_t seed)
{
    std::uint64_t hash = seed ^ (bytes.size() * 0x9FB21C651E98DF25U);
    std::size_t at = 0;
    for (; at + 8 < bytes.size(); at += 8) {
        hash = mix(hash ^ little(bytes.data() + at, 8));
    }
    return mix(hash ^ little(bytes.data() + at, bytes.size() - at));
}

} // namespace

std::vector<std::string_view> tokenise(std::string_view normalised)
{
    std::vector<std::string_view> tokens;
    findTokens(normalised, tokens);
    return tokens;
}

void NgramCutter::cut(std::string_view normalised, const NgramSettings& settings)
{
    findTokens(normalised, m_tokens);
    m_ngrams.clear();
    std::uint64_t before = 0;
    for (std::uint32_t token = 0; token < m_tokens.size(); ++token) {
        const std::uint64_t word = hashBytes(m_tokens[token], wordSeed);
        m_ngrams.push_back({word, NgramGroup::Word, 1, token, 0, 0});
        if (token > 0) {
            m_ngrams.push_back(
                {mix(mix(before ^ pairSeed) + word), NgramGroup::Word, 2, token - 1, 0, 0});
        }
        before = word;
        addCharacters(token, settings);
    }
}

void NgramCutter::addCharacters(std::uint32_t token, const NgramSettings& settings)
{
    m_padded.assign(1, ' ');
    m_padded.append(m_tokens[token]);
    m_padded.push_back(' ');
    m_starts.clear();
    for (std::uint32_t at = 0; at < m_padded.size(); ++at) {
        if ((std::uint8_t(m_padded[at]) & 0xC0U) != 0x80U) {
            m_starts.push_back(at);
        }
    }
    const auto count = std::uint32_t(m_starts.size());
    m_starts.push_back(std::uint32_t(m_padded.size()));
    const std::string_view padded = m_padded;
    for (std::uint32_t length = settings.shortest; length <= settings.longest; ++length) {
        for (std::uint32_t first = 0; first + length <= count; ++first) {
            const std::uint32_t begin = m_starts[first];
            const std::uint32_t end = m_starts[first + length];
            m_ngrams.push_back({hashBytes(padded.substr(begin, end - begin), characterSeed),
                NgramGroup::Character, std::uint8_t(length), token, begin, end});
        }
    }
}

std::string NgramCutter::spelling(const Ngram& ngram) const
{
    std::string text(m_tokens[ngram.token]);
    if (ngram.group == NgramGroup::Word) {
        return ngram.length == 1 ? text : text + ' ' + std::string(m_tokens[ngram.token + 1]);
    }
    const std::size_t padded = text.size() + 2;
    text = '~' + text + '~';
    return text.substr(ngram.begin, std::min<std::size_t>(ngram.end, padded) - ngram.begin);
}

} // namespace sluice
