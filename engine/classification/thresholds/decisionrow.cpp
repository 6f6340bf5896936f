#include "engine/classification/thresholds/decisionrow.h"

#include "engine/base/json.h"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>
#include <fmt/format.h>
#include <iterator>

namespace sluice {

namespace json = boost::json;

namespace {

void append(std::string& text, std::string_view opening, std::string_view value)
{
    text += opening;
    text += json::serialize(value);
}

template <typename Number>
requires std::is_floating_point_v<Number>
void append(std::string& text, std::string_view opening, Number value)
{
    text += opening;
    fmt::format_to(std::back_inserter(text), "{}", value); // the shortest that reads back the same
}

} // namespace

std::string DecisionRow::toJson() const
{
    std::string text;
    text.reserve(640);
    append(text, R"({"v":1,"id":)", id);
    if (!session.empty()) {
        append(text, R"(,"session":)", session);
        fmt::format_to(std::back_inserter(text), R"(,"turn":{})", turn);
    }
    if (!query.empty()) {
        append(text, R"(,"query":)", query);
    }
    if (context.at) {
        fmt::format_to(
            std::back_inserter(text), R"(,"at":{})", context.at->time_since_epoch().count());
    }
    append(text, R"(,"model":)", model);
    fmt::format_to(std::back_inserter(text), R"(,"set":{})", set);
    append(text, R"(,"pool":)", pool);
    append(text, R"(,"version":)", version);
    append(text, R"(,"weight":)", weight);
    text += R"(,"top":[)";
    for (const Scored& scored : top) {
        append(text, text.back() == '[' ? "[" : ",[", scored.intent);
        append(text, ",", scored.confidence);
        text += ']';
    }
    append(text, R"(],"out_of_scope":)", outOfScope);
    append(text, R"(,"context":)", contextState);
    fmt::format_to(std::back_inserter(text), R"(,"follow_up":{},"failures":{})", context.followUp,
        context.failuresInARow);
    append(text, R"(,"decision":)", toString(verdict));
    append(text, R"(,"rule":)", toString(rule));
    append(text, R"(,"threshold":)", threshold);
    append(text, R"(,"ms":)", std::round(milliseconds * 1000) / 1000);
    text += '}';
    return text;
}

namespace {

void readTop(JsonReader& in, DecisionRow& row)
{
    const json::value* value = in.optionalValue("top");
    const json::array* list = value == nullptr ? nullptr : value->if_array();
    if (list == nullptr) {
        in.fail("top", "an array of [intent, confidence] is expected");
        return;
    }
    for (const json::value& item : *list) {
        const json::array* pair = item.if_array();
        if (pair == nullptr || pair->size() != 2 || !(*pair)[0].is_string()
            || !(*pair)[1].is_number()) {
            in.fail("top", "an array of [intent, confidence] is expected");
            return;
        }
        row.top.push_back(
            {std::string((*pair)[0].get_string()), float((*pair)[1].to_number<double>())});
    }
}

} // namespace

Result<DecisionRow> DecisionRow::fromJson(std::string_view text, std::string_view where)
{
    const auto value = parseJson(text, where);
    if (!value) {
        return value.error();
    }
    constexpr std::int64_t most = std::int64_t(1) << 53;
    JsonReader in(*value, std::string(where));
    DecisionRow row;
    in.integer("v", 1, 1000);
    row.id = in.string("id");
    row.session = in.optionalString("session").value_or("");
    row.turn = int(in.optionalInteger("turn", 0, 1000000000).value_or(0));
    row.query = in.optionalString("query").value_or("");
    if (const auto at = in.optionalInteger("at", 0, most)) {
        row.context.at = std::chrono::sys_seconds(std::chrono::seconds(*at));
    }
    row.model = in.string("model");
    row.set = in.integer("set", 0, most);
    row.pool = in.string("pool");
    row.version = in.optionalString("version").value_or("");
    row.weight = in.number("weight", 1.0, 1e9);
    readTop(in, row);
    row.outOfScope = in.number("out_of_scope", 0.0, 1.0);
    row.contextState = in.string("context");
    row.context.followUp = in.boolean("follow_up");
    row.context.failuresInARow = int(in.integer("failures", 0, 1000000000));
    row.verdict = namedMember(
        in, "decision", std::array{Verdict::Accept, Verdict::Clarify, Verdict::Fallback});
    row.rule = namedMember(in, "rule",
        std::array{Rule::AboveThreshold, Rule::AmbiguousMargin, Rule::InClarifyBand,
            Rule::RepeatedFailure, Rule::BelowThreshold, Rule::NoSignal});
    row.threshold = in.number("threshold", 0.0, 1.0);
    row.milliseconds = in.optionalNumber("ms", 0.0, 1e9).value_or(0);
    if (auto done = in.finishKnown(); !done) {
        return done.error();
    }
    return row;
}

RecordedRow DecisionRow::recorded(std::span<const std::string> labels) const
{
    RecordedRow row;
    row.context = context;
    if (!top.empty()) {
        const auto label = std::lower_bound(labels.begin(), labels.end(), top[0].intent);
        if (label != labels.end() && *label == top[0].intent) {
            row.predicted = std::int32_t(label - labels.begin());
        }
        row.first = top[0].confidence;
        row.second = top.size() > 1 ? top[1].confidence : 0.0F;
    }
    return row;
}

} // namespace sluice
