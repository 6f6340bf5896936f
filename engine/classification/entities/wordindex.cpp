#include "engine/classification/entities/wordindex.h"

#include "engine/classification/text/normaliser.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

namespace sluice {

namespace {

constexpr std::uint64_t seed = 0x9E3779B97F4A7C15;

std::uint64_t mix(std::uint64_t hash, std::uint64_t value)
{
    hash = (hash ^ value) * 0xFF51AFD7ED558CCD;
    return hash ^ (hash >> 32U);
}

enum class Sign : std::uint8_t
{
    Word,
    Blank,
    Other,
    NotAscii
};

constexpr auto signOfByte = [] {
    std::array<Sign, 256> signs{};
    for (std::size_t c = 0; c < 256; ++c) {
        const bool word =
            (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
        signs[c] = c >= 0x80        ? Sign::NotAscii
            : word                  ? Sign::Word
            : c <= ' ' || c == 0x7F ? Sign::Blank
                                    : Sign::Other;
    }
    return signs;
}();

Sign kindOf(UChar32 c)
{
    constexpr std::uint32_t word = U_GC_L_MASK | U_GC_M_MASK | U_GC_N_MASK;
    return c < 0                         ? Sign::Other
        : (U_GET_GC_MASK(c) & word) != 0 ? Sign::Word
        : u_isUWhiteSpace(c) != 0        ? Sign::Blank
                                         : Sign::Other;
}

/// Fewer than eight bytes as a number.
std::uint64_t numberOf(const char* data, std::size_t size)
{
    std::uint64_t number = 0;
    for (std::size_t at = 0; at < size; ++at) {
        number |= std::uint64_t(static_cast<unsigned char>(data[at])) << (8 * at);
    }
    return number;
}

/// Eight bytes at a time; `folding` takes ASCII letters as small ones (and a few signs for others:
/// what is found is compared anyway).
std::uint64_t hashOf(std::string_view bytes, bool folding)
{
    const std::uint64_t caseBits = folding ? 0x2020202020202020 : 0;
    std::uint64_t hash = mix(seed, bytes.size());
    for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
        std::uint64_t chunk = 0;
        std::memcpy(&chunk, bytes.data(), sizeof chunk);
        hash = mix(hash, chunk | caseBits);
    }
    return bytes.empty() ? hash : mix(hash, numberOf(bytes.data(), bytes.size()) | caseBits);
}

std::uint64_t extend(std::uint64_t phrase, const Token& token)
{
    const std::uint64_t hash = mix(phrase + (token.blankBefore ? 1 : 0), token.hash);
    return hash == 0 ? 1 : hash;
}

std::uint64_t begin(const Token& token)
{
    const std::uint64_t hash = mix(seed, token.hash);
    return hash == 0 ? 1 : hash;
}

} // namespace

std::string WordIndex::folded(std::string_view token) const
{
    return m_folding ? normalise(token) : std::string(token);
}

void WordIndex::tokenise(std::string_view text, std::vector<Token>& tokens) const
{
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
    const auto length = std::int32_t(text.size());
    bool blank = false;
    for (std::int32_t at = 0; at < length;) {
        const std::int32_t first = at;
        bool ascii = true;
        const auto next = [&] {
            const Sign sign = signOfByte[bytes[at]];
            if (sign != Sign::NotAscii) {
                ++at;
                return sign;
            }
            UChar32 c = 0;
            U8_NEXT(bytes, at, length, c);
            ascii = false;
            return kindOf(c);
        };
        const Sign kind = next();
        if (kind == Sign::Blank) {
            blank = true;
            continue;
        }
        while (kind == Sign::Word && at < length) {
            const std::int32_t from = at;
            const bool before = ascii;
            if (next() != Sign::Word) {
                at = from;
                ascii = before;
                break;
            }
        }
        const auto token = text.substr(std::size_t(first), std::size_t(at - first));
        const std::uint64_t hash =
            ascii ? hashOf(token, m_folding) : hashOf(folded(token), m_folding);
        tokens.push_back({std::size_t(first), std::size_t(at), hash, kind == Sign::Word,
            std::exchange(blank, false)});
    }
}

std::string WordIndex::phraseOf(std::string_view text, const Token* first, const Token* last) const
{
    std::string out;
    for (const Token* token = first; token <= last; ++token) {
        if (token != first && token->blankBefore) {
            out += ' ';
        }
        out += folded(text.substr(token->begin, token->end - token->begin));
    }
    return out;
}

void WordIndex::grow()
{
    std::vector<Slot> old = std::exchange(m_slots, {});
    m_slots.resize(std::max<std::size_t>(64, old.size() * 2));
    for (const Slot& slot : old) {
        if (slot.hash == 0) {
            continue;
        }
        std::size_t at = slot.hash & (m_slots.size() - 1);
        while (m_slots[at].hash != 0) {
            at = (at + 1) & (m_slots.size() - 1);
        }
        m_slots[at] = slot;
    }
}

WordIndex::Slot& WordIndex::slotFor(std::uint64_t hash)
{
    if ((m_used + 1) * 2 > m_slots.size()) {
        grow();
    }
    std::size_t at = hash & (m_slots.size() - 1);
    while (m_slots[at].hash != 0 && m_slots[at].hash != hash) {
        at = (at + 1) & (m_slots.size() - 1);
    }
    if (m_slots[at].hash == 0) {
        m_slots[at].hash = hash;
        ++m_used;
    }
    return m_slots[at];
}

const WordIndex::Slot* WordIndex::find(std::uint64_t hash) const
{
    std::size_t at = hash & (m_slots.size() - 1);
    while (m_slots[at].hash != 0) {
        if (m_slots[at].hash == hash) {
            return &m_slots[at];
        }
        at = (at + 1) & (m_slots.size() - 1);
    }
    return nullptr;
}

bool WordIndex::add(std::string_view phrase, std::uint32_t id)
{
    std::vector<Token> tokens;
    tokenise(phrase, tokens);
    if (tokens.empty() || tokens.size() > maxTokens) {
        return false;
    }
    std::uint64_t hash = 0;
    for (std::size_t index = 0; index < tokens.size(); ++index) {
        hash = index == 0 ? begin(tokens[0]) : extend(hash, tokens[index]);
        Slot& slot = slotFor(hash);
        if (index + 1 < tokens.size()) {
            slot.goesOn = true;
            continue;
        }
        m_phrases.push_back(
            {phraseOf(phrase, &tokens.front(), &tokens.back()), id, slot.firstPhrase});
        slot.firstPhrase = std::uint32_t(m_phrases.size() - 1);
    }
    return true;
}

void WordIndex::find(std::string_view text, std::vector<Hit>& hits) const
{
    if (m_slots.empty()) {
        return;
    }
    thread_local std::vector<Token> tokens;
    tokens.clear();
    tokenise(text, tokens);
    const auto glued = [&](std::size_t left) {
        return left + 1 < tokens.size() && !tokens[left + 1].blankBefore;
    };
    for (std::size_t first = 0; first < tokens.size(); ++first) {
        if (!tokens[first].isWord && first > 0 && tokens[first - 1].isWord && glued(first - 1)) {
            continue; // a sign within a word
        }
        std::uint64_t hash = begin(tokens[first]);
        for (std::size_t last = first;; hash = extend(hash, tokens[last])) {
            const Slot* slot = find(hash);
            if (slot == nullptr) {
                break;
            }
            const bool borders = tokens[last].isWord || !glued(last) || !tokens[last + 1].isWord;
            if (slot->firstPhrase != none && borders) {
                const std::string phrase = phraseOf(text, &tokens[first], &tokens[last]);
                for (std::uint32_t at = slot->firstPhrase; at != none; at = m_phrases[at].next) {
                    if (m_phrases[at].text == phrase) {
                        hits.push_back({tokens[first].begin, tokens[last].end, m_phrases[at].id});
                    }
                }
            }
            if (!slot->goesOn || ++last == tokens.size()) {
                break;
            }
        }
    }
}

} // namespace sluice
