#include "engine/operations/queries/conversationfile.h"

#include "engine/base/file.h"
#include "engine/base/json.h"
#include "engine/classification/evaluation/labelleddata.h"
#include "engine/classification/text/normaliser.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

namespace sluice::ops {

namespace json = boost::json;

namespace {

constexpr std::size_t maxFileBytes = std::size_t(256) << 20;

json::object turnOf(const ConversationTurn& turn)
{
    json::object object;
    if (!turn.query.system.empty()) {
        object["system"] = turn.query.system;
    }
    if (!turn.query.systemActs.empty()) {
        object["system_acts"] =
            json::array(turn.query.systemActs.begin(), turn.query.systemActs.end());
    }
    object["text"] = turn.query.text;
    if (!turn.label.empty()) {
        object["intent"] = turn.label;
    }
    return object;
}

Result<ConversationTurn> readTurn(const json::value& value, const std::string& where)
{
    JsonReader in(value, where);
    ConversationTurn turn;
    turn.query.text = in.string("text");
    turn.query.system = in.optionalString("system").value_or("");
    turn.query.systemActs = in.optionalStrings("system_acts");
    turn.label = in.optionalString("intent").value_or("");
    if (const auto checked = checkQuery(turn.query.text); !in.failed() && !checked) {
        in.fail("text", checked.error().message);
    }
    if (auto done = in.finishKnown();
        !done) { // entities and marks of labelled data are passed over
        return done.error();
    }
    return turn;
}

Result<Conversation> readLine(std::string_view text, const std::string& where)
{
    const auto value = parseJson(text, where);
    if (!value) {
        return value.error();
    }
    JsonReader in(*value, where);
    Conversation read;
    read.name = in.optionalString("dialogue").value_or("");
    const json::value* turns = in.optionalValue("turns");
    if (turns == nullptr || !turns->is_array() || turns->get_array().empty()) {
        return inputError(where
            + ": no conversation: an array \"turns\" of at least one turn is "
              "expected");
    }
    for (const json::value& item : turns->get_array()) {
        auto turn = readTurn(item, where + ": turns");
        if (!turn) {
            return turn.error();
        }
        read.turns.push_back(std::move(*turn));
    }
    if (const json::value* session = in.optionalValue("session")) {
        auto state = Session::fromJson(json::serialize(*session));
        if (!state) {
            return inputError(where + ": " + state.error().message);
        }
        state->id = makeSessionId();
        read.session = std::move(*state);
    }
    if (auto done = in.finishKnown(); !done) {
        return done.error();
    }
    return read;
}

} // namespace

std::string Conversation::toJson() const
{
    json::object object{{"dialogue", name}};
    if (session) {
        object["session"] = json::parse(session->toJson());
    }
    json::array list;
    for (const ConversationTurn& turn : turns) {
        list.push_back(turnOf(turn));
    }
    object["turns"] = std::move(list);
    return json::serialize(object);
}

Result<Conversation> readConversation(const std::filesystem::path& file, int* others)
{
    const auto text = readFile(file, maxFileBytes);
    if (!text) {
        return text.error();
    }
    std::string_view left = *text;
    std::optional<Conversation> first;
    int line = 0;
    int more = 0;
    while (!left.empty()) {
        ++line;
        const auto end = left.find('\n');
        const std::string_view row = left.substr(0, end);
        left = end == std::string_view::npos ? std::string_view() : left.substr(end + 1);
        if (row.find_first_not_of(" \t\r") == std::string_view::npos) {
            continue;
        }
        if (first) {
            ++more;
            continue;
        }
        auto read = readLine(row, fmt::format("{}: line {}", file.string(), line));
        if (!read) {
            return read.error();
        }
        first = std::move(*read);
    }
    if (!first) {
        return inputError(file.string() + ": there is no conversation in it");
    }
    if (others != nullptr) {
        *others = more;
    }
    return std::move(*first);
}

Result<void> addLabelled(const std::filesystem::path& file, const Conversation& conversation)
{
    Conversation labelled = conversation;
    labelled.session.reset();
    for (ConversationTurn& turn : labelled.turns) {
        if (turn.label.empty()) {
            turn.label = outOfScope;
        }
    }
    std::string text;
    std::error_code ignored;
    if (std::filesystem::exists(file, ignored)) {
        auto old = readFile(file, maxFileBytes);
        if (!old) {
            return old.error();
        }
        text = std::move(*old);
    }
    if (!text.empty() && text.back() != '\n') {
        text += '\n';
    }
    text += labelled.turns.size() == 1 ? json::serialize(turnOf(labelled.turns.front()))
                                       : labelled.toJson();
    text += '\n';
    return writeFileAtomically(file, text);
}

} // namespace sluice::ops
