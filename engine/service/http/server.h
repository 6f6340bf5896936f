#pragma once

#include "engine/base/result.h"

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::service {

/// A request as the routes see it; framing, limits and time-outs are the server's business.
struct Request
{
    std::string method; ///< "GET"
    std::string target; ///< as sent: "/v1/classify?x=1"
    std::vector<std::pair<std::string, std::string>> headers; ///< names as sent
    std::string body;
    std::chrono::steady_clock::time_point received;

    /// The first header of that name (case-insensitive), or nullptr.
    const std::string* header(std::string_view name) const;
    std::string_view path() const; ///< target without the query string
};

struct Response
{
    int status = 200;
    std::string contentType = "application/json";
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
};

/// RFC 9457. `detail` says what was wrong and what to do.
Response problem(int status, std::string_view title, std::string_view detail);

struct ServerLimits
{
    std::size_t headerBytes = 8 * 1024; ///< beyond: 431
    std::size_t bodyBytes = 1024 * 1024; ///< beyond: 413
    std::size_t connections = 20000; ///< beyond: the connection gets a 503 and is closed
    std::chrono::seconds readTimeout{15}; ///< from the first byte of a request to its last
    std::chrono::seconds idleTimeout{75}; ///< between requests
    std::chrono::seconds writeTimeout{15};
};

/// An HTTP/1.1 server on one event loop (Boost.Beast behind this interface, in one translation
/// unit): keep-alive, pipelining (answers in order), strict framing (two lengths, or a length and
/// chunks, are refused), Expect: 100-continue, drain. Not thread-safe: everything happens on the
/// loop's thread.
class Server
{
public:
    /// Must be called exactly once for each request, now or later, on the loop's thread.
    using Respond = std::function<void(Response)>;
    using Handler = std::function<void(Request, Respond)>;
    /// Requests refused before they reached the handler (400, 408, 413, 431, 503).
    using Refused = std::function<void(int status)>;

    Server(boost::asio::io_context& loop, ServerLimits limits, Handler handler, Refused refused);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// Binds and accepts; the port bound (of use with 0). Input error when the address is in use.
    Result<std::uint16_t> listen(const std::string& host, std::uint16_t port);

    /// Accepts no more, closes idle connections, lets running requests end with `Connection:
    /// close`; `drained` is called when the last connection is gone, or after `patience` with what
    /// is left cut.
    void drain(std::chrono::milliseconds patience, std::function<void()> drained);

    std::size_t connections() const;
    std::size_t inFlight() const; ///< requests with the handler

    class State;

private:
    std::shared_ptr<State> m_state;
};

} // namespace sluice::service
