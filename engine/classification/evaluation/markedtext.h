#pragma once

#include "engine/base/result.h"
#include "engine/classification/entities/entity.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// A query put together of pieces, some of them entities; counts their places as it goes.
class MarkedText
{
public:
    void append(std::string_view piece);
    /// `value` empty: the text itself is the value.
    void appendEntity(std::string_view piece, std::string_view type, std::string_view value = {});

    /// The text without blanks at its ends, entities moved with it; those outside are dropped.
    void trim();

    std::string text;
    std::vector<Entity> entities;

private:
    std::size_t m_codePoints = 0;
};

/// Reads Rasa's marks: `[span](type)`, `[span](type:value)`, `[span]{"entity":..,"value":..}` and
/// `[span][{..},{..}]`. A bracket that begins none of them is text. `synonyms`: values of spans
/// that name none. Input error, beginning with `where`, when what stands in braces is no JSON.
Result<MarkedText> readRasaMarks(std::string_view text, std::string_view where,
    const std::map<std::string, std::string, std::less<>>& synonyms);

/// Reads Snips' marks: `[slot:entity](span)` or `[slot](span)`; the slot is the type.
MarkedText readSnipsMarks(std::string_view text);

enum class OffsetUnit
{
    CodePoints, ///< Python: Rasa
    Utf16 ///< JavaScript, .NET: LUIS, CLU, NLU.DevOps
};
/// The span [begin, end) of `text`, in both of our units; nullopt when it lies outside or within
/// a character. `text` must be valid UTF-8.
std::optional<TextSpan> spanOf(
    std::string_view text, std::size_t begin, std::size_t end, OffsetUnit unit);

/// White space at both ends off.
std::string_view trimmedBlanks(std::string_view text);

} // namespace sluice
