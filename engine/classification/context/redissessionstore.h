#pragma once

#include "engine/classification/context/redisconnection.h"
#include "engine/classification/context/sessionstore.h"

#include <chrono>

namespace sluice {

/// Sessions in Redis, as JSON under `sluice:session:{<id>}` (braces keep a session in one cluster
/// slot), each with a life that every save renews. The connection must outlive the store.
class RedisSessionStore : public SessionStore
{
public:
    RedisSessionStore(RedisConnection& connection,
        std::chrono::seconds timeToLive = std::chrono::minutes(30),
        std::chrono::milliseconds budget = std::chrono::milliseconds(20));

    void load(std::string_view id, Loaded loaded) override;
    void save(const Session& session, Saved saved) override;

    static std::string keyOf(std::string_view id);

private:
    RedisConnection& m_connection;
    std::chrono::seconds m_timeToLive;
    std::chrono::milliseconds m_budget;
};

} // namespace sluice
