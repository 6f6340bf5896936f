#pragma once

#include "engine/base/result.h"
#include "engine/classification/thresholds/contextrule.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// An immutable, numbered set of thresholds, as published to the workers (JSON; the format is
/// documented in docs/FORMATS.md and resources/schema/thresholds.schema.json). Confidences and
/// thresholds are probabilities from 0 to 1; a threshold of 0 means 0 (accept always), never
/// "default".
struct ThresholdSet
{
    std::int64_t number = 0; ///< 0: never published (a draft, or the one shipped with a model)
    std::string model; ///< SHA-256 of the model file that it was tuned on; empty: any model
    double global = 0.5; ///< accept from this confidence on
    std::map<std::string, double> perIntent; ///< instead of `global` for these intents
    double margin = 0.1; ///< least lead of the first candidate over the second, else clarify
    double clarifyBand = 0.15; ///< how far below its threshold a candidate is still asked about
    double followUp = 0.0; ///< added to the threshold on a follow-up turn (may be negative)
    double sensitive = 0.0; ///< added for the intents in `sensitiveIntents`
    std::set<std::string> sensitiveIntents;
    int failuresBeforeClarify =
        0; ///< after so many failures in a row clarify instead of fall back; 0: never
    std::vector<ContextRule> rules; ///< further adjustments, each added while it holds; no two say
                                    ///< the same condition
    std::string author; ///< Redis ACL user that published it
    std::string comment;
    std::string createdAt; ///< RFC 3339, UTC

    bool operator==(const ThresholdSet&) const = default;

    /// Input error naming the member that is wrong; unknown members are errors.
    static Result<ThresholdSet> fromJson(std::string_view text, std::string_view where);
    std::string toJson() const;
    /// SHA-256 over what decides: all but number, author, comment and time of making. A certificate
    /// is bound to it.
    std::string contentHash() const;

    static constexpr std::size_t mostRules = 64;
};

/// What the rule knows of a query beside its candidates.
struct DecisionContext
{
    bool followUp = false; ///< there were turns before in this session
    int failuresInARow = 0; ///< turns just before this one that ended in clarify or fallback
    std::optional<std::chrono::sys_seconds> at = {}; ///< none: rules on the time of day don't apply
};

/// A scored intent. `label` indexes the model's label list.
struct Candidate
{
    int label = -1;
    double confidence = 0.0; ///< calibrated probability that the intent is right, 0..1; a float's
                             ///< value where a model made it
};

enum class Verdict
{
    Accept,
    Clarify,
    Fallback
};
std::string_view toString(Verdict verdict); ///< "accept", "clarify", "fallback"

/// Which rule made the verdict; the names are part of the API ("above_threshold" ...).
enum class Rule
{
    AboveThreshold, ///< accept
    AmbiguousMargin, ///< clarify: the second candidate is too near
    InClarifyBand, ///< clarify: just below the threshold
    RepeatedFailure, ///< clarify instead of a further fallback
    BelowThreshold, ///< fallback
    NoSignal, ///< fallback: nothing in the query is known to the model
};
std::string_view toString(Rule rule);

/// One part of the threshold that was applied: {"global", 0.47}, {"follow_up", -0.05}.
struct ThresholdPart
{
    std::string_view name;
    double amount = 0.0;
};

/// A decision and all that the rule read to make it.
struct Ruling
{
    Verdict verdict = Verdict::Fallback;
    Rule rule = Rule::BelowThreshold;
    double threshold = 0.0; ///< applied to the first candidate, clamped to 0..1
    std::vector<ThresholdPart> parts; ///< sums up to `threshold` before clamping; the base is first
    double margin = 0.0; ///< first minus second confidence, rounded to a float
    double requiredMargin = 0.0;
    double wouldChangeAt = 0.0; ///< the global (or intent's own) threshold from which the verdict
                                ///< would differ; negative: none
};

/// A threshold set compiled against a model's labels: each of the few things that the context can
/// say is a table over the labels, and applying the set is a lookup in each. Immutable; shared
/// between threads by pointer.
class CompiledThresholds
{
public:
    /// Input error when the set names an intent that the model does not have, or is bound to
    /// another model than `modelHash` (pass an empty hash to skip that check).
    static Result<CompiledThresholds> compile(
        const ThresholdSet& set, std::span<const std::string> labels, std::string_view modelHash);

    /// The rule: pure and total. `candidates` are in falling order of confidence, the first two
    /// matter; empty means that nothing in the query was known. Accepts from the threshold on (>=).
    Ruling decide(std::span<const Candidate> candidates, const DecisionContext& context) const;

    /// Verdict alone, for sweeps over many rows: no allocation.
    Verdict verdict(std::span<const Candidate> candidates, const DecisionContext& context) const;

    /// The threshold that a first candidate `label` is held against, 0..1. A label that the model
    /// does not have gets the global one and what context adds to every intent.
    double threshold(int label, const DecisionContext& context) const;
    /// What of it does not depend on context: is it the intent's own, and what is added for being
    /// sensitive.
    struct Base
    {
        double threshold = 0;
        bool own = false;
        double sensitive = 0;
    };
    Base base(int label) const;

    /// Until when the rules on the time of day add what they add at `at`, at least; the end of time
    /// where the set has none.
    std::chrono::sys_seconds timeHoldsUntil(std::chrono::sys_seconds at) const;
    const ThresholdSet& set() const { return m_set; }

private:
    using Amounts = std::vector<double>; ///< a label each, and one for labels that are not known
    /// The rules that share a zone: which stretch of the day a minute is in, and what it adds.
    struct Clock
    {
        ZoneClock zone;
        std::array<std::uint8_t, ContextRule::minutesADay> stretch;
        std::vector<int> ends; ///< minute that each stretch ends before
        std::vector<Amounts> amounts;
    };

    std::size_t slotOf(int label) const;
    double failurePart(std::size_t slot, const DecisionContext& context) const;
    double timePart(std::size_t slot, const DecisionContext& context) const;
    std::vector<ThresholdPart> parts(int label, const DecisionContext& context) const;
    Result<void> compileIntents(std::span<const std::string> labels);
    void compileRules(std::span<const std::string> labels);
    Result<void> compileClocks(std::span<const std::string> labels);

    ThresholdSet m_set;
    std::vector<Base> m_base; ///< as Amounts
    Amounts m_followUp;
    std::vector<int> m_failureSteps; ///< rising; at or above the i-th, m_failures[i] is added
    std::vector<Amounts> m_failures;
    std::vector<Clock> m_clocks;
};

} // namespace sluice
