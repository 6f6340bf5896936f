#include "engine/operations/rollout/decidability.h"
#include "engine/operations/rollout/latencytest.h"
#include "engine/operations/rollout/sequentialtest.h"
#include "engine/operations/rollout/splitcheck.h"
#include "tests/support/testcase.h"

#include <cmath>
#include <limits>
#include <random>

using namespace sluice::ops;

namespace {

double binomial(int n, int k, double p)
{
    if (p <= 0 || p >= 1) {
        return (p <= 0 ? k == 0 : k == n) ? 1 : 0;
    }
    return std::exp(std::lgamma(n + 1.0) - std::lgamma(k + 1.0) - std::lgamma(n - k + 1.0)
        + k * std::log(p) + (n - k) * std::log(1 - p));
}

RateTestSettings oneAlternative(double ratio, double margin = 1, double dispersion = 1)
{
    RateTestSettings settings;
    settings.margin = margin;
    settings.alternatives = {ratio};
    settings.dispersion = dispersion;
    settings.plannedStarts = 1;
    return settings;
}

bool near(double a, double b, double within = 1e-9)
{
    return std::abs(a - b) <= within;
}

} // namespace

/// Against numbers reckoned by hand, and against what defines an e-value: a mean of at most 1 under
/// the null hypothesis, summed over every outcome.
class TestSequentialTest : public sluice::test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void startsShareTheWeight();
    void rateStepIsTheBinomialRatio();
    void rateStepHasMeanOne();
    void mirroredStepHasMeanOne();
    void proofWithoutErrors();
    void statesComeBack();
    void unusableScrapesSayNothing();
    void lateFaultIsNotDrowned();
    void dispersionOfBursts();
    void pairsOfBounds();
    void latencyStepHasMeanOne();
    void latencyFindsTheSlowPart();
    void twiceAsSlowIsSeenOnlyFromTwiceOn();
    void latencyIsProven();
    void badHistogramsSayNothing();
    void splitStepHasMeanOne();
    void wrongSplitIsFound();
    void replayGivesTheSameBits();
    void trafficDecidesOrNot();
};

void TestSequentialTest::startsShareTheWeight()
{
    StartMixture mixture(1, 300, 2);
    QVERIFY(near(mixture.logEvidence(), 0));
    mixture.step(10, {std::log(2.0)});
    QVERIFY(near(mixture.logEvidence(), std::log(0.5 * 2 + 0.5)));
    mixture.step(300, {0}); // a step that ends with the first five minutes
    QCOMPARE(mixture.started(), 1);
    mixture.step(310, {std::log(3.0)});
    QVERIFY(near(mixture.logEvidence(), std::log((1 + 0.5) * 3)));
    mixture.step(5000, {std::log(0.5)}); // none is planned any more
    QCOMPARE(mixture.started(), 2);
    QVERIFY(near(mixture.logEvidence(), std::log(2.25)));
    QVERIFY(near(mixture.logEvidence(0), std::log(2.25)));
}

void TestSequentialTest::rateStepIsTheBinomialRatio()
{
    RateRatioTest equal(oneAlternative(2));
    equal.add(15, {{100, 3}, {100, 1}});
    QVERIFY(near(equal.logEvidence(), 3 * std::log(2.0) - 4 * std::log(1.5)));
    RateRatioTest unequal(oneAlternative(5, 1.5, 2));
    unequal.add(15, {{150, 2}, {2850, 4}});
    QVERIFY(near(unequal.logEvidence(),
        (2 * std::log(5.0) - 6 * std::log((150 * 1.5 * 5 + 2850) / (150 * 1.5 + 2850))) / 2.2));
}

void TestSequentialTest::rateStepHasMeanOne()
{
    // Given e errors the canary's are Binomial(e, n_c r0 / (n_c r0 + n_b)): the mean is exactly 1.
    for (const double ratio : {1.5, 3.0, 40.0}) {
        for (const int errors : {1, 7, 40}) {
            double mean = 0;
            for (int canary = 0; canary <= errors; ++canary) {
                RateRatioTest test(oneAlternative(ratio));
                test.add(15, {{200, double(canary)}, {1800, double(errors - canary)}});
                mean += binomial(errors, canary, 0.1) * std::exp(test.logEvidence());
            }
            QVERIFY2(near(mean, 1, 1e-9), qPrintable(QString::number(mean, 'g', 12)));
        }
    }
}

void TestSequentialTest::mirroredStepHasMeanOne()
{
    const RateTestSettings settings = provenRate(2);
    QCOMPARE(settings.plannedStarts, 1);
    for (const double ratio : {2.0, 3.0}) { // at the margin 1, beyond it less
        const double share = 1000 * ratio / (1000 * ratio + 1000);
        double mean = 0;
        for (int canary = 0; canary <= 12; ++canary) {
            RateRatioTest test(settings);
            test.add(15, {{1000, double(canary)}, {1000, double(12 - canary)}});
            mean += binomial(12, canary, share) * std::exp(test.logEvidence());
        }
        QVERIFY2(ratio > 2 ? mean < 0.9 : near(mean, 1), qPrintable(QString::number(mean)));
    }
}

void TestSequentialTest::proofWithoutErrors()
{
    // Neither pool makes errors: (1/(1-0.001))^n / 3 from the first term alone, a fifth of it.
    RateProof proof;
    proof.add(15, {{5800, 0}, {110000, 0}});
    QVERIFY(proof.logEvidence() > std::log(20));
    RateProof few;
    few.add(15, {{1000, 0}, {19000, 0}});
    QVERIFY(few.logEvidence() < std::log(20) && few.logEvidence() > 0);
    // As bad as the claims exclude: mean 1 at most. 2 errors in 1000 against 1 in 1000.
    double mean = 0;
    for (int canary = 0; canary <= 40; ++canary) {
        for (int baseline = 0; baseline <= 40; ++baseline) {
            RateProof test;
            test.add(15, {{1000, double(canary)}, {1000, double(baseline)}});
            mean += std::exp(-2 + canary * std::log(2) - std::lgamma(canary + 1.0))
                * std::exp(-1 - std::lgamma(baseline + 1.0)) * std::exp(test.logEvidence());
        }
    }
    QVERIFY2(mean <= 1.01, qPrintable(QString::number(mean)));
}

void TestSequentialTest::statesComeBack()
{
    const ArmPair counts{{150, 1}, {2850, 3}};
    const LatencyCounts fast{100, {90, 95}};
    const LatencyCounts slow{100, {50, 95}};
    RateRatioTest rate(worseRate(7200));
    RateProof proof;
    LatencyTest latency(slowerLatency({0.1, 0.2}, 2, 7200));
    SplitCheck split({.share = 0.05});
    for (int step = 1; step < 30; ++step) {
        rate.add(step * 15.0, counts);
        proof.add(step * 15.0, counts);
        latency.add(step * 15.0, slow, fast);
        split.add(step * 15.0, 150, 2850);
    }
    RateRatioTest rateAgain(worseRate(7200));
    RateProof proofAgain;
    LatencyTest latencyAgain(slowerLatency({0.1, 0.2}, 2, 7200));
    SplitCheck splitAgain({.share = 0.05});
    QVERIFY(rateAgain.restore(rate.state()));
    QVERIFY(proofAgain.restore(proof.state()));
    QVERIFY(latencyAgain.restore(latency.state()));
    QVERIFY(splitAgain.restore(split.state()));
    rate.add(450, counts);
    rateAgain.add(450, counts);
    proof.add(450, counts);
    proofAgain.add(450, counts);
    latency.add(450, slow, fast);
    latencyAgain.add(450, slow, fast);
    split.add(450, 150, 2850);
    splitAgain.add(450, 150, 2850);
    QVERIFY(rate.logEvidence() == rateAgain.logEvidence());
    QVERIFY(proof.logEvidence() == proofAgain.logEvidence());
    QVERIFY(latency.logEvidence() == latencyAgain.logEvidence());
    QVERIFY(latency.leastLogEvidence() == latencyAgain.leastLogEvidence());
    QVERIFY(split.logEvidence() == splitAgain.logEvidence());
    QVERIFY(split.observed() == splitAgain.observed());
    for (const std::vector<double>& other : {std::vector<double>{}, {1, 2}, {-1, 0, 0}}) {
        QVERIFY(!rateAgain.restore(other));
        QVERIFY(!proofAgain.restore(other));
        QVERIFY(!latencyAgain.restore(other));
        QVERIFY(!splitAgain.restore(other));
    }
}

void TestSequentialTest::unusableScrapesSayNothing()
{
    const double nan = std::numeric_limits<double>::quiet_NaN();
    RateRatioTest test(worseRate(7200));
    test.add(15, {{0, 0}, {100, 5}});
    test.add(30, {{100, 5}, {0, 0}});
    test.add(45, {{nan, 0}, {100, 0}});
    test.add(60, {{10, 11}, {100, 0}});
    test.add(75, {{10, -1}, {100, 0}});
    test.add(nan, {{10, 1}, {100, 0}});
    QCOMPARE(test.logEvidence(), 0.0);
}

void TestSequentialTest::lateFaultIsNotDrowned()
{
    // An hour of equal errors, then ten times as many in the canary.
    RateTestSettings plain = worseRate(7200);
    plain.plannedStarts = 1;
    const auto scrapesToFind = [](const RateTestSettings& settings) {
        RateRatioTest test(settings);
        for (int scrape = 1; scrape <= 240; ++scrape) {
            const bool odd = scrape % 7 == 0;
            test.add(scrape * 15.0, {{150, odd ? 1.0 : 0.0}, {2850, 3}});
        }
        for (int scrape = 1; scrape <= 40; ++scrape) {
            test.add(3600 + scrape * 15.0, {{150, 2}, {2850, 3}});
            if (test.logEvidence() > std::log(1000)) {
                return scrape;
            }
        }
        return 1000;
    };
    QCOMPARE(worseRate(7200).plannedStarts, 24);
    QVERIFY(scrapesToFind(worseRate(7200)) <= 6);
    QVERIFY(scrapesToFind(plain) > 1.5 * scrapesToFind(worseRate(7200)));
}

void TestSequentialTest::dispersionOfBursts()
{
    QCOMPARE(dispersionOf({}), 1.0);
    QCOMPARE(dispersionOf(std::vector<double>(100, 0)), 1.0);
    QCOMPARE(dispersionOf(std::vector<double>(100, 3)), 1.0); // never under 1
    std::vector<double> bursts;
    for (int index = 0; index < 1000; ++index) {
        bursts.push_back(index % 10 == 0 ? 10 : 0); // mean 1, variance 9
    }
    QVERIFY(near(dispersionOf(bursts), 9, 0.02));
}

void TestSequentialTest::pairsOfBounds()
{
    const auto pairs = shiftedPairs({0.1, 0.125, 0.2, 0.25, 0.5, 1}, 2);
    QCOMPARE(pairs.size(), 4U); // 0.1-0.2, 0.125-0.25, 0.25-0.5, 0.5-1
    QCOMPARE(pairs[0].canary, 2U);
    QCOMPARE(pairs[0].baseline, 0U);
    QCOMPARE(shiftedPairs({0.1, 0.2}, 1).size(), 2U);
    QVERIFY(shiftedPairs({}, 2).empty());
}

void TestSequentialTest::latencyStepHasMeanOne()
{
    // One bound; what is believed of the baseline (from the first scrape) may be wrong.
    LatencyTestSettings settings;
    settings.bounds = {0.1};
    settings.alternatives = {3};
    settings.plannedStarts = 1;
    for (const double share : {0.02, 0.3, 0.9}) {
        double mean = 0;
        for (int canary = 0; canary <= 6; ++canary) {
            for (int baseline = 0; baseline <= 20; ++baseline) {
                LatencyTest test(settings);
                test.add(15, {10, {9}}, {50, {40}});
                test.add(30, {6, {6.0 - canary}}, {20, {20.0 - baseline}});
                mean += binomial(6, canary, share) * binomial(20, baseline, share)
                    * std::exp(test.logEvidence());
            }
        }
        QVERIFY2(mean <= 1 + 1e-9, qPrintable(QString::number(mean)));
    }
}

namespace {

const std::vector<double>& powers()
{
    static const std::vector<double> bounds = [] {
        std::vector<double> all;
        for (int power = -10; power <= 2; ++power) {
            all.push_back(std::ldexp(1.0, power));
        }
        return all;
    }();
    return bounds;
}

/// `requests` of a log-normal of median 40 ms and deviation 0.6, times `scale`; a share has a
/// second more.
LatencyCounts draw(std::mt19937_64& random, int requests, double scale = 1, double slowShare = 0)
{
    std::lognormal_distribution<double> time(std::log(0.04), 0.6);
    std::bernoulli_distribution isSlow(slowShare);
    LatencyCounts counts{double(requests), std::vector<double>(powers().size())};
    for (int request = 0; request < requests; ++request) {
        const double seconds = time(random) * scale + (isSlow(random) ? 1 : 0);
        for (std::size_t index = 0; index < powers().size(); ++index) {
            counts.atMost[index] += seconds <= powers()[index] ? 1 : 0;
        }
    }
    return counts;
}

} // namespace

void TestSequentialTest::latencyFindsTheSlowPart()
{
    std::mt19937_64 random(1);
    LatencyTest test(slowerLatency(powers(), 1, 7200));
    QVERIFY(!test.strongestPair().has_value());
    for (int scrape = 1; scrape <= 20; ++scrape) {
        test.add(scrape * 15.0, draw(random, 150), draw(random, 2850));
    }
    QVERIFY(test.logEvidence() < std::log(10));
    for (int scrape = 21; scrape <= 30; ++scrape) {
        test.add(scrape * 15.0, draw(random, 150, 1, 0.03), draw(random, 2850));
    }
    QVERIFY(test.logEvidence() > std::log(1000));
    QVERIFY(test.strongestPair().has_value());
    const double bound = powers()[test.pairs()[*test.strongestPair()].canary];
    QVERIFY2(bound == 0.5 || bound == 1, qPrintable(QString::number(bound)));
    QVERIFY(test.baselineShare(*test.strongestPair()) < 0.01);
}

void TestSequentialTest::twiceAsSlowIsSeenOnlyFromTwiceOn()
{
    for (const double scale : {1.0, 1.8, 2.6}) {
        std::mt19937_64 random(2);
        LatencyTest test(slowerLatency(powers(), 2, 7200));
        for (int scrape = 1; scrape <= 40; ++scrape) {
            test.add(scrape * 15.0, draw(random, 150, scale), draw(random, 2850));
        }
        QCOMPARE(test.logEvidence() > std::log(1000), scale > 2);
    }
}

void TestSequentialTest::latencyIsProven()
{
    const auto proven = [](double scale) {
        std::mt19937_64 random(3);
        LatencyTest test(provenLatency(powers()));
        for (int scrape = 1; scrape <= 20; ++scrape) {
            test.add(scrape * 15.0, draw(random, 150, scale), draw(random, 2850));
        }
        return test.leastLogEvidence();
    };
    QVERIFY(*proven(1) > std::log(20));
    QVERIFY(*proven(2.2) < 0);
    LatencyTest none(provenLatency(powers()));
    QVERIFY(!none.leastLogEvidence().has_value());
}

void TestSequentialTest::badHistogramsSayNothing()
{
    LatencyTestSettings settings = slowerLatency({0.1, 0.2}, 1, 7200);
    LatencyTest test(settings);
    const LatencyCounts good{100, {90, 95}};
    const double nan = std::numeric_limits<double>::quiet_NaN();
    test.add(15, good, good);
    for (const LatencyCounts& bad :
        {LatencyCounts{0, {0, 0}}, LatencyCounts{100, {90}}, LatencyCounts{100, {95, 90}},
            LatencyCounts{100, {90, 101}}, LatencyCounts{100, {nan, 90}}}) {
        test.add(30, bad, good);
        test.add(30, good, bad);
    }
    QCOMPARE(test.logEvidence(), 0.0);
    LatencyTest noPairs(slowerLatency({0.1, 0.3}, 2, 7200));
    noPairs.add(15, good, good);
    noPairs.add(30, good, good);
    QCOMPARE(noPairs.logEvidence(), 0.0);
    QVERIFY(!noPairs.strongestPair().has_value());
}

void TestSequentialTest::splitStepHasMeanOne()
{
    SplitCheckSettings settings;
    settings.share = 0.25;
    settings.tolerance = 0.1;
    for (const double share : {0.225, 0.25, 0.275}) {
        double mean = 0;
        for (int canary = 0; canary <= 60; ++canary) {
            SplitCheck check(settings);
            check.add(15, canary, 60 - canary);
            mean += binomial(60, canary, share) * std::exp(check.logEvidence());
        }
        QVERIFY2(mean <= 1 + 1e-9, qPrintable(QString::number(mean)));
    }
}

void TestSequentialTest::wrongSplitIsFound()
{
    const auto scrapesToFind = [](double real) {
        SplitCheckSettings settings;
        settings.share = 0.05;
        SplitCheck check(settings);
        for (int scrape = 1; scrape <= 480; ++scrape) {
            check.add(scrape * 15.0, 3000 * real, 3000 * (1 - real));
            if (check.logEvidence() > std::log(1000)) {
                return scrape;
            }
        }
        return 0;
    };
    QCOMPARE(scrapesToFind(0.05), 0);
    QCOMPARE(scrapesToFind(0), 1); // a reload that set it to 0
    QVERIFY(scrapesToFind(0.5) == 1);
    QVERIFY(scrapesToFind(0.035) > 0 && scrapesToFind(0.035) <= 8);
    QVERIFY(scrapesToFind(0.07) > 0 && scrapesToFind(0.07) <= 8);
    SplitCheck check({});
    check.add(15, -1, 5);
    check.add(15, 0, 0);
    QCOMPARE(check.logEvidence(), 0.0);
    QCOMPARE(check.observed(), 0.0);
}

void TestSequentialTest::replayGivesTheSameBits()
{
    RateRatioTest a(worseRate(7200));
    RateRatioTest b(worseRate(7200));
    std::mt19937_64 random(4);
    std::poisson_distribution<int> errors(2.5);
    for (int scrape = 1; scrape <= 480; ++scrape) {
        const ArmPair counts{{150, double(errors(random))}, {2850, double(errors(random))}};
        a.add(scrape * 15.0, counts);
        b.add(scrape * 15.0, counts);
    }
    QVERIFY(a.logEvidence() == b.logEvidence());
}

void TestSequentialTest::trafficDecidesOrNot()
{
    StageTraffic traffic;
    traffic.canaryPerSecond = 10;
    traffic.baselinePerSecond = 190;
    traffic.errorShare = 0.001;
    const Decidability fast = decidability(traffic);
    QVERIFY(fast.canDecide());
    // The research's simulation: 13.5 minutes in the median.
    QVERIFY2(*fast.provenSeconds > 10 * 60 && *fast.provenSeconds < 17 * 60,
        qPrintable(QString::number(*fast.provenSeconds)));
    QVERIFY(*fast.foundSeconds < 300);
    QVERIFY(fast.text(traffic).contains(QStringLiteral("10 req/s")));

    traffic.canaryPerSecond = 1;
    traffic.baselinePerSecond = 19;
    const Decidability slow = decidability(traffic);
    // 46 % there.
    QVERIFY2(slow.provenShare > 0.35 && slow.provenShare < 0.57,
        qPrintable(QString::number(slow.provenShare)));
    QVERIFY(!slow.canDecide());

    traffic.canaryPerSecond = 0.1;
    const Decidability never = decidability(traffic);
    QVERIFY2(never.text(traffic).startsWith(
                 QStringLiteral("At 0.1 req/s this gate can't decide in 2 h.")),
        qPrintable(never.text(traffic)));
    QVERIFY(never.text(traffic).contains(QStringLiteral("30 requests")));

    traffic.errorShare = 0;
    traffic.canaryPerSecond = 10;
    const Decidability clean = decidability(traffic); // no errors at all: 0.1 % can be proven
    QVERIFY(clean.canDecide());
    QVERIFY2(*clean.provenSeconds > 300 && *clean.provenSeconds < 700,
        qPrintable(QString::number(*clean.provenSeconds)));
    traffic.canaryPerSecond = 0;
    QVERIFY(decidability(traffic).text(traffic).startsWith(QStringLiteral("Without requests")));
}

QTEST_GUILESS_MAIN(TestSequentialTest)
#include "tst_sequentialtest.moc"
