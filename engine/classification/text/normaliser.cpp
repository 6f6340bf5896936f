#include "engine/classification/text/normaliser.h"

#include <array>
#include <cstdint>
#include <fmt/format.h>
#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/stringpiece.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

namespace sluice {

namespace {

/// Longest input that is looked at at all: no 4,096 code points take more bytes.
constexpr std::size_t maxQueryBytes = maxQueryCodePoints * 4;

bool isBlank(UChar32 c)
{
    return u_isUWhiteSpace(c) != 0 || u_iscntrl(c) != 0;
}

/// Of a byte of ASCII: its lower case; a blank for blanks and controls.
constexpr auto foldedByte = [] {
    std::array<char, 0x80> folded{};
    for (std::size_t c = 0; c < folded.size(); ++c) {
        folded[c] = c <= ' ' || c == 0x7F ? ' ' : char(c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
    return folded;
}();

/// Blanks and controls to single blanks, trimmed.
std::string collapse(std::string_view text)
{
    std::string out;
    out.reserve(text.size());
    bool pending = false;
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
    const auto length = std::int32_t(text.size());
    for (std::int32_t at = 0; at < length;) {
        const std::int32_t begin = at;
        UChar32 c = 0;
        U8_NEXT(bytes, at, length, c);
        if (c < 0 || isBlank(c)) {
            pending = !out.empty();
            continue;
        }
        if (pending) {
            out += ' ';
            pending = false;
        }
        out.append(text.substr(std::size_t(begin), std::size_t(at - begin)));
    }
    return out;
}

} // namespace

Result<void> checkQuery(std::string_view query, std::size_t most)
{
    if (query.size() > maxQueryBytes) {
        return inputError(
            fmt::format("the query is {} bytes long; at most {} characters are classified",
                query.size(), most));
    }
    std::size_t codePoints = 0;
    bool blank = true;
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(query.data());
    const auto length = std::int32_t(query.size());
    for (std::int32_t at = 0; at < length; ++codePoints) {
        if (bytes[at] < 0x80) {
            blank = blank && foldedByte[bytes[at]] == ' ';
            ++at;
            continue;
        }
        const std::int32_t begin = at;
        UChar32 c = 0;
        U8_NEXT(bytes, at, length, c);
        if (c < 0) {
            return inputError(
                fmt::format("the query is not valid UTF-8: byte {} begins no character", begin));
        }
        blank = blank && isBlank(c);
    }
    if (blank) {
        return inputError("the query is empty: give some text to classify");
    }
    if (codePoints > most) {
        return inputError(fmt::format(
            "the query is {} characters long; at most {} are classified", codePoints, most));
    }
    return {};
}

namespace {

std::string normaliseUnicode(std::string_view query)
{
    static const icu::Normalizer2* const folder = [] {
        UErrorCode code = U_ZERO_ERROR;
        return icu::Normalizer2::getNFKCCasefoldInstance(code);
    }();
    std::string folded;
    folded.reserve(query.size());
    icu::StringByteSink<std::string> sink(&folded);
    UErrorCode code = U_ZERO_ERROR;
    folder->normalizeUTF8(
        0, icu::StringPiece(query.data(), std::int32_t(query.size())), sink, nullptr, code);
    return collapse(folded);
}

} // namespace

std::string normalise(std::string_view query)
{
    std::string out(query.size(), ' ');
    char* end = out.data();
    char last = ' ';
    for (const char raw : query) {
        const auto c = static_cast<unsigned char>(raw);
        if (c >= foldedByte.size()) {
            return normaliseUnicode(query);
        }
        // A blank in front, or behind another, is written over by what comes next.
        *end = foldedByte[c];
        end += *end != ' ' || last != ' ' ? 1 : 0;
        last = foldedByte[c];
    }
    const auto size = std::size_t(end - out.data());
    out.resize(size > 0 && out[size - 1] == ' ' ? size - 1 : size);
    return out;
}

} // namespace sluice
