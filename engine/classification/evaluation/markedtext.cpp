#include "engine/classification/evaluation/markedtext.h"

#include "engine/base/json.h"
#include "engine/classification/evaluation/jsonlines.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <fmt/format.h>

namespace sluice {

namespace {

std::size_t codePointsOf(std::string_view text)
{
    return std::size_t(std::count_if(text.begin(), text.end(),
        [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

/// `[span]` and the bracket after it, at the beginning of `text`.
struct Mark
{
    std::string_view span;
    char opening = 0;
    std::string_view inside;
    std::size_t size = 0; ///< bytes of the whole
};

std::optional<Mark> markAt(std::string_view text)
{
    const auto close = text.find(']');
    if (close == std::string_view::npos || close < 2 || close + 1 >= text.size()) {
        return std::nullopt;
    }
    const char opening = text[close + 1];
    const char closing = opening == '(' ? ')' : opening == '{' ? '}' : opening == '[' ? ']' : 0;
    if (closing == 0) {
        return std::nullopt;
    }
    const auto end = text.find(closing, close + 2);
    if (end == std::string_view::npos || end == close + 2) {
        return std::nullopt;
    }
    return Mark{
        text.substr(1, close - 1), opening, text.substr(close + 2, end - close - 2), end + 1};
}

} // namespace

std::string_view trimmedBlanks(std::string_view text)
{
    constexpr std::string_view blanks = " \t\r\n";
    const auto begin = text.find_first_not_of(blanks);
    if (begin == std::string_view::npos) {
        return {};
    }
    return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

void MarkedText::append(std::string_view piece)
{
    text += piece;
    m_codePoints += codePointsOf(piece);
}

void MarkedText::appendEntity(std::string_view piece, std::string_view type, std::string_view value)
{
    Entity entity;
    entity.type = type;
    entity.text = piece;
    entity.value = value.empty() ? piece : value;
    entity.span.byteBegin = text.size();
    entity.span.codePointBegin = m_codePoints;
    append(piece);
    entity.span.byteEnd = text.size();
    entity.span.codePointEnd = m_codePoints;
    entities.push_back(std::move(entity));
}

void MarkedText::trim()
{
    const std::string kept(trimmedBlanks(text));
    const std::size_t front = kept.empty() ? text.size() : text.find_first_not_of(" \t\r\n");
    text = kept; // blanks are a byte and a code point each
    std::erase_if(entities, [&](Entity& entity) {
        TextSpan& span = entity.span;
        if (span.byteBegin < front || span.byteEnd > front + text.size()) {
            return true;
        }
        span.byteBegin -= front;
        span.byteEnd -= front;
        span.codePointBegin -= front;
        span.codePointEnd -= front;
        return false;
    });
    m_codePoints = codePointsOf(text);
}

Result<MarkedText> readRasaMarks(std::string_view text, std::string_view where,
    const std::map<std::string, std::string, std::less<>>& synonyms)
{
    MarkedText marked;
    const auto add = [&](std::string_view span, std::string_view type, std::string_view value) {
        if (value.empty()) {
            const auto synonym = synonyms.find(span);
            value = synonym == synonyms.end() ? span : std::string_view(synonym->second);
        }
        marked.appendEntity(span, type, value);
    };
    while (!text.empty()) {
        const auto bracket = text.find('[');
        marked.append(text.substr(0, bracket));
        if (bracket == std::string_view::npos) {
            break;
        }
        text.remove_prefix(bracket);
        const auto mark = markAt(text);
        if (!mark) {
            marked.append("[");
            text.remove_prefix(1);
            continue;
        }
        if (mark->opening == '(') {
            const auto colon = mark->inside.find(':');
            add(mark->span, mark->inside.substr(0, colon),
                colon == std::string_view::npos ? std::string_view()
                                                : mark->inside.substr(colon + 1));
        } else {
            const bool list = mark->opening == '[';
            auto parsed = parseJson(
                list ? fmt::format("[{}]", mark->inside) : fmt::format("{{{}}}", mark->inside),
                fmt::format("{}: the entity of [{}]", where, mark->span));
            if (!parsed) {
                return parsed.error();
            }
            // Of several for one span the first is taken: a span is one thing to us.
            const boost::json::array* several = parsed->if_array();
            const boost::json::value& what =
                several != nullptr && !several->empty() ? several->front() : *parsed;
            const std::string_view type = stringOf(what, "entity");
            if (type.empty()) {
                return inputError(
                    fmt::format("{}: the entity of [{}] has no \"entity\" that names its type",
                        where, mark->span));
            }
            add(mark->span, type, stringOf(what, "value"));
        }
        text.remove_prefix(mark->size);
    }
    marked.trim();
    return marked;
}

MarkedText readSnipsMarks(std::string_view text)
{
    MarkedText marked;
    while (!text.empty()) {
        const auto bracket = text.find('[');
        marked.append(text.substr(0, bracket));
        if (bracket == std::string_view::npos) {
            break;
        }
        text.remove_prefix(bracket);
        const auto mark = markAt(text);
        if (!mark || mark->opening != '(') {
            marked.append("[");
            text.remove_prefix(1);
            continue;
        }
        marked.appendEntity(mark->inside, mark->span.substr(0, mark->span.find(':')));
        text.remove_prefix(mark->size);
    }
    marked.trim();
    return marked;
}

std::optional<TextSpan> spanOf(
    std::string_view text, std::size_t begin, std::size_t end, OffsetUnit unit)
{
    if (end <= begin) {
        return std::nullopt;
    }
    TextSpan span;
    bool begun = false;
    std::size_t units = 0;
    std::size_t points = 0;
    for (std::size_t at = 0; at <= text.size(); ++points) {
        if (units == begin) {
            span.byteBegin = at;
            span.codePointBegin = points;
            begun = true;
        }
        if (units == end) {
            span.byteEnd = at;
            span.codePointEnd = points;
            return begun ? std::optional(span) : std::nullopt;
        }
        if (at == text.size()) {
            break;
        }
        const auto lead = static_cast<unsigned char>(text[at]);
        const std::size_t bytes = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
        units += unit == OffsetUnit::Utf16 && bytes == 4 ? 2 : 1;
        at = std::min(at + bytes, text.size());
    }
    return std::nullopt;
}

} // namespace sluice
