#pragma once

// Inside the gates alone: how they write numbers, and names of what they count.

#include "engine/operations/rollout/gatecounters.h"

#include <QString>
#include <set>

namespace sluice::ops::gatetext {

QString percent(double share);
QString milliseconds(double seconds);
QString count(double number);
/// e^x, kept within what a double holds.
double bounded(double logEvidence);
/// The counter's name of what a pool shed.
QString shedName(const QString& pool);
/// Samples into a store of counters of the latency histogram; bounds are added to `bounds`.
void takeLatencies(
    CounterStore& store, const QList<TimeSeries>& all, double seenUntil, std::set<double>& bounds);
LatencyCounts countsIn(const CounterStore& store, const QString& pool,
    const std::set<double>& bounds, double from, double to);

} // namespace sluice::ops::gatetext
