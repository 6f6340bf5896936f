#include "tests/engine/operations/rollout/fakeworld.h"
#include "tests/support/testcase.h"

#include <QDir>
#include <QJsonArray>

using namespace sluice;
using namespace sluice::ops;
using sluice::test::Stage;
using Kind = RolloutEvent::Kind;

/// Journals of other versions, and of one rollout after the other.
class TestRolloutJournals : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void olderVersionIsResumed();
    void olderVersionIsRolledBack();
    void newerStateIsRefused();
    void eachRolloutHasItsOwn();
    void killedAroundTheSecondStart();
    void fullDiskAtTheSecondStart();
    void handledCommandsAreRemembered();

private:
    /// A journal that version 1 wrote (rollout.journal of a driver that was killed in its soak at
    /// 25 %), with balancers as it left them.
    static void takeOver(Stage& stage)
    {
        QVERIFY(QFile::copy(QStringLiteral(SLUICE_OLD_JOURNAL), stage.journalPath()));
        QFile::setPermissions(stage.journalPath(), QFile::ReadOwner | QFile::WriteOwner);
        const auto entries = FileJournal::read(stage.journalPath());
        QVERIFY2(entries.ok(), entries ? "" : entries.error().text().c_str());
        QCOMPARE(entries->size(), 12);
        stage.world.now = entries->last()
                              .body[QStringLiteral("event")]
                              .toObject()[QStringLiteral("at_ms")]
                              .toInteger()
            + 5000;
        stage.control.epoch = 1;
        for (auto& balancer : stage.balancers) {
            balancer->split.nextShareBasisPoints = 2500;
        }
    }
};

void TestRolloutJournals::olderVersionIsResumed()
{
    Stage stage;
    takeOver(stage);
    stage.run(200);
    const RolloutState& state = stage.driver->state();
    QCOMPARE(state.phase, RolloutPhase::Soaking);
    QCOMPARE(state.stage, 3);
    QCOMPARE(state.plan.release.id, QStringLiteral("2026-11-20.1"));
    QVERIFY(state.watchedMs >= 4032);
    QCOMPARE(state.version, 9);
    stage.run(3000);
    QVERIFY(stage.driver->isLeader());
    QVERIFY(stage.driver->published().epoch > 1); // fences who wrote the journal
    QVERIFY(stage.runTo(RolloutPhase::Warm));
    QCOMPARE(stage.balancers[0]->greenShare(), 1.0);
    QVERIFY(stage.auditHasNoGap());
    // New lines stand behind the old ones, in one file.
    QVERIFY(stage.journal->entries().size() > 12);
    QVERIFY(FileJournal::read(stage.journalPath()).ok());
}

void TestRolloutJournals::olderVersionIsRolledBack()
{
    Stage stage;
    takeOver(stage);
    stage.run(3000);
    stage.ask(Kind::Rollback);
    QVERIFY(stage.runTo(RolloutPhase::RolledBack));
    QCOMPARE(stage.balancers[1]->greenShare(), 0.0);
    QVERIFY(stage.auditHasNoGap());
}

/// A line of this schema with a state that this version does not know is refused in words.
void TestRolloutJournals::newerStateIsRefused()
{
    Stage stage;
    {
        const auto journal = FileJournal::open(stage.journalPath());
        QVERIFY(
            (*journal)
                ->append({},
                    {{QStringLiteral("event"), QJsonObject()},
                        {QStringLiteral("state"),
                            QJsonObject{{QStringLiteral("phase"), QStringLiteral("levitating")}}}})
                .ok());
    }
    RolloutDriver::Parts parts;
    const auto journal = FileJournal::open(stage.journalPath());
    parts.journal = journal->get();
    parts.gates = &stage.gates;
    parts.control = &stage.control;
    parts.works = &stage.works;
    parts.notifier = &stage.notifier;
    parts.wallMs = parts.steadyMs = [] { return qint64(1); };
    RolloutDriver driver(parts, {});
    const auto resumed = driver.resume();
    QVERIFY(!resumed.ok());
    QVERIFY2(resumed.error().text().find("levitating") != std::string::npos,
        resumed.error().text().c_str());
}

void TestRolloutJournals::eachRolloutHasItsOwn()
{
    Stage stage;
    stage.used.stages = {stage.used.stages[2], stage.used.stages.last()};
    stage.used.warmMs = 1500000;
    qsizetype longest = 0;
    const int rollouts = FileJournal::kept + 3;
    for (int number = 0; number < rollouts; ++number) {
        stage.ask(Kind::Start);
        QVERIFY(stage.runTo(number % 2 == 0 ? RolloutPhase::Finished : RolloutPhase::Warm));
        if (number % 2 == 1) {
            stage.ask(Kind::Rollback);
            QVERIFY(stage.runTo(RolloutPhase::RolledBack));
        }
        stage.run(3000); // everything is said
        longest = std::max(longest, stage.journal->entries().size());
        // One that is started anew finds what it needs in its own journal.
        stage.kill();
        stage.control.asked.clear(); // nobody is told what was asked over 5 s ago
        stage.run(1000);
        QVERIFY(!stage.driver->state().isActive());
        for (auto& balancer : stage.balancers) { // back to blue for the next one
            balancer->split.nextShareBasisPoints = 0;
        }
    }
    QVERIFY(stage.auditHasNoGap());
    const QStringList files = QDir(stage.folder.path()).entryList(QDir::Files);
    QCOMPARE(files.size(), FileJournal::kept + 1);
    // No journal holds more than one rollout: a start comes first, and once.
    for (const QString& file : files) {
        const auto entries = FileJournal::read(stage.folder.filePath(file));
        QVERIFY2(entries.ok(), qPrintable(file));
        int starts = 0;
        for (const JournalEntry& entry : *entries) {
            starts += entry.body[QStringLiteral("event")].toObject()[QStringLiteral("kind")]
                    == QLatin1StringView("start")
                ? 1
                : 0;
        }
        QCOMPARE(starts, 1);
        QVERIFY(entries->size() <= longest);
    }
}

void TestRolloutJournals::killedAroundTheSecondStart()
{
    const auto play = [](Stage& stage, int killAfter) {
        stage.used.stages = {stage.used.stages[2], stage.used.stages.last()};
        stage.used.warmMs = 1500000;
        stage.ask(Kind::Start);
        if (!stage.runTo(RolloutPhase::Finished)) {
            return 0;
        }
        stage.run(3000);
        const int before = stage.world.point;
        stage.world.killAt = killAfter < 0 ? -1 : before + killAfter;
        stage.ask(Kind::Start);
        stage.run(1500);
        const int points = stage.world.point - before;
        return stage.runTo(RolloutPhase::Finished) ? points : 0;
    };
    Stage whole;
    const int points = play(whole, -1);
    QVERIFY(points > 10);
    whole.run(14000);
    for (int point = 0; point < points; ++point) {
        Stage stage;
        const QByteArray where = "killed at " + QByteArray::number(point);
        QVERIFY2(play(stage, point) > 0, where.constData());
        stage.run(14000);
        QVERIFY2(stage.kills == 1, where.constData());
        QVERIFY2(stage.auditHasNoGap(), where.constData());
        QVERIFY2(stage.story() == whole.story(), where.constData());
        QCOMPARE(stage.world.violations, QStringList());
    }
}

void TestRolloutJournals::fullDiskAtTheSecondStart()
{
    Stage stage;
    stage.ask(Kind::Start);
    stage.run(2000);
    stage.ask(Kind::Rollback);
    QVERIFY(stage.runTo(RolloutPhase::RolledBack));
    stage.run(3000);
    stage.journal->full = true;
    stage.ask(Kind::Start);
    stage.run(2000);
    QVERIFY2(stage.refusal(stage.lastCommand()).contains(QStringLiteral("no space left")),
        qPrintable(stage.refusal(stage.lastCommand())));
    QCOMPARE(stage.driver->state().phase, RolloutPhase::RolledBack);
    stage.journal->full = false;
    stage.run(3000);
    stage.ask(Kind::Start);
    stage.run(1000);
    QVERIFY(stage.driver->state().isActive());
}

/// A rollback of the last seconds, read again from the stream by a driver that was started anew,
/// belongs to the rollout before.
void TestRolloutJournals::handledCommandsAreRemembered()
{
    Stage stage;
    stage.ask(Kind::Start);
    stage.run(3000);
    stage.ask(Kind::Rollback);
    const QString id = stage.lastCommand();
    QVERIFY(stage.runTo(RolloutPhase::RolledBack));
    stage.run(2000);
    stage.ask(Kind::Start);
    stage.run(1000);
    QVERIFY(stage.driver->state().isActive());
    QCOMPARE(stage.journal->entries().first().body[QStringLiteral("handled")].toArray().size(), 2);
    stage.kill();
    RolloutEvent again;
    again.kind = Kind::Rollback;
    again.by = QStringLiteral("ada");
    again.id = id;
    stage.control.asked << again;
    stage.run(4000);
    QVERIFY(stage.driver->state().isActive());
}

QTEST_GUILESS_MAIN(TestRolloutJournals)
#include "tst_rolloutjournals.moc"
