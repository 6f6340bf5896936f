#pragma once

#include "engine/classification/thresholds/judgedrow.h"

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace sluice {

/// What one query costs, in any unit; none below 0.
struct Costs
{
    double wrong = 1; ///< an in-scope query accepted as another intent
    double rejected = 1; ///< a right first candidate not accepted
    double outOfScope = 1; ///< an out-of-scope query accepted
    bool operator==(const Costs&) const = default;
};

/// What one global threshold does. Counts of queries.
struct SweepPoint
{
    double threshold = 1;
    std::int64_t accepted = 0;
    std::int64_t wrong = 0; ///< of the accepted: in scope, another intent
    std::int64_t outOfScope = 0; ///< of the accepted: out of scope

    std::int64_t errors() const { return wrong + outOfScope; }
    std::int64_t right() const { return accepted - errors(); }
    /// Share of the accepted that is wrong; 0 when nothing is accepted.
    double risk() const { return accepted == 0 ? 0 : double(errors()) / double(accepted); }
};

/// Every threshold that does something of its own, from 1 down to 0.
struct Sweep
{
    std::int64_t rows = 0;
    std::int64_t right = 0; ///< rows whose first candidate is right
    std::vector<SweepPoint> points; ///< never empty; the first is at threshold 1

    double coverage(const SweepPoint& point) const
    {
        return rows == 0 ? 0 : double(point.accepted) / double(rows);
    }
    double cost(const SweepPoint& point, const Costs& costs) const
    {
        return costs.wrong * double(point.wrong) + costs.outOfScope * double(point.outOfScope)
            + costs.rejected * double(right - point.right());
    }
};

/// One sorted pass, O(n log n).
Sweep sweep(std::span<const JudgedRow> rows);

/// Area under the risk-coverage curve: the mean risk over the coverages that are reached (the rows
/// in falling order of score). 0 for no row.
double areaUnderRiskCoverage(const Sweep& sweep);

/// The cheapest point; of equals the strictest.
const SweepPoint& costOptimum(const Sweep& sweep, const Costs& costs);

/// The loosest point whose observed risk is at most `alpha`, which accepts something; nullptr:
/// none. What a slider invites to: the true risk is above alpha in about half of the cases, for it
/// is the luckiest of many thresholds (shown beside a certificate for comparison).
const SweepPoint* loosestObserved(const Sweep& sweep, double alpha);

struct SuggestRequest
{
    Costs costs;
    std::uint64_t seed = 1; ///< of the split into folds
    bool declaredHeldOut = false; ///< as for certify()
};

/// Thresholds by intent, or the reason to keep the global one.
struct Suggestion
{
    double global = 1; ///< cheapest on all rows
    std::map<int, double> perIntent; ///< by label; empty: keep the global one
    std::string reason; ///< in words, either way
    // Cost a row on rows that neither threshold was tuned on.
    double heldOutGlobal = 0;
    double heldOutPerIntent = 0;
    double inSamplePerIntent = 0; ///< on the rows it was tuned on: what the optimist would show
    std::int64_t better = 0; ///< held-out rows that cost less with own thresholds
    std::int64_t worse = 0;
    double pValue = 1; ///< McNemar, exact, of those two
    double shrinkage = 0; ///< k0: an intent of k rows has weight k / (k + k0) against the global
};

/// Cheapest threshold by intent, drawn towards the global one by how few rows the intent has. Cross
/// fitting (five folds) judges it on rows it was not tuned on against the global sweep on the same;
/// own thresholds are suggested only when they cost less there and McNemar's test says at 5 % that
/// it is no accident. Scores must not be `always`. Input error for rows that checkHeldOut() refuses
/// and for fewer than 20.
Result<Suggestion> suggestPerIntent(std::span<const JudgedRow> rows, const SuggestRequest& request);

} // namespace sluice
