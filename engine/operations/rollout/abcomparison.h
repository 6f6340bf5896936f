#pragma once

#include "engine/classification/thresholds/statistics.h"

#include <QJsonObject>
#include <QList>
#include <QString>
#include <atomic>
#include <limits>
#include <vector>

namespace sluice::ops {

/// One decision as a pool served it, of the decision log.
struct PoolDecision
{
    QString id; ///< of the request
    QString session; ///< empty: the request is a session of its own
    QString pool;
    QString query; ///< normalised; empty where the log keeps none
    QString decision; ///< "accept track_order", "clarify track_order", "fallback"
    QString verdict; ///< "accept", "clarify", "fallback"
    double confidence = 0; ///< of the first candidate
    double ms = 0; ///< from the request's arrival to the decision
    qint64 atMs = 0; ///< since 1970
};

/// What a user, or a person for one, said about an answer.
struct PoolFeedback
{
    QString request; ///< of the answer; empty: not said
    QString session;
    QString pool;
    QString kind; ///< "right", "wrong", "complaint"
    double latencyMs = std::numeric_limits<double>::quiet_NaN(); ///< as the user had it
};

/// A figure with its 95 % interval; NaN: there is none.
struct Estimate
{
    double value = std::numeric_limits<double>::quiet_NaN();
    double low = std::numeric_limits<double>::quiet_NaN();
    double high = std::numeric_limits<double>::quiet_NaN();
};

/// One measure of both pools.
struct ComparedMeasure
{
    QString key; ///< "accepted" ...
    QString name; ///< for a person
    QString unit; ///< "%" (values are 0 to 100), "ms", "" (0 to 1)
    Estimate canary;
    Estimate stable;
    Estimate difference; ///< canary - stable
    qint64 canarySessions = 0; ///< it was reckoned from
    qint64 stableSessions = 0;
    int worse = 0; ///< 1: higher is worse, -1: lower is worse, 0: neither

    bool isKnown() const { return canary.value == canary.value && stable.value == stable.value; }
    /// The interval of the difference does not hold 0.
    bool differs() const { return difference.low > 0 || difference.high < 0; }
    bool isHigher() const { return difference.low > 0; }
    /// Where it differs, and one direction is worse: which of the two it is.
    bool isWorse() const { return differs() && worse != 0 && isHigher() == (worse > 0); }
    bool isBetter() const { return differs() && worse != 0 && isHigher() != (worse > 0); }
};

/// A query that both pools were asked and mostly decided differently.
struct Disagreement
{
    QString query;
    QString canary; ///< the most frequent decision
    QString stable;
    qint64 canaryCount = 0; ///< how often it was asked
    qint64 stableCount = 0;
    double disagreement = 0; ///< 0 to 1
};

struct AbComparison
{
    QString canary;
    QString stable;
    qint64 fromMs = 0;
    qint64 toMs = 0;
    qint64 canarySessions = 0;
    qint64 stableSessions = 0;
    qint64 canaryDecisions = 0;
    qint64 stableDecisions = 0;
    qint64 moved = 0; ///< sessions that met both pools: left out
    qint64 outside = 0; ///< decisions of times in which one pool alone had sessions: left out
    qint64 sharedQueries = 0; ///< asked of both pools
    qint64 unmatchedFeedback = 0; ///< about no decision that is here
    QList<ComparedMeasure> measures;
    Estimate agreement; ///< %, canary against stable where both were asked the same
    Estimate selfAgreement; ///< %, stable against stable, two sessions: what context alone changes
    QList<Disagreement> disagreements; ///< at most 20, what weighs most first

    bool isEmpty() const { return canarySessions == 0 || stableSessions == 0; }
    QJsonObject toJson() const;
};

/// Compares two pools' decisions, unit = session, since what a conversation's turns say hangs
/// together. Sessions that met both pools are left out (a share that grew moved them). Time is cut
/// into slices (a 24th of the whole, 1 min to 1 h); slices in which one pool alone had sessions
/// count for nothing, and the stable pool's sessions are weighed so that each slice counts as much
/// as it does for the canary: a share that grows in the evening compares no evening with a noon
/// (post-stratification, Cochran, Sampling Techniques, 1977, 5A.9). Weights count as known.
///
/// - Shares of decisions and means: ratios of sums over sessions, their variance by the delta
///   method (Deng, Knoblich and Lu, "Applying the Delta Method in Metric Analytics", KDD 2018, 3).
///   Shares: Wilson's interval with the sample size that this variance stands for (Korn and
///   Graubard, 1998), which is not empty at 0 and 100 %; differences of shares by Newcombe's method
///   10 (Statistics in Medicine 17, 1998). Means: normal.
/// - Quantiles of latency and agreement: bootstrap over sessions (Davison and Hinkley, 1997, 3.8),
///   percentiles of 500 seeded draws; the same rows give the same intervals.
/// - Agreement: of a query asked of both pools, how likely a decision drawn from each is the same;
///   queries weigh as often as the canary was asked them. None below 6 sessions a pool.
///
/// Each interval is at 95 % by itself. 100,000 rows take about a second. `cancelled` set: what has
/// been reckoned so far.
AbComparison compareAb(const std::vector<PoolDecision>& decisions,
    const std::vector<PoolFeedback>& feedback, const QString& canary, const QString& stable,
    qint64 fromMs, qint64 toMs, const std::atomic<bool>* cancelled = nullptr);

/// Newcombe's interval (method 10) of p1 - p2 from their own Wilson intervals.
Interval newcombeDifference(double p1, Interval one, double p2, Interval other);

/// Wilson's interval for a share with an effective sample size that need not be whole.
Interval wilsonShare(double share, double size);

} // namespace sluice::ops
