#pragma once

#include "engine/reporting/tracecontext.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::service {

/// A request as the routes see it; framing, limits and time-outs are the server's business. It
/// keeps its header in one piece, into which the views point: neither copied nor moved.
struct Request
{
    Request() = default;
    Request(const Request&) = delete;
    Request& operator=(const Request&) = delete;

    std::string_view method; ///< "GET"
    std::string_view target; ///< as sent: "/v1/classify?x=1"
    std::vector<std::pair<std::string_view, std::string_view>> headers; ///< names as sent
    std::string body; ///< as the client meant it: inflated where it was sent as gzip
    std::string client; ///< the name of the token it came with; empty: none
    std::string id; ///< X-Request-Id, the client's or one made here
    std::optional<TraceContext> trace; ///< where the client sent one
    std::array<std::uint8_t, 16> peer{}; ///< address, IPv4 mapped into IPv6
    std::chrono::steady_clock::time_point received;
    std::string_view route = "other"; ///< set by who finds the route; a literal

    /// The first header of that name (case-insensitive), or nullptr.
    const std::string_view* header(std::string_view name) const;
    std::string_view path() const { return target.substr(0, target.find('?')); }

    std::string storage; ///< what the views point into
    void clear(); ///< as new, with the memory kept
};

struct Response
{
    int status = 200;
    std::string_view contentType = "application/json"; ///< a literal
    std::vector<std::pair<std::string_view, std::string>> headers; ///< names are literals
    std::string body;
};

/// RFC 9457. `detail` says what was wrong and what to do.
Response problem(int status, std::string_view title, std::string_view detail);

/// The phrase behind a status ("Not Found").
std::string_view reasonPhrase(int status);

/// Appends the answer as HTTP/1.1: status line, headers and, unless `headOnly`, the body.
struct Framing
{
    bool close = false; ///< the connection ends with this answer
    bool headOnly = false; ///< the length of what GET would send, and no body
    bool http10 = false;
    std::string traceparent = {}; ///< the header; empty: none
};
void appendResponse(
    std::string& out, const Response& response, std::string_view requestId, const Framing& framing);

/// Whether `id` may be a request's id: 1 to 128 printable ASCII characters without blanks.
bool isValidRequestId(std::string_view id);
/// 32 hexadecimal digits, never the same.
std::string makeRequestId();

} // namespace sluice::service
