#include "engine/classification/context/sessionreader.h"

#include <charconv>

namespace sluice {

namespace {

constexpr int mostCounted = 1000000000;

class PlainReader
{
public:
    explicit PlainReader(std::string_view text)
        : m_rest(text)
    { }

    bool isAtEnd() const { return m_rest.empty(); }

    /// Takes `expected` where it stands next.
    bool literal(std::string_view expected)
    {
        if (!m_rest.starts_with(expected)) {
            return false;
        }
        m_rest.remove_prefix(expected.size());
        return true;
    }

    bool integer(int& value)
    {
        const char* end = m_rest.data() + m_rest.size();
        const auto [at, code] = std::from_chars(m_rest.data(), end, value);
        const bool leadingZero = m_rest.starts_with('0') && at != m_rest.data() + 1;
        if (code != std::errc() || value < 0 || value >= mostCounted || leadingZero
            || m_rest.starts_with('-')) {
            return false;
        }
        m_rest.remove_prefix(std::size_t(at - m_rest.data()));
        return true;
    }

    bool string(std::string_view& value)
    {
        if (!literal("\"")) {
            return false;
        }
        std::size_t end = 0;
        while (end < m_rest.size() && isPlain(m_rest[end])) {
            ++end;
        }
        if (end == m_rest.size() || m_rest[end] != '"') {
            return false;
        }
        value = m_rest.substr(0, end);
        m_rest.remove_prefix(end + 1);
        return true;
    }

    bool string(std::string& value)
    {
        std::string_view read;
        if (!string(read)) {
            return false;
        }
        value = read;
        return true;
    }

private:
    static bool isPlain(char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; }

    std::string_view m_rest;
};

bool readEntity(PlainReader& in, Entity& entity)
{
    return in.literal(R"({"type":)") && in.string(entity.type) && in.literal(R"(,"text":)")
        && in.string(entity.text) && in.literal(R"(,"value":)") && in.string(entity.value)
        && in.literal("}");
}

bool readTurn(PlainReader& in, Turn& turn)
{
    std::string_view verdict;
    if (!in.literal(R"({"intent":)") || !in.string(turn.intent) || !in.literal(R"(,"verdict":)")
        || !in.string(verdict)) {
        return false;
    }
    turn.verdict = verdict == "accept" ? Verdict::Accept
        : verdict == "clarify"         ? Verdict::Clarify
                                       : Verdict::Fallback;
    if (!in.literal(R"(,"predicted":)")) {
        turn.predicted = turn.intent;
    } else if (!in.string(turn.predicted) || turn.predicted.empty()) {
        return false;
    }
    turn.newSubject = in.literal(R"(,"new_subject":true)");
    if (in.literal(R"(,"entities":[)")) {
        do {
            if (!readEntity(in, turn.entities.emplace_back())) {
                return false;
            }
        } while (in.literal(","));
        if (!in.literal("]")) {
            return false;
        }
    }
    return in.literal("}");
}

} // namespace

bool readPlainSession(std::string_view text, Session& session)
{
    PlainReader in(text);
    if (!in.literal(R"({"v":1,"turn_count":)") || !in.integer(session.turnCount)
        || !in.literal(R"(,"failures":)") || !in.integer(session.failuresInARow)
        || !in.literal(R"(,"turns":[)")) {
        return false;
    }
    session.turns.reserve(Session::maxTurns + 1); // and the one that comes
    if (!in.literal("]")) {
        do {
            if (session.turns.size() == Session::maxTurns
                || !readTurn(in, session.turns.emplace_back())) {
                return false;
            }
        } while (in.literal(","));
        if (!in.literal("]")) {
            return false;
        }
    }
    return in.literal("}") && in.isAtEnd();
}

} // namespace sluice
