#include "engine/classification/context/redissessionstore.h"

#include <fmt/format.h>

namespace sluice {

RedisSessionStore::RedisSessionStore(
    RedisConnection& connection, std::chrono::seconds timeToLive, std::chrono::milliseconds budget)
    : m_connection(connection)
    , m_timeToLive(timeToLive)
    , m_budget(budget)
{ }

std::string RedisSessionStore::keyOf(std::string_view id)
{
    return fmt::format("sluice:session:{{{}}}", id);
}

void RedisSessionStore::load(std::string_view id, Loaded loaded)
{
    m_connection.command({"GET", keyOf(id)}, m_budget,
        [id = std::string(id), loaded = std::move(loaded)](const Result<RedisValue>& reply) {
            if (!reply) {
                loaded(reply.error());
                return;
            }
            if (reply->isNil()) {
                loaded(std::optional<Session>());
                return;
            }
            auto session = Session::fromJson(reply->text);
            if (!session) {
                loaded(session.error());
                return;
            }
            session->id = id;
            loaded(std::optional<Session>(std::move(*session)));
        });
}

void RedisSessionStore::save(const Session& session, Saved saved)
{
    m_connection.command(
        {"SET", keyOf(session.id), session.toJson(), "EX", std::to_string(m_timeToLive.count())},
        m_budget * 10, [saved = std::move(saved)](const Result<RedisValue>& reply) {
            saved(reply ? Result<void>() : Result<void>(reply.error()));
        });
}

} // namespace sluice
