#include "engine/classification/thresholds/thresholdset.h"

#include "engine/base/json.h"
#include "engine/base/sha256.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

namespace sluice {

namespace json = boost::json;

namespace {

Result<void> readPerIntent(
    const json::value* value, const std::string& where, std::map<std::string, double>& perIntent)
{
    if (value == nullptr) {
        return {};
    }
    const json::object* object = value->if_object();
    if (object == nullptr) {
        return inputError(where + ": an object of intent: threshold is expected");
    }
    JsonReader members(*value, where);
    for (const auto& member : *object) {
        const std::string intent(member.key());
        perIntent[intent] = members.number(intent, 0.0, 1.0);
    }
    return members.finish();
}

Result<void> readRules(
    const json::value* value, const std::string& where, std::vector<ContextRule>& rules)
{
    if (value == nullptr) {
        return {};
    }
    const json::array* array = value->if_array();
    if (array == nullptr || array->size() > ThresholdSet::mostRules) {
        return inputError(fmt::format(
            "{}: an array of at most {} rules is expected", where, ThresholdSet::mostRules));
    }
    std::set<std::string> keys;
    for (const json::value& item : *array) {
        const std::string place = fmt::format("{}[{}]", where, rules.size());
        auto rule = ContextRule::fromJson(item, place);
        if (!rule) {
            return rule.error();
        }
        if (!keys.insert(rule->key()).second) {
            return inputError(
                place + ": an earlier rule has the same condition: put them together");
        }
        rules.push_back(std::move(*rule));
    }
    return {};
}

} // namespace

Result<ThresholdSet> ThresholdSet::fromJson(std::string_view text, std::string_view where)
{
    auto value = parseJson(text, where);
    if (!value) {
        return value.error();
    }
    ThresholdSet set;
    JsonReader in(*value, std::string(where));
    set.number = in.optionalInteger("number", 0, INT64_MAX).value_or(0);
    set.model = in.optionalString("model").value_or("");
    set.global = in.number("global", 0.0, 1.0);
    const json::value* perIntent = in.optionalValue("per_intent");
    set.margin = in.optionalNumber("margin", 0.0, 1.0).value_or(set.margin);
    set.clarifyBand = in.optionalNumber("clarify_band", 0.0, 1.0).value_or(set.clarifyBand);
    set.followUp = in.optionalNumber("follow_up", -1.0, 1.0).value_or(0.0);
    set.sensitive = in.optionalNumber("sensitive", -1.0, 1.0).value_or(0.0);
    for (std::string& intent : in.optionalStrings("sensitive_intents")) {
        set.sensitiveIntents.insert(std::move(intent));
    }
    set.failuresBeforeClarify =
        int(in.optionalInteger("failures_before_clarify", 0, 1000).value_or(0));
    const json::value* rules = in.optionalValue("rules");
    set.author = in.optionalString("author").value_or("");
    set.comment = in.optionalString("comment").value_or("");
    set.createdAt = in.optionalString("created_at").value_or("");
    if (auto done = in.finish(); !done) {
        return done.error();
    }
    if (auto read = readPerIntent(perIntent, std::string(where) + ": per_intent", set.perIntent);
        !read) {
        return read.error();
    }
    if (auto read = readRules(rules, std::string(where) + ": rules", set.rules); !read) {
        return read.error();
    }
    return set;
}

std::string ThresholdSet::toJson() const
{
    json::object intents;
    for (const auto& [intent, threshold] : perIntent) {
        intents[intent] = threshold;
    }
    json::object object{{"number", number}, {"model", model}, {"global", global},
        {"per_intent", std::move(intents)}, {"margin", margin}, {"clarify_band", clarifyBand},
        {"follow_up", followUp}, {"sensitive", sensitive},
        {"sensitive_intents", json::array(sensitiveIntents.begin(), sensitiveIntents.end())},
        {"failures_before_clarify", failuresBeforeClarify}, {"author", author},
        {"comment", comment}, {"created_at", createdAt}};
    if (!rules.empty()) { // a worker from before there were rules serves a set without them
        json::array all;
        for (const ContextRule& rule : rules) {
            all.push_back(rule.toJson());
        }
        object["rules"] = std::move(all);
    }
    return json::serialize(object);
}

std::string ThresholdSet::contentHash() const
{
    ThresholdSet content = *this;
    content.number = 0;
    content.author.clear();
    content.comment.clear();
    content.createdAt.clear();
    return sha256Hex(content.toJson());
}

} // namespace sluice
