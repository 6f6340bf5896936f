#pragma once

#include "engine/classification/thresholds/thresholdset.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

namespace sluice {

/// The kinds of settings that a threshold set has: one for each member that decides.
enum class SettingKind
{
    Model,
    Global,
    PerIntent,
    Margin,
    ClarifyBand,
    FollowUp,
    Sensitive,
    SensitiveIntent,
    FailuresBeforeClarify,
    ContextRule
};
/// The member's name: "model", "global", "per_intent" ...
std::string_view toString(SettingKind kind);

/// Names one setting. `name` is the intent of PerIntent and SensitiveIntent, the condition
/// (ContextRule::key()) of ContextRule, and else empty.
struct SettingKey
{
    SettingKind kind = SettingKind::Global;
    std::string name;
    bool operator==(const SettingKey&) const = default;
    bool operator<(const SettingKey& other) const
    {
        return std::tie(kind, name) < std::tie(other.kind, other.name);
    }
};

/// The model's hash, or a number: 1 for a sensitive intent, the amount of a context rule.
using Setting = std::variant<double, std::string>;

/// A setting that differs; no value on the side where it does not stand.
struct ThresholdChange
{
    SettingKey key;
    std::optional<Setting> before;
    std::optional<Setting> after;
    bool operator==(const ThresholdChange&) const = default;
};
/// "per_intent refund: 0.5 -> 0.62", "sensitive_intents refund: added".
std::string toText(const ThresholdChange& change);

/// What decides differently, by kind and name. Number, author, comment and time of making are no
/// part of it.
std::vector<ThresholdChange> diff(const ThresholdSet& before, const ThresholdSet& after);

/// A setting that both sides changed, to different values.
struct MergeConflict
{
    SettingKey key;
    std::optional<Setting> base;
    std::optional<Setting> ours;
    std::optional<Setting> theirs;
};
std::string toText(const MergeConflict& conflict);

struct ThresholdMerge
{
    ThresholdSet merged; ///< number 0; author, comment and time are ours; ours where in conflict
    std::vector<MergeConflict> conflicts; ///< empty: `merged` is what both wanted
};
/// Three-way merge, setting by setting.
ThresholdMerge merge(
    const ThresholdSet& base, const ThresholdSet& ours, const ThresholdSet& theirs);

} // namespace sluice
