#include "engine/classification/classifier.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>

namespace sluice {

namespace json = boost::json;

namespace {

/// Enough digits for a person and a machine; a float's last ones are noise.
double rounded(double value, double scale = 1e6)
{
    return std::round(value * scale) / scale;
}

json::object thresholdOf(const Ruling& ruling)
{
    json::array parts;
    for (const ThresholdPart& part : ruling.parts) {
        parts.push_back(json::object{{"name", part.name}, {"amount", rounded(part.amount)}});
    }
    return {{"value", rounded(ruling.threshold)}, {"parts", std::move(parts)}};
}

json::array entitiesOf(const Answer& answer)
{
    json::array entities;
    for (const Entity& entity : answer.entities) {
        entities.push_back(json::object{{"type", entity.type}, {"text", entity.text},
            {"value", entity.value}, {"start", entity.span.codePointBegin},
            {"end", entity.span.codePointEnd}, {"byte_start", entity.span.byteBegin},
            {"byte_end", entity.span.byteEnd}, {"turn", entity.turn}});
    }
    return entities;
}

} // namespace

std::string toJson(const Answer& answer, std::string_view query, std::string_view sessionId)
{
    json::array candidates;
    for (const AnswerCandidate& candidate : answer.candidates) {
        candidates.push_back(json::object{
            {"intent", candidate.intent}, {"confidence", rounded(candidate.confidence)}});
    }
    json::object object{{"query", query}, {"decision", toString(answer.verdict)},
        {"intent", nullptr},
        {"confidence",
            answer.candidates.empty() ? 0.0 : rounded(answer.candidates.front().confidence)},
        {"rule", toString(answer.ruling.rule)}, {"threshold", thresholdOf(answer.ruling)},
        {"margin", rounded(answer.ruling.margin)},
        {"required_margin", rounded(answer.ruling.requiredMargin)}, {"would_change_at", nullptr},
        {"out_of_scope", rounded(answer.outOfScope)}, {"candidates", std::move(candidates)},
        {"entities", entitiesOf(answer)}, {"context", toString(answer.context)},
        {"new_subject", answer.newSubject}, {"cache_hit", answer.cacheHit},
        {"threshold_set", answer.thresholdSet}};
    if (!answer.intent.empty()) {
        object["intent"] = answer.intent;
    }
    if (answer.ruling.wouldChangeAt >= 0) {
        object["would_change_at"] = rounded(answer.ruling.wouldChangeAt);
    }
    if (!sessionId.empty()) {
        object["session"] = sessionId;
        object["turn"] = answer.turn;
    }
    if (!answer.contributions.empty()) {
        json::array contributions;
        for (const Contribution& part : answer.contributions) {
            contributions.push_back(
                json::object{{"ngram", part.ngram}, {"weight", rounded(part.weight, 1e4)}});
        }
        object["contributions"] = std::move(contributions);
    }
    const StageTimes& times = answer.times;
    object["times_us"] = json::object{{"normalise", rounded(times.normalise, 1e2)},
        {"entities", rounded(times.entities, 1e2)}, {"context", rounded(times.context, 1e2)},
        {"score", rounded(times.score, 1e2)}, {"decide", rounded(times.decide, 1e2)},
        {"total", rounded(times.total(), 1e2)}};
    return json::serialize(object);
}

} // namespace sluice
