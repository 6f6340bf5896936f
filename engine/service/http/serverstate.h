#pragma once

#include "engine/service/http/connection.h"
#include "engine/service/http/loadgate.h"
#include "engine/service/http/server.h"

#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

namespace sluice::service {

/// What a server's connections share. Kept alive by them.
class Server::State : public std::enable_shared_from_this<State>
{
public:
    using Clock = std::chrono::steady_clock;

    State(boost::asio::io_context& eventLoop, const ServerLimits& serverLimits,
        Handler requestHandler, Answered onAnswered);
    ~State();

    Result<std::uint16_t> listen(const std::string& host, std::uint16_t port);
    void beginDrain(std::chrono::milliseconds patience, std::function<void()> whenDrained);
    void stopListening();
    void closeAll();
    /// Waits for a connection's next bytes; `since` begins its time. One list a kind of wait, each
    /// in the order of its deadlines.
    void wait(Connection& connection, Wait kind, Clock::time_point since);
    void remove(Connection& connection);

    /// Buffers and requests are few and go round: those of connections that have nothing to say
    /// are with the others.
    std::string takeBuffer();
    void giveBuffer(std::string&& buffer);
    std::shared_ptr<Request> takeRequest();
    void giveRequest(std::shared_ptr<Request>&& request);

    boost::asio::io_context& loop;
    ServerLimits limits;
    Handler handler;
    Answered answered;
    LoadGate gate;
    std::shared_ptr<const TlsContext> tls;
    std::size_t inFlight = 0;
    std::size_t open = 0;
    bool draining = false;
    std::array<char, 65536> input{}; ///< what a connection reads into, while it is handled

private:
    void watch();
    void onReady();
    void accept();
    void accepting(bool on);
    void tick();
    std::chrono::milliseconds timeoutOf(Wait kind) const;

    boost::asio::posix::stream_descriptor m_events; ///< the epoll set
    boost::asio::steady_timer m_ticks;
    boost::asio::steady_timer m_drainTimer;
    int m_listener = -1;
    bool m_accepts = false;
    std::array<ConnectionList, waitKinds> m_waiting;
    std::vector<std::shared_ptr<Connection>> m_closed; ///< kept until the turn is over
    std::vector<std::string> m_buffers;
    std::vector<std::shared_ptr<Request>> m_requests;
    std::function<void()> m_drained;
};

} // namespace sluice::service
