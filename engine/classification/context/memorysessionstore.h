#pragma once

#include "engine/classification/context/sessionstore.h"

#include <chrono>
#include <cstddef>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <unordered_map>

namespace sluice {

/// Sessions in this process: bounded in number (the least recently used go first) and in age. Kept
/// as documents, as in Redis: half the size of the objects. Safe from any thread; callbacks are
/// called before the methods return.
class MemorySessionStore : public SessionStore
{
public:
    using Clock = std::function<std::chrono::steady_clock::time_point()>;

    explicit MemorySessionStore(std::size_t maxSessions = 100000,
        std::chrono::seconds timeToLive = std::chrono::minutes(30),
        Clock clock = std::chrono::steady_clock::now);

    void load(std::string_view id, Loaded loaded) override;
    void save(Session session, SessionWrite write, Saved saved) override;
    std::size_t size() const;

private:
    struct Kept
    {
        std::string id;
        std::string document;
        int turns = 0;
        std::chrono::steady_clock::time_point expires;
    };
    using Order = std::list<Kept>;

    Order::iterator find(std::string_view id);
    void forget(Order::iterator kept);

    mutable std::mutex m_mutex;
    Order m_sessions; ///< most recently used first
    std::unordered_map<std::string_view, Order::iterator> m_index; ///< by Kept::id
    std::size_t m_maxSessions;
    std::chrono::seconds m_timeToLive;
    Clock m_clock;
};

} // namespace sluice
