#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice {

inline constexpr std::size_t maxUtf8Length = 4; ///< bytes of one code point

/// A code point and the bytes that it took.
struct DecodedCodePoint
{
    std::int32_t value = -1; ///< -1: what stands here is not UTF-8
    std::size_t length = 1;
};

/// Decodes the code point at byte `at` < text.size() (RFC 3629: no surrogates, nothing overlong,
/// nothing above U+10FFFF).
DecodedCodePoint decodeUtf8(std::string_view text, std::size_t at);

/// Byte offset of the first sequence that is not UTF-8; nullopt when all is well.
std::optional<std::size_t> firstInvalidUtf8(std::string_view text);

/// Number of code points; `text` must be valid UTF-8.
std::size_t countCodePoints(std::string_view text);

} // namespace sluice
