#include "engine/classification/thresholds/thresholdset.h"

#include <algorithm>
#include <cmath>

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

/// As a float, as RecordedRows has it: a replay decides exactly as was served.
double marginOf(std::span<const Candidate> candidates)
{
    return float(
        candidates[0].confidence - (candidates.size() > 1 ? candidates[1].confidence : 0.0));
}

} // namespace

Verdict CompiledThresholds::verdict(
    std::span<const Candidate> candidates, const DecisionContext& context) const
{
    if (candidates.empty()) {
        return Verdict::Fallback;
    }
    return apply(candidates[0].confidence, marginOf(candidates),
        threshold(candidates[0].label, context), m_set, context)
        .verdict;
}

std::vector<ThresholdPart> CompiledThresholds::parts(
    int label, const DecisionContext& context) const
{
    const std::size_t slot = slotOf(label);
    const Base& base = m_base[slot];
    std::vector<ThresholdPart> parts{{base.own ? "intent" : "global", base.threshold}};
    const auto add = [&parts](Condition condition, double amount) {
        if (amount != 0.0) {
            parts.push_back({toString(condition), amount});
        }
    };
    add(Condition::FollowUp, context.followUp ? m_followUp[slot] : 0.0);
    add(Condition::Sensitive, base.sensitive);
    add(Condition::RepeatedFailure, failurePart(slot, context));
    add(Condition::TimeOfDay, timePart(slot, context));
    return parts;
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
    ruling.parts = parts(candidates[0].label, context);
    ruling.threshold = threshold(candidates[0].label, context);
    const double first = candidates[0].confidence;
    ruling.margin = marginOf(candidates);
    const Applied applied = apply(first, ruling.margin, ruling.threshold, m_set, context);
    ruling.verdict = applied.verdict;
    ruling.rule = applied.rule;

    // Where on the threshold axis the verdict turns: at the confidence itself (accept or ambiguous
    // | band), and a band above it (band | fallback). The nearest turn that changes the verdict,
    // back on the base's scale. Probed a hair beside the turn, as (c + b) - b need not be c.
    constexpr double hair = 1e-9;
    double others = 0;
    for (const ThresholdPart& part : std::span(ruling.parts).subspan(1)) {
        others += part.amount;
    }
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
