#pragma once

#include "engine/service/http/requestparser.h"
#include "engine/service/http/server.h"
#include "engine/service/http/transport.h"

#include <array>
#include <boost/intrusive/list.hpp>
#include <optional>

namespace sluice::service {

/// What a connection waits for, each with its time-out.
enum class Wait
{
    Idle, ///< the next request
    Header, ///< the rest of a header
    Body, ///< the rest of a body
    Write, ///< that the client takes the answer
    Linger, ///< its end, after ours
    Handler ///< the answer; no time-out here, the handler has its own
};
constexpr std::size_t waitKinds = 6;

/// One client's connection: reads a request, hands it over, writes the answer, reads the next.
class Connection : public std::enable_shared_from_this<Connection>,
                   public boost::intrusive::list_base_hook<
                       boost::intrusive::link_mode<boost::intrusive::auto_unlink>>
{
public:
    Connection(int descriptor, const std::array<std::uint8_t, 16>& peer,
        std::shared_ptr<Server::State> server);

    /// The descriptor has something to read, or room to write.
    void onReady(bool readable, bool writable, bool ended);
    void onTimeout();
    void answer(std::uint64_t number, const Response& response);
    /// Closes a connection on which nothing is asked.
    void endIdle();
    void close();
    /// Says that there is no place for it here.
    void turnAway();

    int descriptor() const { return m_transport.descriptor(); }
    Wait waiting() const { return m_waiting; }

private:
    friend class Server::State;

    void read();
    void consume(std::string_view data);
    void takeRequests(std::string_view data);
    std::size_t takeRequest(std::string_view data);
    void handle();
    bool inflateBody();
    void refuse(int status, std::string_view detail);
    void nameRequest();
    bool isBusy() const;
    void append(const Response& response);
    void flush();
    void linger();
    void resume();
    void settle();

    Transport m_transport;
    std::array<std::uint8_t, 16> m_peer;
    std::shared_ptr<Server::State> m_server;
    std::shared_ptr<Connection> m_self; ///< while it is open
    std::shared_ptr<Request> m_request;
    std::optional<RequestParser> m_parser;
    std::string m_input; ///< read, not yet taken
    std::string m_output; ///< to be written
    std::size_t m_written = 0; ///< of it
    std::uint64_t m_number = 0; ///< of the request being answered
    std::size_t m_lingered = 0;
    std::chrono::steady_clock::time_point m_since{}; ///< it waits
    std::chrono::steady_clock::time_point m_begun{}; ///< the request's first byte
    Wait m_waiting = Wait::Idle;
    bool m_inHandler = false; ///< handed over, not yet answered
    bool m_working = false; ///< within consume(): an answer is written by it
    bool m_readable = false; ///< more came while it could not be taken
    bool m_ended = false; ///< the client sends no more than what is there
    bool m_full = false; ///< stopped for the length of the answers
    bool m_close = false; ///< after what is to be written
    bool m_head = false;
    bool m_http10 = false;
    bool m_continued = false;
    bool m_active = false; ///< asked something since it was last idle
    bool m_closed = false;
};

using ConnectionList =
    boost::intrusive::list<Connection, boost::intrusive::constant_time_size<false>>;

} // namespace sluice::service
