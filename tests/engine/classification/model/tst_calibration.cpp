#include "engine/classification/evaluation/metrics.h"
#include "engine/classification/model/calibration.h"
#include "engine/classification/model/scorer.h"
#include "tests/support/testcase.h"

#include <cmath>
#include <random>

using namespace sluice;

class TestCalibration : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void temperatureIsFoundAgain_data();
    void temperatureIsFoundAgain();
    void outOfScopeIsLearned();
    void fewOutOfScopeRowsGiveNoScore();
    void thresholdSeparates();
    void degenerateRowsDoNoHarm();
    void scoresAreProbabilities();
};

namespace {

/// Rows whose labels are drawn from softmax(logits / temperature): calibrated at exactly that.
std::vector<CalibrationRow> drawn(double temperature, std::size_t count, std::mt19937& random)
{
    std::normal_distribution<float> normal(0, 3);
    std::vector<CalibrationRow> rows(count);
    for (CalibrationRow& row : rows) {
        std::vector<double> weights;
        for (int label = 0; label < 6; ++label) {
            row.logits.push_back(normal(random));
            weights.push_back(std::exp(double(row.logits.back()) / temperature));
        }
        row.label = std::discrete_distribution<int>(weights.begin(), weights.end())(random);
    }
    return rows;
}

} // namespace

void TestCalibration::temperatureIsFoundAgain_data()
{
    QTest::addColumn<double>("temperature");
    for (const double temperature : {0.5, 1.0, 2.0, 3.5}) {
        QTest::addRow("%.1f", temperature) << temperature;
    }
}

void TestCalibration::temperatureIsFoundAgain()
{
    QFETCH(double, temperature);
    std::mt19937 random(11);
    const Calibration found = calibrate(drawn(temperature, 8000, random));
    QVERIFY2(std::abs(found.temperature / temperature - 1) < 0.08,
        qPrintable(QString::number(found.temperature)));
    QVERIFY(!found.hasOutOfScope);
}

void TestCalibration::outOfScopeIsLearned()
{
    std::mt19937 random(12);
    std::normal_distribution<float> small(0, 0.4F);
    std::vector<CalibrationRow> rows = drawn(0.5, 400, random);
    for (int index = 0; index < 100; ++index) {
        CalibrationRow row;
        for (int label = 0; label < 6; ++label) {
            row.logits.push_back(small(random));
        }
        row.unseenShare = 0.6;
        rows.push_back(row);
    }
    const Calibration found = calibrate(rows);
    QVERIFY(found.hasOutOfScope);
    std::vector<ScoredTruth> truths;
    for (const CalibrationRow& row : rows) {
        const double score = outOfScopeScore(found, logitFeatures(row.logits), row.unseenShare);
        QVERIFY(score >= 0 && score <= 1);
        truths.push_back({score, row.label < 0});
    }
    QVERIFY(areaUnderRoc(truths) > 0.97);
}

void TestCalibration::fewOutOfScopeRowsGiveNoScore()
{
    std::mt19937 random(13);
    std::vector<CalibrationRow> rows = drawn(1, 100, random);
    for (int index = 0; index < 9; ++index) {
        rows.push_back({{0, 0, 0, 0, 0, 0}, -1, 1.0});
    }
    QVERIFY(!calibrate(rows).hasOutOfScope);
}

void TestCalibration::thresholdSeparates()
{
    // Sure answers are right, unsure ones out of scope: any threshold between them is perfect.
    std::vector<CalibrationRow> rows;
    for (int index = 0; index < 50; ++index) {
        rows.push_back({{8, 0, 0}, 0, 0});
        rows.push_back({{0.2F, 0, 0}, -1, 0});
    }
    Calibration plain;
    const double threshold = bestThreshold(rows, plain);
    const double sure = scoresOf(rows[0].logits, plain, 0, 2).top[0].confidence;
    const double unsure = scoresOf(rows[1].logits, plain, 0, 2).top[0].confidence;
    QVERIFY2(threshold > unsure && threshold <= sure, qPrintable(QString::number(threshold)));
}

void TestCalibration::degenerateRowsDoNoHarm()
{
    for (const std::vector<CalibrationRow>& rows :
        {std::vector<CalibrationRow>(), std::vector<CalibrationRow>(5, {{1, 0}, 0, 0}),
            std::vector<CalibrationRow>(30, {{0, 0}, -1, 1})}) {
        const Calibration found = calibrate(rows);
        QVERIFY(std::isfinite(found.temperature) && found.temperature > 0);
        const double threshold = bestThreshold(rows, found);
        QVERIFY(threshold >= 0 && threshold <= 1);
    }
}

void TestCalibration::scoresAreProbabilities()
{
    const std::vector<float> logits{1000, -1000, 999, 0};
    const Scores scores = scoresOf(logits, {}, 0, 10);
    QCOMPARE(scores.top.size(), 4U);
    QCOMPARE(scores.top[0].label, 0);
    QCOMPARE(scores.top[1].label, 2);
    double sum = 0;
    for (const Candidate& candidate : scores.top) {
        QVERIFY(candidate.confidence >= 0 && candidate.confidence <= 1);
        sum += candidate.confidence;
    }
    QVERIFY(std::abs(sum - 1) < 1e-6);
    QVERIFY(std::abs(scores.top[0].confidence - 1 / (1 + std::exp(-1.0))) < 1e-5);
    QCOMPARE(scoresOf(logits, {}, 0, 2).top.size(), 2U);
}

QTEST_GUILESS_MAIN(TestCalibration)
#include "tst_calibration.moc"
