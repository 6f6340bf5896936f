#include "engine/operations/rollout/dryrun.h"
#include "tests/engine/operations/rollout/plant.h"
#include "tests/support/testcase.h"

#include <QJsonArray>

using namespace sluice;
using namespace sluice::test;
using Outcome = DryRunStage::Outcome;

namespace {

constexpr int perHour = 240; // scrapes

RolloutPlan planOf(std::initializer_list<Measure> measures = {})
{
    Release release;
    release.id = QStringLiteral("r1");
    RolloutPlan plan = RolloutPlan::standard(release);
    if (measures.size() > 0) {
        plan.triggers.removeIf([&](const PlannedGate& gate) {
            return std::find(measures.begin(), measures.end(), gate.measure) == measures.end();
        });
    }
    return plan;
}

/// Ten minutes before, then what `then` makes.
Recording recordingOf(Plant& plant, const std::function<void()>& then)
{
    plant.scrapes(40);
    const double from = plant.now;
    then();
    return plant.recording(from, plant.now);
}

} // namespace

/// A plan on recorded counters: what it would have done, minute by minute.
class TestDryRun : public TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void healthyPassesEveryStage();
    void lateFaultIsRolledBack();
    void gapStopsTheClock();
    void shortRecordingEndsInAStage();
    void complaintsActByTheirPlan();
    void ownQueryIsHeldAgainstItsLimit();
    void whatItCantTellIsNoted();
    void afterTheLastStageItWatchesOn();
    void nothingRecorded();
    void sameAsBefore();
    void readerSaysWhatIsWrong();
};

void TestDryRun::healthyPassesEveryStage()
{
    Plant plant;
    const Recording recording = recordingOf(plant, [&] { plant.scrapes(8 * perHour + 8); });
    const DryRunResult made = dryRun(planOf(), recording);
    QCOMPARE(made.stages.size(), 6);
    for (const DryRunStage& stage : made.stages) {
        QVERIFY2(stage.outcome == Outcome::Passed, qPrintable(stage.name + stage.reason));
    }
    QCOMPARE(made.stages[1].leftMinute, 0.0);
    // The first look has no window behind it: a quarter of a minute is not watched.
    QCOMPARE(made.stages[2].leftMinute, 120.25);
    QCOMPARE(made.stages[3].leftMinute, 240.25);
    QCOMPARE(made.stages[4].leftMinute, 480.25);
    QCOMPARE(made.end, RolloutPhase::Warm);
    QVERIFY(!made.rolledBack());
    QCOMPARE(made.text(), QStringLiteral("All stages passed within 480 min."));
}

void TestDryRun::lateFaultIsRolledBack()
{
    Plant plant;
    const Recording recording = recordingOf(plant, [&] {
        plant.scrapes(3 * perHour);
        plant.canaryErrors = 0.05;
        plant.scrapes(perHour);
    });
    const DryRunResult made = dryRun(planOf(), recording);
    QVERIFY(made.rolledBack());
    QVERIFY(made.stages[2].outcome == Outcome::Passed);
    const DryRunStage& stage = made.stages[3];
    QVERIFY(stage.outcome == Outcome::RolledBack);
    QVERIFY2(stage.leftMinute > 180 && stage.leftMinute < 186,
        qPrintable(QString::number(stage.leftMinute)));
    QVERIFY2(stage.gate.contains(QStringLiteral("errors")), qPrintable(stage.gate));
    QVERIFY(made.stages[4].outcome == Outcome::NotReached);
    QVERIFY(made.text().startsWith(QStringLiteral("Rolled back in stage \"25 %\" after 18")));
    const QJsonObject json = made.toJson();
    QCOMPARE(json[QStringLiteral("end")].toString(), QStringLiteral("rolled_back"));
    const QJsonArray stages = json[QStringLiteral("stages")].toArray();
    QCOMPARE(
        stages[3].toObject()[QStringLiteral("outcome")].toString(), QStringLiteral("rolled_back"));
    QVERIFY(stages[4].toObject()[QStringLiteral("left_minute")].isNull());
    QVERIFY(!json[QStringLiteral("events")].toArray().isEmpty());
}

void TestDryRun::gapStopsTheClock()
{
    Plant plant;
    const Recording recording = recordingOf(plant, [&] {
        plant.scrapes(perHour);
        plant.now += 1200; // nothing is scraped for twenty minutes
        plant.scrapes(2 * perHour);
    });
    const DryRunResult made = dryRun(planOf(), recording);
    QVERIFY(made.stages[2].outcome == Outcome::Passed);
    // The first sample after the gap shows that 75 s more may pass before it counts as blind.
    QVERIFY2(made.stages[2].leftMinute >= 138 && made.stages[2].leftMinute <= 141,
        qPrintable(QString::number(made.stages[2].leftMinute)));
}

void TestDryRun::shortRecordingEndsInAStage()
{
    Plant plant;
    const Recording recording = recordingOf(plant, [&] { plant.scrapes(perHour); });
    const DryRunResult made = dryRun(planOf(), recording);
    QVERIFY(made.stages[2].outcome == Outcome::UnderWay);
    QVERIFY(made.stages[2].reason.contains(QStringLiteral(" 60.")));
    QVERIFY(made.text().contains(QStringLiteral("when the recording ends after 60 min")));
    QCOMPARE(made.toJson()[QStringLiteral("stages")]
                 .toArray()[2]
                 .toObject()[QStringLiteral("outcome")]
                 .toString(),
        QStringLiteral("under_way"));
}

void TestDryRun::complaintsActByTheirPlan()
{
    Plant plant;
    Recording recording = recordingOf(plant, [&] { plant.scrapes(3 * perHour); });
    for (int number = 0; number < 20; ++number) {
        recording.complaints.emplace_back(
            recording.fromMs + 600000 + number * 1000, QStringLiteral("green"));
    }
    RolloutPlan plan = planOf({Measure::Complaints, Measure::ErrorRate});
    const DryRunResult warned = dryRun(plan, recording);
    QVERIFY(warned.stages[2].outcome == Outcome::Passed);
    QVERIFY(std::any_of(warned.events.begin(), warned.events.end(), [](const auto& event) {
        return event.text.startsWith(QStringLiteral("warning, complaints"));
    }));
    for (PlannedGate& gate : plan.triggers) {
        gate.action = GateAction::Rollback;
    }
    const DryRunResult made = dryRun(plan, recording);
    QVERIFY(made.rolledBack());
    QCOMPARE(made.stages[2].gate, QStringLiteral("complaints"));
    QVERIFY(made.stages[2].leftMinute < 11);
    // Not known is not none.
    recording.complaintsError = unreachableError("no Redis is connected");
    const DryRunResult blind = dryRun(plan, recording);
    QVERIFY(!blind.rolledBack());
    QVERIFY(blind.notes.join(u' ').contains(QStringLiteral("no Redis is connected")));
}

void TestDryRun::ownQueryIsHeldAgainstItsLimit()
{
    Plant plant;
    Recording recording = recordingOf(plant, [&] { plant.scrapes(3 * perHour); });
    RolloutPlan plan = planOf({Measure::ErrorRate});
    PlannedGate own = gateOf(Measure::Query, 5);
    own.name = QStringLiteral("queue");
    own.query = QStringLiteral("queue_length");
    own.action = GateAction::Hold;
    plan.triggers << own;
    for (qint64 at = recording.fromMs; at <= recording.toMs; at += 15000) {
        const bool isLong = at - recording.fromMs < 130 * 60000;
        recording.queries[own.name] << QPointF(double(at) / 1000, isLong ? 9 : 1);
    }
    const DryRunResult made = dryRun(plan, recording);
    QVERIFY(made.stages[2].outcome == Outcome::Passed);
    QCOMPARE(made.stages[2].gate, QStringLiteral("queue"));
    QCOMPARE(made.stages[2].leftMinute, 130.0);
    QCOMPARE(made.stages[2].waitedMinutes, 9.5); // until the look before
    // Without an answer it is blind: the clock never runs.
    recording.queries.clear();
    const DryRunResult blind = dryRun(plan, recording);
    QVERIFY(blind.stages[2].outcome == Outcome::UnderWay);
    QVERIFY(blind.stages[2].reason.contains(QStringLiteral("120.0 min")));
}

void TestDryRun::whatItCantTellIsNoted()
{
    Plant plant;
    const Recording recording = recordingOf(plant, [&] { plant.scrapes(3 * perHour); });
    RolloutPlan plan = planOf();
    plan.stages[2].automatic = false;
    plan.freezes = {{QDateTime::fromMSecsSinceEpoch(recording.fromMs, Qt::UTC),
        QDateTime::fromMSecsSinceEpoch(recording.toMs, Qt::UTC), QStringLiteral("holiday")}};
    const DryRunResult made = dryRun(plan, recording);
    QVERIFY(made.stages[2].outcome == Outcome::Passed); // the pools' shares were not the plan's
    const QString notes = made.notes.join(u'\n');
    QVERIFY(notes.contains(QStringLiteral("A person promotes after 5 %")));
    QVERIFY(notes.contains(QStringLiteral("shares are not the plan's")));
}

void TestDryRun::afterTheLastStageItWatchesOn()
{
    Plant plant;
    RolloutPlan plan = planOf({Measure::ErrorRate, Measure::LatencyRatio, Measure::Memory});
    plan.stages[2].soakMs = plan.stages[3].soakMs = plan.stages[4].soakMs = 600000;
    plan.warmMs = 3600000;
    const Recording recording = recordingOf(plant, [&] { plant.scrapes(2 * perHour); });
    QCOMPARE(dryRun(plan, recording).end, RolloutPhase::Finished);
    Plant second;
    const Recording slow = recordingOf(second, [&] {
        second.scrapes(perHour * 3 / 4);
        second.canarySlow = 3.5;
        second.scrapes(perHour);
    });
    const DryRunResult made = dryRun(plan, slow);
    QVERIFY(made.rolledBack());
    QVERIFY(made.events.last().minute > 45);
    QVERIFY(made.stages.last().outcome == Outcome::RolledBack);
    QVERIFY(!made.stages.last().gate.isEmpty());
    QVERIFY2(made.text().startsWith(QStringLiteral("Rolled back in stage \"100 %\"")),
        qPrintable(made.text()));
}

void TestDryRun::nothingRecorded()
{
    Recording recording;
    recording.canary = QStringLiteral("green");
    recording.stable = QStringLiteral("blue");
    recording.toMs = 3600000;
    const DryRunResult made = dryRun(planOf(), recording);
    QVERIFY(made.stages[2].outcome == Outcome::UnderWay);
    QVERIFY(made.readings.first().verdict == GateVerdict::NoData);
    RolloutPlan empty = planOf();
    empty.stages.clear();
    QCOMPARE(dryRun(empty, recording).text(), QStringLiteral("The plan has no stages."));
    const std::atomic<bool> cancelled = true;
    QCOMPARE(dryRun(planOf(), recording, &cancelled).readings.size(), 0);
}

void TestDryRun::sameAsBefore()
{
    Plant plant;
    const Recording recording = recordingOf(plant, [&] { plant.scrapes(perHour); });
    QCOMPARE(dryRun(planOf(), recording).toJson(), dryRun(planOf(), recording).toJson());
}

void TestDryRun::readerSaysWhatIsWrong()
{
    PrometheusClient prometheus;
    prometheus.setBaseUrl(QUrl(QStringLiteral("http://127.0.0.1:1")));
    RecordingReader reader(&prometheus, nullptr);
    std::optional<Error> error;
    const auto answered = [&](const Result<std::shared_ptr<Recording>>& read) {
        QVERIFY(!read.ok());
        error = read.error();
    };
    const QString green = QStringLiteral("green");
    const QString blue = QStringLiteral("blue");
    for (const qint64 to : {qint64(5), RecordingReader::longestMs + 20}) {
        reader.read(planOf(), green, blue, 10, to, {}, answered);
        QVERIFY(!error); // never from within
        QTRY_VERIFY(error.has_value());
        QCOMPARE(error->kind, ErrorKind::Input);
        error.reset();
    }
    reader.read(planOf(), green, blue, 10, 5000, {}, answered);
    QTRY_VERIFY(error.has_value());
    QCOMPARE(error->kind, ErrorKind::Unreachable);
    error.reset();
    reader.read(planOf(), green, blue, 10, 5000, {}, answered);
    reader.cancel();
    reader.read(planOf(), green, blue, 10, 5, {}, answered);
    QTRY_VERIFY(error.has_value());
    QCOMPARE(error->kind, ErrorKind::Input); // of the second alone
}

QTEST_GUILESS_MAIN(TestDryRun)
#include "tst_dryrun.moc"
