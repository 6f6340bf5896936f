#pragma once

#include <cstddef>
#include <string>

namespace sluice {

/// Half-open range of a text in both units that its readers count in: UTF-8 bytes (C++, HTTP
/// clients) and Unicode code points (Python, labelled data).
struct TextSpan
{
    std::size_t byteBegin = 0;
    std::size_t byteEnd = 0;
    std::size_t codePointBegin = 0;
    std::size_t codePointEnd = 0;

    bool operator==(const TextSpan&) const = default;
};

/// Something that a query names: "49.90 EUR" is {type "amount", value "49.90 EUR"}.
struct Entity
{
    std::string type; ///< as in the catalogue: "order_number"
    std::string text; ///< as written in the query
    std::string value; ///< normalised: ISO 8601 dates, "49.90 EUR", lower-case e-mail ...
    TextSpan span; ///< where in the query as given; all zero when it was carried from context
    int turn = 0; ///< 0: this query; n > 0: carried over from turn n of the session

    bool operator==(const Entity&) const = default;
};

} // namespace sluice
