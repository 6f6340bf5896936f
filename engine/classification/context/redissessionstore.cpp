#include "engine/classification/context/redissessionstore.h"

#include <fmt/format.h>
#include <memory>

namespace sluice {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds behindBudget{2000};
constexpr int mostRounds = 16;

/// Compare and set: KEYS[1] the session, ARGV the number of turns that it must have where it
/// exists, the new document, its life in seconds. What can't be read is written over.
constexpr const char* script = R"(
local stored = redis.call('GET', KEYS[1])
local turns = stored and string.match(stored, '^{"v":%d+,"turn_count":(%d+)[,}]')
if turns and turns ~= ARGV[1] then return stored end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
return 1)";

/// A save under way. It refers to no store: that may be gone before the answer comes.
struct Saving
{
    RedisCommands& commands;
    Session session;
    int turnsBefore; ///< what is to be written over has so many
    std::string timeToLive;
    Clock::time_point deadline;
    SessionStore::Saved saved;
    int rounds = 0;
};

Result<Session> sessionOf(std::string_view id, const std::string& document)
{
    auto session = Session::fromJson(document);
    if (session) {
        session->id = id;
    }
    return session;
}

void send(const std::shared_ptr<Saving>& saving);

void onReply(const std::shared_ptr<Saving>& saving, const Result<RedisValue>& reply)
{
    if (!reply) {
        saving->saved(reply.error());
        return;
    }
    if (reply->type == RedisValue::Type::Integer) {
        saving->saved(saving->session.turnCount);
        return;
    }
    const auto stored = sessionOf(saving->session.id, reply->text);
    if (!stored) {
        saving->saved(stored.error());
        return;
    }
    if (++saving->rounds == mostRounds) {
        saving->saved(refusedError(fmt::format(
            "session {}: others wrote it {} times meanwhile", saving->session.id, mostRounds)));
        return;
    }
    saving->session = saving->session.mergedOnto(*stored);
    saving->turnsBefore = stored->turnCount;
    send(saving);
}

void send(const std::shared_ptr<Saving>& saving)
{
    const Session& session = saving->session;
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(saving->deadline - Clock::now());
    saving->commands.command(
        {"EVAL", script, "1", RedisSessionStore::keyOf(session.id),
            std::to_string(saving->turnsBefore), session.toJson(), saving->timeToLive},
        left, [saving](const Result<RedisValue>& reply) { onReply(saving, reply); });
}

} // namespace

RedisSessionStore::RedisSessionStore(
    RedisCommands& commands, std::chrono::seconds timeToLive, std::chrono::milliseconds budget)
    : m_commands(commands)
    , m_timeToLive(timeToLive)
    , m_budget(budget)
{ }

std::string RedisSessionStore::keyOf(std::string_view id)
{
    return fmt::format("sluice:session:{{{}}}", id);
}

void RedisSessionStore::load(std::string_view id, Loaded loaded)
{
    m_commands.command({"GET", keyOf(id)}, m_budget,
        [id = std::string(id), loaded = std::move(loaded)](const Result<RedisValue>& reply) {
            if (!reply) {
                loaded(reply.error());
                return;
            }
            if (reply->isNil()) {
                loaded(std::optional<Session>());
                return;
            }
            auto session = sessionOf(id, reply->text);
            if (!session) {
                loaded(session.error());
                return;
            }
            loaded(std::optional<Session>(std::move(*session)));
        });
}

void RedisSessionStore::save(const Session& session, SessionWrite write, Saved saved)
{
    const auto budget = write == SessionWrite::Awaited ? m_budget * 10 : behindBudget;
    send(std::make_shared<Saving>(Saving{m_commands, session, session.turnCount - 1,
        std::to_string(m_timeToLive.count()), Clock::now() + budget, std::move(saved)}));
}

} // namespace sluice
