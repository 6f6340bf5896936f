#include "engine/classification/answerreader.h"

#include "engine/base/json.h"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

namespace sluice {

namespace json = boost::json;

namespace {

constexpr std::int64_t manyBytes = std::int64_t(1) << 40;
constexpr double ratherOutOfScope = 0.5; ///< as Model::predicted() has it

/// Parts name themselves by constants; one of the next version's is "other".
std::string_view partName(std::string_view name)
{
    for (const std::string_view known :
        {"global", "intent", "follow_up", "sensitive", "repeated_failure", "time_of_day"}) {
        if (known == name) {
            return known;
        }
    }
    return "other";
}

/// Reads each object of the array `key`, which may be missing.
template <typename Read> void readEach(JsonReader& in, std::string_view key, Read read)
{
    const json::value* value = in.optionalValue(key);
    const json::array* list = value == nullptr ? nullptr : value->if_array();
    if (list == nullptr) {
        return;
    }
    for (const json::value& item : *list) {
        JsonReader inner(item, std::string(key));
        read(inner);
        if (auto done = inner.finishKnown(); !done) {
            in.fail(key, done.error().message);
            return;
        }
    }
}

void readThreshold(JsonReader& in, Ruling& ruling)
{
    const json::value* value = in.optionalValue("threshold");
    if (value == nullptr) {
        in.fail("threshold", "is missing");
        return;
    }
    JsonReader threshold(*value, "threshold");
    ruling.threshold = threshold.number("value", 0.0, 1.0);
    readEach(threshold, "parts", [&](JsonReader& part) {
        const std::string name = part.string("name");
        ruling.parts.push_back({partName(name), part.number("amount", -10.0, 10.0)});
    });
    if (auto done = threshold.finishKnown(); !done) {
        in.fail("threshold", done.error().message);
    }
}

void readEntities(JsonReader& in, std::vector<Entity>& entities)
{
    readEach(in, "entities", [&](JsonReader& item) {
        Entity entity;
        entity.type = item.string("type");
        entity.text = item.optionalString("text").value_or("");
        entity.value = item.optionalString("value").value_or("");
        const auto place = [&](std::string_view key) {
            return std::size_t(item.optionalInteger(key, 0, manyBytes).value_or(0));
        };
        entity.span = {place("byte_start"), place("byte_end"), place("start"), place("end")};
        entity.turn = int(item.optionalInteger("turn", 0, 1000000000).value_or(0));
        entities.push_back(std::move(entity));
    });
}

void readTimes(JsonReader& in, StageTimes& times)
{
    const json::value* value = in.optionalValue("times_us");
    if (value == nullptr) {
        return;
    }
    JsonReader stages(*value, "times_us");
    const auto stage = [&](std::string_view key) {
        return stages.optionalNumber(key, 0.0, 1e12).value_or(0);
    };
    times.normalise = stage("normalise");
    times.entities = stage("entities");
    times.context = stage("context");
    times.score = stage("score");
    times.decide = stage("decide");
}

} // namespace

Result<ReadAnswer> answerFromJson(const json::value& value, std::string_view where)
{
    JsonReader in(value, std::string(where));
    ReadAnswer read;
    Answer& answer = read.answer;
    read.query = in.optionalString("query").value_or("");
    read.session = in.optionalString("session").value_or("");
    answer.turn = int(in.optionalInteger("turn", 0, 1000000000).value_or(0));
    answer.verdict = namedMember(
        in, "decision", std::array{Verdict::Accept, Verdict::Clarify, Verdict::Fallback});
    answer.ruling.verdict = answer.verdict;
    answer.intent = in.optionalString("intent").value_or("");
    answer.ruling.rule = namedMember(in, "rule",
        std::array{Rule::AboveThreshold, Rule::AmbiguousMargin, Rule::InClarifyBand,
            Rule::RepeatedFailure, Rule::BelowThreshold, Rule::NoSignal});
    readThreshold(in, answer.ruling);
    answer.ruling.margin = in.number("margin", 0.0, 1.0);
    answer.ruling.requiredMargin = in.number("required_margin", 0.0, 1.0);
    answer.ruling.wouldChangeAt = in.optionalNumber("would_change_at", -1.0, 2.0).value_or(-1);
    answer.outOfScope = in.number("out_of_scope", 0.0, 1.0);
    readEach(in, "candidates", [&](JsonReader& item) {
        std::string intent = item.string("intent");
        answer.candidates.push_back({std::move(intent), item.number("confidence", 0.0, 1.0)});
    });
    readEntities(in, answer.entities);
    readEach(in, "contributions", [&](JsonReader& item) {
        std::string ngram = item.string("ngram");
        answer.contributions.push_back({std::move(ngram), item.number("weight", -1e9, 1e9)});
    });
    answer.context = namedMember(in, "context",
        std::array{
            ContextState::None, ContextState::New, ContextState::Used, ContextState::Unavailable});
    answer.newSubject = in.optionalBoolean("new_subject").value_or(false);
    answer.cacheHit = in.optionalBoolean("cache_hit").value_or(false);
    answer.thresholdSet = in.optionalInteger("threshold_set", 0, manyBytes).value_or(0);
    readTimes(in, answer.times);
    if (auto done = in.finishKnown(); !done) {
        return done.error();
    }
    if (!answer.candidates.empty() && answer.outOfScope <= ratherOutOfScope) {
        answer.predicted = answer.candidates.front().intent;
    }
    return read;
}

} // namespace sluice
