#pragma once

#include "engine/base/result.h"

#include <algorithm>
#include <array>
#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// Parses one JSON value (RFC 8259, UTF-8 checked, nesting at most 32). On failure an Input error
/// that begins with `where` and says line, column and reason. `storage`: where the value keeps what
/// it holds, which must outlive it.
Result<boost::json::value> parseJson(
    std::string_view text, std::string_view where, boost::json::storage_ptr storage = {});

/// Reads the members of one JSON object and keeps the first thing that is wrong with it, so that a
/// reader is a flat list of calls with one check at the end:
///
///     JsonReader in(value, "thresholds.json");
///     set.global = in.number("global", 0.0, 1.0);
///     set.comment = in.optionalString("comment").value_or("");
///     if (auto done = in.finish(); !done) { return done.error(); }
///
/// Messages name the path of the member ("thresholds.json: per_intent.refund: ...").
class JsonReader
{
public:
    JsonReader(const boost::json::value& value, std::string where);

    std::string string(std::string_view key);
    double number(std::string_view key, double least, double most);
    std::int64_t integer(std::string_view key, std::int64_t least, std::int64_t most);
    bool boolean(std::string_view key);
    std::optional<std::string> optionalString(std::string_view key);
    std::optional<double> optionalNumber(std::string_view key, double least, double most);
    std::optional<std::int64_t> optionalInteger(
        std::string_view key, std::int64_t least, std::int64_t most);
    std::optional<bool> optionalBoolean(std::string_view key);
    std::vector<std::string> optionalStrings(std::string_view key);
    /// A member of any type, or nullptr; it counts as known.
    const boost::json::value* optionalValue(std::string_view key);

    /// Notes an error found by the caller in member `key` (the first one is kept).
    void fail(std::string_view key, std::string_view problem);
    bool failed() const { return m_error.has_value(); }

    /// The first error; an unknown member is one, named.
    Result<void> finish();
    /// The same for a document that the next version may have written: unknown members are passed
    /// over.
    Result<void> finishKnown() const;

private:
    const boost::json::value* find(std::string_view key, bool required);
    std::optional<std::string> readString(std::string_view key, bool required);
    std::optional<double> readNumber(
        std::string_view key, bool required, double least, double most);
    std::optional<std::int64_t> readInteger(
        std::string_view key, bool required, std::int64_t least, std::int64_t most);
    std::optional<bool> readBoolean(std::string_view key, bool required);

    const boost::json::object* m_object = nullptr;
    std::string m_where;
    std::vector<std::string> m_known;
    std::optional<Error> m_error;
};

/// The value whose name (its toString()) the member `key` has; notes an error where none has it.
template <typename Value, std::size_t size>
Value namedMember(JsonReader& in, std::string_view key, const std::array<Value, size>& values)
{
    const std::string name = in.string(key);
    const auto found = std::find_if(
        values.begin(), values.end(), [&](Value value) { return toString(value) == name; });
    if (found == values.end()) {
        in.fail(key, '"' + name + "\" is not known");
        return values.front();
    }
    return *found;
}

} // namespace sluice
