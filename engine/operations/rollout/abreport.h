#pragma once

#include "engine/operations/rollout/abcomparison.h"

#include <QString>

namespace sluice::ops {

/// "96.1 (94.2 to 98.0) %"; a dash where there is none.
QString estimateText(const Estimate& estimate, const QString& unit, bool isSigned = false);
/// What a difference says: "no sign of a difference", "green is higher".
QString differenceText(const ComparedMeasure& measure, const QString& canary);

/// A comparison as HTML, from a heading of level 2 on: for a rollout's report, for a browser and
/// for QTextDocument; nothing in it is loaded from elsewhere.
QString abSection(const AbComparison& comparison);
/// The same as a document of its own.
QString abDocument(const AbComparison& comparison, const QString& environment);

} // namespace sluice::ops
