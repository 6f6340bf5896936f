#include "engine/classification/thresholds/thresholdset.h"

#include <algorithm>
#include <fmt/format.h>

namespace sluice {

namespace {

/// Adds what a rule adds to each label that it speaks of; the last place is for unknown labels.
void addTo(
    std::vector<double>& amounts, const ContextRule& rule, std::span<const std::string> labels)
{
    for (std::size_t slot = 0; slot < amounts.size(); ++slot) {
        if (rule.intents.empty() || (slot < labels.size() && rule.intents.contains(labels[slot]))) {
            amounts[slot] += rule.add;
        }
    }
}

} // namespace

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
    if (auto known = compiled.compileIntents(labels); !known) {
        return known.error();
    }
    compiled.compileRules(labels);
    if (auto clocks = compiled.compileClocks(labels); !clocks) {
        return clocks.error();
    }
    return compiled;
}

Result<void> CompiledThresholds::compileIntents(std::span<const std::string> labels)
{
    m_base.assign(labels.size() + 1, {m_set.global, false, 0.0});
    const auto find = [&](std::string_view member, const std::string& intent) -> Result<Base*> {
        const auto found = std::find(labels.begin(), labels.end(), intent);
        if (found == labels.end()) {
            return inputError(
                fmt::format("threshold set {}: {} names \"{}\", which the model does not know",
                    m_set.number, member, intent));
        }
        return &m_base[std::size_t(found - labels.begin())];
    };
    for (const auto& [intent, threshold] : m_set.perIntent) {
        const auto base = find("per_intent", intent);
        if (!base) {
            return base.error();
        }
        (*base)->threshold = threshold;
        (*base)->own = true;
    }
    for (const std::string& intent : m_set.sensitiveIntents) {
        const auto base = find("sensitive_intents", intent);
        if (!base) {
            return base.error();
        }
        (*base)->sensitive = m_set.sensitive;
    }
    for (const ContextRule& rule : m_set.rules) {
        for (const std::string& intent : rule.intents) {
            const auto base = find("rules", intent);
            if (!base) {
                return base.error();
            }
            (*base)->sensitive += rule.when == Condition::Sensitive ? rule.add : 0.0;
        }
    }
    return {};
}

void CompiledThresholds::compileRules(std::span<const std::string> labels)
{
    m_followUp.assign(m_base.size(), m_set.followUp);
    std::set<int> steps;
    for (const ContextRule& rule : m_set.rules) {
        if (rule.when == Condition::FollowUp) {
            addTo(m_followUp, rule, labels);
        } else if (rule.when == Condition::RepeatedFailure) {
            steps.insert(rule.failures);
        }
    }
    m_failureSteps.assign(steps.begin(), steps.end());
    for (const int step : m_failureSteps) {
        Amounts& amounts = m_failures.emplace_back(m_base.size(), 0.0);
        for (const ContextRule& rule : m_set.rules) {
            if (rule.when == Condition::RepeatedFailure && rule.failures <= step) {
                addTo(amounts, rule, labels);
            }
        }
    }
}

Result<void> CompiledThresholds::compileClocks(std::span<const std::string> labels)
{
    std::map<std::string, std::vector<const ContextRule*>> zones;
    for (const ContextRule& rule : m_set.rules) {
        if (rule.when == Condition::TimeOfDay) {
            zones[rule.zone].push_back(&rule);
        }
    }
    for (const auto& [name, rules] : zones) {
        auto zone = ZoneClock::open(name);
        if (!zone) {
            return zone.error();
        }
        Clock& clock = m_clocks.emplace_back(Clock{std::move(*zone), {}, {}, {}});
        // A day has at most two stretches a rule and one more, and mostRules bounds the rules.
        static_assert(2 * ThresholdSet::mostRules + 1 <= 256);
        std::vector<bool> before;
        for (int minute = 0; minute < ContextRule::minutesADay; ++minute) {
            std::vector<bool> now;
            for (const ContextRule* rule : rules) {
                now.push_back(rule->holdsAt(minute));
            }
            if (now != before) {
                Amounts& amounts = clock.amounts.emplace_back(m_base.size(), 0.0);
                for (std::size_t index = 0; index < rules.size(); ++index) {
                    if (now[index]) {
                        addTo(amounts, *rules[index], labels);
                    }
                }
                before = std::move(now);
                clock.ends.push_back(minute);
            }
            clock.ends.back() = minute + 1;
            clock.stretch[std::size_t(minute)] = std::uint8_t(clock.amounts.size() - 1);
        }
    }
    return {};
}

std::size_t CompiledThresholds::slotOf(int label) const
{
    const std::size_t unknown = m_base.size() - 1;
    return label < 0 ? unknown : std::min(std::size_t(label), unknown);
}

CompiledThresholds::Base CompiledThresholds::base(int label) const
{
    return m_base[slotOf(label)];
}

double CompiledThresholds::failurePart(std::size_t slot, const DecisionContext& context) const
{
    const auto step =
        std::upper_bound(m_failureSteps.begin(), m_failureSteps.end(), context.failuresInARow);
    return step == m_failureSteps.begin()
        ? 0.0
        : m_failures[std::size_t(step - m_failureSteps.begin()) - 1][slot];
}

double CompiledThresholds::timePart(std::size_t slot, const DecisionContext& context) const
{
    double sum = 0;
    if (context.at) {
        for (const Clock& clock : m_clocks) {
            const auto minute = std::size_t(clock.zone.minuteOfDay(*context.at));
            sum += clock.amounts[clock.stretch[minute]][slot];
        }
    }
    return sum;
}

std::chrono::sys_seconds CompiledThresholds::timeHoldsUntil(std::chrono::sys_seconds at) const
{
    auto until = std::chrono::sys_seconds::max();
    for (const Clock& clock : m_clocks) {
        const int second = clock.zone.secondOfDay(at);
        const int end = clock.ends[clock.stretch[std::size_t(second / 60)]];
        until = std::min(
            {until, clock.zone.nextChange(at), at + std::chrono::seconds(end * 60 - second)});
    }
    return until;
}

double CompiledThresholds::threshold(int label, const DecisionContext& context) const
{
    const std::size_t slot = slotOf(label);
    const Base& base = m_base[slot];
    const double sum = base.threshold + (context.followUp ? m_followUp[slot] : 0.0) + base.sensitive
        + failurePart(slot, context) + timePart(slot, context);
    return std::clamp(sum, 0.0, 1.0);
}

} // namespace sluice
