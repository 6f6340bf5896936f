#include "engine/classification/thresholds/thresholdset.h"

#include "engine/base/json.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

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
    return set;
}

std::string ThresholdSet::toJson() const
{
    json::object intents;
    for (const auto& [intent, threshold] : perIntent) {
        intents[intent] = threshold;
    }
    return json::serialize(json::object{{"number", number}, {"model", model}, {"global", global},
        {"per_intent", std::move(intents)}, {"margin", margin}, {"clarify_band", clarifyBand},
        {"follow_up", followUp}, {"sensitive", sensitive},
        {"sensitive_intents", json::array(sensitiveIntents.begin(), sensitiveIntents.end())},
        {"failures_before_clarify", failuresBeforeClarify}, {"author", author},
        {"comment", comment}, {"created_at", createdAt}});
}

} // namespace sluice
