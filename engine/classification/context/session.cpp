#include "engine/classification/context/session.h"

#include "engine/base/json.h"
#include "engine/base/jsontext.h"
#include "engine/classification/context/sessionreader.h"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/object.hpp>
#include <sys/random.h>

namespace sluice {

namespace json = boost::json;

void Session::append(Turn turn)
{
    turn.number = ++turnCount;
    failuresInARow = turn.verdict == Verdict::Accept ? 0 : failuresInARow + 1;
    turns.push_back(std::move(turn));
    if (turns.size() > maxTurns) {
        turns.erase(turns.begin(), turns.end() - std::ptrdiff_t(maxTurns));
    }
}

void Session::append(std::string intent, Verdict verdict, std::vector<Entity> entities)
{
    std::string predicted = intent;
    append(Turn{0, std::move(intent), verdict, std::move(entities), std::move(predicted)});
}

Session Session::mergedOnto(const Session& stored) const
{
    const bool isKnown = turns.empty() || stored.turns.empty()
        || std::find(turns.begin(), turns.end() - 1, stored.turns.back()) != turns.end() - 1;
    if (isKnown) {
        return *this;
    }
    Session merged = stored;
    merged.id = id;
    merged.append(turns.back());
    return merged;
}

namespace {

void appendTurn(std::string& text, const Turn& turn)
{
    appendJson(text, R"({"intent":)", turn.intent);
    appendJson(text, R"(,"verdict":)", toString(turn.verdict));
    if (!turn.predicted.empty() && turn.predicted != turn.intent) {
        appendJson(text, R"(,"predicted":)", turn.predicted);
    }
    text += turn.newSubject ? R"(,"new_subject":true)" : "";
    const char* opening = R"(,"entities":[{"type":)";
    for (const Entity& entity : turn.entities) {
        appendJson(text, opening, entity.type);
        appendJson(text, R"(,"text":)", entity.text);
        appendJson(text, R"(,"value":)", entity.value);
        text += '}';
        opening = R"(,{"type":)";
    }
    text += turn.entities.empty() ? "}" : "]}";
}

} // namespace

std::string Session::toJson() const
{
    // These two come first: RedisSessionStore's script reads the number of turns there.
    std::string text;
    text.reserve(1024);
    appendJson(text, R"({"v":1,"turn_count":)", std::int64_t(turnCount));
    appendJson(text, R"(,"failures":)", std::int64_t(failuresInARow));
    text += R"(,"turns":[)";
    for (const Turn& turn : turns) {
        text += text.back() == '[' ? "" : ",";
        appendTurn(text, turn);
    }
    text += "]}";
    return text;
}

namespace {

std::string stringOf(const json::object& object, std::string_view key)
{
    const json::value* value = object.if_contains(key);
    return value != nullptr && value->is_string() ? std::string(value->get_string())
                                                  : std::string();
}

int intOf(const json::object& object, std::string_view key)
{
    const json::value* value = object.if_contains(key);
    return value != nullptr && value->is_int64() && value->get_int64() >= 0
            && value->get_int64() < 1000000000
        ? int(value->get_int64())
        : 0;
}

const json::array* arrayOf(const json::object& object, std::string_view key)
{
    const json::value* value = object.if_contains(key);
    return value == nullptr ? nullptr : value->if_array();
}

Turn turnOf(const json::object& object)
{
    Turn turn;
    turn.intent = stringOf(object, "intent");
    const std::string verdict = stringOf(object, "verdict");
    turn.verdict = verdict == "accept" ? Verdict::Accept
        : verdict == "clarify"         ? Verdict::Clarify
                                       : Verdict::Fallback;
    turn.predicted = stringOf(object, "predicted");
    if (turn.predicted.empty()) {
        turn.predicted = turn.intent;
    }
    const json::value* newSubject = object.if_contains("new_subject");
    turn.newSubject = newSubject != nullptr && newSubject->is_bool() && newSubject->get_bool();
    if (const json::array* entities = arrayOf(object, "entities")) {
        for (const json::value& item : *entities) {
            if (const json::object* entity = item.if_object()) {
                Entity read;
                read.type = stringOf(*entity, "type");
                read.text = stringOf(*entity, "text");
                read.value = stringOf(*entity, "value");
                turn.entities.push_back(std::move(read));
            }
        }
    }
    return turn;
}

/// A document of any version, with members in any order and others between them.
Result<Session> readSession(std::string_view text)
{
    std::array<unsigned char, 8192> memory; // a session's usual size: nothing is allocated for it
    json::monotonic_resource resource(memory.data(), memory.size());
    auto value = parseJson(text, "session", &resource);
    if (!value) {
        return value.error();
    }
    const json::object* object = value->if_object();
    if (object == nullptr || intOf(*object, "v") < 1) {
        return inputError("session: not a session document (\"v\" is missing)");
    }
    Session session;
    session.turnCount = intOf(*object, "turn_count");
    session.failuresInARow = intOf(*object, "failures");
    if (const json::array* turns = arrayOf(*object, "turns")) {
        for (const json::value& item : *turns) {
            if (const json::object* turn = item.if_object()) {
                session.turns.push_back(turnOf(*turn));
            }
        }
    }
    if (session.turns.size() > Session::maxTurns) {
        session.turns.erase(
            session.turns.begin(), session.turns.end() - std::ptrdiff_t(Session::maxTurns));
    }
    return session;
}

} // namespace

Result<Session> Session::fromJson(std::string_view text)
{
    Session session;
    if (!readPlainSession(text, session)) {
        auto read = readSession(text);
        if (!read) {
            return read;
        }
        session = std::move(*read);
    }
    // The turns are the last ones: their numbers follow.
    session.turnCount = std::max(session.turnCount, int(session.turns.size()));
    int number = session.turnCount - int(session.turns.size());
    for (Turn& turn : session.turns) {
        turn.number = ++number;
    }
    return session;
}

bool isValidSessionId(std::string_view id)
{
    if (id.empty() || id.size() > Session::maxIdBytes) {
        return false;
    }
    for (const char c : id) {
        if (c <= ' ' || c > '~') {
            return false;
        }
    }
    return true;
}

std::string makeSessionId()
{
    // The kernel's random numbers, fetched for many names at once: a name can't be guessed, and
    // std::random_device asks the processor, which takes longer than classifying does.
    thread_local std::array<unsigned char, 4096> random{};
    thread_local std::size_t next = random.size();
    constexpr std::size_t bytes = 16;
    if (next + bytes > random.size()) {
        for (std::size_t at = 0; at < random.size(); at += 256) { // so many come in one piece
            while (::getrandom(&random[at], 256, 0) != 256) { }
        }
        next = 0;
    }
    static constexpr char digits[] = "0123456789abcdef";
    std::string id;
    id.reserve(2 * bytes);
    for (const std::size_t end = next + bytes; next < end; ++next) {
        id += digits[random[next] >> 4U];
        id += digits[random[next] & 15U];
    }
    return id;
}

} // namespace sluice
