#include "engine/classification/context/plainsessionstore.h"

#include "engine/classification/context/redissessionstore.h"

#include <fmt/format.h>
#include <hiredis/hiredis.h>
#include <memory>
#include <vector>

namespace sluice {

namespace {

struct FreeContext
{
    void operator()(redisContext* context) const { redisFree(context); }
};
struct FreeReply
{
    void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using Reply = std::unique_ptr<redisReply, FreeReply>;

Result<Reply> ask(redisContext& context, const std::vector<std::string>& words)
{
    std::vector<const char*> texts;
    std::vector<std::size_t> lengths;
    for (const std::string& word : words) {
        texts.push_back(word.data());
        lengths.push_back(word.size());
    }
    Reply reply(static_cast<redisReply*>(
        redisCommandArgv(&context, int(words.size()), texts.data(), lengths.data())));
    if (reply == nullptr) {
        return unreachableError(fmt::format("Redis: {}", context.errstr));
    }
    if (reply->type == REDIS_REPLY_ERROR) {
        return refusedError(fmt::format("Redis: {}", std::string_view(reply->str, reply->len)));
    }
    return reply;
}

/// One command on a connection of its own.
Result<Reply> askAlone(
    const PlainSessionStore::Settings& settings, const std::vector<std::string>& words)
{
    const timeval patience{settings.timeout.count() / 1000,
        static_cast<suseconds_t>(settings.timeout.count() % 1000 * 1000)};
    const std::unique_ptr<redisContext, FreeContext> context(
        redisConnectWithTimeout(settings.host.c_str(), settings.port, patience));
    if (context == nullptr || context->err != 0) {
        return unreachableError(fmt::format("Redis at {}:{}: {}", settings.host, settings.port,
            context == nullptr ? "out of memory" : context->errstr));
    }
    redisSetTimeout(context.get(), patience);
    if (!settings.password.empty()) {
        const auto known = settings.user.empty()
            ? ask(*context, {"AUTH", settings.password})
            : ask(*context, {"AUTH", settings.user, settings.password});
        if (!known) {
            return known.error();
        }
    }
    return ask(*context, words);
}

} // namespace

PlainSessionStore::PlainSessionStore(Settings settings)
    : m_settings(std::move(settings))
{ }

void PlainSessionStore::load(std::string_view id, Loaded loaded)
{
    const auto reply = askAlone(m_settings, {"GET", RedisSessionStore::keyOf(id)});
    if (!reply) {
        loaded(reply.error());
        return;
    }
    if ((*reply)->type != REDIS_REPLY_STRING) {
        loaded(std::optional<Session>());
        return;
    }
    auto session = Session::fromJson(std::string((*reply)->str, (*reply)->len));
    if (!session) {
        loaded(session.error());
        return;
    }
    session->id = id;
    loaded(std::optional<Session>(std::move(*session)));
}

void PlainSessionStore::save(Session session, SessionWrite /*write*/, Saved saved)
{
    const auto reply = askAlone(m_settings,
        {"SET", RedisSessionStore::keyOf(session.id), session.toJson(), "EX",
            std::to_string(m_settings.timeToLive.count())});
    saved(reply ? Result<int>(session.turnCount) : Result<int>(reply.error()));
}

} // namespace sluice
