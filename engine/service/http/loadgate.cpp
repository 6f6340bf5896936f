#include "engine/service/http/loadgate.h"

#include <algorithm>
#include <cstdint>

namespace sluice::service {

namespace {

/// A queue that emptied within this time does not stand.
constexpr std::chrono::milliseconds interval{100};
/// What a burst may wait, in units of the delay aimed at, and at most.
constexpr int burst = 10;
constexpr std::chrono::milliseconds longestBurst{40};
/// So many answers are one measurement of the work a request.
constexpr std::size_t sample = 64;

} // namespace

LoadGate::LoadGate(std::chrono::milliseconds delay, std::size_t inFlight, Worked worked)
    : m_delay(delay)
    , m_inFlight(inFlight)
    , m_worked(worked)
{ }

void LoadGate::turn(Clock::time_point now)
{
    const Nanoseconds worked = m_worked();
    m_workedBefore = worked;
    if (!m_waited) {
        m_lastCalm = now;
    }
    m_waited = false;
    m_standing = now - m_lastCalm > interval;
    m_turn = now;
    if (m_answered >= sample) {
        const Nanoseconds each = (worked - m_measuredSince) / std::int64_t(m_answered);
        m_service = m_service.count() == 0 ? each : (3 * m_service + each) / 4;
        m_measuredSince = worked;
        m_answered = 0;
    }
}

bool LoadGate::admits(Clock::time_point now, std::size_t inFlight)
{
    if (inFlight >= m_inFlight) {
        return false;
    }
    if (m_delay.count() == 0) {
        return true;
    }
    const Nanoseconds queued = std::int64_t(inFlight) * m_service;
    Nanoseconds waits = (now - m_turn) + queued;
    if (waits > m_delay) { // only then is it worth asking the system
        waits = m_worked() - m_workedBefore + queued;
    }
    m_waited = m_waited || waits > m_delay;
    const Nanoseconds allowed = m_standing
        ? m_delay
        : std::max(m_delay, std::min<Nanoseconds>(burst * m_delay, longestBurst));
    return waits <= allowed;
}

} // namespace sluice::service
