#pragma once

#include "engine/classification/context/rediscommands.h"
#include "engine/classification/context/sessionstore.h"

#include <chrono>

namespace sluice {

/// Sessions in Redis or in a Redis Cluster, as JSON under `sluice:session:{<id>}` (the braces are a
/// cluster's hash tag), each with a life that every save renews. A load is one round trip; a save
/// too, conditional on the number of turns: where another writer was quicker the answer is what it
/// wrote, and the turn is added to that, up to 16 times. `commands` must outlive the store.
class RedisSessionStore : public SessionStore
{
public:
    /// `budget`: a load takes no longer; a save that is awaited, ten times that; another one, 2 s.
    RedisSessionStore(RedisCommands& commands,
        std::chrono::seconds timeToLive = std::chrono::minutes(30),
        std::chrono::milliseconds budget = std::chrono::milliseconds(20));

    void load(std::string_view id, Loaded loaded) override;
    void save(Session session, SessionWrite write, Saved saved) override;

    static std::string keyOf(std::string_view id);

private:
    RedisCommands& m_commands;
    std::chrono::seconds m_timeToLive;
    std::chrono::milliseconds m_budget;
};

} // namespace sluice
