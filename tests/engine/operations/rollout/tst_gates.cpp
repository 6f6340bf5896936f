#include "engine/operations/rollout/gates.h"
#include "tests/engine/operations/rollout/plant.h"
#include "tests/support/testcase.h"

#include <QJsonDocument>
#include <cmath>

using namespace sluice;
using namespace sluice::ops;
using namespace sluice::test;

namespace {

GateReading judgeOne(GateJudge& judge, const Plant& plant, const PlannedGate& gate)
{
    return judge.judge(contextOf(plant, {gate}), plant.input()).constFirst();
}

/// What one gate says after some minutes of a plant that was set so from the start.
GateReading after(const PlannedGate& gate, int scrapes, const std::function<void(Plant&)>& set)
{
    Plant plant;
    set(plant);
    GateJudge judge;
    GateReading reading;
    plant.now = began - 15;
    plant.scrape();
    judgeOne(judge, plant, gate);
    for (int index = 0; index < scrapes; ++index) {
        plant.scrape();
        reading = judgeOne(judge, plant, gate);
    }
    return reading;
}

bool near(double a, double b, double within = 1e-6)
{
    return std::abs(a - b) <= within;
}

} // namespace

/// The owners' triggers and the evidence gates on a virtual clock.
class TestGates : public sluice::test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void countersAreOwnDifferences();
    void quantilesAndTrends();
    void errorsAboveOnePercentFail();
    void shedAnswersAreApart();
    void fewRequestsDecideNothing();
    void anEarlierAttemptCountsForNothing();
    void slowCanaryFails();
    void atHundredPercentTheLastHourCounts();
    void memoryOfTheWorstWorker();
    void growingMemoryHolds();
    void complaintsAreShownAndRarelyJudged();
    void evidenceFindsWhatTheWindowMisses();
    void healthyIsProven();
    void wrongSplitIsSeen();
    void slowerIsFound();
    void workersAreScrapedOneAfterTheOther();
    void userQueries();
    void blindnessIsNotGoodNews();
    void balancerRestartIsNoError();
    void restoredGoesOnToTheBit();
    void damagedEvidenceBeginsAnew();
};

void TestGates::countersAreOwnDifferences()
{
    CounterStore store;
    const auto take = [&](const char* instance, QList<QPointF> points, double until,
                          const char* replica = "") {
        TimeSeries series{{{QStringLiteral("instance"), QString::fromLatin1(instance)}}, points};
        if (*replica != 0) {
            series.labels.insert(QStringLiteral("replica"), QString::fromLatin1(replica));
        }
        store.take(QStringLiteral("x"), series, until);
    };
    take("a", {{10, 100}, {20, 110}, {30, 130}}, 0);
    QCOMPARE(store.growth(QStringLiteral("x"), 0, 100), 30.0);
    QCOMPARE(store.growth(QStringLiteral("x"), 10, 20), 10.0); // (from, to]
    QCOMPARE(store.spacing(), 10.0);
    take("a", {{20, 110}, {30, 130}, {40, 5}}, 30); // read again, and a restart
    QCOMPARE(store.growth(QStringLiteral("x"), 0, 100), 35.0);
    take("b", {{40, 7}}, 30); // born since the last round
    QCOMPARE(store.growth(QStringLiteral("x"), 0, 100), 42.0);
    take("c", {{25, 900}, {35, 901}}, 30); // there before, seen late
    QCOMPARE(store.growth(QStringLiteral("x"), 0, 100), 43.0);
    take("d", {{30, 1}, {40, 11}}, 0, "r1");
    take("d", {{30, 1}, {40, 11}}, 0, "r2"); // the other of a pair
    QCOMPARE(store.growth(QStringLiteral("x"), 0, 100), 53.0);
    QCOMPARE(store.newest(), 40.0);
    store.forget(35);
    QCOMPARE(store.growth(QStringLiteral("x"), 0, 100), 22.0); // 5, 7, 10
    QCOMPARE(store.growth(QStringLiteral("y"), 0, 100), 0.0);
    QVERIFY(!store.has(QStringLiteral("y")));
}

void TestGates::quantilesAndTrends()
{
    const std::vector<double> bounds{0.1, 0.2, 0.4};
    QVERIFY(near(*quantileOf({100, {50, 90, 100}}, bounds, 0.95), 0.3));
    QVERIFY(near(*quantileOf({100, {50, 90, 100}}, bounds, 0.25), 0.05));
    QVERIFY(near(*quantileOf({100, {50, 60, 70}}, bounds, 0.95), 0.4)); // beyond the last
    QVERIFY(!quantileOf({0, {0, 0, 0}}, bounds, 0.5));
    QVERIFY(!quantileOf({10, {1}}, bounds, 0.5));
    QVERIFY(!trendOf({{1, 1}}));
    QVERIFY(near(trendOf({{0, 1}, {1, 3}, {2, 5}})->perSecond, 2));
    QVERIFY(near(trendOf({{0, 1}, {1, 3}, {2, 5}})->last, 5));
}

void TestGates::errorsAboveOnePercentFail()
{
    const PlannedGate gate = gateOf(Measure::ErrorRate, 0.01, 200);
    const GateReading bad = after(gate, 20, [](Plant& plant) { plant.canaryErrors = 0.02; });
    QCOMPARE(bad.verdict, GateVerdict::Fail);
    QVERIFY(bad.rollsBack());
    QVERIFY(near(bad.value, 2, 0.01));
    QCOMPARE(bad.limit, 1.0);
    QCOMPARE(bad.counts[QStringLiteral("canary_requests")].toDouble(), 3000.0);
    const GateReading good = after(gate, 20, [](Plant& plant) { plant.stableErrors = 0.02; });
    QCOMPARE(good.verdict, GateVerdict::Pass);
    QCOMPARE(good.value, 0.0);
    const GateReading both =
        after(gate, 20, [](Plant& plant) { plant.canaryErrors = plant.stableErrors = 0.02; });
    QCOMPARE(both.verdict, GateVerdict::Fail);
    QVERIFY(both.reason.contains(QStringLiteral("will not mend it")));
    // Nobody connects to a crashed worker: no 5xx, and still an error.
    const GateReading crashed =
        after(gate, 20, [](Plant& plant) { plant.canaryConnection = 0.02; });
    QCOMPARE(crashed.verdict, GateVerdict::Fail);
    // What is older than the window counts no more.
    Plant plant;
    GateJudge judge;
    plant.canaryErrors = 0.5;
    plant.scrapes(4);
    judgeOne(judge, plant, gate);
    plant.scrape();
    QCOMPARE(judgeOne(judge, plant, gate).verdict, GateVerdict::Inconclusive); // 150 requests
    plant.scrape();
    QCOMPARE(judgeOne(judge, plant, gate).verdict, GateVerdict::Fail);
    plant.canaryErrors = 0;
    plant.scrapes(22);
    QCOMPARE(judgeOne(judge, plant, gate).verdict, GateVerdict::Pass);
}

void TestGates::shedAnswersAreApart()
{
    const GateReading shed = after(gateOf(Measure::ErrorRate, 0.01, 200), 20, [](Plant& plant) {
        plant.canaryErrors = 0.1;
        plant.canaryShed = 0.1;
    });
    QCOMPARE(shed.verdict, GateVerdict::Pass);
    QVERIFY(shed.reason.contains(QStringLiteral("300 more were shed")));
}

void TestGates::fewRequestsDecideNothing()
{
    const PlannedGate gate = gateOf(Measure::ErrorRate, 0.01, 200);
    const GateReading few = after(gate, 20, [](Plant& plant) {
        plant.canaryRate = 0.4;
        plant.canaryErrors = 0.5;
    });
    QCOMPARE(few.verdict, GateVerdict::Inconclusive);
    QVERIFY(few.holds());
    const GateReading none = after(gate, 20, [](Plant& plant) { plant.canaryRate = 0; });
    QCOMPARE(none.verdict, GateVerdict::NoData);
    QVERIFY(none.isBlind());
}

void TestGates::anEarlierAttemptCountsForNothing()
{
    const PlannedGate gate = gateOf(Measure::ErrorRate, 0.01, 0);
    Plant plant;
    GateJudge judge;
    plant.canaryErrors = 0.5;
    plant.scrapes(2);
    judgeOne(judge, plant, gate);
    plant.scrapes(2);
    QCOMPARE(judgeOne(judge, plant, gate).verdict, GateVerdict::Fail);
    plant.canaryErrors = 0;
    GateContext what = contextOf(plant, {gate}, plant.now);
    what.rolloutId = QStringLiteral("r2");
    QCOMPARE(judge.judge(what, plant.input()).constFirst().verdict, GateVerdict::NoData);
    plant.scrape();
    what.nowMs = qint64(plant.now * 1000);
    QCOMPARE(judge.judge(what, plant.input()).constFirst().verdict, GateVerdict::Pass);
}

void TestGates::slowCanaryFails()
{
    const PlannedGate gate = gateOf(Measure::LatencyRatio, 2, 200);
    const GateReading slow = after(gate, 20, [](Plant& plant) { plant.canarySlow = 6; });
    QCOMPARE(slow.verdict, GateVerdict::Fail);
    QVERIFY(slow.value > 2);
    QVERIFY2(slow.reason.contains(QStringLiteral("ms")), qPrintable(slow.reason));
    const GateReading same = after(gate, 20, [](Plant&) {});
    QCOMPARE(same.verdict, GateVerdict::Pass);
    QCOMPARE(same.value, 1.0);
    QCOMPARE(after(gate, 20, [](Plant& plant) { plant.canaryRate = 0.2; }).verdict,
        GateVerdict::Inconclusive);
    QCOMPARE(
        after(gate, 20, [](Plant& plant) { plant.stableRate = 0; }).verdict, GateVerdict::NoData);
}

void TestGates::atHundredPercentTheLastHourCounts()
{
    Plant before;
    before.scrapes(20);
    Plant plant;
    plant.now = before.now;
    plant.canaryRate = 200;
    plant.stableRate = 0;
    plant.canarySlow = 6;
    GateJudge judge;
    const QList<PlannedGate> gates{gateOf(Measure::LatencyRatio, 2, 200),
        gateOf(Measure::ErrorEvidence, 1), gateOf(Measure::ErrorRate, 0.01, 200)};
    const auto judgeNow = [&](const QList<TimeSeries>& hour) {
        GateContext what = contextOf(plant, gates, before.now);
        what.shareBasisPoints = 10000;
        GateInput input = plant.input();
        input.stableHour = hour;
        return judge.judge(what, input);
    };
    plant.scrape();
    judgeNow({});
    plant.scrape();
    const auto readings = judgeNow(before.input().latencies);
    QCOMPARE(readings[0].verdict, GateVerdict::Fail);
    QVERIFY(readings[0].reason.contains(QStringLiteral("hour before")));
    QCOMPARE(readings[1].verdict, GateVerdict::Inconclusive);
    QCOMPARE(readings[2].verdict, GateVerdict::Pass);
    QCOMPARE(judgeNow({})[0].verdict, GateVerdict::NoData);
}

void TestGates::memoryOfTheWorstWorker()
{
    const PlannedGate gate = gateOf(Measure::Memory, 0.8);
    const GateReading well = after(gate, 4, [](Plant&) {});
    QCOMPARE(well.verdict, GateVerdict::Pass);
    QVERIFY(near(well.value, 100.0 / 512 * 100));
    const GateReading full =
        after(gate, 4, [](Plant& plant) { plant.canaryMemory = 420.0 * 1048576; });
    QCOMPARE(full.verdict, GateVerdict::Fail);
    QVERIFY(full.reason.contains(QStringLiteral("420 MiB of 512 MiB on green-1")));
    Plant plant;
    plant.scrape();
    GateInput input = plant.input();
    input.memory.clear();
    GateJudge judge;
    QCOMPARE(
        judge.judge(contextOf(plant, {gate}), input).constFirst().verdict, GateVerdict::NoData);
    input.memoryError = unreachableError("gone");
    QCOMPARE(
        judge.judge(contextOf(plant, {gate}), input).constFirst().verdict, GateVerdict::SourceDown);
}

void TestGates::growingMemoryHolds()
{
    // Every second, as a local stack is scraped; 300 MiB/h would be over 410 MiB in an hour.
    const PlannedGate gate = gateOf(Measure::Memory, 0.8);
    Plant plant;
    GateJudge judge;
    plant.scrape(1);
    judgeOne(judge, plant, gate);
    for (int second = 0; second < 280; ++second) {
        plant.canaryMemory += 1048576.0 / 12;
        plant.scrape(1);
    }
    const GateReading reading = judgeOne(judge, plant, gate);
    QCOMPARE(reading.verdict, GateVerdict::Inconclusive);
    QVERIFY2(reading.reason.contains(QStringLiteral("300 MiB/h")), qPrintable(reading.reason));
    QVERIFY(reading.holds() && !reading.isBlind());
}

void TestGates::complaintsAreShownAndRarelyJudged()
{
    PlannedGate gate = gateOf(Measure::Complaints, 2, 10);
    gate.action = GateAction::Warn;
    Plant plant;
    GateJudge judge;
    plant.scrapes(1);
    judgeOne(judge, plant, gate);
    plant.scrapes(20);
    const auto said = [&](std::optional<ComplaintCounts> counts) {
        GateInput input = plant.input();
        input.complaints = counts;
        return judge.judge(contextOf(plant, {gate}), input).constFirst();
    };
    QCOMPARE(said(ComplaintCounts{3, 2}).verdict, GateVerdict::Inconclusive);
    QVERIFY(said(ComplaintCounts{3, 2}).reason.startsWith(QStringLiteral("3 complaints")));
    QCOMPARE(said(ComplaintCounts{12, 200}).verdict, GateVerdict::Pass);
    QCOMPARE(said(ComplaintCounts{30, 60}).verdict, GateVerdict::Fail);
    QVERIFY(!said(ComplaintCounts{30, 60}).rollsBack());
    QCOMPARE(said(std::nullopt).verdict, GateVerdict::SourceDown);
}

void TestGates::evidenceFindsWhatTheWindowMisses()
{
    // 0.7 % against 0.1 %: under the owners' limit, and seven times as many.
    const auto set = [](Plant& plant) {
        plant.canaryErrors = 0.0067; // one of 150
        plant.stableErrors = 0.001;
    };
    QCOMPARE(after(gateOf(Measure::ErrorRate, 0.01, 200), 40, set).verdict, GateVerdict::Pass);
    const GateReading worse = after(gateOf(Measure::ErrorEvidence, 1), 40, set);
    QCOMPARE(worse.verdict, GateVerdict::Fail);
    QVERIFY(worse.evidence >= 1000);
    QCOMPARE(worse.evidenceLimit, 1000.0);
    QVERIFY(worse.value > 5 && worse.value < 8);
    const GateReading early = after(gateOf(Measure::ErrorEvidence, 1), 2, set);
    QCOMPARE(early.verdict, GateVerdict::Pass); // no sign yet
    // Before the share is verified nothing is counted.
    Plant plant;
    GateJudge judge;
    plant.scrape();
    GateContext what = contextOf(plant, {gateOf(Measure::ErrorEvidence, 1)}, 0);
    QVERIFY(!judge.needsDispersion(what));
    QCOMPARE(judge.judge(what, plant.input()).constFirst().verdict, GateVerdict::Inconclusive);
    what.soakFromMs = 1;
    QVERIFY(judge.needsDispersion(what));
}

void TestGates::healthyIsProven()
{
    const PlannedGate gate = gateOf(Measure::ErrorProof, 2);
    const GateReading few = after(gate, 10, [](Plant&) {});
    QCOMPARE(few.verdict, GateVerdict::Inconclusive);
    QVERIFY(few.evidence < 20 && few.evidence > 1);
    const GateReading clean = after(gate, 45, [](Plant&) {}); // 6,750 good answers
    QCOMPARE(clean.verdict, GateVerdict::Pass);
    QVERIFY2(clean.evidence >= 20, qPrintable(QString::number(clean.evidence)));
    QCOMPARE(after(gate, 100,
                 [](Plant& plant) {
                     plant.canaryErrors = 0.0067;
                     plant.stableErrors = 0.0067;
                 })
                 .verdict,
        GateVerdict::Pass);
    QCOMPARE(after(gate, 100,
                 [](Plant& plant) {
                     plant.canaryErrors = 0.0267;
                     plant.stableErrors = 0.01;
                 })
                 .verdict,
        GateVerdict::Inconclusive);
}

void TestGates::wrongSplitIsSeen()
{
    PlannedGate gate = gateOf(Measure::Split, 0.01);
    gate.action = GateAction::Hold;
    QCOMPARE(after(gate, 100, [](Plant&) {}).verdict, GateVerdict::Pass);
    const GateReading half = after(gate, 40, [](Plant& plant) { plant.canaryRate = 4; });
    QCOMPARE(half.verdict, GateVerdict::Fail);
    QVERIFY(!half.rollsBack() && half.holds());
    QCOMPARE(half.limit, 5.0);
}

void TestGates::slowerIsFound()
{
    const PlannedGate gate = gateOf(Measure::LatencyEvidence, 2);
    QCOMPARE(after(gate, 30, [](Plant&) {}).verdict, GateVerdict::Pass);
    const GateReading slow = after(gate, 30, [](Plant& plant) { plant.canarySlow = 6; });
    QCOMPARE(slow.verdict, GateVerdict::Fail);
    QVERIFY2(
        slow.reason.contains(QStringLiteral("More than 2 times as slow")), qPrintable(slow.reason));
}

/// Looked at more often than it is scraped, each look finds one pool's news alone.
void TestGates::workersAreScrapedOneAfterTheOther()
{
    const PlannedGate gate = gateOf(Measure::LatencyEvidence, 2);
    const auto said = [&](double slow) {
        Plant plant;
        plant.canarySlow = slow;
        GateJudge judge;
        GateReading reading;
        for (int index = 0; index < 30; ++index) {
            plant.scrape();
            for (const double late : {0.0, 7.5}) {
                GateInput input = plant.input();
                for (TimeSeries& series : input.latencies) {
                    if (series.labels.value(QStringLiteral("pool")) != QLatin1StringView("green")) {
                        continue;
                    }
                    for (QPointF& point : series.points) {
                        point.rx() += 7.5;
                    }
                    series.points.removeIf(
                        [&](const QPointF& point) { return point.x() > plant.now + late; });
                }
                GateContext what = contextOf(plant, {gate});
                what.nowMs += qint64(late * 1000);
                reading = judge.judge(what, input).constFirst();
            }
        }
        return reading;
    };
    QVERIFY2(said(1).verdict == GateVerdict::Pass, qPrintable(said(1).reason));
    QVERIFY2(said(6).verdict == GateVerdict::Fail, qPrintable(said(6).reason));
}

void TestGates::userQueries()
{
    PlannedGate gate = gateOf(Measure::Query, 5);
    gate.name = QStringLiteral("mine");
    Plant plant;
    GateJudge judge;
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const auto said = [&](const Result<QList<InstantSample>>& answer) {
        GateInput input;
        input.queries.insert(QStringLiteral("mine"), answer);
        return judge.judge(contextOf(plant, {gate}), input).constFirst();
    };
    QCOMPARE(said(QList<InstantSample>{{{}, 1, 3}, {{}, 1, 4}}).verdict, GateVerdict::Pass);
    QCOMPARE(said(QList<InstantSample>{{{}, 1, 3}, {{}, 1, 6}}).value, 6.0);
    QCOMPARE(said(QList<InstantSample>{{{}, 1, 3}, {{}, 1, 6}}).verdict, GateVerdict::Fail);
    QCOMPARE(said(QList<InstantSample>{{{}, 1, nan}}).verdict, GateVerdict::NoData);
    QCOMPARE(said(QList<InstantSample>{}).verdict, GateVerdict::NoData);
    QCOMPARE(said(inputError("no PromQL")).verdict, GateVerdict::NoData);
    QCOMPARE(said(unreachableError("gone")).verdict, GateVerdict::SourceDown);
    QCOMPARE(judge.judge(contextOf(plant, {gate}), {}).constFirst().verdict, GateVerdict::NoData);
}

void TestGates::blindnessIsNotGoodNews()
{
    const PlannedGate gate = gateOf(Measure::ErrorRate, 0.01, 200);
    Plant plant;
    GateJudge judge;
    QCOMPARE(judge.judge(contextOf(plant, {gate}), {}).constFirst().verdict, GateVerdict::NoData);
    plant.scrapes(20);
    judgeOne(judge, plant, gate);
    plant.scrapes(20);
    QCOMPARE(judgeOne(judge, plant, gate).verdict, GateVerdict::Pass);
    GateInput down;
    down.balancerError = unreachableError("Prometheus is gone");
    const GateReading lost = judge.judge(contextOf(plant, {gate}), down).constFirst();
    QCOMPARE(lost.verdict, GateVerdict::SourceDown);
    QVERIFY(lost.isBlind() && lost.holds() && !lost.rollsBack());
    down.balancerError = refusedError("needs a login");
    QCOMPARE(judge.judge(contextOf(plant, {gate}), down).constFirst().verdict, GateVerdict::NoData);
    const GateInput last = plant.input();
    plant.now += 200; // the right answer, but old
    const GateReading stale = judge.judge(contextOf(plant, {gate}), last).constFirst();
    QCOMPARE(stale.verdict, GateVerdict::NoData);
    QVERIFY(stale.reason.contains(QStringLiteral("200 s old")));
    plant.now -= 7400; // this clock is two hours behind
    QCOMPARE(judge.judge(contextOf(plant, {gate}), last).constFirst().verdict, GateVerdict::NoData);
}

void TestGates::balancerRestartIsNoError()
{
    const QList<PlannedGate> gates{
        gateOf(Measure::ErrorRate, 0.01, 200), gateOf(Measure::ErrorEvidence, 1)};
    Plant plant;
    GateJudge judge;
    plant.stableErrors = 0.001;
    plant.scrapes(1);
    judge.judge(contextOf(plant, gates), plant.input());
    for (int index = 0; index < 60; ++index) {
        if (index == 30) {
            plant.restartBalancer();
        }
        plant.scrape();
        for (const GateReading& reading : judge.judge(contextOf(plant, gates), plant.input())) {
            QVERIFY2(reading.verdict == GateVerdict::Pass
                    || reading.verdict == GateVerdict::Inconclusive,
                qPrintable(reading.reason));
            QVERIFY(index < 5 || reading.verdict == GateVerdict::Pass);
        }
    }
}

void TestGates::restoredGoesOnToTheBit()
{
    const QList<PlannedGate> gates{gateOf(Measure::ErrorEvidence, 1),
        gateOf(Measure::ErrorProof, 2), gateOf(Measure::LatencyEvidence, 2),
        gateOf(Measure::Split, 0.01)};
    Plant plant;
    plant.stableErrors = 0.001;
    GateJudge first;
    plant.scrape();
    first.judge(contextOf(plant, gates), plant.input());
    GateJudge second;
    for (int index = 0; index < 40; ++index) {
        plant.scrape();
        first.judge(contextOf(plant, gates), plant.input());
        if (index == 20) { // a driver dies; its journal holds this text
            const QByteArray journal = QJsonDocument(first.save()).toJson();
            QVERIFY(journal.size() < 16384);
            second.restore(QJsonDocument::fromJson(journal).object());
            QVERIFY(!second.needsDispersion(contextOf(plant, gates)));
            QVERIFY(second.secondsToRead(contextOf(plant, gates)) < 60);
        }
    }
    // The second was away for 19 scrapes, reads what it missed in one step, and is as sure.
    const auto a = first.judge(contextOf(plant, gates), plant.input());
    const auto b = second.judge(contextOf(plant, gates), plant.input());
    for (qsizetype index = 0; index < gates.size(); ++index) {
        QCOMPARE(b[index].verdict, a[index].verdict);
        if (gates[index].measure != Measure::LatencyEvidence) {
            QVERIFY2(near(b[index].evidence / a[index].evidence, 1, 0.2),
                qPrintable(QStringLiteral("%1: %2, %3")
                               .arg(a[index].gate)
                               .arg(a[index].evidence)
                               .arg(b[index].evidence)));
        }
    }
    GateJudge third;
    third.restore(first.save());
    QCOMPARE(third.save(), first.save());
    first.reset();
    QVERIFY(first.needsDispersion(contextOf(plant, gates)));
}

void TestGates::damagedEvidenceBeginsAnew()
{
    const QList<PlannedGate> gates{gateOf(Measure::ErrorEvidence, 1)};
    Plant plant;
    GateJudge judge;
    plant.scrapes(2);
    judge.judge(contextOf(plant, gates), plant.input());
    QJsonObject saved = judge.save();
    QJsonObject stage = saved[QStringLiteral("stage")].toObject();
    stage[QStringLiteral("worse")] = 3;
    saved[QStringLiteral("stage")] = stage;
    GateJudge other;
    other.restore(saved);
    QVERIFY(other.needsDispersion(contextOf(plant, gates)));
    other.restore({});
    stage = judge.save()[QStringLiteral("stage")].toObject();
    stage[QStringLiteral("v")] = 99;
    QVERIFY(!StageEvidence::fromJson(stage));
}

QTEST_GUILESS_MAIN(TestGates)
#include "tst_gates.moc"
