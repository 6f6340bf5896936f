#pragma once

#include "engine/classification/thresholds/recordedrows.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// A decision as it was served, for the decision log (docs/FORMATS.md): all that the rule read, so
/// that judging it anew with the same set gives exactly the verdict that was served, and judging it
/// with another one what that would have said.
struct DecisionRow
{
    struct Scored
    {
        std::string intent;
        float confidence = 0; ///< as the rule read it
        bool operator==(const Scored&) const = default;
    };

    std::string id; ///< of the request
    std::string session; ///< as the client sent it, or hashed; empty without one
    int turn = 0; ///< 0 without a session
    std::string query; ///< as typed, redacted or hashed, whatever the configuration says; or empty
    std::string model; ///< SHA-256 of the model file
    std::int64_t set = 0; ///< number of the threshold set
    std::string pool;
    std::string version;
    double weight = 1; ///< how many decisions it stands for: one over the share that is logged
    std::vector<Scored> top; ///< falling; at most five
    double outOfScope = 1;
    std::string contextState = "none"; ///< "none", "new", "used", "unavailable"
    DecisionContext context; ///< `at`: to the second
    Verdict verdict = Verdict::Fallback; ///< as served
    Rule rule = Rule::NoSignal;
    double threshold = 0; ///< as applied
    double milliseconds = 0; ///< from the request's arrival to the decision

    /// One line of JSON; numbers with all their digits.
    std::string toJson() const;
    /// Members that are not known are passed over: a row may have been written by the next version.
    /// Input error naming what is missing or wrong.
    static Result<DecisionRow> fromJson(std::string_view text, std::string_view where);
    /// As threshold tuning replays it. A first candidate that `labels` (sorted) does not have
    /// counts as unknown.
    RecordedRow recorded(std::span<const std::string> labels) const;
};

} // namespace sluice
