#include "engine/classification/evaluation/jsonlines.h"

#include "engine/base/json.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

namespace sluice {

namespace json = boost::json;

namespace {

/// Goes through the text of a JSON value that was found valid, in step with what was parsed of it.
class LineWalk
{
public:
    LineWalk(std::string_view text, std::unordered_map<const json::value*, int>& lines)
        : m_text(text)
        , m_lines(lines)
    { }

    /// False: the text has more or other members than the value (one was given twice).
    bool value(const json::value& value)
    {
        blanks();
        if (const json::object* object = value.if_object()) {
            m_lines.emplace(&value, m_line);
            return members(*object);
        }
        if (const json::array* array = value.if_array()) {
            m_lines.emplace(&value, m_line);
            return elements(*array);
        }
        if (value.is_string()) {
            m_lines.emplace(&value, m_line);
            return string();
        }
        while (m_at < m_text.size() && std::string_view(",]} \t\r\n").find(m_text[m_at]) == npos) {
            ++m_at;
        }
        return true;
    }

private:
    static constexpr auto npos = std::string_view::npos;

    void blanks()
    {
        for (; m_at < m_text.size(); ++m_at) {
            const char c = m_text[m_at];
            if (c == '\n') {
                ++m_line;
            } else if (c != ' ' && c != '\t' && c != '\r') {
                break;
            }
        }
    }

    bool take(char c)
    {
        blanks();
        if (m_at >= m_text.size() || m_text[m_at] != c) {
            return false;
        }
        ++m_at;
        return true;
    }

    bool string()
    {
        if (!take('"')) {
            return false;
        }
        while (m_at < m_text.size() && m_text[m_at] != '"') {
            m_at += m_text[m_at] == '\\' ? 2 : 1;
        }
        return take('"');
    }

    bool members(const json::object& object)
    {
        if (!take('{')) {
            return false;
        }
        bool first = true;
        for (const auto& member : object) {
            if ((!first && !take(',')) || !string() || !take(':') || !value(member.value())) {
                return false;
            }
            first = false;
        }
        return take('}');
    }

    bool elements(const json::array& array)
    {
        if (!take('[')) {
            return false;
        }
        bool first = true;
        for (const json::value& element : array) {
            if ((!first && !take(',')) || !value(element)) {
                return false;
            }
            first = false;
        }
        return take(']');
    }

    std::string_view m_text;
    std::unordered_map<const json::value*, int>& m_lines;
    std::size_t m_at = 0;
    int m_line = 1;
};

} // namespace

bool JsonShape::has(std::string_view key) const
{
    return std::find(keys.begin(), keys.end(), key) != keys.end();
}

JsonShape shapeOf(std::string_view text)
{
    constexpr std::size_t most = 64; // keys that are kept of a level
    JsonShape shape;
    const auto begin = text.find_first_not_of(" \t\r\n");
    if (begin == std::string_view::npos || (text[begin] != '{' && text[begin] != '[')) {
        return shape;
    }
    shape.opening = text[begin];
    const int outer = shape.opening == '{' ? 1 : 2;
    int depth = 0;
    bool outerSeen = false; // the object whose keys are `keys` was closed
    int inner = 0; // depth of the first object within, once there was one
    bool innerSeen = false;
    std::size_t at = begin;
    for (; at < text.size(); ++at) {
        const char c = text[at];
        if (c == '"') {
            const std::size_t from = at + 1;
            for (++at; at < text.size() && text[at] != '"'; ++at) {
                at += text[at] == '\\' ? 1 : 0;
            }
            const std::string_view word = text.substr(std::min(from, text.size()),
                std::min(at, text.size()) - std::min(from, text.size()));
            const auto after = at < text.size() ? text.find_first_not_of(" \t\r\n", at + 1)
                                                : std::string_view::npos;
            if (after == std::string_view::npos || text[after] != ':') {
                continue;
            }
            if (depth == outer && !outerSeen && shape.keys.size() < most) {
                shape.keys.emplace_back(word);
            } else if (depth == inner && !innerSeen && shape.innerKeys.size() < most) {
                shape.innerKeys.emplace_back(word);
            }
        } else if (c == '{' || c == '[') {
            ++depth;
            inner = c == '{' && inner == 0 && depth > outer ? depth : inner;
        } else if (c == '}' || c == ']') {
            innerSeen = innerSeen || (inner > 0 && depth == inner && c == '}');
            outerSeen = outerSeen || (depth == outer && c == '}');
            if (--depth == 0) {
                break;
            }
        }
    }
    shape.several =
        at < text.size() && text.find_first_not_of(" \t\r\n", at + 1) != std::string_view::npos;
    return shape;
}

Result<JsonDocument> JsonDocument::parse(std::string_view text, std::string_view where)
{
    auto parsed = parseJson(text, where);
    if (!parsed) {
        return parsed.error();
    }
    JsonDocument document;
    document.m_where = where;
    document.m_root = std::make_shared<const json::value>(std::move(*parsed));
    LineWalk(text, document.m_lines).value(*document.m_root);
    return document;
}

int JsonDocument::line(const json::value& value) const
{
    const auto found = m_lines.find(&value);
    return found == m_lines.end() ? 0 : found->second;
}

std::string JsonDocument::place(const json::value& value) const
{
    const int at = line(value);
    return at > 0 ? fmt::format("{}: line {}", m_where, at) : m_where;
}

const json::value* memberOf(const json::value& object, std::string_view key)
{
    const json::object* members = object.if_object();
    return members == nullptr ? nullptr : members->if_contains(key);
}

std::string_view stringOf(const json::value& object, std::string_view key)
{
    const json::value* value = memberOf(object, key);
    return value != nullptr && value->is_string() ? std::string_view(value->get_string())
                                                  : std::string_view();
}

const json::array* arrayOf(const json::value& object, std::string_view key)
{
    const json::value* value = memberOf(object, key);
    return value == nullptr ? nullptr : value->if_array();
}

} // namespace sluice
