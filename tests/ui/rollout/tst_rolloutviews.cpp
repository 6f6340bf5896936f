#include "tests/support/testcase.h"
#include "tests/ui/rollout/standin.h"

#include "ui/rollout/evidenceview.h"
#include "ui/rollout/gatetable.h"
#include "ui/rollout/stagestrip.h"

using namespace sluice;
using namespace sluice::ui;
using test::reading;
using test::soakingState;

/// What the release lead's views say of a rollout's state, without any server.
class TestRolloutViews : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void stagesSayWhereItStands();
    void evidenceSaysPassFailNotYet();
};

void TestRolloutViews::stagesSayWhereItStands()
{
    ops::RolloutState state = soakingState();
    const auto said = [&] {
        QStringList lines;
        for (const StageBox& box : stageBoxes(state)) {
            lines << box.name + u'|' + box.word + u'|' + box.line + u'|' + box.left;
        }
        return lines;
    };
    QCOMPARE(said(),
        (QStringList{QStringLiteral("Deploy|passed||"), QStringLiteral("Staging|passed||"),
            QStringLiteral("5 %|passed|2 h watched|"),
            QStringLiteral("25 %|soaking|1 h 12 of 2 h watched|48 min left"),
            QStringLiteral("50 %||4 h|"), QStringLiteral("100 %||the pools change roles|")}));
    QCOMPARE(stageBoxes(state)[3].progress, 0.6);
    state.hold = QStringLiteral("errors SOURCE_DOWN");
    QVERIFY(stageBoxes(state)[3].state == StageBox::State::Held);
    QCOMPARE(stageBoxes(state)[3].word, QStringLiteral("clock stands"));
    state.hold.clear();
    state.paused = true;
    QCOMPARE(stageBoxes(state)[3].word, QStringLiteral("paused"));
    state.paused = false;
    state.phase = ops::RolloutPhase::Waiting;
    QCOMPARE(stageBoxes(state)[3].left, QStringLiteral("soak is over"));
    state.phase = ops::RolloutPhase::RolledBack;
    QCOMPARE(stageBoxes(state)[3].word, QStringLiteral("rolled back"));
    QVERIFY(stageBoxes(state)[3].state == StageBox::State::Failed);
    state.phase = ops::RolloutPhase::Shifting;
    QCOMPARE(stageBoxes(state)[3].word, QStringLiteral("shifting"));
    state.stage = 0;
    state.phase = ops::RolloutPhase::Deploying;
    QCOMPARE(stageBoxes(state)[0].word, QStringLiteral("deploying"));
    state.stage = 1;
    state.phase = ops::RolloutPhase::Staging;
    QCOMPARE(stageBoxes(state)[1].word, QStringLiteral("testing"));
    state.stage = 5;
    state.phase = ops::RolloutPhase::Warm;
    QCOMPARE(stageBoxes(state)[5].word, QStringLiteral("live"));
    state.stage = 6; // as the machine has it
    QCOMPARE(stageBoxes(state)[5].word, QStringLiteral("live"));
    state.phase = ops::RolloutPhase::Finished;
    QVERIFY(stageBoxes(state)[5].state == StageBox::State::Passed);
}

void TestRolloutViews::evidenceSaysPassFailNotYet()
{
    QHash<QString, QList<QPointF>> history;
    ops::RolloutState state = soakingState();
    QList<EvidenceRow> rows = evidenceRows(state.readings, history);
    QCOMPARE(rows.size(), 3);
    QVERIFY(!rows[0].isProof && rows[2].isProof);
    QCOMPARE(rows[2].history.size(), 1);
    evidenceRows(state.readings, history); // the same reading again is no new point
    QCOMPARE(history[QStringLiteral("no worse")].size(), 1);
    for (ops::GateReading& one : state.readings) {
        one.atMs += 15000;
    }
    QCOMPARE(evidenceRows(state.readings, history)[0].history.size(), 2);
    QCOMPARE(GateTable::summary(state.readings), QStringLiteral("5 pass · 2 not yet"));
    QCOMPARE(verdictWord(reading("x", ops::GateVerdict::Fail, 2, 1, "%", "")).word,
        QStringLiteral("rolls back"));
    QCOMPARE(verdictWord(reading("x", ops::GateVerdict::SourceDown, 2, 1, "%", "")).word,
        QStringLiteral("source down"));
}

QTEST_MAIN(TestRolloutViews)
#include "tst_rolloutviews.moc"
