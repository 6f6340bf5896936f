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

/// Sessions in this process: bounded in number (the least recently used go first) and in age. Safe
/// from any thread; callbacks are called before the methods return.
class MemorySessionStore : public SessionStore
{
public:
    using Clock = std::function<std::chrono::steady_clock::time_point()>;

    explicit MemorySessionStore(std::size_t maxSessions = 100000,
        std::chrono::seconds timeToLive = std::chrono::minutes(30),
        Clock clock = std::chrono::steady_clock::now);

    void load(std::string_view id, Loaded loaded) override;
    void save(const Session& session, Saved saved) override;
    std::size_t size() const;

private:
    struct Kept
    {
        Session session;
        std::chrono::steady_clock::time_point expires;
    };

    mutable std::mutex m_mutex;
    std::list<Kept> m_sessions; ///< most recently used first
    std::unordered_map<std::string, std::list<Kept>::iterator> m_index;
    std::size_t m_maxSessions;
    std::chrono::seconds m_timeToLive;
    Clock m_clock;
};

} // namespace sluice
