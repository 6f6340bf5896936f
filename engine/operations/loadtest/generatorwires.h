#pragma once

#include "engine/base/result.h"
#include "engine/operations/loadtest/requestbook.h"
#include "engine/operations/loadtest/responsereader.h"

#include <cstdint>
#include <memory>
#include <string>
#include <sys/socket.h>
#include <unordered_set>
#include <vector>

namespace sluice::ops {

using Nanoseconds = std::int64_t;
Nanoseconds now(); ///< of the monotonic clock

/// One keep-alive connection, with the request that is on it or comes next.
struct Wire
{
    enum class State
    {
        Idle,
        Connecting,
        Sending,
        Waiting,
        Closed
    };
    int descriptor = -1;
    State state = State::Idle;
    int error = 0; ///< the connection could not even be tried
    int user = 0;
    Nanoseconds intended = 0;
    Nanoseconds since = 0; ///< in flight since
    Nanoseconds sentAt = 0;
    std::size_t written = 0;
    RequestBook::Request request;
    ResponseReader reader;
    Wire* older = nullptr; ///< neighbours among those in flight
    Wire* newer = nullptr;
};

/// What happens on wires; called on the loop's thread. Requests may be sent from within.
class WireEvents
{
public:
    virtual ~WireEvents() = default;
    virtual void sent() = 0;
    virtual void answered(Wire& wire) = 0; ///< reader has the status
    virtual void failed(Wire& wire, const char* kind) = 0; ///< the wire is closed
    virtual void closed(Wire& wire) = 0; ///< before it goes
    virtual void woken() = 0;
};

/// All connections of a generator to one server, on one epoll descriptor, edge-triggered.
class Wires
{
public:
    /// `pooled`: wires that are free may carry anybody's next request.
    Wires(const std::string& host, std::uint16_t port, bool pooled, WireEvents& events);
    ~Wires();
    Wires(const Wires&) = delete;
    Wires& operator=(const Wires&) = delete;

    Result<void> open();
    void wake(); ///< from any thread: woken() follows

    Wire* takeIdle(); ///< the one used last; nullptr: none is free
    Wire* connect(); ///< a new one; what fails is told after send()
    void send(Wire& wire); ///< its request; the wire is idle
    /// An idle one: the server has not closed it.
    static bool isOpen(const Wire& wire);

    /// Fails what is in flight since then or longer: "timeout".
    void expire(Nanoseconds since);
    Nanoseconds oldest() const; ///< in flight since; INT64_MAX: nothing is
    std::size_t inFlight() const { return m_inFlight; }
    std::size_t count() const { return m_open; } ///< connections

    void wait(Nanoseconds longest); ///< for events, and handles them
    void drop(Wire& wire); ///< closes an idle one that is not pooled

private:
    void close(Wire& wire);
    void bury(Wire& wire);
    void handle(Wire& wire, std::uint32_t what);
    void write(Wire& wire);
    void receive(Wire& wire, bool hungUp);
    void finish(Wire& wire, bool keeps);
    void fail(Wire& wire, const char* kind);
    void link(Wire& wire);
    void unlink(Wire& wire);

    sockaddr_storage m_address{};
    socklen_t m_addressSize = 0;
    bool m_pooled;
    WireEvents& m_events;
    int m_epoll = -1;
    int m_wakeUp = -1;
    std::unordered_set<Wire*> m_wires;
    std::vector<Wire*> m_idle; ///< last in, first out: few connections stay warm
    std::vector<std::unique_ptr<Wire>> m_buried; ///< an event may still name them
    std::vector<char> m_buffer;
    Wire* m_oldest = nullptr;
    Wire* m_newest = nullptr;
    std::size_t m_inFlight = 0;
    std::size_t m_open = 0;
};

} // namespace sluice::ops
