#include "engine/operations/loadtest/blockbootstrap.h"
#include "engine/operations/loadtest/capacity.h"
#include "engine/operations/loadtest/comparison.h"
#include "engine/operations/loadtest/endurance.h"
#include "engine/operations/loadtest/runfolder.h"
#include "engine/operations/loadtest/verdict.h"
#include "tests/support/testcase.h"

#include <QDir>
#include <QJsonArray>
#include <QTemporaryDir>
#include <cmath>
#include <random>

using namespace sluice;
using namespace sluice::ops;

namespace {

/// A run of `blocks` blocks of 500 requests, log-normal round `medianMs`, from
/// one seed.
LoadResult drawn(double medianMs, int blocks, unsigned seed, double errorShare = 0)
{
    std::mt19937 random(seed);
    std::lognormal_distribution<double> latency(std::log(medianMs), 0.5);
    LoadResult run;
    run.id = QStringLiteral("run%1").arg(seed);
    run.scenario = Scenario::constant(QStringLiteral("normal"), 500, 50, blocks * 10.0);
    run.completed = true;
    run.state = QStringLiteral("completed");
    for (int block = 0; block < blocks; ++block) {
        LatencyHistogram histogram;
        for (int request = 0; request < 500; ++request) {
            histogram.add(std::int64_t(latency(random) * 1e6));
        }
        LatencyBlock made;
        made.second = block * 10;
        made.scheduled = 500;
        made.errors = std::int64_t(500 * errorShare);
        made.corrected = histogram.buckets();
        made.uncorrected = made.corrected;
        made.maxNs = histogram.max();
        run.blocks.push_back(made);
        run.scheduled += 500;
        run.succeeded += 500 - made.errors;
        run.errors[QStringLiteral("status 503")] += made.errors;
    }
    run.achievedRate = double(run.succeeded) / (blocks * 10);
    figuresFromBlocks(run);
    return run;
}

const ComparedFigure& figure(const Comparison& comparison, const char* name)
{
    return *std::find_if(comparison.figures.begin(), comparison.figures.end(),
        [&](const ComparedFigure& one) { return one.name == QLatin1StringView(name); });
}

LoadResult withMemory(int seconds, double mibPerHour, double noise)
{
    std::mt19937 random(3);
    std::normal_distribution<double> deviation(0, noise);
    LoadResult run = drawn(5, 10, 1);
    run.hasPrometheus = true;
    for (int at = 0; at < seconds; ++at) {
        LoadSecond second;
        second.second = at;
        second.server.workerMiB = 100 + mibPerHour * at / 3600 + deviation(random);
        second.server.workerCpuShare = 0.2;
        second.server.cacheHitShare = 0.7;
        run.seconds << second;
    }
    return run;
}

/// Steps as the law says, with noise of 1 % from second to second.
std::vector<CapacityStep> lawful(double lambda, double sigma, double kappa)
{
    std::mt19937 random(11);
    std::normal_distribution<double> noise(1, 0.01);
    std::vector<CapacityStep> steps;
    for (const double n : {1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0}) {
        CapacityStep step;
        step.concurrency = n;
        for (int second = 0; second < 20; ++second) {
            step.rates.push_back(
                noise(random) * lambda * n / (1 + sigma * (n - 1) + kappa * n * (n - 1)));
            step.rate += step.rates.back() / 20;
        }
        step.p99Ms = 1000 * n / step.rate * 3;
        steps.push_back(step);
    }
    return steps;
}

} // namespace

class TestJudging : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void intervalsCoverTheTruth();
    void fewBlocksGiveNoInterval();
    void longRunsArePutTogether();
    void sameIsNoWorse();
    void slowerIsWorse();
    void shortIsUnclear();
    void smallIsNoise();
    void moreErrorsAreWorse();
    void incomparableRuns();
    void baselines();
    void serverTargets();
    void uncorrectedNeverPasses();
    void memoryGrowth();
    void shorterIsCalledShorter();
    void lawIsFound();
    void lawWithoutRetrograde();
    void workersAreCounted();
    void stepsAreRead();
    void settings();

private:
    QTemporaryDir m_home;
};

void TestJudging::initTestCase()
{
    qputenv("SLUICE_DATA_HOME", m_home.path().toUtf8());
}

void TestJudging::intervalsCoverTheTruth()
{
    // 95 % of 200 runs; the bootstrap of a p95 over 30 blocks is a little short
    // of it.
    const double truth = 5 * std::exp(0.5 * 1.6449);
    int covered = 0;
    for (unsigned seed = 0; seed < 200; ++seed) {
        const auto interval = quantileInterval(drawn(5, 30, seed).blocks, 0.95);
        QVERIFY(interval && interval->low <= interval->high);
        covered += interval->low <= truth && truth <= interval->high ? 1 : 0;
    }
    QVERIFY2(covered >= 176, qPrintable(QString::number(covered)));
}

void TestJudging::fewBlocksGiveNoInterval()
{
    const auto few = drawn(5, 5, 1).blocks;
    QVERIFY(!quantileInterval(few, 0.95));
    QVERIFY(!quantileChange(few, few, 0.95));
    QVERIFY(!meanInterval({1, 2}));
    QVERIFY(!meanChange({1, 2}, {1, 2}));
    const auto flat = meanInterval(std::vector<double>(10, 3.0));
    QVERIFY(flat && flat->low == 3 && flat->high == 3);
    std::vector<LatencyBlock> empty(8);
    QCOMPARE(quantileInterval(empty, 0.95)->high, 0.0);
}

void TestJudging::longRunsArePutTogether()
{
    const LoadResult run = drawn(5, 450, 1);
    const auto interval = quantileInterval(run.blocks, 0.5);
    QVERIFY(interval && interval->low < 5 && interval->high > 4.9);
}

void TestJudging::sameIsNoWorse()
{
    const Comparison same = compareRuns(drawn(50, 60, 1), drawn(50, 60, 2), 0.10);
    QVERIFY2(same.noWorse(), qPrintable(QString::number(figure(same, "p99").interval->high)));
    QVERIFY(same.toJson()[QStringLiteral("no_worse")].toBool());
    QCOMPARE(same.toJson()[QStringLiteral("figures")].toArray().size(), 5);
    QCOMPARE(toString(figure(same, "p95").verdict), QStringLiteral("no worse"));
}

void TestJudging::slowerIsWorse()
{
    const Comparison slower = compareRuns(drawn(50, 60, 1), drawn(60, 60, 2));
    QVERIFY(!slower.noWorse());
    const ComparedFigure& p95 = figure(slower, "p95");
    QCOMPARE(toString(p95.verdict), QStringLiteral("worse"));
    QVERIFY(p95.interval->low < 0.2 && p95.interval->high > 0.2 && p95.interval->low > 0.1);
    QVERIFY(figure(slower, "requests").verdict == Change::NoWorse);
    // The other way round it is better, which is no worse.
    QVERIFY(compareRuns(drawn(60, 60, 1), drawn(50, 60, 2)).noWorse());
    LoadResult fewer = drawn(50, 60, 2);
    for (LatencyBlock& block : fewer.blocks) {
        block.scheduled = 400;
    }
    fewer.achievedRate = 40;
    const Comparison slow = compareRuns(drawn(50, 60, 1), fewer);
    QVERIFY(figure(slow, "requests").verdict == Change::Worse);
}

void TestJudging::shortIsUnclear()
{
    const Comparison brief = compareRuns(drawn(50, 3, 1), drawn(50, 3, 2));
    QVERIFY(!brief.noWorse());
    QCOMPARE(toString(figure(brief, "p95").verdict), QStringLiteral("unclear"));
    QVERIFY(!brief.toJson()[QStringLiteral("figures")].toArray()[1].toObject().contains(
        QStringLiteral("low")));
    const Comparison noisy = compareRuns(drawn(50, 6, 1), drawn(51, 6, 2), 0.001);
    QCOMPARE(toString(figure(noisy, "p99").verdict), QStringLiteral("unclear"));
}

void TestJudging::smallIsNoise()
{
    const LoadResult before = drawn(0.2, 60, 1);
    const LoadResult after = drawn(0.3, 60, 2);
    QVERIFY(compareRuns(before, after).noWorse()); // 0.1 ms on a budget of 200
    QVERIFY(!compareRuns(before, after, 0.05, 0).noWorse());
}

void TestJudging::moreErrorsAreWorse()
{
    const Comparison worse = compareRuns(drawn(50, 60, 1), drawn(50, 60, 2, 0.02));
    QVERIFY(figure(worse, "errors").verdict == Change::Worse);
    QVERIFY(figure(worse, "errors").interval->low > 0.01);
    const Comparison better = compareRuns(drawn(50, 60, 1, 0.02), drawn(50, 60, 2));
    QVERIFY(figure(better, "errors").verdict == Change::NoWorse);
    LoadResult nothing = drawn(50, 60, 1);
    nothing.scheduled = 0;
    QVERIFY(!figure(compareRuns(nothing, nothing), "errors").interval);
}

void TestJudging::incomparableRuns()
{
    const LoadResult run = drawn(50, 60, 1);
    const auto comparable = [&](auto change) {
        LoadResult other = drawn(50, 60, 2);
        change(other);
        const Comparison comparison = compareRuns(run, other);
        return comparison.comparable ? QString() : comparison.notes.join(u';');
    };
    QCOMPARE(comparable([](LoadResult&) {}), QString());
    QCOMPARE(
        comparable([](LoadResult& r) { r.scenario.description = QStringLiteral("x"); }), QString());
    QVERIFY(comparable([](LoadResult& r) {
        r.scenario.sessions = 7;
    }).contains(QStringLiteral("different things")));
    QVERIFY(comparable([](LoadResult& r) {
        r.generator = QStringLiteral("locust");
    }).contains(QStringLiteral("different kinds")));
    QVERIFY(comparable([](LoadResult& r) {
        r.generatorLimited = true;
    }).contains(QStringLiteral("generator was the limit")));
    QVERIFY(comparable([](LoadResult& r) {
        r.completed = false;
        r.state = QStringLiteral("stopped");
    }).contains(QStringLiteral("stopped")));
    LoadResult elsewhere = drawn(50, 60, 2);
    elsewhere.versions[QStringLiteral("host")] = QStringLiteral("b");
    QVERIFY(compareRuns(run, elsewhere).comparable);
    QCOMPARE(compareRuns(run, elsewhere).notes.size(), 1);
}

void TestJudging::baselines()
{
    QVERIFY(!setBaseline(QStringLiteral("latest")).ok());
    QCOMPARE(baselineOf(QStringLiteral("normal")), QString());
    const QString folder = runsFolder() + QStringLiteral("/20260301T101500Z-normal-1");
    LoadResult run = drawn(50, 6, 1);
    run.completed = false;
    QVERIFY(saveRun(folder, run).ok());
    QVERIFY(!setBaseline(folder).ok()); // it has no verdict
    run.completed = true;
    QVERIFY(saveRun(folder, run).ok());
    QVERIFY(setBaseline(QStringLiteral("latest")).ok());
    QCOMPARE(baselineOf(QStringLiteral("normal")), QStringLiteral("20260301T101500Z-normal-1"));
    QCOMPARE(baselineOf(QStringLiteral("peak")), QString());
    const QString elsewhere = m_home.filePath(QStringLiteral("other"));
    QVERIFY(saveRun(elsewhere, run).ok());
    QVERIFY(setBaseline(elsewhere).ok());
    QCOMPARE(baselineOf(QStringLiteral("normal")), elsewhere);
    QVERIFY(QDir().mkpath(m_home.filePath(QStringLiteral("bad"))));
    QFile bad(m_home.filePath(QStringLiteral("bad/result.json")));
    QVERIFY(bad.open(QIODevice::WriteOnly));
    QVERIFY(!setBaseline(m_home.filePath(QStringLiteral("bad"))).ok());
}

void TestJudging::serverTargets()
{
    LoadResult run = withMemory(300, 0, 0.1);
    run.scenario.targets.workerMiB = 512;
    run.scenario.targets.workerCpuShare = 0.7;
    run.scenario.targets.cacheHitShare = 0.6;
    run.scenario.targets.leastRate = 10;
    judge(run);
    QVERIFY(run.passed);
    QCOMPARE(run.checks.size(), 7);
    QVERIFY(run.checks.last().atLeast && run.checks.last().low.has_value());
    QVERIFY(run.checks.last().margin() > 0.1);
    run.scenario.targets.workerMiB = 50;
    judge(run);
    QVERIFY(!run.passed);
    QCOMPARE(run.verdict(), QStringLiteral("failed"));
    QVERIFY(std::any_of(run.checks.begin(), run.checks.end(),
        [](const LoadCheck& check) { return check.margin() < 0; }));
    // Prometheus says nothing: that is no pass. There is none: what remains is
    // judged.
    run.scenario.targets.workerMiB = 512;
    run.seconds.clear();
    judge(run);
    QVERIFY(!run.passed);
    QCOMPARE(run.verdict(), QStringLiteral("no verdict"));
    run.hasPrometheus = false;
    judge(run);
    QVERIFY(run.passed);
    LoadCheck none;
    QCOMPARE(none.margin(), 1.0);
    none.number = 1;
    QCOMPARE(none.margin(), -1.0);
    LoadResult empty;
    judge(empty);
    QVERIFY(!empty.passed && empty.checks.first().state == CheckState::NoData);
}

void TestJudging::uncorrectedNeverPasses()
{
    LoadResult run = drawn(5, 10, 1);
    run.latencyCorrected = false;
    judge(run);
    QVERIFY(!run.passed);
    QCOMPARE(run.verdict(), QStringLiteral("no verdict"));
    LoadSecond quiet;
    QVERIFY(!isBreached(quiet, run.scenario.targets));
    quiet.scheduled = 5;
    quiet.inFlight = 5;
    QVERIFY(isBreached(quiet, run.scenario.targets));
    quiet.completed = 5;
    QVERIFY(!isBreached(quiet, run.scenario.targets));
    quiet.p99Ms = 500;
    QVERIFY(isBreached(quiet, run.scenario.targets));
}

void TestJudging::memoryGrowth()
{
    QVERIFY(!memorySlope(withMemory(200, 5, 0).seconds));
    const auto slope = memorySlope(withMemory(7200, 5, 0.5).seconds);
    QVERIFY(slope && slope->interval.low < 5 && slope->interval.high > 5);
    QVERIFY(slope->interval.high - slope->interval.low < 1);
    QVERIFY(std::abs(slope->hours - 1.5) < 0.01);
    const auto stateOf = [](int seconds, double growth, double noise) {
        LoadResult run = withMemory(seconds, growth, noise);
        run.scenario.targets.workerGrowth = 1;
        judge(run);
        return run.checks.last().state;
    };
    QVERIFY(stateOf(7200, 0, 0.5) == CheckState::Passed);
    QVERIFY(stateOf(7200, 5, 0.5) == CheckState::Failed);
    QVERIFY(stateOf(300, 0, 2) == CheckState::NoData); // too short to tell
    QVERIFY(stateOf(100, 0, 0) == CheckState::NoData);
}

void TestJudging::shorterIsCalledShorter()
{
    LoadResult run = withMemory(3600, 0, 0.1);
    run.scenario = Scenario::constant(QStringLiteral("endurance"), 500, 50, 86400).lasting(3600);
    QStringList notes = enduranceNotes(run);
    QCOMPARE(notes.size(), 2);
    QVERIFY(notes[0].contains(QStringLiteral("60 min instead of the scenario's 24.0 h")));
    QVERIFY(notes[1].contains(QStringLiteral("MiB an hour")));
    run.completed = false;
    run.scenario = run.scenario.lasting(86400);
    run.seconds = run.seconds.mid(0, 100);
    notes = enduranceNotes(run);
    QCOMPARE(notes, QStringList{QStringLiteral("100 s of 24.0 h were run")});
}

void TestJudging::lawIsFound()
{
    const auto fit = fitScalability(lawful(1000, 0.05, 0.0005));
    QVERIFY(fit.ok());
    QVERIFY(std::abs(fit->lambda / 1000 - 1) < 0.02);
    QVERIFY(std::abs(fit->sigma - 0.05) < 0.005);
    QVERIFY(std::abs(fit->kappa - 0.0005) < 0.0001);
    QVERIFY(fit->lambdaInterval.low < 1000 && 1000 < fit->lambdaInterval.high);
    QVERIFY(fit->sigmaInterval.low < 0.05 && 0.05 < fit->sigmaInterval.high);
    QVERIFY(fit->kappaInterval.low < 0.0005 && 0.0005 < fit->kappaInterval.high);
    QVERIFY(fit->relativeError < 0.02);
    QVERIFY(std::abs(*fit->peakConcurrency() - std::sqrt(0.95 / 0.0005)) < 3);
    QVERIFY(!fitScalability({}).ok());
}

void TestJudging::lawWithoutRetrograde()
{
    const auto fit = fitScalability(lawful(1000, 0, 0)); // as good as it gets
    QVERIFY(fit.ok());
    QVERIFY(fit->sigma < 0.001 && fit->kappa >= 0);
    QVERIFY(std::abs(fit->rateAt(64) / 64000 - 1) < 0.03);
    ScalabilityFit straight;
    QVERIFY(!straight.peakConcurrency());
}

void TestJudging::workersAreCounted()
{
    const auto steps = lawful(1000, 0.05, 0.0005);
    const auto fit = fitScalability(steps);
    QVERIFY(fit.ok());
    const auto answer = workersFor({20000, 20, 2, 0.7}, steps, *fit);
    QVERIFY(answer.ok() && answer->reached);
    // p99 is 3 N / X: the limit of 20 ms is met where N / X = 1 / 150.
    QVERIFY(std::abs(answer->concurrency / fit->rateAt(answer->concurrency) * 150 - 1) < 0.05);
    QCOMPARE(answer->workers, int(std::ceil(20000 / (answer->rate / 2 * 0.7))));
    QVERIFY(answer->workersLow <= answer->workers && answer->workers <= answer->workersHigh);
    QVERIFY(answer->rateInterval.low <= answer->rate && answer->rate <= answer->rateInterval.high);
    // The band round the curve holds it, everywhere.
    const std::vector<double> grid{1, 5, 20, 60, 128};
    const auto band = rateIntervals(steps, grid);
    QCOMPARE(band.size(), grid.size());
    for (std::size_t index = 0; index < grid.size(); ++index) {
        const double rate = fit->rateAt(grid[index]);
        QVERIFY(band[index].low <= rate && rate <= band[index].high);
        QVERIFY(band[index].high < 1.1 * rate);
    }
    const auto loose = workersFor({1, 1e5, 1, 0.7}, steps, *fit);
    QVERIFY(loose.ok() && !loose->reached && loose->workers == 1);
    QCOMPARE(loose->concurrency, 128.0);
    const auto never = workersFor({1, 0.1, 1, 0.7}, steps, *fit);
    QVERIFY(!never.ok());
    QCOMPARE(never.error().kind, ErrorKind::Refused);
}

void TestJudging::stepsAreRead()
{
    LoadResult run;
    run.scenario = stepScenario({1, 4, 8, 16}, 5);
    for (int at = 0; at < 15; ++at) { // the last step was not reached
        LoadSecond second;
        second.second = at;
        second.completed = at % 5 == 0 ? 1 : 100 * (1 + at / 5); // the first second warms up
        run.seconds << second;
        LatencyBlock block;
        block.second = at;
        block.seconds = 1;
        LatencyHistogram latencies;
        latencies.add((at % 5 == 0 ? 90 : 1 + at / 5) * 1000000);
        block.corrected = latencies.buckets();
        block.maxNs = latencies.max();
        run.blocks.push_back(block);
    }
    const auto steps = stepsOf(run);
    QVERIFY(steps.ok());
    QCOMPARE(steps->size(), 3U);
    QCOMPARE((*steps)[1].concurrency, 4.0);
    QCOMPARE((*steps)[1].rate, 200.0);
    QCOMPARE((*steps)[1].rates.size(), 4U);
    QVERIFY(std::abs((*steps)[1].p99Ms - 2) < 0.01);
    run.generatorLimited = true;
    QVERIFY(!stepsOf(run).ok());
    QVERIFY(!stepsOf(drawn(5, 6, 1)).ok());
    Scenario thinking = stepScenario({1, 4, 8}, 5);
    QVERIFY(isStepLoad(thinking));
    thinking.think.meanSeconds = 1;
    QVERIFY(!isStepLoad(thinking));
    thinking.think.meanSeconds = 0;
    thinking.phases[1].shape = RampShape::Linear;
    QVERIFY(!isStepLoad(thinking));
}

void TestJudging::settings()
{
    const CapacityQuestion question{500, 200, 2, 0.7};
    CapacityAnswer answer;
    answer.workers = 3;
    answer.ratePerWorker = 300;
    const QString units = systemdSettings(question, answer);
    QVERIFY(units.contains(
        QStringLiteral("Wants=sluiced@1.service sluiced@2.service sluiced@3.service\n")));
    QVERIFY(units.startsWith(QStringLiteral("# 500 requests/s at p99 under 200 ms")));
    const QString scaler = autoscalerSettings(question, answer);
    QVERIFY(scaler.contains(QStringLiteral("minReplicas: 3\n  maxReplicas: 6\n")));
    QVERIFY(scaler.contains(QStringLiteral("averageUtilization: 70\n")));
}

QTEST_GUILESS_MAIN(TestJudging)
#include "tst_judging.moc"
