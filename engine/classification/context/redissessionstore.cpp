#include "engine/classification/context/redissessionstore.h"

#include "engine/base/sha256.h"

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

void send(const std::shared_ptr<Saving>& saving, bool byName = true);

void onReply(const std::shared_ptr<Saving>& saving, bool byName, const Result<RedisValue>& reply)
{
    if (!reply) {
        const std::string& reason = reply.error().message;
        if (byName && (reason.starts_with("NOSCRIPT") || reason.starts_with("NOPERM"))) {
            send(saving, false); // Redis does not know the script yet, or lost it
        } else {
            saving->saved(reply.error());
        }
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

/// The script by its name, which is a fraction of its length; or as it is, which Redis remembers.
void send(const std::shared_ptr<Saving>& saving, bool byName)
{
    static const std::string name = sha1Hex(script);
    const Session& session = saving->session;
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(saving->deadline - Clock::now());
    saving->commands.command(
        {byName ? "EVALSHA" : "EVAL", byName ? name : script, "1",
            RedisSessionStore::keyOf(session.id), std::to_string(saving->turnsBefore),
            session.toJson(), saving->timeToLive},
        left,
        [saving, byName](const Result<RedisValue>& reply) { onReply(saving, byName, reply); });
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

void RedisSessionStore::save(Session session, SessionWrite write, Saved saved)
{
    const int turnsBefore = session.turnCount - 1;
    const auto budget = write == SessionWrite::Awaited ? m_budget * 10 : behindBudget;
    send(std::make_shared<Saving>(Saving{m_commands, std::move(session), turnsBefore,
        std::to_string(m_timeToLive.count()), Clock::now() + budget, std::move(saved)}));
}

} // namespace sluice
