#include "engine/classification/text/normaliser.h"

#include "engine/classification/text/utf8.h"

#include <algorithm>
#include <cstdint>
#include <fmt/format.h>
#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>

namespace sluice {

namespace {

bool isAscii(std::string_view text)
{
    return std::all_of(
        text.begin(), text.end(), [](char byte) { return (std::uint8_t(byte) & 0x80U) == 0; });
}

bool isBlankByte(char byte)
{
    return std::uint8_t(byte) <= 0x20U || byte == 0x7F;
}

bool isBlankCodePoint(UChar32 codePoint)
{
    return u_isUWhiteSpace(codePoint) != 0 || u_charType(codePoint) == U_CONTROL_CHAR;
}

/// Calls `take(codePoint, bytes)` for each code point of valid UTF-8 until it returns false.
template <typename Take> void eachCodePoint(std::string_view text, Take take)
{
    std::size_t at = 0;
    while (at < text.size()) {
        const DecodedCodePoint next = decodeUtf8(text, at);
        if (!take(next.value, text.substr(at, next.length))) {
            return;
        }
        at += next.length;
    }
}

bool isBlank(std::string_view text)
{
    bool blank = true;
    eachCodePoint(text, [&blank](UChar32 codePoint, std::string_view) {
        blank = isBlankCodePoint(codePoint)
            || u_hasBinaryProperty(codePoint, UCHAR_DEFAULT_IGNORABLE_CODE_POINT) != 0;
        return blank;
    });
    return blank;
}

std::string normaliseAscii(std::string_view query)
{
    std::string out;
    out.reserve(query.size());
    bool gap = false;
    for (const char byte : query) {
        if (isBlankByte(byte)) {
            gap = !out.empty();
            continue;
        }
        if (gap) {
            out.push_back(' ');
            gap = false;
        }
        out.push_back(byte >= 'A' && byte <= 'Z' ? char(byte + ('a' - 'A')) : byte);
    }
    return out;
}

std::string collapseBlanks(std::string_view text)
{
    std::string out;
    out.reserve(text.size());
    bool gap = false;
    eachCodePoint(text, [&](UChar32 codePoint, std::string_view bytes) {
        if (isBlankCodePoint(codePoint)) {
            gap = !out.empty();
            return true;
        }
        if (gap) {
            out.push_back(' ');
            gap = false;
        }
        out.append(bytes);
        return true;
    });
    return out;
}

} // namespace

Result<void> checkQuery(std::string_view query)
{
    const auto tooLong = [] {
        return inputError(fmt::format("the query is longer than {} characters; "
                                      "shorten it or split it into several queries",
            maxQueryCodePoints));
    };
    if (query.size() > maxQueryCodePoints * maxUtf8Length) {
        return tooLong();
    }
    if (const auto at = firstInvalidUtf8(query)) {
        return inputError(
            fmt::format("the query is not valid UTF-8 at byte {}; send it as UTF-8", *at));
    }
    if (query.size() > maxQueryCodePoints && countCodePoints(query) > maxQueryCodePoints) {
        return tooLong();
    }
    if (isBlank(query)) {
        return inputError("the query is empty; type what the user asked");
    }
    return {};
}

std::string normalise(std::string_view query)
{
    if (isAscii(query)) {
        return normaliseAscii(query);
    }
    UErrorCode status = U_ZERO_ERROR;
    const icu::Normalizer2* folder = icu::Normalizer2::getNFKCCasefoldInstance(status);
    std::string folded;
    if (U_SUCCESS(status) != 0) {
        icu::StringByteSink<std::string> sink(&folded, std::int32_t(query.size()));
        folder->normalizeUTF8(
            0, icu::StringPiece(query.data(), std::int32_t(query.size())), sink, nullptr, status);
    }
    // ICU carries its own data: this fails only when that is missing altogether.
    return U_SUCCESS(status) != 0 ? collapseBlanks(folded) : normaliseAscii(query);
}

} // namespace sluice
