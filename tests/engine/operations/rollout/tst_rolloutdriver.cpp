#include "tests/engine/operations/rollout/fakeworld.h"
#include "tests/support/testcase.h"

using namespace sluice;
using namespace sluice::ops;
using sluice::test::Stage;
using Kind = RolloutEvent::Kind;

/// The driver on a virtual clock, with balancers, Redis and gates in this process.
class TestRolloutDriver : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void healthyGoesToTheEnd();
    void killedAnywhere_data();
    void killedAnywhere();
    void sickIsRolledBack();
    void awayTimeDoesNotCount();
    void frozenDriverLosesTheShare();
    void secondDriverStandsBy();
    void twoConsoles();
    void reloadIsToldAnew();
    void foreignChangeWaits();
    void oneOfTwoBalancersDown();
    void sourceDownHolds();
    void redisDown();
    void diskFull();
    void rollbackEverywhere_data();
    void rollbackEverywhere();
    void stableWithoutServers();
    void crashedCanaryIsRolledBack();
    void wayBackWhileWarm();
    void deployFails();
    void pausedWhileDeploying();
    void overriddenThresholds();
    void errorsAtTheBalancer();
    void nobodyTwice();
    void clockSetBack();
    void startsAreChecked();
};

void TestRolloutDriver::healthyGoesToTheEnd()
{
    Stage stage;
    stage.ask(Kind::Start);
    QVERIFY(stage.runTo(RolloutPhase::Finished));
    stage.run(2000);
    QCOMPARE(stage.balancers[1]->greenShare(), 1.0);
    QCOMPARE(stage.story().join(u'|'),
        QStringLiteral("deploying 0|staging 1|shifting 2|soaking 2|shifting 3|soaking 3|"
                       "shifting 4|soaking 4|shifting 5|warm 6|finished 6"));
    QVERIFY(stage.auditHasNoGap());
    QCOMPARE(stage.world.violations, QStringList());
    QCOMPARE(stage.works.done.join(u'|'), QStringLiteral("deploy green|stage|finished"));
    QCOMPARE(stage.control.guarded, QString());
    const auto published = PublishedRollout::fromJson(stage.control.state);
    QVERIFY(published.ok());
    QCOMPARE(published->state.phase, RolloutPhase::Finished);
    QCOMPARE(published->balancers.size(), 2);
    // Marks of writing ahead, in their order, for each of the four shares.
    QStringList marks;
    for (const JournalEntry& entry : stage.journal->entries()) {
        if (!entry.mark.isEmpty()) {
            marks << entry.mark;
        }
    }
    QCOMPARE(
        marks.join(u' '), QStringList(4, QStringLiteral("INTENT APPLIED VERIFIED")).join(u' '));
}

void TestRolloutDriver::killedAnywhere_data()
{
    QTest::addColumn<QString>("sickGate");
    QTest::addColumn<qint64>("awayMs");
    QTest::newRow("healthy, back at once") << QString() << qint64(300);
    QTest::newRow("healthy, back after the lease") << QString() << qint64(9000);
    QTest::newRow("sick, back at once") << QStringLiteral("errors") << qint64(300);
    QTest::newRow("sick, back after the lease") << QStringLiteral("errors") << qint64(9000);
}

void TestRolloutDriver::killedAnywhere()
{
    QFETCH(QString, sickGate);
    QFETCH(qint64, awayMs);
    const RolloutPhase end = sickGate.isEmpty() ? RolloutPhase::Finished : RolloutPhase::RolledBack;
    const auto play = [&](Stage& stage) {
        stage.world.sickGate = sickGate;
        stage.world.sickFromBasisPoints = 5000;
        stage.used.stages.removeAt(3); // 25 %: the same again
        stage.used.stages[2].soakMs = stage.used.stages[3].soakMs = 1500000;
        stage.used.warmMs = 1500000;
        stage.ask(Kind::Start);
        const bool ended = stage.runTo(end, awayMs);
        stage.run(2000, awayMs);
        const int points = stage.world.point;
        // What is still to be said, by a driver that waits for the lease of the killed one.
        stage.run(14000, awayMs);
        return ended ? points : 0;
    };
    Stage whole;
    const int points = play(whole);
    QVERIFY(points > 60);
    int torn = 0;
    for (int point = 0; point < points; ++point) {
        Stage stage;
        stage.world.killAt = point;
        const QByteArray where = "killed at " + QByteArray::number(point);
        QVERIFY2(play(stage) > 0, where.constData());
        QVERIFY2(stage.kills == 1, where.constData());
        torn += stage.tornSeen ? 1 : 0;
        for (const auto& balancer : stage.balancers) {
            QCOMPARE(balancer->greenShare(), sickGate.isEmpty() ? 1.0 : 0.0);
        }
        // A sick canary may be found while its share is being verified, or just after.
        QStringList told = stage.story();
        QStringList expected = whole.story();
        if (!sickGate.isEmpty()) {
            told.removeOne(QStringLiteral("soaking 3"));
            expected.removeOne(QStringLiteral("soaking 3"));
        }
        const QByteArray story = where + QByteArray(": ") + told.join(u'|').toUtf8();
        QVERIFY2(told == expected, story.constData());
        QVERIFY2(stage.auditHasNoGap(), where.constData());
        QVERIFY2(stage.world.violations.isEmpty(), where.constData());
        QVERIFY2(stage.notifier.texts == whole.notifier.texts, where.constData());
    }
    QVERIFY(torn > 5);
}

void TestRolloutDriver::sickIsRolledBack()
{
    Stage stage;
    stage.world.sickGate = QStringLiteral("memory");
    stage.ask(Kind::Start);
    QVERIFY(stage.runTo(RolloutPhase::RolledBack));
    QCOMPARE(stage.balancers[0]->greenShare(), 0.0);
    QVERIFY(stage.driver->state().reason.contains(QStringLiteral("memory: 5 % failed")));
    QVERIFY(stage.works.done.contains(QStringLiteral("rolled_back")));
    // And the next attempt begins with nothing of this one.
    stage.world.sickGate.clear();
    stage.ask(Kind::Start);
    QVERIFY(stage.runTo(RolloutPhase::Finished));
}

void TestRolloutDriver::awayTimeDoesNotCount()
{
    Stage stage;
    stage.ask(Kind::Start);
    QVERIFY(stage.runTo(RolloutPhase::Soaking));
    stage.run(3000);
    const qint64 watched = stage.driver->state().watchedMs;
    QVERIFY(watched > 1000 && watched < 3500);
    stage.kill();
    stage.pass(2400000); // 40 minutes
    QCOMPARE(stage.balancers[0]->greenShare(), 0.0); // the dead man
    stage.start();
    QVERIFY(stage.driver->state().watchedMs <= watched);
    stage.run(1000);
    QCOMPARE(stage.driver->state().phase, RolloutPhase::Soaking);
    QVERIFY(stage.driver->state().watchedMs < watched + 1500);
    QCOMPARE(stage.balancers[0]->greenShare(), 0.05); // and back, since somebody watches
}

void TestRolloutDriver::frozenDriverLosesTheShare()
{
    Stage stage;
    stage.ask(Kind::Start);
    QVERIFY(stage.runTo(RolloutPhase::Soaking));
    QCOMPARE(stage.balancers[0]->greenShare(), 0.05);
    stage.pass(stage.plan().leaseMs); // SIGSTOP
    QCOMPARE(stage.balancers[0]->greenShare(), 0.0);
    // Another one has the lease when it wakes up: it says nothing more to anybody.
    stage.control.holder = QStringLiteral("other:1");
    stage.control.until = stage.world.now + 3600000;
    const int applies = stage.balancers[0]->applies;
    stage.run(20000);
    QCOMPARE(stage.balancers[0]->greenShare(), 0.0);
    QCOMPARE(stage.balancers[0]->applies, applies);
    QVERIFY(!stage.driver->isLeader());
}

void TestRolloutDriver::secondDriverStandsBy()
{
    Stage stage;
    stage.control.holder = QStringLiteral("other:1");
    stage.control.until = stage.world.now + 5000;
    stage.ask(Kind::Start);
    stage.run(4000);
    QCOMPARE(stage.driver->state().phase, RolloutPhase::Idle);
    RolloutEvent start;
    start.kind = Kind::Start;
    start.plan = Stage::plan();
    QVERIFY(!stage.driver->command(start).ok());
    QVERIFY(stage.runTo(RolloutPhase::Soaking)); // its lease has run out
    QCOMPARE(stage.control.epoch, 1);
}

void TestRolloutDriver::twoConsoles()
{
    Stage stage;
    stage.ask(Kind::Start);
    QVERIFY(stage.runTo(RolloutPhase::Soaking));
    const qint64 version = stage.driver->state().version;
    stage.ask(Kind::Promote, QStringLiteral("ada"), QStringLiteral("looks well"), version);
    stage.ask(Kind::Promote, QStringLiteral("bob"), QStringLiteral("looks well"), version);
    stage.run(1000);
    QCOMPARE(stage.driver->state().stage, 3);
    const QString told = stage.refusal(stage.lastCommand());
    QVERIFY2(told.startsWith(QStringLiteral("already promoted past 5 %"))
            && told.contains(QStringLiteral("by ada at ")),
        qPrintable(told));
}

void TestRolloutDriver::reloadIsToldAnew()
{
    Stage stage;
    stage.ask(Kind::Start);
    QVERIFY(stage.runTo(RolloutPhase::Soaking));
    stage.balancers[1]->restart();
    QCOMPARE(stage.balancers[1]->greenShare(), 0.0);
    stage.run(2500);
    QCOMPARE(stage.balancers[1]->greenShare(), 0.05);
    QVERIFY(stage.notifier.texts.filter(QStringLiteral("after a restart")).size() == 1);
    QVERIFY(stage.runTo(RolloutPhase::Finished));
}

void TestRolloutDriver::foreignChangeWaits()
{
    Stage stage;
    stage.ask(Kind::Start);
    QVERIFY(stage.runTo(RolloutPhase::Soaking));
    stage.balancers[0]->split.nextShareBasisPoints = 0; // a person at its socket
    stage.run(20000);
    QCOMPARE(stage.balancers[0]->greenShare(), 0.0); // is not overruled
    QCOMPARE(stage.driver->state().phase, RolloutPhase::Soaking);
    QVERIFY(stage.driver->state().foreign);
    QVERIFY(stage.driver->state().hold.contains(QStringLiteral("haproxy-1")));
    stage.ask(Kind::Promote, QStringLiteral("ada"), QStringLiteral("now"));
    stage.run(500);
    QVERIFY(stage.refusal(stage.lastCommand()).contains(QStringLiteral("nothing can be promoted")));
    stage.ask(Kind::Resume);
    stage.run(1500);
    QCOMPARE(stage.balancers[0]->greenShare(), 0.05);
    QVERIFY(stage.runTo(RolloutPhase::Finished));
}

void TestRolloutDriver::oneOfTwoBalancersDown()
{
    Stage stage;
    stage.run(2000);
    stage.ask(Kind::Start);
    stage.works.hangs = true;
    QVERIFY(stage.runTo(RolloutPhase::Deploying));
    stage.balancers[1]->up = false;
    stage.works.later(QStringLiteral("done"));
    stage.run(20000);
    QCOMPARE(stage.driver->state().phase, RolloutPhase::Shifting); // told one, and waits
    QVERIFY(!stage.driver->state().applied);
    QVERIFY(stage.driver->state().hold.contains(QStringLiteral("haproxy-2 is down")));
    stage.balancers[1]->up = true;
    QVERIFY(stage.runTo(RolloutPhase::Soaking));
    stage.balancers[1]->up = false;
    stage.run(2000);
    const qint64 watched = stage.driver->state().watchedMs;
    stage.run(20000);
    QVERIFY(stage.driver->state().watchedMs == watched);
    stage.ask(Kind::Rollback);
    stage.run(3000);
    QCOMPARE(stage.driver->state().phase, RolloutPhase::RollingBack); // one is still to be told
    QCOMPARE(stage.balancers[0]->greenShare(), 0.0);
    QVERIFY(!stage.notifier.texts.filter(QStringLiteral("not everywhere yet")).isEmpty());
    stage.balancers[1]->up = true;
    QVERIFY(stage.runTo(RolloutPhase::RolledBack));
    QCOMPARE(stage.balancers[1]->greenShare(), 0.0);
}

void TestRolloutDriver::sourceDownHolds()
{
    Stage stage;
    stage.ask(Kind::Start);
    QVERIFY(stage.runTo(RolloutPhase::Soaking));
    stage.world.sourceUp = false;
    stage.run(500);
    const qint64 watched = stage.driver->state().watchedMs;
    stage.run(600000);
    QCOMPARE(stage.driver->state().phase, RolloutPhase::Soaking);
    QCOMPARE(stage.driver->state().watchedMs, watched);
    QVERIFY(stage.driver->state().hold.contains(QStringLiteral("SOURCE_DOWN")));
    stage.world.sourceUp = true;
    // Little evidence waits for a person, who has to say why.
    stage.gates.verdicts[QStringLiteral("no worse")] = GateVerdict::Inconclusive;
    QVERIFY(stage.runTo(RolloutPhase::Waiting));
    stage.ask(Kind::Promote);
    stage.run(500);
    QVERIFY(stage.refusal(stage.lastCommand()).contains(QStringLiteral("give a reason")));
    stage.ask(Kind::Promote, QStringLiteral("ada"), QStringLiteral("night, no traffic"));
    stage.run(500);
    QCOMPARE(stage.driver->state().stage, 3);
}

void TestRolloutDriver::redisDown()
{
    Stage stage;
    stage.ask(Kind::Start);
    QVERIFY(stage.runTo(RolloutPhase::Soaking));
    stage.world.redisUp = false;
    stage.run(60000);
    QCOMPARE(stage.driver->state().phase, RolloutPhase::Soaking); // no step forward
    QVERIFY(stage.driver->state().hold.contains(QStringLiteral("Redis")));
    QCOMPARE(stage.balancers[0]->greenShare(), 0.05); // and none back: the driver still watches
    RolloutEvent back;
    back.kind = Kind::Rollback;
    back.by = QStringLiteral("ada");
    QVERIFY(stage.driver->command(back).ok());
    QCOMPARE(stage.balancers[0]->greenShare(), 0.0); // in the same call
    QCOMPARE(stage.driver->state().phase, RolloutPhase::RolledBack);
    stage.world.redisUp = true;
    stage.run(5000);
    QVERIFY(stage.auditHasNoGap()); // and nothing of it is missing in Redis
    QCOMPARE(
        PublishedRollout::fromJson(stage.control.state)->state.phase, RolloutPhase::RolledBack);
}

void TestRolloutDriver::diskFull()
{
    Stage stage;
    stage.ask(Kind::Start);
    QVERIFY(stage.runTo(RolloutPhase::Soaking));
    stage.journal->full = true;
    stage.run(60000);
    QCOMPARE(stage.driver->state().stage, 2); // no step forward
    QVERIFY(stage.driver->published().journalFailing);
    stage.ask(Kind::Rollback);
    stage.run(1000);
    QCOMPARE(stage.balancers[1]->greenShare(), 0.0); // the way back is open
    QCOMPARE(stage.driver->state().phase, RolloutPhase::RolledBack);
    QVERIFY(stage.journal->buffered() >= 2);
    stage.journal->full = false;
    stage.ask(Kind::Start);
    stage.run(1000);
    QCOMPARE(stage.journal->buffered(), 0);
    int marked = 0;
    // The journal of the rollout before, which the new one's has put away.
    const auto before = FileJournal::read(stage.journalPath() + QStringLiteral(".1"));
    QVERIFY2(before.ok(), before ? "" : before.error().text().c_str());
    for (const JournalEntry& entry : *before) {
        marked += entry.buffered ? 1 : 0;
    }
    QVERIFY(marked >= 2);
    QVERIFY(stage.runTo(RolloutPhase::Finished));
    QVERIFY(stage.auditHasNoGap());
}

void TestRolloutDriver::rollbackEverywhere_data()
{
    QTest::addColumn<int>("phase");
    for (const RolloutPhase phase :
        {RolloutPhase::Idle, RolloutPhase::Deploying, RolloutPhase::Staging, RolloutPhase::Shifting,
            RolloutPhase::Soaking, RolloutPhase::Waiting, RolloutPhase::RollingBack,
            RolloutPhase::RolledBack, RolloutPhase::Warm, RolloutPhase::Finished}) {
        QTest::newRow(qPrintable(phaseName(phase))) << int(phase);
    }
}

void TestRolloutDriver::rollbackEverywhere()
{
    QFETCH(int, phase);
    const auto wanted = RolloutPhase(phase);
    RolloutState state;
    state.plan = Stage::plan();
    state.phase = wanted;
    state.stage = 3;
    state.stable = QStringLiteral("blue");
    state.canary = QStringLiteral("green");
    state.target = {QStringLiteral("blue"), 2500};
    state.applied = wanted != RolloutPhase::Shifting;
    state.paused = true;
    state.foreign = true;
    state.version = 9;
    RolloutEvent back;
    back.kind = Kind::Rollback;
    back.expectedVersion = 3; // however old what was seen
    const RolloutStep next = step(state, back);
    QVERIFY(!next.refused);
    const bool atRest = !state.isActive() || wanted == RolloutPhase::RollingBack;
    QCOMPARE(next.state.phase, atRest ? wanted : RolloutPhase::RollingBack);
    if (!atRest) {
        QCOMPARE(next.state.target.live, QStringLiteral("blue"));
        QCOMPARE(next.state.target.nextBasisPoints, 0);
        QVERIFY(!next.state.applied);
        const RolloutStep again = step(next.state, back); // twice is once
        QVERIFY(!again.refused);
        QCOMPARE(again.state.toJson(), next.state.toJson());
    }
}

void TestRolloutDriver::stableWithoutServers()
{
    Stage stage;
    stage.ask(Kind::Start);
    QVERIFY(stage.runTo(RolloutPhase::Soaking));
    for (auto& balancer : stage.balancers) {
        balancer->split.liveServersUp = 0;
    }
    stage.ask(Kind::Rollback);
    stage.run(5000);
    QCOMPARE(stage.driver->state().phase, RolloutPhase::RollingBack); // not to a dead pool
    QVERIFY(!stage.notifier.texts.filter(QStringLiteral("no healthy server")).isEmpty());
    for (auto& balancer : stage.balancers) {
        balancer->split.liveServersUp = 1;
    }
    QVERIFY(stage.runTo(RolloutPhase::RolledBack));
}

void TestRolloutDriver::crashedCanaryIsRolledBack()
{
    Stage stage;
    stage.ask(Kind::Start);
    QVERIFY(stage.runTo(RolloutPhase::Soaking));
    stage.balancers[1]->split.nextServersUp = 0;
    stage.run(1000);
    stage.balancers[1]->split.nextServersUp = 2; // a blink
    stage.run(3000);
    QCOMPARE(stage.driver->state().phase, RolloutPhase::Soaking);
    stage.balancers[1]->split.nextServersUp = 0;
    stage.run(3000);
    QCOMPARE(stage.driver->state().phase, RolloutPhase::RolledBack);
    QVERIFY(stage.driver->state().reason.contains(QStringLiteral("no server of green is healthy")));
}

void TestRolloutDriver::wayBackWhileWarm()
{
    Stage stage;
    stage.used.warmMs = 864000000;
    stage.ask(Kind::Start);
    QVERIFY(stage.runTo(RolloutPhase::Warm));
    QCOMPARE(stage.balancers[0]->greenShare(), 1.0);
    stage.kill();
    stage.pass(60000);
    QCOMPARE(stage.balancers[0]->greenShare(), 1.0); // at 100 % there is no dead man
    stage.start();
    stage.ask(Kind::Rollback);
    stage.run(1000);
    QCOMPARE(stage.balancers[0]->greenShare(), 0.0);
    QCOMPARE(stage.balancers[0]->split.live, QStringLiteral("blue"));
}

void TestRolloutDriver::deployFails()
{
    Stage stage;
    stage.works.deployError = QStringLiteral("green-1 has another model");
    stage.ask(Kind::Start);
    QVERIFY(stage.runTo(RolloutPhase::RolledBack));
    QVERIFY(stage.driver->state().reason.contains(QStringLiteral("green-1 has another model")));
    stage.works.deployError.clear();
    stage.works.stageError = QStringLiteral("3 of 40 cases fail");
    stage.ask(Kind::Start);
    stage.run(500);
    QVERIFY(stage.runTo(RolloutPhase::RolledBack));
    QVERIFY(stage.driver->state().reason.contains(QStringLiteral("3 of 40 cases fail")));
    QCOMPARE(stage.balancers[0]->applies, 2); // nobody was ever sent there
}

void TestRolloutDriver::pausedWhileDeploying()
{
    Stage stage;
    stage.works.hangs = true;
    stage.ask(Kind::Start);
    QVERIFY(stage.runTo(RolloutPhase::Deploying));
    stage.ask(Kind::Pause);
    stage.run(300);
    stage.works.later(QStringLiteral("done"));
    stage.run(20000);
    QCOMPARE(stage.driver->state().phase, RolloutPhase::Deploying);
    stage.ask(Kind::Resume);
    QVERIFY(stage.runTo(RolloutPhase::Soaking));
    stage.ask(Kind::Pause);
    stage.run(500);
    const qint64 watched = stage.driver->state().watchedMs;
    stage.run(30000);
    QCOMPARE(stage.driver->state().watchedMs, watched);
    QCOMPARE(stage.balancers[0]->greenShare(), 0.05);
    // A pause disarms nothing.
    stage.world.sickGate = QStringLiteral("errors");
    QVERIFY(stage.runTo(RolloutPhase::RolledBack));
    // What comes late from a stage that was left counts for nothing.
    stage.ask(Kind::Start);
    stage.world.sickGate.clear();
    QVERIFY(stage.runTo(RolloutPhase::Deploying));
    stage.ask(Kind::Rollback);
    QVERIFY(stage.runTo(RolloutPhase::RolledBack));
    stage.works.later(QStringLiteral("done"));
    stage.run(1000);
    QCOMPARE(stage.driver->state().phase, RolloutPhase::RolledBack);
}

void TestRolloutDriver::overriddenThresholds()
{
    Stage stage;
    stage.ask(Kind::Start);
    QVERIFY(stage.runTo(RolloutPhase::Soaking));
    QCOMPARE(stage.control.guarded, stage.driver->state().rolloutId);
    stage.run(4000);
    const int resets = stage.gates.resets;
    stage.control.overriddenBy = QStringLiteral("eve");
    stage.run(2100);
    QCOMPARE(stage.gates.resets, resets + 1);
    QVERIFY(stage.driver->state().watchedMs < 2500);
    QVERIFY(!stage.notifier.texts.filter(QStringLiteral("by eve")).isEmpty());
}

void TestRolloutDriver::errorsAtTheBalancer()
{
    Stage stage;
    stage.ask(Kind::Start);
    stage.world.requestsPerSecond = 8000;
    QVERIFY(stage.runTo(RolloutPhase::Soaking));
    stage.run(1500);
    stage.world.sourceUp = false; // Prometheus is gone, and the canary breaks
    for (int tick = 0; tick < 100 && stage.driver->state().phase == RolloutPhase::Soaking; ++tick) {
        for (auto& balancer : stage.balancers) {
            balancer->split.nextErrors += 20;
        }
        stage.run(100);
    }
    QVERIFY(stage.runTo(RolloutPhase::RolledBack));
    QVERIFY2(stage.driver->state().reason.contains(QStringLiteral("failed at the balancer")),
        qPrintable(stage.driver->state().reason));
}

void TestRolloutDriver::nobodyTwice()
{
    Stage stage;
    stage.ask(Kind::Start);
    QVERIFY(stage.runTo(RolloutPhase::Soaking));
    const int told = int(stage.notifier.texts.size());
    for (int restart = 0; restart < 3; ++restart) { // commands are read again, notices taken again
        stage.kill();
        stage.pass(500);
        stage.run(1000);
    }
    QCOMPARE(int(stage.notifier.texts.size()), told);
    QCOMPARE(stage.driver->state().stage, 2);
    RolloutEvent again = stage.control.asked.first();
    QVERIFY(!stage.driver->command(again).ok());
}

void TestRolloutDriver::clockSetBack()
{
    Stage stage;
    stage.ask(Kind::Start);
    QVERIFY(stage.runTo(RolloutPhase::Soaking));
    stage.world.now -= 7200000; // the wall clock; the fake Redis goes with it
    QVERIFY(stage.runTo(RolloutPhase::Finished));
}

void TestRolloutDriver::startsAreChecked()
{
    Stage stage;
    stage.balancers[0]->split.nextShareBasisPoints = 100; // shifted by hand
    stage.ask(Kind::Start);
    stage.run(3000);
    QVERIFY(stage.refusal(stage.lastCommand()).contains(QStringLiteral("shifted already")));
    stage.balancers[0]->split.nextShareBasisPoints = 0;
    stage.balancers[0]->up = false;
    stage.run(1500);
    stage.ask(Kind::Start);
    stage.run(1000);
    QVERIFY(stage.refusal(stage.lastCommand()).contains(QStringLiteral("does not answer")));
    stage.balancers[0]->up = true;
    stage.run(1500);
    stage.ask(Kind::Start);
    QVERIFY(stage.runTo(RolloutPhase::Soaking));
    stage.ask(Kind::Start);
    stage.run(1000);
    QVERIFY(stage.refusal(stage.lastCommand()).contains(QStringLiteral("is under way")));
    stage.ask(Kind::Rollback);
    stage.ask(Kind::Rollback, QStringLiteral("bob"));
    QVERIFY(stage.runTo(RolloutPhase::RolledBack));
    stage.run(1000);
    QCOMPARE(stage.refusal(stage.lastCommand()), QString()); // nothing to do is no error
}

QTEST_GUILESS_MAIN(TestRolloutDriver)
#include "tst_rolloutdriver.moc"
