#include "engine/service/http/server.h"

#include "engine/service/http/serverstate.h"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace sluice::service {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr std::chrono::milliseconds tickPeriod{250};
constexpr std::chrono::seconds lingerTime{1};
/// While draining, a connection that asks nothing for so long is closed.
constexpr std::chrono::seconds drainIdle{1};
constexpr int eventsATurn = 512;
constexpr int acceptsATurn = 128;
constexpr std::size_t buffersKept = 256;
constexpr std::size_t bufferBytesKept = 65536;

std::chrono::nanoseconds threadWork()
{
    timespec used{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

std::array<std::uint8_t, 16> addressOf(const sockaddr_storage& from)
{
    std::array<std::uint8_t, 16> address{};
    if (from.ss_family == AF_INET) {
        address[10] = address[11] = 0xff; // ::ffff:a.b.c.d
        std::memcpy(&address[12], &reinterpret_cast<const sockaddr_in&>(from).sin_addr, 4);
    } else if (from.ss_family == AF_INET6) {
        std::memcpy(address.data(), &reinterpret_cast<const sockaddr_in6&>(from).sin6_addr, 16);
    }
    return address;
}

Error listenError(const std::string& host, std::uint16_t port, int code)
{
    const std::string where = host + ":" + std::to_string(port);
    if (code == EADDRINUSE) {
        return inputError(
            "the port " + where + " is in use: choose another one, or 0 for any that is free");
    }
    return inputError("cannot listen on " + where, std::strerror(code));
}

} // namespace

Server::State::State(asio::io_context& eventLoop, const ServerLimits& serverLimits,
    Handler requestHandler, Answered onAnswered)
    : loop(eventLoop)
    , limits(serverLimits)
    , handler(std::move(requestHandler))
    , answered(std::move(onAnswered))
    , gate(serverLimits.queueDelay, serverLimits.inFlight, threadWork)
    , m_events(eventLoop, ::epoll_create1(EPOLL_CLOEXEC))
    , m_ticks(eventLoop)
    , m_drainTimer(eventLoop)
{ }

Server::State::~State()
{
    if (m_listener >= 0) {
        ::close(m_listener);
    }
}

Result<std::uint16_t> Server::State::listen(const std::string& host, std::uint16_t port)
{
    error_code code;
    const auto address = asio::ip::make_address(host, code);
    if (code) {
        return inputError(
            "\"" + host + "\" is not an IP address to listen on: give 127.0.0.1, say");
    }
    sockaddr_storage name{};
    socklen_t length = sizeof(sockaddr_in);
    if (address.is_v4()) {
        auto& four = reinterpret_cast<sockaddr_in&>(name);
        four.sin_family = AF_INET;
        four.sin_port = htons(port);
        four.sin_addr.s_addr = htonl(address.to_v4().to_uint());
    } else {
        auto& six = reinterpret_cast<sockaddr_in6&>(name);
        six.sin6_family = AF_INET6;
        six.sin6_port = htons(port);
        const auto bytes = address.to_v6().to_bytes();
        std::memcpy(&six.sin6_addr, bytes.data(), bytes.size());
        length = sizeof(sockaddr_in6);
    }
    m_listener = ::socket(name.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    auto* raw = reinterpret_cast<sockaddr*>(&name);
    if (m_listener < 0 || ::setsockopt(m_listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0
        || ::bind(m_listener, raw, length) != 0 || ::listen(m_listener, 4096) != 0
        || ::getsockname(m_listener, raw, &length) != 0) {
        return listenError(host, port, errno);
    }
    accepting(true);
    watch();
    tick();
    return ntohs(address.is_v4() ? reinterpret_cast<sockaddr_in&>(name).sin_port
                                 : reinterpret_cast<sockaddr_in6&>(name).sin6_port);
}

void Server::State::accepting(bool on)
{
    if (m_listener >= 0 && on != m_accepts) {
        epoll_event event{};
        event.events = EPOLLIN;
        ::epoll_ctl(
            m_events.native_handle(), on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, m_listener, &event);
        m_accepts = on;
    }
}

void Server::State::watch()
{
    m_events.async_wait(asio::posix::stream_descriptor::wait_read,
        [weak = weak_from_this()](const error_code& code) {
            if (const auto self = weak.lock(); self && !code) {
                self->onReady();
            }
        });
}

void Server::State::onReady()
{
    std::array<epoll_event, eventsATurn> events;
    const int count = ::epoll_wait(m_events.native_handle(), events.data(), eventsATurn, 0);
    gate.turn(Clock::now());
    for (int index = 0; index < count; ++index) {
        const epoll_event& event = events[std::size_t(index)];
        if (event.data.ptr == nullptr) {
            accept();
            continue;
        }
        static_cast<Connection*>(event.data.ptr)
            ->onReady((event.events & ~std::uint32_t(EPOLLOUT)) != 0,
                (event.events & EPOLLOUT) != 0,
                (event.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0);
    }
    m_closed.clear();
    watch();
}

void Server::State::accept()
{
    for (int count = 0; m_listener >= 0 && count < acceptsATurn; ++count) {
        sockaddr_storage from{};
        socklen_t length = sizeof from;
        const int descriptor = ::accept4(
            m_listener, reinterpret_cast<sockaddr*>(&from), &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (descriptor < 0) {
            if (errno == EINTR || errno == ECONNABORTED) {
                continue;
            }
            if (errno != EAGAIN && errno != EWOULDBLOCK) {
                accepting(false); // out of descriptors, say: the next tick tries again
            }
            return;
        }
        const int on = 1;
        ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        auto connection =
            std::make_shared<Connection>(descriptor, addressOf(from), shared_from_this());
        ++open;
        connection->m_self = connection;
        epoll_event event{};
        event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
        event.data.ptr = connection.get();
        ::epoll_ctl(m_events.native_handle(), EPOLL_CTL_ADD, descriptor, &event);
        if (open > limits.connections) {
            connection->turnAway();
        } else {
            connection->settle();
        }
    }
}

void Server::State::wait(Connection& connection, Wait kind, Clock::time_point since)
{
    ConnectionList& list = m_waiting[std::size_t(kind)];
    if (connection.is_linked()) {
        if (connection.m_waiting == kind && connection.m_since == since) {
            return;
        }
        connection.unlink();
    }
    connection.m_waiting = kind;
    connection.m_since = since;
    list.push_back(connection);
}

std::chrono::milliseconds Server::State::timeoutOf(Wait kind) const
{
    switch (kind) {
    case Wait::Idle:
        return draining ? drainIdle : limits.idleTimeout;
    case Wait::Header:
        return limits.headerTimeout;
    case Wait::Body:
        return limits.readTimeout;
    case Wait::Write:
        return limits.writeTimeout;
    case Wait::Linger:
        return lingerTime;
    case Wait::Handler:
        break;
    }
    return std::chrono::hours(24 * 365);
}

void Server::State::tick()
{
    const auto now = Clock::now();
    for (std::size_t kind = 0; kind < waitKinds; ++kind) {
        const auto timeout = timeoutOf(Wait(kind));
        ConnectionList& list = m_waiting[kind];
        for (auto next = list.begin(); next != list.end();) {
            Connection& connection = *next++;
            if (now - connection.m_since >= timeout) {
                connection.onTimeout();
            } else if (Wait(kind) != Wait::Body) {
                break; // those behind it came later; bodies began with their headers
            }
        }
    }
    m_closed.clear();
    if (!draining) {
        accepting(true);
    }
    m_ticks.expires_after(tickPeriod);
    m_ticks.async_wait([weak = weak_from_this()](const error_code& code) {
        if (const auto self = weak.lock(); self && !code) {
            self->tick();
        }
    });
}

void Server::State::remove(Connection& connection)
{
    connection.unlink();
    --open;
    m_closed.push_back(std::move(connection.m_self));
    if (draining && open == 0 && m_drained) {
        m_drainTimer.cancel();
        asio::post(loop, std::exchange(m_drained, nullptr));
    }
}

void Server::State::closeAll()
{
    for (ConnectionList& list : m_waiting) {
        while (!list.empty()) {
            list.front().close();
        }
    }
    m_closed.clear();
}

void Server::State::beginDrain(
    std::chrono::milliseconds patience, std::function<void()> whenDrained)
{
    while (m_accepts && open < limits.connections) {
        const std::size_t before = open;
        accept();
        if (open == before) {
            break;
        }
    }
    stopListening();
    draining = true;
    if (open == 0) {
        asio::post(loop, std::move(whenDrained));
        return;
    }
    m_drained = std::move(whenDrained);
    m_drainTimer.expires_after(patience);
    m_drainTimer.async_wait([weak = weak_from_this()](const error_code& code) {
        if (const auto self = weak.lock(); self && !code) {
            self->closeAll();
        }
    });
}

void Server::State::stopListening()
{
    m_drained = nullptr;
    accepting(false);
    if (m_listener >= 0) {
        ::close(m_listener);
        m_listener = -1;
    }
}

std::string Server::State::takeBuffer()
{
    if (m_buffers.empty()) {
        return {};
    }
    std::string buffer = std::move(m_buffers.back());
    m_buffers.pop_back();
    return buffer;
}

void Server::State::giveBuffer(std::string&& buffer)
{
    if (m_buffers.size() < buffersKept && buffer.capacity() <= bufferBytesKept) {
        buffer.clear();
        m_buffers.push_back(std::move(buffer));
    }
}

std::shared_ptr<Request> Server::State::takeRequest()
{
    if (m_requests.empty()) {
        return std::make_shared<Request>();
    }
    std::shared_ptr<Request> request = std::move(m_requests.back());
    m_requests.pop_back();
    return request;
}

void Server::State::giveRequest(std::shared_ptr<Request>&& request)
{
    // Who answers may still look at it.
    if (request.use_count() == 1 && m_requests.size() < buffersKept
        && request->body.capacity() <= bufferBytesKept) {
        request->clear();
        m_requests.push_back(std::move(request));
    }
    request.reset();
}

Server::Respond::Respond(std::shared_ptr<Connection> connection, std::uint64_t number)
    : m_connection(std::move(connection))
    , m_number(number)
{ }

void Server::Respond::operator()(const Response& response) const
{
    m_connection->answer(m_number, response);
}

Server::Server(
    asio::io_context& loop, const ServerLimits& limits, Handler handler, Answered answered)
    : m_state(std::make_shared<State>(loop, limits, std::move(handler), std::move(answered)))
{ }

Server::~Server()
{
    m_state->draining = true;
    m_state->stopListening();
    m_state->closeAll();
}

void Server::setTls(std::shared_ptr<const TlsContext> tls)
{
    m_state->tls = std::move(tls);
}

void Server::setLimits(const ServerLimits& limits)
{
    m_state->limits = limits;
    m_state->gate = LoadGate(limits.queueDelay, limits.inFlight, threadWork);
}

Result<std::uint16_t> Server::listen(const std::string& host, std::uint16_t port)
{
    return m_state->listen(host, port);
}

void Server::drain(std::chrono::milliseconds patience, std::function<void()> drained)
{
    m_state->beginDrain(patience, std::move(drained));
}

std::size_t Server::connections() const
{
    return m_state->open;
}

std::size_t Server::inFlight() const
{
    return m_state->inFlight;
}

} // namespace sluice::service
