#pragma once

#include "engine/classification/thresholds/statistics.h"
#include "engine/operations/loadtest/loadresult.h"

#include <optional>

namespace sluice::ops {

/// What a figure became against the baseline's.
enum class Change
{
    NoWorse, ///< shown: the interval's bad end lies within the margin
    Worse, ///< shown: the interval's good end lies outside of it
    Unclear ///< the runs are too short, or too noisy, to tell
};
QString toString(Change change); ///< "no worse", "worse", "unclear"

struct ComparedFigure
{
    QString name; ///< "p50", "p95", "p99", "requests", "errors"
    QString unit; ///< "ms", "1/s", "share"
    double before = 0;
    double after = 0;
    /// Relative change with its 95 % interval by the bootstrap over blocks; of errors the
    /// difference of shares. None: fewer than six blocks in one of the runs.
    double change = 0;
    std::optional<Interval> interval = {};
    Change verdict = Change::Unclear;
};

struct Comparison
{
    QList<ComparedFigure> figures;
    QStringList notes; ///< why they may not be comparable: other scenario, target, machine
    bool comparable = true; ///< the same scenario, both judged from the intended start
    bool noWorse() const; ///< comparable, and every figure is no worse
    QJsonObject toJson() const;
};

/// Compares a run with one before it: "no worse by more than `margin`". A latency that changed by
/// less than `floorMs` is no worse, whatever the share: on a sub-millisecond service 5 % are the
/// machine's noise. Runs with blocks. Errors are worse when the share rose by more than a tenth of
/// the scenario's target (Wilson's intervals, Newcombe 1998).
Comparison compareRuns(
    const LoadResult& before, const LoadResult& after, double margin = 0.05, double floorMs = 1);

/// The run that later ones of a scenario are held against: a file in runsFolder().
Result<void> setBaseline(const QString& idOrFolder);
QString baselineOf(const QString& scenario); ///< run id or folder; empty: none

} // namespace sluice::ops
