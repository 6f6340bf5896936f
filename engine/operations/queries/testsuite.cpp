#include "engine/operations/queries/testsuite.h"

#include "engine/base/file.h"
#include "engine/base/json.h"
#include "engine/base/sha256.h"
#include "engine/classification/evaluation/labelleddata.h"
#include "engine/classification/text/normaliser.h"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>
#include <map>

namespace sluice::ops {

namespace json = boost::json;

namespace {

constexpr std::size_t maxSuiteBytes = std::size_t(256) << 20;

json::object turnOf(const Query& query)
{
    json::object turn{{"text", query.text}};
    if (!query.system.empty()) {
        turn["system"] = query.system;
    }
    if (!query.systemActs.empty()) {
        turn["system_acts"] = json::array(query.systemActs.begin(), query.systemActs.end());
    }
    return turn;
}

Query readQuery(JsonReader& in)
{
    Query query;
    query.text = in.string("text");
    query.system = in.optionalString("system").value_or("");
    query.systemActs = in.optionalStrings("system_acts");
    if (const auto checked = checkQuery(query.text); !in.failed() && !checked) {
        in.fail("text", checked.error().message);
    }
    return query;
}

/// `turns`, or for a single query its members on the case itself.
void readTurns(JsonReader& in, std::vector<Query>& turns)
{
    const json::value* list = in.optionalValue("turns");
    if (list == nullptr) {
        turns.push_back(readQuery(in));
        return;
    }
    if (!list->is_array() || list->get_array().empty()) {
        in.fail("turns", "an array of at least one turn is expected");
        return;
    }
    for (const json::value& item : list->get_array()) {
        JsonReader turn(item, "turn");
        turns.push_back(readQuery(turn));
        if (auto done = turn.finish(); !done) {
            in.fail("turns", done.error().message);
            return;
        }
    }
}

void readEntities(JsonReader& in, Expectation& expected)
{
    const json::value* list = in.optionalValue("entities");
    if (list == nullptr) {
        return;
    }
    if (!list->is_array()) {
        in.fail("entities", "an array is expected");
        return;
    }
    for (const json::value& item : list->get_array()) {
        JsonReader entity(item, "entities");
        std::string type = entity.string("type");
        expected.entities.emplace_back(std::move(type), entity.string("value"));
        if (auto done = entity.finish(); !done) {
            in.fail("entities", done.error().message);
            return;
        }
    }
}

void readExpectation(JsonReader& in, Expectation& expected)
{
    const json::value* value = in.optionalValue("expect");
    if (value == nullptr) {
        in.fail("expect", "is missing: say \"intent\", \"decision\" or \"entities\"");
        return;
    }
    JsonReader inner(*value, "expect");
    if (const auto name = inner.optionalString("decision")) {
        constexpr std::array verdicts{Verdict::Accept, Verdict::Clarify, Verdict::Fallback};
        const auto found = std::find_if(verdicts.begin(), verdicts.end(),
            [&](Verdict verdict) { return toString(verdict) == *name; });
        if (found == verdicts.end()) {
            inner.fail("decision", R"(one of "accept", "clarify" and "fallback" is expected)");
        } else {
            expected.verdict = *found;
        }
    }
    expected.intent = inner.optionalString("intent").value_or("");
    readEntities(inner, expected);
    if (auto done = inner.finish(); !done) {
        in.fail("expect", done.error().message);
    } else if (expected == Expectation()) {
        in.fail("expect", "says nothing: \"intent\", \"decision\" or \"entities\" is expected");
    }
}

Result<TestCase> readCase(std::string_view text, const std::string& where)
{
    const auto value = parseJson(text, where);
    if (!value) {
        return value.error();
    }
    JsonReader in(*value, where);
    TestCase read;
    read.id = in.optionalString("id").value_or("");
    readTurns(in, read.turns);
    readExpectation(in, read.expected);
    read.note = in.optionalString("note").value_or("");
    read.author = in.optionalString("author").value_or("");
    read.at = in.optionalString("at").value_or("");
    if (auto done = in.finish(); !done) {
        return done.error();
    }
    if (read.id.empty()) {
        read.id = caseIdOf(read.turns);
    }
    return read;
}

std::string given(const Answer& answer)
{
    if (answer.candidates.empty()) {
        return std::string(toString(answer.verdict));
    }
    return fmt::format("{} {} {:.2f}", toString(answer.verdict), answer.candidates.front().intent,
        answer.candidates.front().confidence);
}

} // namespace

std::string caseIdOf(const std::vector<Query>& turns)
{
    json::array list;
    for (const Query& turn : turns) {
        list.push_back(turnOf(turn));
    }
    return sha256Hex(json::serialize(list)).substr(0, 12);
}

std::string TestCase::toJson() const
{
    json::object object;
    if (!id.empty() && id != caseIdOf(turns)) {
        object["id"] = id;
    }
    if (turns.size() == 1) {
        for (const auto& member : turnOf(turns.front())) {
            object[member.key()] = member.value();
        }
    } else {
        json::array list;
        for (const Query& turn : turns) {
            list.push_back(turnOf(turn));
        }
        object["turns"] = std::move(list);
    }
    json::object expect;
    if (expected.verdict) {
        expect["decision"] = toString(*expected.verdict);
    }
    if (!expected.intent.empty()) {
        expect["intent"] = expected.intent;
    }
    if (!expected.entities.empty()) {
        json::array list;
        for (const auto& [type, value] : expected.entities) {
            list.push_back(json::object{{"type", type}, {"value", value}});
        }
        expect["entities"] = std::move(list);
    }
    object["expect"] = std::move(expect);
    for (const auto& [key, value] :
        {std::pair("note", &note), std::pair("author", &author), std::pair("at", &at)}) {
        if (!value->empty()) {
            object[key] = *value;
        }
    }
    return json::serialize(object);
}

Result<TestSuite> TestSuite::fromJsonl(std::string_view text, std::string_view where)
{
    TestSuite suite;
    std::map<std::string, int> seen;
    int line = 0;
    while (!text.empty()) {
        ++line;
        const auto end = text.find('\n');
        const std::string_view row = text.substr(0, end);
        text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
        if (row.find_first_not_of(" \t\r") == std::string_view::npos) {
            continue;
        }
        auto read = readCase(row, fmt::format("{}: line {}", where, line));
        if (!read) {
            return read.error();
        }
        const auto [found, fresh] = seen.try_emplace(read->id, line);
        if (!fresh) {
            return inputError(fmt::format("{}: line {}: the case {} stands on line {} already: "
                                          "leave one of them",
                where, line, read->id, found->second));
        }
        read->line = line;
        suite.cases.push_back(std::move(*read));
    }
    if (suite.cases.empty()) {
        return inputError(fmt::format("{}: there is no test case in it", where));
    }
    return suite;
}

Result<TestSuite> TestSuite::read(const std::filesystem::path& file)
{
    const auto text = readFile(file, maxSuiteBytes);
    if (!text) {
        return text.error();
    }
    return fromJsonl(*text, file.string());
}

Result<bool> saveCase(const std::filesystem::path& file, const TestCase& added)
{
    TestSuite suite;
    std::error_code ignored;
    if (std::filesystem::exists(file, ignored) && std::filesystem::file_size(file, ignored) > 0) {
        auto read = TestSuite::read(file);
        if (!read) {
            return read.error();
        }
        suite = std::move(*read);
    }
    const auto place = std::find_if(suite.cases.begin(), suite.cases.end(),
        [&](const TestCase& known) { return caseIdOf(known.turns) == caseIdOf(added.turns); });
    const bool replaces = place != suite.cases.end();
    if (replaces) {
        const std::string id = place->id; // its name stays
        *place = added;
        place->id = id;
    } else {
        suite.cases.push_back(added);
    }
    std::string text;
    for (const TestCase& one : suite.cases) {
        text += one.toJson() + '\n';
    }
    if (auto written = writeFileAtomically(file, text); !written) {
        return written.error();
    }
    return replaces;
}

std::string mismatch(const Expectation& expected, const Answer& answer)
{
    const bool accepted = answer.verdict == Verdict::Accept;
    const std::string first =
        answer.candidates.empty() ? std::string() : answer.candidates.front().intent;
    if (expected.verdict && *expected.verdict != answer.verdict) {
        return fmt::format("{}{} expected, {} given", toString(*expected.verdict),
            expected.intent.empty() ? "" : " " + expected.intent, given(answer));
    }
    if (expected.intent == outOfScope) {
        if (accepted) {
            return fmt::format("out of scope expected, {} given", given(answer));
        }
    } else if (!expected.intent.empty()) {
        const bool onlyFirst = expected.verdict && *expected.verdict != Verdict::Accept;
        if (first != expected.intent || (!onlyFirst && !accepted)) {
            return fmt::format("{} expected, {} given", expected.intent, given(answer));
        }
    }
    for (const auto& [type, value] : expected.entities) {
        const bool found = std::any_of(answer.entities.begin(), answer.entities.end(),
            [&](const Entity& entity) { return entity.type == type && entity.value == value; });
        if (!found) {
            return fmt::format("{} = {} expected, and not found", type, value);
        }
    }
    return {};
}

} // namespace sluice::ops
