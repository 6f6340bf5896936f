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
    void thresholdTurnsOnNoSingleRow();
    void degenerateRowsDoNoHarm();
    void scoresAreProbabilities();
};

namespace {

/// Fills in what the scorer would read of the logits.
void describe(CalibrationRow& row)
{
    row.raw.known = true;
    const Spread spread = spreadOf(row.raw.logits);
    row.raw.features[std::size_t(ScopeFeature::Lead)] = spread.lead;
    row.raw.features[std::size_t(ScopeFeature::Entropy)] = spread.entropy;
    row.raw.features[std::size_t(ScopeFeature::UnseenShare)] = row.raw.unseenShare;
}

CalibrationRow rowOf(std::vector<float> logits, int label, double unseenShare = 0)
{
    CalibrationRow row;
    row.raw.logits = std::move(logits);
    row.raw.unseenShare = unseenShare;
    row.label = label;
    describe(row);
    return row;
}

double threshold(const std::vector<CalibrationRow>& rows, const Calibration& calibration)
{
    std::vector<ConfidenceRow> confidences;
    for (const CalibrationRow& row : rows) {
        const Candidate first = scoresOf(row.raw, calibration, 1).top.front();
        confidences.push_back({first.confidence, first.label == row.label, row.label < 0});
    }
    return bestThreshold(std::move(confidences));
}

/// Rows whose labels are drawn from softmax(logits / temperature): calibrated at exactly that.
std::vector<CalibrationRow> drawn(double temperature, std::size_t count, std::mt19937& random)
{
    std::normal_distribution<float> normal(0, 3);
    std::vector<CalibrationRow> rows(count);
    for (CalibrationRow& row : rows) {
        std::vector<double> weights;
        for (int label = 0; label < 6; ++label) {
            row.raw.logits.push_back(normal(random));
            weights.push_back(std::exp(double(row.raw.logits.back()) / temperature));
        }
        describe(row);
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
        std::vector<float> logits(6);
        std::generate(logits.begin(), logits.end(), [&] { return small(random); });
        rows.push_back(rowOf(logits, -1, 0.6));
    }
    const Calibration found = calibrate(rows);
    QVERIFY(found.hasOutOfScope);
    std::vector<ScoredTruth> truths;
    for (const CalibrationRow& row : rows) {
        const double score = outOfScopeScore(found, row.raw.features);
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
        rows.push_back(rowOf({0, 0, 0, 0, 0, 0}, -1, 1.0));
    }
    QVERIFY(!calibrate(rows).hasOutOfScope);
}

void TestCalibration::thresholdSeparates()
{
    // Sure answers are right, unsure ones out of scope: any threshold between them is perfect.
    std::vector<CalibrationRow> rows;
    for (int index = 0; index < 50; ++index) {
        rows.push_back(rowOf({8, 0, 0}, 0));
        rows.push_back(rowOf({0.2F, 0, 0}, -1));
    }
    Calibration plain;
    const double found = threshold(rows, plain);
    const double sure = scoresOf(rows[0].raw, plain, 2).top[0].confidence;
    const double unsure = scoresOf(rows[1].raw, plain, 2).top[0].confidence;
    QVERIFY2(found > unsure && found <= sure, qPrintable(QString::number(found)));
}

void TestCalibration::thresholdTurnsOnNoSingleRow()
{
    // Right answers and out-of-scope rows that overlap; then one of them, far above, is added.
    std::vector<ConfidenceRow> rows;
    for (int index = 0; index < 1000; ++index) {
        rows.push_back({0.2 + 0.0008 * index, true, false});
    }
    for (int index = 0; index < 100; ++index) {
        rows.push_back({0.004 * index, false, true});
    }
    const double before = bestThreshold(rows);
    QVERIFY2(before > 0.15 && before < 0.3, qPrintable(QString::number(before)));
    rows.push_back({0.9, false, true});
    const double after = bestThreshold(rows);
    QVERIFY2(std::abs(after - before) < 0.01, qPrintable(QString::number(after)));
    // Rows in scope that are wrong either way say nothing.
    rows.push_back({0.25, false, false});
    QVERIFY(std::abs(bestThreshold(rows) - after) <= 0.002);
}

void TestCalibration::degenerateRowsDoNoHarm()
{
    for (const std::vector<CalibrationRow>& rows :
        {std::vector<CalibrationRow>(), std::vector<CalibrationRow>(5, rowOf({1, 0}, 0)),
            std::vector<CalibrationRow>(30, rowOf({0, 0}, -1, 1))}) {
        const Calibration found = calibrate(rows);
        QVERIFY(std::isfinite(found.temperature) && found.temperature > 0);
        const double best = threshold(rows, found);
        QVERIFY(best >= 0 && best <= 1);
    }
}

void TestCalibration::scoresAreProbabilities()
{
    const RawScores raw = rowOf({1000, -1000, 999, 0}, 0).raw;
    const Scores scores = scoresOf(raw, {}, 10);
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
    QCOMPARE(scoresOf(raw, {}, 2).top.size(), 2U);
    QVERIFY(scoresOf(RawScores(), {}, 2).top.empty());
}

QTEST_GUILESS_MAIN(TestCalibration)
#include "tst_calibration.moc"
