#pragma once

#include "engine/base/result.h"

#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

struct ThresholdSet;

/// Where the grid of thresholds, and the point where testing began, came from. Never from the
/// labels that are tested.
enum class GridOrigin
{
    Traffic, ///< scores of recorded traffic, unlabelled
    Validation ///< scores of the validation rows
};
std::string_view toString(GridOrigin origin); ///< "traffic", "validation"

/// What a certificate speaks of.
enum class ClaimKind
{
    Marginal, ///< all accepted queries together
    Group, ///< those accepted as one of some intents; each such claim for itself
    Simultaneous ///< the same; all claims made together hold at once
};
std::string_view toString(ClaimKind kind); ///< "marginal", "group", "simultaneous"

/// What the claim is bound to: it is void for another model or another set.
struct Provenance
{
    std::string modelHash; ///< SHA-256 of the model file
    std::string dataHash; ///< SHA-256 over the calibration rows
    std::string setHash; ///< ThresholdSet::contentHash(), with the certified threshold in it
    std::string date; ///< RFC 3339, UTC
    bool operator==(const Provenance&) const = default;
};

/// A claim about a threshold, with all that is needed to check it: with probability at least
/// 1 - delta over the draw of the calibration rows, at most the share alpha of what the threshold
/// accepts is wrong. It speaks of queries like those rows, without context adjustments.
struct Certificate
{
    double alpha = 0.05; ///< the most that may be wrong among the accepted
    double delta = 0.10; ///< how often such a certificate may be broken
    ClaimKind claim = ClaimKind::Marginal;
    std::vector<std::string> intents; ///< of a Group or Simultaneous claim
    std::int64_t claims = 1; ///< made together; each was tested at delta / claims
    std::int64_t rows = 0; ///< n: calibration rows, for the intents in question
    std::int64_t accepted = 0; ///< k: of them, accepted
    std::int64_t errors = 0; ///< e: of the accepted, wrong or out of scope
    double bound = 1; ///< upper bound of the error rate at the level tested
    double threshold = 1;
    GridOrigin gridOrigin = GridOrigin::Validation;
    double gridStart = 1; ///< the strictest threshold tested, the first
    std::int64_t gridPoints = 0; ///< how many the grid had
    std::optional<double> outOfScopeShare; ///< assumed of traffic; none: as in the rows
    bool declaredHeldOut = false; ///< on the caller's word; else by the rows' split
    Provenance provenance;

    bool operator==(const Certificate&) const = default;

    /// Input error naming the member that is wrong; also where the numbers contradict each other.
    static Result<Certificate> fromJson(std::string_view text, std::string_view where);
    boost::json::object toJson() const;
    /// Whether it speaks of this set on this model.
    bool covers(const ThresholdSet& set, std::string_view modelHash) const;
    /// The claim and its conditions, for a person, a line each.
    std::vector<std::string> sentences() const;
};

/// `base` with the certified thresholds in it (the global one, or those of the claims' intents),
/// bound to the model; writes the set's hash into every certificate.
ThresholdSet certifiedSet(ThresholdSet base, std::span<Certificate> certificates);

} // namespace sluice
