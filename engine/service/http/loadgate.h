#pragma once

#include <chrono>
#include <cstddef>

namespace sluice::service {

/// Decides which requests are shed, so that those that are taken are answered in time. One event
/// loop does all the work, so how long a request will wait is known: the turn's work before it, and
/// the work on those in flight. A burst is let through; when every turn for 100 ms had more to do
/// than fits into the delay aimed at, the queue stands, and what does not fit is refused. After
/// CoDel (Nichols, Jacobson 2012) as Facebook uses it on requests (Maurer, "Fail at Scale", 2015).
/// What counts is the loop's own processor time: a loop that other programs keep from running is
/// late, but to refuse what it could do would make it idle besides. Times are passed in.
class LoadGate
{
public:
    using Clock = std::chrono::steady_clock;
    using Nanoseconds = std::chrono::nanoseconds;

    using Worked = Nanoseconds (*)(); ///< the processor time of the loop's thread

    /// `delay`: aimed at; 0 sheds nothing. `inFlight`: more are refused in any case.
    LoadGate(std::chrono::milliseconds delay, std::size_t inFlight, Worked worked);

    void turn(Clock::time_point now); ///< a turn of the loop begins
    /// Whether a request may be taken at `now`, within the turn, with so many in flight.
    bool admits(Clock::time_point now, std::size_t inFlight);
    void answered() { ++m_answered; }

private:
    Nanoseconds m_delay;
    std::size_t m_inFlight;
    Worked m_worked;
    Nanoseconds m_workedBefore{}; ///< at the turn's begin
    Clock::time_point m_turn{};
    Clock::time_point m_lastCalm{};
    Nanoseconds m_measuredSince{};
    Nanoseconds m_service{}; ///< work a request, smoothed
    std::size_t m_answered = 0;
    bool m_waited = false; ///< a request of this turn would wait longer than aimed at
    bool m_standing = false;
};

} // namespace sluice::service
