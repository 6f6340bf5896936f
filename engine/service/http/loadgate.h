#pragma once

#include <chrono>
#include <cstddef>

namespace sluice::service {

/// Decides which requests are shed, so that those that are taken are answered in time. One event
/// loop does all the work, so how long a request will wait is known: the turn's work before it, and
/// the work on those in flight. A burst is let through; when every turn for 100 ms had more to do
/// than fits into the delay aimed at, the queue stands, and what does not fit is refused. After
/// CoDel (Nichols, Jacobson 2012) as Facebook uses it on requests (Maurer, "Fail at Scale", 2015).
/// Times are passed in.
class LoadGate
{
public:
    using Clock = std::chrono::steady_clock;
    using Nanoseconds = std::chrono::nanoseconds;

    /// `delay`: aimed at; 0 sheds nothing. `inFlight`: more are refused in any case.
    LoadGate(std::chrono::milliseconds delay, std::size_t inFlight);

    /// A turn of the loop begins: `now` on the clock, `worked` the thread's processor time so far.
    void turn(Clock::time_point now, Nanoseconds worked);
    /// Whether a request may be taken at `now`, within the turn, with so many in flight.
    bool admits(Clock::time_point now, std::size_t inFlight);
    void answered() { ++m_answered; }

private:
    Nanoseconds m_delay;
    std::size_t m_inFlight;
    Clock::time_point m_turn{};
    Clock::time_point m_lastCalm{};
    Nanoseconds m_measuredSince{};
    Nanoseconds m_service{}; ///< work a request, smoothed
    std::size_t m_answered = 0;
    bool m_waited = false; ///< a request of this turn would wait longer than aimed at
    bool m_standing = false;
};

} // namespace sluice::service
