#pragma once

#include "engine/base/result.h"
#include "engine/operations/loadtest/scenario.h"

#include <QByteArray>
#include <QUrl>

namespace sluice::ops {

/// A group of JMeter's threads: what of a scenario's curve it stands for.
struct JMeterGroup
{
    QString name;
    double start = 0; ///< seconds from the beginning of the run
    double seconds = 0;
    int threads = 1;
    double rampSeconds = 0; ///< over which its threads start
    double requestsPerSecond = 0; ///< of the group together; 0: threads think
};

/// The groups of a scenario. JMeter 2.13 (Debian 12) knows neither an open model nor a group that
/// shrinks: rates that change become ten steps of an even rate, users that leave become ten groups
/// of which one after another ends. Pure.
QList<JMeterGroup> jmeterGroups(const Scenario& scenario);

/// A test plan for JMeter 2.13 or later (.jmx): the groups, and in each the same scripts, one drawn
/// at random after another, single queries in the thread's session, conversations in one of their
/// own. At most `scripts` conversations of the scenario (by weight; the plan says so). Latencies
/// are JMeter's, from the actual send. Input error where the scenario's queries can't be read.
Result<QByteArray> jmeterPlan(
    const Scenario& scenario, const QUrl& target, quint64 seed = 1, int scripts = 200);

} // namespace sluice::ops
