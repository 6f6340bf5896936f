#include "engine/base/jsontext.h"
#include "engine/classification/classifier.h"

namespace sluice {

namespace {

/// Enough digits for a person and a machine; a float's last ones are noise.
constexpr int places = 6;

void appendThreshold(std::string& text, const Ruling& ruling)
{
    appendJson(text, R"(,"threshold":{"value":)", ruling.threshold, places);
    text += R"(,"parts":[)";
    const char* opening = R"({"name":)";
    for (const ThresholdPart& part : ruling.parts) {
        appendJson(text, opening, part.name);
        appendJson(text, R"(,"amount":)", part.amount, places);
        text += '}';
        opening = R"(,{"name":)";
    }
    text += "]}";
}

void appendCandidates(std::string& text, const Answer& answer)
{
    text += R"(,"candidates":[)";
    const char* opening = R"({"intent":)";
    for (const AnswerCandidate& candidate : answer.candidates) {
        appendJson(text, opening, candidate.intent);
        appendJson(text, R"(,"confidence":)", candidate.confidence, places);
        text += '}';
        opening = R"(,{"intent":)";
    }
    text += ']';
}

void appendEntities(std::string& text, const Answer& answer)
{
    text += R"(,"entities":[)";
    const char* opening = R"({"type":)";
    for (const Entity& entity : answer.entities) {
        appendJson(text, opening, entity.type);
        appendJson(text, R"(,"text":)", entity.text);
        appendJson(text, R"(,"value":)", entity.value);
        appendJson(text, R"(,"start":)", std::int64_t(entity.span.codePointBegin));
        appendJson(text, R"(,"end":)", std::int64_t(entity.span.codePointEnd));
        appendJson(text, R"(,"byte_start":)", std::int64_t(entity.span.byteBegin));
        appendJson(text, R"(,"byte_end":)", std::int64_t(entity.span.byteEnd));
        appendJson(text, R"(,"turn":)", std::int64_t(entity.turn));
        text += '}';
        opening = R"(,{"type":)";
    }
    text += ']';
}

void appendContributions(std::string& text, const Answer& answer)
{
    text += R"(,"contributions":[)";
    const char* opening = R"({"ngram":)";
    for (const Contribution& part : answer.contributions) {
        appendJson(text, opening, part.ngram);
        appendJson(text, R"(,"weight":)", part.weight, 4);
        text += '}';
        opening = R"(,{"ngram":)";
    }
    text += ']';
}

void appendTimes(std::string& text, const StageTimes& times)
{
    appendJson(text, R"(,"times_us":{"normalise":)", times.normalise, 2);
    appendJson(text, R"(,"entities":)", times.entities, 2);
    appendJson(text, R"(,"context":)", times.context, 2);
    appendJson(text, R"(,"score":)", times.score, 2);
    appendJson(text, R"(,"decide":)", times.decide, 2);
    appendJson(text, R"(,"total":)", times.total(), 2);
    text += '}';
}

} // namespace

std::string toJson(const Answer& answer, std::string_view query, std::string_view sessionId)
{
    const Ruling& ruling = answer.ruling;
    std::string text;
    text.reserve(1024 + query.size());
    appendJson(text, R"({"query":)", query);
    if (!sessionId.empty()) {
        appendJson(text, R"(,"session":)", sessionId);
        appendJson(text, R"(,"turn":)", std::int64_t(answer.turn));
    }
    appendJson(text, R"(,"decision":)", toString(answer.verdict));
    if (answer.intent.empty()) {
        text += R"(,"intent":null)";
    } else {
        appendJson(text, R"(,"intent":)", answer.intent);
    }
    appendJson(text, R"(,"confidence":)",
        answer.candidates.empty() ? 0.0 : answer.candidates.front().confidence, places);
    appendJson(text, R"(,"rule":)", toString(ruling.rule));
    appendThreshold(text, ruling);
    appendJson(text, R"(,"margin":)", ruling.margin, places);
    appendJson(text, R"(,"required_margin":)", ruling.requiredMargin, places);
    if (ruling.wouldChangeAt >= 0) {
        appendJson(text, R"(,"would_change_at":)", ruling.wouldChangeAt, places);
    } else {
        text += R"(,"would_change_at":null)";
    }
    appendJson(text, R"(,"out_of_scope":)", answer.outOfScope, places);
    appendCandidates(text, answer);
    appendEntities(text, answer);
    if (!answer.contributions.empty()) {
        appendContributions(text, answer);
    }
    appendJson(text, R"(,"context":)", toString(answer.context));
    text += answer.newSubject ? R"(,"new_subject":true)" : R"(,"new_subject":false)";
    text += answer.cacheHit ? R"(,"cache_hit":true)" : R"(,"cache_hit":false)";
    appendJson(text, R"(,"threshold_set":)", answer.thresholdSet);
    appendTimes(text, answer.times);
    text += '}';
    return text;
}

} // namespace sluice
