#include "engine/classification/thresholds/thresholdset.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace sluice {

std::string_view toString(Verdict verdict)
{
    switch (verdict) {
    case Verdict::Accept:
        return "accept";
    case Verdict::Clarify:
        return "clarify";
    case Verdict::Fallback:
        break;
    }
    return "fallback";
}

std::string_view toString(Rule rule)
{
    switch (rule) {
    case Rule::AboveThreshold:
        return "above_threshold";
    case Rule::AmbiguousMargin:
        return "ambiguous_margin";
    case Rule::InClarifyBand:
        return "in_clarify_band";
    case Rule::RepeatedFailure:
        return "repeated_failure";
    case Rule::NoSignal:
        return "no_signal";
    case Rule::BelowThreshold:
        break;
    }
    return "below_threshold";
}

Result<CompiledThresholds> CompiledThresholds::compile(
    const ThresholdSet& set, std::span<const std::string> labels, std::string_view modelHash)
{
    if (!set.model.empty() && !modelHash.empty() && set.model != modelHash) {
        return inputError(fmt::format(
            "threshold set {} was tuned on model {}..., but this is model {}...: tune and publish "
            "one for this model",
            set.number, set.model.substr(0, 12), modelHash.substr(0, 12)));
    }
    CompiledThresholds compiled;
    compiled.m_set = set;
    compiled.m_base.assign(labels.size(), set.global);
    compiled.m_own.assign(labels.size(), 0);
    compiled.m_sensitive.assign(labels.size(), 0);
    const auto indexOf = [&](const std::string& intent) {
        const auto found = std::find(labels.begin(), labels.end(), intent);
        return found == labels.end() ? SIZE_MAX : std::size_t(found - labels.begin());
    };
    const auto unknown = [&](std::string_view member, const std::string& intent) {
        return inputError(
            fmt::format("threshold set {}: {} names \"{}\", which the model does not know",
                set.number, member, intent));
    };
    for (const auto& [intent, threshold] : set.perIntent) {
        const std::size_t label = indexOf(intent);
        if (label == SIZE_MAX) {
            return unknown("per_intent", intent);
        }
        compiled.m_base[label] = threshold;
        compiled.m_own[label] = 1;
    }
    for (const std::string& intent : set.sensitiveIntents) {
        const std::size_t label = indexOf(intent);
        if (label == SIZE_MAX) {
            return unknown("sensitive_intents", intent);
        }
        compiled.m_sensitive[label] = 1;
    }
    return compiled;
}

namespace {

struct Applied
{
    Verdict verdict;
    Rule rule;
};

/// The rule itself, on numbers.
Applied apply(double first, double margin, double threshold, const ThresholdSet& set,
    const DecisionContext& context)
{
    if (first >= threshold) {
        return margin >= set.margin ? Applied{Verdict::Accept, Rule::AboveThreshold}
                                    : Applied{Verdict::Clarify, Rule::AmbiguousMargin};
    }
    if (first >= threshold - set.clarifyBand) {
        return {Verdict::Clarify, Rule::InClarifyBand};
    }
    if (set.failuresBeforeClarify > 0 && context.failuresInARow >= set.failuresBeforeClarify) {
        return {Verdict::Clarify, Rule::RepeatedFailure};
    }
    return {Verdict::Fallback, Rule::BelowThreshold};
}

double marginOf(std::span<const Candidate> candidates)
{
    return candidates[0].confidence - (candidates.size() > 1 ? candidates[1].confidence : 0.0);
}

} // namespace

CompiledThresholds::Base CompiledThresholds::baseOf(int label) const
{
    if (label < 0 || std::size_t(label) >= m_base.size()) {
        return {m_set.global, false, false};
    }
    const auto index = std::size_t(label);
    return {m_base[index], m_own[index] != 0, m_sensitive[index] != 0};
}

Verdict CompiledThresholds::verdict(
    std::span<const Candidate> candidates, const DecisionContext& context) const
{
    if (candidates.empty()) {
        return Verdict::Fallback;
    }
    const Base base = baseOf(candidates[0].label);
    const double threshold = base.threshold + (context.followUp ? m_set.followUp : 0.0)
        + (base.sensitive ? m_set.sensitive : 0.0);
    return apply(candidates[0].confidence, marginOf(candidates), std::clamp(threshold, 0.0, 1.0),
        m_set, context)
        .verdict;
}

Ruling CompiledThresholds::decide(
    std::span<const Candidate> candidates, const DecisionContext& context) const
{
    Ruling ruling;
    ruling.requiredMargin = m_set.margin;
    ruling.wouldChangeAt = -1;
    if (candidates.empty()) {
        ruling.rule = Rule::NoSignal;
        ruling.threshold = m_set.global;
        ruling.parts.push_back({"global", m_set.global});
        return ruling;
    }
    const Base base = baseOf(candidates[0].label);
    ruling.parts.push_back({base.own ? "intent" : "global", base.threshold});
    if (context.followUp && m_set.followUp != 0.0) {
        ruling.parts.push_back({"follow_up", m_set.followUp});
    }
    if (base.sensitive && m_set.sensitive != 0.0) {
        ruling.parts.push_back({"sensitive", m_set.sensitive});
    }
    double sum = 0;
    for (const ThresholdPart& part : ruling.parts) {
        sum += part.amount;
    }
    const double first = candidates[0].confidence;
    ruling.threshold = std::clamp(sum, 0.0, 1.0);
    ruling.margin = marginOf(candidates);
    const Applied applied = apply(first, ruling.margin, ruling.threshold, m_set, context);
    ruling.verdict = applied.verdict;
    ruling.rule = applied.rule;

    // Where on the threshold axis the verdict turns: at the confidence itself (accept or ambiguous
    // | band), and a band above it (band | fallback). The nearest turn that changes the verdict,
    // back on the base's scale. Probed a hair beside the turn, as (c + b) - b need not be c.
    constexpr double hair = 1e-9;
    const double others = sum - base.threshold;
    double nearest = 2.0;
    for (const double turn : {first, first + m_set.clarifyBand}) {
        // At a turn the looser side still holds (>=); just above it the stricter one does.
        const double probe = turn < ruling.threshold ? std::max(0.0, turn - hair) : turn + hair;
        const double wanted = turn - others;
        if (probe > 1.0 || wanted < 0.0 || wanted > 1.0
            || apply(first, ruling.margin, probe, m_set, context).verdict == ruling.verdict) {
            continue;
        }
        const double distance = std::abs(turn - ruling.threshold);
        if (distance < nearest) {
            nearest = distance;
            ruling.wouldChangeAt = wanted;
        }
    }
    return ruling;
}

} // namespace sluice
