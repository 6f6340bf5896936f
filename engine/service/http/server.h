#pragma once

#include "engine/base/result.h"
#include "engine/service/http/message.h"
#include "engine/service/http/requestparser.h"
#include "engine/service/http/tls.h"

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace sluice::service {

struct ServerLimits
{
    RequestLimits request;
    std::size_t connections = 20000; ///< beyond: the connection gets a 503 and is closed
    std::size_t inFlight = 1024; ///< beyond: 503
    std::chrono::milliseconds queueDelay{10}; ///< a standing queue beyond is cut: 503; 0: never
    std::chrono::seconds headerTimeout{10}; ///< from the first byte of a request; also TLS' start
    std::chrono::seconds readTimeout{15}; ///< from the first byte of a request to its last
    std::chrono::seconds idleTimeout{75}; ///< between requests
    std::chrono::seconds writeTimeout{15}; ///< for the client to take what was answered
};

class Connection;

/// An HTTP/1.1 server on one event loop: keep-alive, pipelining (answers in order), strict framing
/// (requestparser.h), Expect: 100-continue, gzip bodies, TLS, time-outs, load shedding
/// (loadgate.h), drain. Connections stand in an epoll set of their own, edge-triggered, which the
/// loop watches as one descriptor: a request costs one recv and one send, and an idle connection
/// holds no buffer. Not thread-safe: everything happens on the loop's thread.
class Server
{
public:
    /// The answer to one request: to be called exactly once, now or later, on the loop's thread.
    class Respond
    {
    public:
        Respond(std::shared_ptr<Connection> connection, std::uint64_t number);
        void operator()(const Response& response) const;

    private:
        std::shared_ptr<Connection> m_connection;
        std::uint64_t m_number; ///< of the request on its connection
    };
    using Handler = std::function<void(std::shared_ptr<Request>, Respond)>;
    /// Told of every answer; `request.route` is "refused" where the handler never saw it.
    using Answered = std::function<void(const Request& request, int status)>;

    Server(boost::asio::io_context& loop, const ServerLimits& limits, Handler handler,
        Answered answered);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// Connections that come from now on speak TLS with this; none: plain HTTP.
    void setTls(std::shared_ptr<const TlsContext> tls);
    /// For what comes from now on.
    void setLimits(const ServerLimits& limits);

    /// Binds and accepts; the port bound (of use with 0). Input error when the address is in use.
    Result<std::uint16_t> listen(const std::string& host, std::uint16_t port);

    /// Takes who is waiting, then no more; lets running requests end, and answers those that still
    /// come on open connections, with `Connection: close`; closes what stays idle for a second.
    /// `drained` is called when the last connection is gone, or after `patience` with what is left
    /// cut.
    void drain(std::chrono::milliseconds patience, std::function<void()> drained);

    std::size_t connections() const;
    std::size_t inFlight() const; ///< requests with the handler

    class State;

private:
    std::shared_ptr<State> m_state;
};

} // namespace sluice::service
