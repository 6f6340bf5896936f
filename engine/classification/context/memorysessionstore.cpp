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
    std::string document;
    {
        const std::lock_guard lock(m_mutex);
        if (const auto found = find(id); found != m_sessions.end()) {
            document = found->document;
        }
    }
    if (document.empty()) {
        loaded(std::optional<Session>());
        return;
    }
    auto session = Session::fromJson(document);
    if (!session) {
        loaded(session.error());
        return;
    }
    session->id = id;
    loaded(std::optional<Session>(std::move(*session)));
}

void MemorySessionStore::save(Session kept, SessionWrite, Saved saved)
{
    {
        const std::lock_guard lock(m_mutex);
        if (const auto found = find(kept.id); found != m_sessions.end()) {
            if (found->turns != kept.turnCount - 1) {
                if (const auto stored = Session::fromJson(found->document)) {
                    kept = kept.mergedOnto(*stored);
                }
            }
            forget(found);
        }
        const auto now = m_clock();
        m_sessions.push_front({kept.id, kept.toJson(), kept.turnCount, now + m_timeToLive});
        m_sessions.front().document.shrink_to_fit(); // there are many of them
        m_index.emplace(m_sessions.front().id, m_sessions.begin());
        while (!m_sessions.empty()
            && (m_sessions.size() > m_maxSessions || m_sessions.back().expires <= now)) {
            forget(std::prev(m_sessions.end()));
        }
    }
    saved(kept.turnCount);
}

std::size_t MemorySessionStore::size() const
{
    const std::lock_guard lock(m_mutex);
    return m_sessions.size();
}

/// The session that lives under this name, then the first in order; or the end.
MemorySessionStore::Order::iterator MemorySessionStore::find(std::string_view id)
{
    const auto found = m_index.find(id);
    if (found == m_index.end()) {
        return m_sessions.end();
    }
    if (found->second->expires <= m_clock()) {
        forget(found->second);
        return m_sessions.end();
    }
    m_sessions.splice(m_sessions.begin(), m_sessions, found->second);
    return m_sessions.begin();
}

void MemorySessionStore::forget(Order::iterator kept)
{
    m_index.erase(kept->id);
    m_sessions.erase(kept);
}

} // namespace sluice
