#include "engine/classification/thresholds/changes.h"

#include <fmt/format.h>

namespace sluice {

namespace {

using Settings = std::map<SettingKey, Setting>;

Settings settingsOf(const ThresholdSet& set)
{
    Settings settings{{{SettingKind::Model, {}}, set.model},
        {{SettingKind::Global, {}}, set.global}, {{SettingKind::Margin, {}}, set.margin},
        {{SettingKind::ClarifyBand, {}}, set.clarifyBand},
        {{SettingKind::FollowUp, {}}, set.followUp}, {{SettingKind::Sensitive, {}}, set.sensitive},
        {{SettingKind::FailuresBeforeClarify, {}}, double(set.failuresBeforeClarify)}};
    for (const auto& [intent, threshold] : set.perIntent) {
        settings[{SettingKind::PerIntent, intent}] = threshold;
    }
    for (const std::string& intent : set.sensitiveIntents) {
        settings[{SettingKind::SensitiveIntent, intent}] = 1.0;
    }
    for (const ContextRule& rule : set.rules) {
        settings[{SettingKind::ContextRule, rule.key()}] = rule.add;
    }
    return settings;
}

/// The rules of all sides, by key.
using Rules = std::map<std::string, ContextRule>;

void apply(ThresholdSet& set, const SettingKey& key, const Setting& setting, const Rules& rules)
{
    const double* number = std::get_if<double>(&setting);
    const double amount = number == nullptr ? 0.0 : *number;
    switch (key.kind) {
    case SettingKind::Model:
        set.model = std::get<std::string>(setting);
        break;
    case SettingKind::Global:
        set.global = amount;
        break;
    case SettingKind::PerIntent:
        set.perIntent[key.name] = amount;
        break;
    case SettingKind::Margin:
        set.margin = amount;
        break;
    case SettingKind::ClarifyBand:
        set.clarifyBand = amount;
        break;
    case SettingKind::FollowUp:
        set.followUp = amount;
        break;
    case SettingKind::Sensitive:
        set.sensitive = amount;
        break;
    case SettingKind::SensitiveIntent:
        set.sensitiveIntents.insert(key.name);
        break;
    case SettingKind::FailuresBeforeClarify:
        set.failuresBeforeClarify = int(amount);
        break;
    case SettingKind::ContextRule:
        set.rules.push_back(rules.at(key.name));
        set.rules.back().add = amount;
        break;
    }
}

std::optional<Setting> valueOf(const Settings& settings, const SettingKey& key)
{
    const auto found = settings.find(key);
    return found == settings.end() ? std::nullopt : std::optional(found->second);
}

std::string nameOf(const SettingKey& key)
{
    return key.name.empty() ? std::string(toString(key.kind))
                            : fmt::format("{} {}", toString(key.kind), key.name);
}

std::string textOf(const std::optional<Setting>& setting)
{
    if (!setting) {
        return "none";
    }
    if (const double* number = std::get_if<double>(&*setting)) {
        return fmt::format("{}", *number);
    }
    const auto& hash = std::get<std::string>(*setting);
    return hash.empty() ? "any" : hash;
}

} // namespace

std::string_view toString(SettingKind kind)
{
    switch (kind) {
    case SettingKind::Model:
        return "model";
    case SettingKind::Global:
        break;
    case SettingKind::PerIntent:
        return "per_intent";
    case SettingKind::Margin:
        return "margin";
    case SettingKind::ClarifyBand:
        return "clarify_band";
    case SettingKind::FollowUp:
        return "follow_up";
    case SettingKind::Sensitive:
        return "sensitive";
    case SettingKind::SensitiveIntent:
        return "sensitive_intents";
    case SettingKind::FailuresBeforeClarify:
        return "failures_before_clarify";
    case SettingKind::ContextRule:
        return "rules";
    }
    return "global";
}

std::string toText(const ThresholdChange& change)
{
    if (change.key.kind == SettingKind::SensitiveIntent) {
        return nameOf(change.key) + (change.after ? ": added" : ": removed");
    }
    return fmt::format(
        "{}: {} -> {}", nameOf(change.key), textOf(change.before), textOf(change.after));
}

std::string toText(const MergeConflict& conflict)
{
    return fmt::format("{}: base {}, ours {}, theirs {}", nameOf(conflict.key),
        textOf(conflict.base), textOf(conflict.ours), textOf(conflict.theirs));
}

std::vector<ThresholdChange> diff(const ThresholdSet& before, const ThresholdSet& after)
{
    const Settings left = settingsOf(before);
    const Settings right = settingsOf(after);
    Settings all = left;
    all.insert(right.begin(), right.end());
    std::vector<ThresholdChange> changes;
    for (const auto& entry : all) {
        ThresholdChange change{
            entry.first, valueOf(left, entry.first), valueOf(right, entry.first)};
        if (change.before != change.after) {
            changes.push_back(std::move(change));
        }
    }
    return changes;
}

ThresholdMerge merge(const ThresholdSet& base, const ThresholdSet& ours, const ThresholdSet& theirs)
{
    const Settings settings[] = {settingsOf(base), settingsOf(ours), settingsOf(theirs)};
    Settings all;
    for (const Settings& side : settings) {
        all.insert(side.begin(), side.end());
    }
    Rules rules;
    for (const ThresholdSet* set : {&base, &ours, &theirs}) {
        for (const ContextRule& rule : set->rules) {
            rules.emplace(rule.key(), rule);
        }
    }
    ThresholdMerge result;
    result.merged.author = ours.author;
    result.merged.comment = ours.comment;
    result.merged.createdAt = ours.createdAt;
    for (const auto& entry : all) {
        const SettingKey& key = entry.first;
        const auto was = valueOf(settings[0], key);
        const auto mine = valueOf(settings[1], key);
        const auto other = valueOf(settings[2], key);
        const std::optional<Setting> kept = mine == was ? other : mine;
        if (mine != was && other != was && mine != other) {
            result.conflicts.push_back({key, was, mine, other});
        }
        if (kept) {
            apply(result.merged, key, *kept, rules);
        }
    }
    return result;
}

} // namespace sluice
