#pragma once

#include "engine/base/result.h"

#include <boost/json/value.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sluice {

/// What can be told of a JSON text from its outside, without reading all of it into memory. The
/// text needs not be valid: what is malformed just ends the look.
struct JsonShape
{
    char opening = 0; ///< '{' or '['; 0: neither
    std::vector<std::string> keys; ///< of the object, or of an array's first object
    std::vector<std::string> innerKeys; ///< of the first object within
    bool several = false; ///< something follows the value: JSON Lines

    bool has(std::string_view key) const;
};
JsonShape shapeOf(std::string_view text);

/// A parsed document that knows on which line each of its objects, arrays and strings begins.
class JsonDocument
{
public:
    /// Input error that begins with `where`; see parseJson().
    static Result<JsonDocument> parse(std::string_view text, std::string_view where);

    const boost::json::value& root() const { return *m_root; }
    /// Line of a value of this document, from 1; 0 where it isn't known (a member given twice).
    int line(const boost::json::value& value) const;
    /// "where: line 7", for messages.
    std::string place(const boost::json::value& value) const;

private:
    std::string m_where;
    std::shared_ptr<const boost::json::value>
        m_root; ///< addresses of its values are the keys below
    std::unordered_map<const boost::json::value*, int> m_lines;
};

/// Members of an object, without checks: nullptr or empty where it has none of that type.
const boost::json::value* memberOf(const boost::json::value& object, std::string_view key);
std::string_view stringOf(const boost::json::value& object, std::string_view key);
const boost::json::array* arrayOf(const boost::json::value& object, std::string_view key);

} // namespace sluice
