#pragma once

#include "engine/classification/context/sessionstore.h"

#include <chrono>
#include <cstdint>
#include <string>

namespace sluice {

/// Sessions in Redis the plain way: every load and every save opens a connection of its own, asks
/// one command and waits for the answer, and the caller with it. What a service does before
/// somebody looks; here to be compared with (tests/bench/plain.json), never the default. Two turns
/// of one session at once lose one of them. Same keys and documents as RedisSessionStore.
class PlainSessionStore : public SessionStore
{
public:
    struct Settings
    {
        std::string host = "127.0.0.1";
        std::uint16_t port = 6379;
        std::string user; ///< ACL user; empty: none
        std::string password;
        std::chrono::seconds timeToLive{1800};
        std::chrono::milliseconds timeout{1000}; ///< to connect, and for an answer
    };
    explicit PlainSessionStore(Settings settings);

    void load(std::string_view id, Loaded loaded) override;
    void save(Session session, SessionWrite write, Saved saved) override;

private:
    Settings m_settings;
};

} // namespace sluice
