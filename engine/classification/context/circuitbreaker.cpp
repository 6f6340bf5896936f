#include "engine/classification/context/circuitbreaker.h"

#include <algorithm>

namespace sluice {

CircuitBreaker::CircuitBreaker(const Settings& settings)
    : m_settings(settings)
    , m_pause(settings.shortestPause)
{ }

bool CircuitBreaker::takeProbe(TimePoint now)
{
    if (m_state != State::Open || now < m_probeAt) {
        return false;
    }
    m_state = State::HalfOpen;
    return true;
}

void CircuitBreaker::succeeded(TimePoint now)
{
    if (m_state == State::HalfOpen) {
        m_state = State::Closed;
        m_asked = m_failed = 0;
        m_windowEnd = now + m_settings.window;
    } else if (m_state == State::Closed) {
        count(now, false);
    }
}

void CircuitBreaker::failed(TimePoint now)
{
    if (m_state == State::HalfOpen) {
        open(now);
    } else if (m_state == State::Closed) {
        count(now, true);
        if (m_failed >= m_settings.failures && 2 * m_failed >= m_asked) {
            open(now);
        }
    }
}

void CircuitBreaker::reset()
{
    m_state = State::Closed;
    m_asked = m_failed = 0;
    m_pause = m_settings.shortestPause;
}

void CircuitBreaker::count(TimePoint now, bool isFailure)
{
    if (now >= m_windowEnd) {
        if (m_failed == 0) {
            m_pause = m_settings.shortestPause; // a window without a failure: it is well again
        }
        m_asked = m_failed = 0;
        m_windowEnd = now + m_settings.window;
    }
    ++m_asked;
    m_failed += isFailure ? 1 : 0;
}

void CircuitBreaker::open(TimePoint now)
{
    m_state = State::Open;
    m_probeAt = now + m_pause;
    m_pause = std::min(m_pause * 2, m_settings.longestPause);
}

} // namespace sluice
