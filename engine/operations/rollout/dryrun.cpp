#include "engine/operations/rollout/dryrun.h"

#include "engine/operations/rollout/gates.h"
#include "engine/operations/rollout/rolloutmachine.h"

#include <QJsonArray>
#include <algorithm>
#include <cmath>

namespace sluice::ops {

namespace {

using Kind = RolloutEvent::Kind;
using Outcome = DryRunStage::Outcome;

constexpr qint64 gateMs = 15000; // as the driver looks
constexpr double freshSeconds = 300; // a query's own value counts so long

/// The samples in (from, to], seconds since 1970; series without any are left out.
QList<TimeSeries> between(const QList<TimeSeries>& all, double from, double to)
{
    QList<TimeSeries> found;
    for (const TimeSeries& series : all) {
        const auto later = [](double time, const QPointF& point) { return time < point.x(); };
        const auto begin =
            std::upper_bound(series.points.begin(), series.points.end(), from, later);
        const auto end = std::upper_bound(begin, series.points.end(), to, later);
        if (begin != end) {
            found << TimeSeries{series.labels, QList<QPointF>(begin, end)};
        }
    }
    return found;
}

/// A rollout on a virtual clock.
class DryRun
{
public:
    DryRun(const RolloutPlan& plan, const Recording& recording)
        : m_plan(plan)
        , m_recording(recording)
        , m_nowMs(recording.fromMs)
    {
        m_plan.freezes.clear();
        for (PlannedGate& gate : m_plan.triggers) {
            if (gate.measure == Measure::Split && gate.action != GateAction::Record) {
                gate.action = GateAction::Record;
                m_made.notes << QStringLiteral("%1 decides nothing here: the recorded shares are "
                                               "not the plan's.")
                                    .arg(gate.name);
            }
        }
        for (PlannedStage& stage : m_plan.stages) {
            if (!stage.automatic) {
                stage.automatic = true;
                m_made.notes << QStringLiteral("A person promotes after %1: here it goes on when "
                                               "the gates pass.")
                                    .arg(stage.name);
            }
            m_made.stages.emplaceBack();
            m_made.stages.last().name = stage.name;
        }
        if (recording.complaintsError) {
            m_made.notes << QStringLiteral("Complaints are not known: ")
                    + QString::fromStdString(recording.complaintsError->text());
        }
        m_made.minutes = double(recording.toMs - recording.fromMs) / 60000;
    }

    DryRunResult run(const std::atomic<bool>* cancelled)
    {
        RolloutEvent start;
        start.kind = Kind::Start;
        start.plan = m_plan;
        start.live = m_recording.stable;
        start.rolloutId = QStringLiteral("dry run");
        take(start);
        const qint64 every = std::max<qint64>(200, m_plan.scaled(gateMs));
        settle();
        while (m_state.isActive() && m_nowMs + every <= m_recording.toMs
            && (cancelled == nullptr || !*cancelled)) {
            m_nowMs += every;
            watch(every);
            settle();
        }
        m_made.end = m_state.phase;
        m_made.readings = m_state.readings;
        if (m_state.isActive() && m_state.phase != RolloutPhase::Warm) {
            DryRunStage& stage = m_made.stages[m_state.stage];
            stage.outcome = Outcome::UnderWay;
            stage.leftMinute = minute();
            if (stage.reason.isEmpty()) {
                stage.reason = QStringLiteral("the recording ends with %1 min of the soak left")
                                   .arg(double(m_state.soakLeftMs()) / 60000, 0, 'f', 1);
            }
        }
        return m_made;
    }

private:
    double minute() const { return double(m_nowMs - m_recording.fromMs) / 60000; }

    void take(RolloutEvent event)
    {
        event.atMs = m_nowMs;
        event.by = QStringLiteral("dry run");
        const RolloutState before = m_state;
        const RolloutStep next = step(m_state, event);
        m_state = next.state;
        for (const RolloutEffect& effect : next.effects) {
            if (effect.kind == RolloutEffect::Kind::ResetEvidence) {
                m_judge.reset();
            } else if (effect.kind == RolloutEffect::Kind::Notify) {
                m_made.events << DryRunResult::Event{minute(), effect.text};
            }
        }
        follow(before, event);
    }

    /// What this step says of the stages.
    void follow(const RolloutState& before, const RolloutEvent& event)
    {
        if (m_state.phase == RolloutPhase::Waiting && m_state.stage == before.stage) {
            DryRunStage& stage = m_made.stages[m_state.stage];
            if (before.phase != RolloutPhase::Waiting) {
                m_soakOverMs = m_nowMs;
            }
            stage.waitedMinutes = double(m_nowMs - m_soakOverMs) / 60000;
            stage.reason = m_state.hold;
            stage.gate = waitedFor();
        }
        if (m_state.phase == RolloutPhase::RollingBack && before.phase != m_state.phase
            && before.stage >= 0 && !m_made.stages.isEmpty()) {
            // In the warm window behind the last stage none is in hand: that one is taken back.
            DryRunStage& stage =
                m_made.stages[std::min(qsizetype(before.stage), m_made.stages.size() - 1)];
            stage.outcome = Outcome::RolledBack;
            stage.leftMinute = minute();
            stage.reason = m_state.reason;
            for (const GateReading& reading : event.readings) {
                if (reading.rollsBack()) {
                    stage.gate = reading.gate;
                    break;
                }
            }
        } else if (m_state.stage != before.stage) {
            if (before.stage >= 0) {
                DryRunStage& left = m_made.stages[before.stage];
                left.outcome = Outcome::Passed;
                left.leftMinute = minute();
                if (left.waitedMinutes <= 0) {
                    left.reason.clear();
                    left.gate.clear();
                }
            }
            if (m_state.stage < m_made.stages.size()) {
                m_made.stages[m_state.stage].reachedMinute = minute();
            }
        }
    }

    QString waitedFor() const
    {
        for (const GateReading& reading : m_state.readings) {
            if (reading.holds() && m_plan.waitsFor(m_state.stage, reading.gate)) {
                return reading.gate;
            }
        }
        return {};
    }

    /// What a driver does without waiting for time or traffic.
    void settle()
    {
        for (qsizetype guard = 0; guard < 4 * m_plan.stages.size() + 8; ++guard) {
            RolloutEvent event;
            if (m_state.phase == RolloutPhase::Deploying) {
                event.kind = Kind::Deployed;
            } else if (m_state.phase == RolloutPhase::Staging) {
                event.kind = Kind::StagingPassed;
            } else if ((m_state.hasTraffic() || m_state.phase == RolloutPhase::RollingBack)
                && !m_state.applied) {
                event.kind = Kind::Applied;
            } else if (m_state.phase == RolloutPhase::Shifting) {
                event.kind = Kind::Verified;
            } else {
                return;
            }
            take(event);
        }
    }

    void watch(qint64 every)
    {
        RolloutEvent event;
        event.kind = Kind::Watched;
        event.watchedMs = every;
        const GateContext what = GateContext::of(m_state, m_nowMs);
        event.readings = m_judge.judge(what, inputOf(what));
        take(event);
    }

    GateInput inputOf(const GateContext& what) const
    {
        const double now = double(m_nowMs) / 1000;
        const double from = now - m_judge.secondsToRead(what);
        GateInput input;
        input.balancer = between(m_recording.balancer, from, now);
        input.latencies = between(m_recording.latencies, from, now);
        input.refusals = between(m_recording.refusals, from, now);
        input.dispersion = m_recording.dispersion;
        input.complaintsError = m_recording.complaintsError;
        for (const PlannedGate& gate : what.gates) {
            if (gate.measure == Measure::Memory) {
                input.memory = between(m_recording.memory, now - what.gaugeSeconds(gate), now);
            } else if (gate.measure == Measure::LatencyRatio && what.shareBasisPoints >= 10000) {
                const double until = what.stableHourEnd();
                input.stableHour =
                    between(m_recording.latencies, until - what.stableHourSeconds(), until);
            } else if (gate.measure == Measure::Query) {
                input.queries.insert(gate.name, valueOf(gate.name, now));
            } else if (gate.measure == Measure::Complaints && !m_recording.complaintsError) {
                ComplaintCounts counts;
                for (const auto& [at, pool] : m_recording.complaints) {
                    if (at >= what.soakFromMs && at <= m_nowMs) {
                        counts.canary += pool == what.canary ? 1 : 0;
                        counts.stable += pool == what.stable ? 1 : 0;
                    }
                }
                input.complaints = counts;
            }
        }
        return input;
    }

    Result<QList<InstantSample>> valueOf(const QString& gate, double now) const
    {
        const QList<QPointF> points = m_recording.queries.value(gate);
        const auto after = std::upper_bound(points.begin(), points.end(), now,
            [](double time, const QPointF& point) { return time < point.x(); });
        if (after == points.begin() || now - std::prev(after)->x() > freshSeconds) {
            return QList<InstantSample>();
        }
        return QList<InstantSample>{{{}, std::prev(after)->x(), std::prev(after)->y()}};
    }

    RolloutPlan m_plan;
    const Recording& m_recording;
    qint64 m_nowMs;
    qint64 m_soakOverMs = 0;
    RolloutState m_state;
    GateJudge m_judge;
    DryRunResult m_made;
};

} // namespace

QString outcomeName(Outcome outcome)
{
    switch (outcome) {
    case Outcome::NotReached:
        return QStringLiteral("not_reached");
    case Outcome::UnderWay:
        return QStringLiteral("under_way");
    case Outcome::Passed:
        return QStringLiteral("passed");
    case Outcome::RolledBack:
        break;
    }
    return QStringLiteral("rolled_back");
}

DryRunResult dryRun(
    const RolloutPlan& plan, const Recording& recording, const std::atomic<bool>* cancelled)
{
    return DryRun(plan, recording).run(cancelled);
}

QString DryRunResult::text() const
{
    for (const DryRunStage& stage : stages) {
        const QString after =
            QStringLiteral("%1 min").arg(stage.leftMinute, 0, 'f', stage.leftMinute < 10 ? 1 : 0);
        if (stage.outcome == Outcome::RolledBack) {
            return QStringLiteral("Rolled back in stage \"%1\" after %2: %3")
                .arg(stage.name, after, stage.reason);
        }
        if (stage.outcome == Outcome::UnderWay) {
            return QStringLiteral("In stage \"%1\" when the recording ends after %2: %3")
                .arg(stage.name, after, stage.reason);
        }
    }
    return stages.isEmpty()
        ? QStringLiteral("The plan has no stages.")
        : QStringLiteral("All stages passed within %1 min.")
              .arg(stages.last().leftMinute, 0, 'f', stages.last().leftMinute < 10 ? 1 : 0);
}

QJsonObject DryRunResult::toJson() const
{
    QJsonArray list;
    for (const DryRunStage& stage : stages) {
        const bool reached = stage.outcome != Outcome::NotReached;
        list << QJsonObject{{QStringLiteral("name"), stage.name},
            {QStringLiteral("outcome"), outcomeName(stage.outcome)},
            {QStringLiteral("reached_minute"),
                reached ? QJsonValue(stage.reachedMinute) : QJsonValue()},
            {QStringLiteral("left_minute"), reached ? QJsonValue(stage.leftMinute) : QJsonValue()},
            {QStringLiteral("waited_minutes"), stage.waitedMinutes},
            {QStringLiteral("gate"), stage.gate}, {QStringLiteral("reason"), stage.reason}};
    }
    QJsonArray said;
    for (const Event& event : events) {
        said << QJsonObject{
            {QStringLiteral("minute"), event.minute}, {QStringLiteral("text"), event.text}};
    }
    QJsonArray gates;
    for (const GateReading& reading : readings) {
        gates << reading.toJson();
    }
    return {{QStringLiteral("end"), phaseName(end)}, {QStringLiteral("text"), text()},
        {QStringLiteral("minutes"), minutes}, {QStringLiteral("stages"), list},
        {QStringLiteral("events"), said}, {QStringLiteral("readings"), gates},
        {QStringLiteral("notes"), QJsonArray::fromStringList(notes)}};
}

} // namespace sluice::ops
