#pragma once

#include "engine/operations/rollout/abcomparison.h"

#include <random>
#include <utility>
#include <vector>

/// The statistics under compareAb(): sessions, ratios over them, the bootstrap. See there for the
/// sources.
namespace sluice::ops::ab {

inline constexpr double notKnown = std::numeric_limits<double>::quiet_NaN();
inline constexpr int draws = 500;
inline constexpr std::size_t fewestSessions = 6; ///< under which nothing is drawn
inline constexpr quint64 seed = 20261124;

/// How often one session got one decision for one query that both pools know.
struct Cell
{
    int query = 0;
    int decision = 0; ///< over all queries
    double count = 0;
};

/// What one session adds to every measure.
struct Session
{
    double weight = 1;
    double decisions = 0;
    double accepted = 0;
    double clarified = 0;
    double fallback = 0;
    double confidence = 0;
    double ms = 0;
    double said = 0; ///< any feedback: 0 or 1
    double negative = 0; ///< wrong or a complaint
    double complained = 0;
    std::vector<double> latencies; ///< ms at the worker
    std::vector<double> userLatencies; ///< ms, as users had them
    std::vector<Cell> cells;
    std::vector<std::pair<int, double>> asked; ///< query, how often
};
using Arm = std::vector<Session>;
using Figure = double Session::*;

/// A ratio of sums over sessions, and its variance.
struct Ratio
{
    double value = notKnown;
    double variance = notKnown;
    qint64 sessions = 0;
};

/// The sum of one figure over that of another (null: over the sessions), weighed.
Ratio ratioOf(const Arm& arm, Figure over, Figure under);

/// Set a measure's figures and intervals; left as they are where an arm has nothing.
void compareShares(ComparedMeasure& measure, const Ratio& canary, const Ratio& stable);
void compareMeans(ComparedMeasure& measure, const Ratio& canary, const Ratio& stable);
void compareQuantiles(ComparedMeasure& measure, const Arm& canaryArm, const Arm& stableArm,
    std::vector<double> Session::*which, double share);

/// A figure with the percentile interval of what was drawn; none where half the draws had none.
Estimate drawn(double value, std::vector<double>& found);
/// How often each session is drawn.
void drawSessions(std::vector<double>& times, std::mt19937_64& random);

/// Agreement of two arms over the queries that both know.
class Agreement
{
public:
    /// `queryOf`: the query of each decision; both are numbered from 0. The arms must outlive it.
    Agreement(const Arm& canary, const Arm& stable, int queries, std::vector<int> queryOf);

    /// Both in percent: canary with stable, and stable with itself (two sessions); NaN: no query
    /// lets it be said. Each session counts as often as `times` says.
    std::pair<double, double> reckon(
        const std::vector<double>& canaryTimes, const std::vector<double>& stableTimes);

private:
    void add(const Arm& arm, const std::vector<double>& times, std::vector<double>& counts,
        std::vector<double>& asked, bool own);

    const Arm& m_canary;
    const Arm& m_stable;
    std::vector<int> m_queryOf; ///< by decision
    std::vector<double> m_canaryCounts;
    std::vector<double> m_stableCounts;
    std::vector<double> m_canaryAsked;
    std::vector<double> m_stableAsked;
    std::vector<double> m_ownPairs; ///< of a session with itself
    std::vector<double> m_ownSame;
};

} // namespace sluice::ops::ab
