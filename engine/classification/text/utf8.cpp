#include "engine/classification/text/utf8.h"

#include <algorithm>
#include <cstring>

namespace sluice {

DecodedCodePoint decodeUtf8(std::string_view text, std::size_t at)
{
    const auto byte = [&](std::size_t i) { return std::uint32_t(std::uint8_t(text[at + i])); };
    const std::uint32_t lead = byte(0);
    if (lead < 0x80U) {
        return {std::int32_t(lead), 1};
    }
    const std::size_t length = lead >= 0xF0U ? 4 : lead >= 0xE0U ? 3 : 2;
    if (lead < 0xC2U || lead > 0xF4U || text.size() - at < length) {
        return {};
    }
    std::uint32_t value = lead & (0xFFU >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xC0U) != 0x80U) {
            return {};
        }
        value = (value << 6U) | (byte(i) & 0x3FU);
    }
    constexpr std::uint32_t least[] = {0, 0, 0x80U, 0x800U, 0x10000U};
    if (value < least[length] || value > 0x10FFFFU || (value >= 0xD800U && value <= 0xDFFFU)) {
        return {};
    }
    return {std::int32_t(value), length};
}

std::optional<std::size_t> firstInvalidUtf8(std::string_view text)
{
    std::size_t at = 0;
    while (at < text.size()) {
        std::uint64_t eight = 0;
        if (at + sizeof eight <= text.size()) {
            std::memcpy(&eight, text.data() + at, sizeof eight);
            if ((eight & 0x8080808080808080U) == 0) {
                at += sizeof eight;
                continue;
            }
        }
        const DecodedCodePoint next = decodeUtf8(text, at);
        if (next.value < 0) {
            return at;
        }
        at += next.length;
    }
    return std::nullopt;
}

std::size_t countCodePoints(std::string_view text)
{
    return std::size_t(std::count_if(
        text.begin(), text.end(), [](char byte) { return (std::uint8_t(byte) & 0xC0U) != 0x80U; }));
}

} // namespace sluice
