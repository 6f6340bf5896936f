#include "engine/classification/evaluation/metrics.h"
#include "tests/support/testcase.h"

#include <random>
#include <vector>

using namespace sluice;

class TestMetrics : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void rocOfKnownOrders();
    void rocAgreesWithCountingPairs();
    void falsePositivesAt95();
    void calibrationErrorOfKnownRows();
    void emptySidesSayNothing();
};

void TestMetrics::rocOfKnownOrders()
{
    const std::vector<ScoredTruth> perfect{{0.9, true}, {0.8, true}, {0.2, false}, {0.1, false}};
    QCOMPARE(areaUnderRoc(perfect), 1.0);
    const std::vector<ScoredTruth> reversed{{0.1, true}, {0.9, false}};
    QCOMPARE(areaUnderRoc(reversed), 0.0);
    const std::vector<ScoredTruth> tied{{0.5, true}, {0.5, false}, {0.5, true}, {0.5, false}};
    QCOMPARE(areaUnderRoc(tied), 0.5);
    const std::vector<ScoredTruth> mixed{{0.8, true}, {0.6, false}, {0.4, true}, {0.2, false}};
    QCOMPARE(areaUnderRoc(mixed), 0.75);
}

void TestMetrics::rocAgreesWithCountingPairs()
{
    std::mt19937 random(7);
    for (int round = 0; round < 20; ++round) {
        std::vector<ScoredTruth> rows;
        for (int row = 0; row < 60; ++row) {
            rows.push_back({double(random() % 12) / 12, random() % 3 == 0});
        }
        double won = 0;
        double pairs = 0;
        for (const ScoredTruth& positive : rows) {
            for (const ScoredTruth& negative : rows) {
                if (positive.positive && !negative.positive) {
                    pairs += 1;
                    won += positive.score > negative.score ? 1
                        : positive.score == negative.score ? 0.5
                                                           : 0;
                }
            }
        }
        QVERIFY(qAbs(areaUnderRoc(rows) - won / pairs) < 1e-12);
    }
}

void TestMetrics::falsePositivesAt95()
{
    std::vector<ScoredTruth> rows;
    for (int index = 1; index <= 100; ++index) {
        rows.push_back({double(index), true});
    }
    // 95 of the positives score 6 or more; so do 3 of the 4 negatives.
    for (const double score : {5.5, 6.0, 50.0, 200.0}) {
        rows.push_back({score, false});
    }
    QCOMPARE(falsePositiveRateAt95(rows), 0.75);
}

void TestMetrics::calibrationErrorOfKnownRows()
{
    // Ten answers at 0.8, six of them right; ten at 0.35, four right.
    std::vector<ScoredTruth> rows;
    for (int index = 0; index < 10; ++index) {
        rows.push_back({0.8, index < 6});
        rows.push_back({0.35, index < 4});
    }
    QVERIFY(qAbs(expectedCalibrationError(rows, 10) - (0.5 * 0.2 + 0.5 * 0.05)) < 1e-12);
    // A confidence of 1 falls in the last bin, not behind it.
    const std::vector<ScoredTruth> sure{{1.0, true}, {1.0, true}};
    QCOMPARE(expectedCalibrationError(sure), 0.0);
}

void TestMetrics::emptySidesSayNothing()
{
    const std::vector<ScoredTruth> positives{{0.5, true}};
    QCOMPARE(areaUnderRoc({}), 0.5);
    QCOMPARE(areaUnderRoc(positives), 0.5);
    QCOMPARE(falsePositiveRateAt95(positives), 1.0);
    QCOMPARE(expectedCalibrationError({}), 0.0);
}

QTEST_GUILESS_MAIN(TestMetrics)
#include "tst_metrics.moc"
