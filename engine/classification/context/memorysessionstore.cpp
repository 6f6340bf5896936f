#include "engine/classification/context/memorysessionstore.h"

namespace sluice {

MemorySessionStore::MemorySessionStore(
    std::size_t maxSessions, std::chrono::seconds timeToLive, Clock clock)
    : m_maxSessions(maxSessions)
    , m_timeToLive(timeToLive)
    , m_clock(std::move(clock))
{ }

void MemorySessionStore::load(std::string_view id, Loaded loaded)
{
    std::optional<Session> session;
    {
        const std::lock_guard lock(m_mutex);
        const auto found = m_index.find(std::string(id));
        if (found != m_index.end()) {
            if (found->second->expires > m_clock()) {
                m_sessions.splice(m_sessions.begin(), m_sessions, found->second);
                session = found->second->session;
            } else {
                m_sessions.erase(found->second);
                m_index.erase(found);
            }
        }
    }
    loaded(std::move(session));
}

void MemorySessionStore::save(const Session& session, Saved saved)
{
    {
        const std::lock_guard lock(m_mutex);
        const auto found = m_index.find(session.id);
        if (found != m_index.end()) {
            m_sessions.erase(found->second);
            m_index.erase(found);
        }
        const auto now = m_clock();
        m_sessions.push_front({session, now + m_timeToLive});
        m_index[session.id] = m_sessions.begin();
        while (!m_sessions.empty()
            && (m_sessions.size() > m_maxSessions || m_sessions.back().expires <= now)) {
            m_index.erase(m_sessions.back().session.id);
            m_sessions.pop_back();
        }
    }
    saved({});
}

std::size_t MemorySessionStore::size() const
{
    const std::lock_guard lock(m_mutex);
    return m_sessions.size();
}

} // namespace sluice
