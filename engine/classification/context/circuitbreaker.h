#pragma once

#include <chrono>

namespace sluice {

/// Whether a server is asked at all. Closed: it is. Once at least `failures` within a window
/// failed, and half of all that was asked, it opens: nobody is made to wait for what will not come.
/// After a pause one probe may go out (half open); it closes the breaker again, or opens it for
/// twice as long. Pure: times are passed in, rising.
class CircuitBreaker
{
public:
    using TimePoint = std::chrono::steady_clock::time_point;

    struct Settings
    {
        int failures = 10;
        std::chrono::milliseconds window{1000};
        std::chrono::milliseconds shortestPause{100};
        std::chrono::milliseconds longestPause{5000};
    };
    enum class State
    {
        Closed,
        HalfOpen,
        Open
    };

    CircuitBreaker()
        : CircuitBreaker(Settings())
    { }
    explicit CircuitBreaker(const Settings& settings);

    State state() const { return m_state; }
    bool isClosed() const { return m_state == State::Closed; }
    TimePoint probeAt() const { return m_probeAt; } ///< of an open one

    /// Whether it is open and a probe is due: then it is half open until succeeded() or failed().
    bool takeProbe(TimePoint now);
    void succeeded(TimePoint now); ///< what was asked was answered in time
    void failed(TimePoint now); ///< it was not
    void reset(); ///< closed, with nothing counted: another connection

private:
    void count(TimePoint now, bool isFailure);
    void open(TimePoint now);

    Settings m_settings;
    State m_state = State::Closed;
    TimePoint m_windowEnd{};
    int m_asked = 0; ///< in this window
    int m_failed = 0;
    std::chrono::milliseconds m_pause;
    TimePoint m_probeAt{};
};

} // namespace sluice
