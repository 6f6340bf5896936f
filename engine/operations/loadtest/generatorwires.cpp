#include "engine/operations/loadtest/generatorwires.h"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace sluice::ops {

namespace {

constexpr std::size_t bufferBytes = 64 * 1024;

const char* kindOf(int error)
{
    switch (error) {
    case ECONNREFUSED:
        return "connection refused";
    case ECONNRESET:
    case EPIPE:
    case ENOTCONN:
        return "connection closed";
    case EMFILE:
    case ENFILE:
        return "out of descriptors";
    case EADDRNOTAVAIL:
        return "out of ports";
    case ETIMEDOUT:
        return "timeout";
    case ENETUNREACH:
    case EHOSTUNREACH:
        return "no route to the host";
    default:
        break;
    }
    return "network error";
}

} // namespace

Nanoseconds now()
{
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
        std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

Wires::Wires(const std::string& host, std::uint16_t port, bool pooled, WireEvents& events)
    : m_pooled(pooled)
    , m_events(events)
    , m_buffer(bufferBytes)
{
    sockaddr_in four{};
    sockaddr_in6 six{};
    if (::inet_pton(AF_INET6, host.c_str(), &six.sin6_addr) == 1) {
        six.sin6_family = AF_INET6;
        six.sin6_port = htons(port);
        m_addressSize = sizeof six;
        std::memcpy(&m_address, &six, sizeof six);
    } else {
        ::inet_pton(AF_INET, host.c_str(), &four.sin_addr);
        four.sin_family = AF_INET;
        four.sin_port = htons(port);
        m_addressSize = sizeof four;
        std::memcpy(&m_address, &four, sizeof four);
    }
}

Wires::~Wires()
{
    for (Wire* wire : m_wires) {
        ::close(wire->descriptor);
        delete wire;
    }
    ::close(m_wakeUp);
    ::close(m_epoll);
}

Result<void> Wires::open()
{
    m_epoll = ::epoll_create1(EPOLL_CLOEXEC);
    m_wakeUp = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    epoll_event event{};
    event.events = EPOLLIN;
    if (m_epoll < 0 || m_wakeUp < 0 || ::epoll_ctl(m_epoll, EPOLL_CTL_ADD, m_wakeUp, &event) != 0) {
        return internalError("the generator gets no descriptors", std::strerror(errno));
    }
    return {};
}

void Wires::wake()
{
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(m_wakeUp, &one, sizeof one);
}

Wire* Wires::takeIdle()
{
    while (!m_idle.empty()) {
        Wire* wire = m_idle.back();
        m_idle.pop_back();
        if (wire->state != Wire::State::Closed && isOpen(*wire)) {
            return wire;
        }
        drop(*wire);
    }
    return nullptr;
}

bool Wires::isOpen(const Wire& wire)
{
    char byte = 0;
    const ssize_t got = ::recv(wire.descriptor, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

Wire* Wires::connect()
{
    auto* wire = new Wire;
    m_wires.insert(wire);
    wire->descriptor = ::socket(m_address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (wire->descriptor < 0) {
        wire->error = errno;
        return wire;
    }
    ++m_open;
    const int on = 1;
    ::setsockopt(wire->descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const int done =
        ::connect(wire->descriptor, reinterpret_cast<const sockaddr*>(&m_address), m_addressSize);
    if (done != 0 && errno != EINPROGRESS) {
        wire->error = errno;
        return wire;
    }
    wire->state = done == 0 ? Wire::State::Idle : Wire::State::Connecting;
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.ptr = wire;
    if (::epoll_ctl(m_epoll, EPOLL_CTL_ADD, wire->descriptor, &event) != 0) {
        wire->error = errno;
    }
    return wire;
}

void Wires::send(Wire& wire)
{
    wire.since = now();
    wire.written = 0;
    wire.reader.reset();
    link(wire);
    if (wire.error != 0) {
        fail(wire, kindOf(wire.error));
    } else if (wire.state != Wire::State::Connecting) {
        wire.state = Wire::State::Sending;
        write(wire);
    }
}

void Wires::write(Wire& wire)
{
    const std::string& bytes = wire.request.bytes;
    if (wire.written == 0) {
        wire.sentAt = now();
    }
    const ssize_t done = ::send(wire.descriptor, bytes.data() + wire.written,
        bytes.size() - wire.written, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (done < 0) {
        if (errno != EAGAIN && errno != EWOULDBLOCK) {
            fail(wire, kindOf(errno));
        }
        return;
    }
    if (wire.written == 0) {
        m_events.sent();
    }
    wire.written += std::size_t(done);
    if (wire.written == bytes.size()) {
        wire.state = Wire::State::Waiting;
    }
}

void Wires::link(Wire& wire)
{
    wire.older = m_newest;
    wire.newer = nullptr;
    (m_newest == nullptr ? m_oldest : m_newest->newer) = &wire;
    m_newest = &wire;
    ++m_inFlight;
}

void Wires::unlink(Wire& wire)
{
    (wire.older == nullptr ? m_oldest : wire.older->newer) = wire.newer;
    (wire.newer == nullptr ? m_newest : wire.newer->older) = wire.older;
    --m_inFlight;
}

Nanoseconds Wires::oldest() const
{
    return m_oldest == nullptr ? INT64_MAX : m_oldest->since;
}

void Wires::expire(Nanoseconds since)
{
    while (m_oldest != nullptr && m_oldest->since <= since) {
        fail(*m_oldest, "timeout");
    }
}

void Wires::close(Wire& wire)
{
    if (wire.descriptor >= 0) {
        ::close(wire.descriptor);
        --m_open;
    }
    wire.descriptor = -1;
    wire.state = Wire::State::Closed;
    m_events.closed(wire);
}

void Wires::bury(Wire& wire)
{
    m_wires.erase(&wire);
    m_buried.emplace_back(&wire);
}

void Wires::drop(Wire& wire)
{
    if (wire.state != Wire::State::Closed) {
        close(wire);
    }
    bury(wire);
}

void Wires::finish(Wire& wire, bool keeps)
{
    unlink(wire);
    wire.state = Wire::State::Idle;
    if (!keeps) {
        drop(wire);
    } else if (m_pooled) {
        m_idle.push_back(&wire);
    }
    m_events.answered(wire);
}

void Wires::fail(Wire& wire, const char* kind)
{
    unlink(wire);
    drop(wire);
    m_events.failed(wire, kind);
}

void Wires::wait(Nanoseconds longest)
{
    std::array<epoll_event, 512> events;
    const timespec patience{longest / 1000000000, longest % 1000000000};
    const int count =
        ::epoll_pwait2(m_epoll, events.data(), int(events.size()), &patience, nullptr);
    for (int index = 0; index < count; ++index) {
        const epoll_event& event = events[std::size_t(index)];
        if (event.data.ptr == nullptr) {
            std::uint64_t times = 0;
            [[maybe_unused]] const ssize_t got = ::read(m_wakeUp, &times, sizeof times);
            m_events.woken();
        } else {
            handle(*static_cast<Wire*>(event.data.ptr), event.events);
        }
    }
    m_buried.clear();
}

void Wires::handle(Wire& wire, std::uint32_t what)
{
    if (wire.state == Wire::State::Connecting && (what & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0) {
        int error = 0;
        socklen_t size = sizeof error;
        ::getsockopt(wire.descriptor, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error != 0) {
            fail(wire, kindOf(error));
            return;
        }
        wire.state = Wire::State::Sending;
    }
    if (wire.state == Wire::State::Sending && (what & EPOLLOUT) != 0) {
        write(wire);
    }
    if (wire.state != Wire::State::Closed && (what & ~std::uint32_t(EPOLLOUT)) != 0) {
        receive(wire, (what & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0);
    }
}

void Wires::receive(Wire& wire, bool hungUp)
{
    for (;;) {
        const ssize_t got = ::recv(wire.descriptor, m_buffer.data(), m_buffer.size(), MSG_DONTWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            return;
        }
        const int error = got < 0 ? errno : 0;
        if (wire.state == Wire::State::Idle) {
            close(wire); // it ended, or spoke without being asked
            if (!m_pooled) {
                bury(wire);
            }
            return;
        }
        if (got <= 0) {
            if (got == 0 && wire.reader.end() == ResponseReader::State::Done) {
                finish(wire, false);
            } else {
                fail(wire, got == 0 ? "connection closed" : kindOf(error));
            }
            return;
        }
        const auto state = wire.reader.take({m_buffer.data(), std::size_t(got)});
        if (state == ResponseReader::State::Done) {
            finish(wire, wire.reader.keepsAlive() && !hungUp);
            return;
        }
        if (state == ResponseReader::State::Bad) {
            fail(wire, "not HTTP");
            return;
        }
        if (std::size_t(got) < m_buffer.size() && !hungUp) {
            return; // drained: edge-triggered, the next bytes are an event of their own
        }
    }
}

} // namespace sluice::ops
