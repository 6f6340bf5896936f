#include "engine/base/json.h"

#include <algorithm>
#include <boost/json/stream_parser.hpp>
#include <cmath>
#include <fmt/format.h>

namespace sluice {

namespace json = boost::json;

Result<json::value> parseJson(
    std::string_view text, std::string_view where, json::storage_ptr storage)
{
    json::stream_parser parser;
    parser.reset(std::move(storage));
    boost::system::error_code code;
    std::size_t end = parser.write(text.data(), text.size(), code);
    if (!code) {
        parser.finish(code);
    }
    if (code) {
        end = std::min(end, text.size());
        const std::string_view before = text.substr(0, end);
        const auto line = 1 + std::count(before.begin(), before.end(), '\n');
        const auto lineStart = before.rfind('\n');
        const std::size_t column =
            before.size() - (lineStart == std::string_view::npos ? 0 : lineStart + 1) + 1;
        return inputError(fmt::format(
            "{}: not valid JSON at line {}, column {}: {}", where, line, column, code.message()));
    }
    return parser.release();
}

JsonReader::JsonReader(const json::value& value, std::string where)
    : m_object(value.if_object())
    , m_where(std::move(where))
{
    if (m_object == nullptr) {
        m_error = inputError(m_where + ": a JSON object is expected here");
    }
}

void JsonReader::fail(std::string_view key, std::string_view problem)
{
    if (!m_error) {
        m_error = inputError(fmt::format("{}: {}: {}", m_where, key, problem));
    }
}

const json::value* JsonReader::find(std::string_view key, bool required)
{
    m_known.emplace_back(key);
    if (m_object == nullptr) {
        return nullptr;
    }
    const json::value* found = m_object->if_contains(key);
    if (found != nullptr && found->is_null() && !required) {
        return nullptr;
    }
    if (found == nullptr && required) {
        fail(key, "is missing");
    }
    return found;
}

const json::value* JsonReader::optionalValue(std::string_view key)
{
    return find(key, false);
}

namespace {

std::optional<double> asNumber(const json::value& value)
{
    if (value.is_double()) {
        return value.get_double();
    }
    if (value.is_int64()) {
        return double(value.get_int64());
    }
    if (value.is_uint64()) {
        return double(value.get_uint64());
    }
    return std::nullopt;
}

} // namespace

std::optional<std::string> JsonReader::readString(std::string_view key, bool required)
{
    const json::value* found = find(key, required);
    if (found == nullptr) {
        return std::nullopt;
    }
    if (!found->is_string()) {
        fail(key, "a string is expected");
        return std::nullopt;
    }
    return std::string(found->get_string());
}

std::optional<double> JsonReader::readNumber(
    std::string_view key, bool required, double least, double most)
{
    const json::value* found = find(key, required);
    if (found == nullptr) {
        return std::nullopt;
    }
    const std::optional<double> number = asNumber(*found);
    if (!number || !std::isfinite(*number) || *number < least || *number > most) {
        fail(key, fmt::format("a number from {} to {} is expected", least, most));
        return std::nullopt;
    }
    return number;
}

std::optional<std::int64_t> JsonReader::readInteger(
    std::string_view key, bool required, std::int64_t least, std::int64_t most)
{
    const json::value* found = find(key, required);
    if (found == nullptr) {
        return std::nullopt;
    }
    std::optional<std::int64_t> number;
    if (found->is_int64()) {
        number = found->get_int64();
    } else if (found->is_uint64() && found->get_uint64() <= std::uint64_t(INT64_MAX)) {
        number = std::int64_t(found->get_uint64());
    }
    if (!number || *number < least || *number > most) {
        fail(key, fmt::format("a whole number from {} to {} is expected", least, most));
        return std::nullopt;
    }
    return number;
}

std::optional<bool> JsonReader::readBoolean(std::string_view key, bool required)
{
    const json::value* found = find(key, required);
    if (found == nullptr) {
        return std::nullopt;
    }
    if (!found->is_bool()) {
        fail(key, "true or false is expected");
        return std::nullopt;
    }
    return found->get_bool();
}

std::vector<std::string> JsonReader::optionalStrings(std::string_view key)
{
    std::vector<std::string> strings;
    const json::value* found = find(key, false);
    if (found == nullptr) {
        return strings;
    }
    const json::array* array = found->if_array();
    if (array == nullptr) {
        fail(key, "an array of strings is expected");
        return strings;
    }
    for (const json::value& item : *array) {
        if (!item.is_string()) {
            fail(key, "an array of strings is expected");
            return {};
        }
        strings.emplace_back(item.get_string());
    }
    return strings;
}

std::string JsonReader::string(std::string_view key)
{
    return readString(key, true).value_or(std::string());
}

double JsonReader::number(std::string_view key, double least, double most)
{
    return readNumber(key, true, least, most).value_or(least);
}

std::int64_t JsonReader::integer(std::string_view key, std::int64_t least, std::int64_t most)
{
    return readInteger(key, true, least, most).value_or(least);
}

bool JsonReader::boolean(std::string_view key)
{
    return readBoolean(key, true).value_or(false);
}

std::optional<std::string> JsonReader::optionalString(std::string_view key)
{
    return readString(key, false);
}

std::optional<double> JsonReader::optionalNumber(std::string_view key, double least, double most)
{
    return readNumber(key, false, least, most);
}

std::optional<std::int64_t> JsonReader::optionalInteger(
    std::string_view key, std::int64_t least, std::int64_t most)
{
    return readInteger(key, false, least, most);
}

std::optional<bool> JsonReader::optionalBoolean(std::string_view key)
{
    return readBoolean(key, false);
}

Result<void> JsonReader::finish()
{
    if (!m_error && m_object != nullptr) {
        for (const auto& member : *m_object) {
            if (std::find(m_known.begin(), m_known.end(), member.key()) == m_known.end()) {
                fail(std::string_view(member.key()),
                    "is not known here; see the documentation for the names that are");
                break;
            }
        }
    }
    return finishKnown();
}

Result<void> JsonReader::finishKnown() const
{
    if (m_error) {
        return *m_error;
    }
    return {};
}

} // namespace sluice
