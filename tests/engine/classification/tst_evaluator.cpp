#include "engine/classification/evaluator.h"
#include "tests/support/testcase.h"

#include <random>

using namespace sluice;

class TestEvaluator : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void outcomeCountsEveryRow();
    void intentsAddUp();
    void curveAgreesWithTheRule();
    void evaluationOfKnownRows();
    void emptyIsHarmless();
    void scoringStopsWhenAsked();
};

namespace {

const std::vector<std::string> labels{"a", "b", "c"};

ScoredRow row(int label, int first, double confidence, int second = 1, double other = 0)
{
    ScoredRow made;
    made.label = label;
    made.top = {Candidate{first, confidence}, Candidate{second, other}};
    made.candidates = 2;
    made.outOfScope = 1 - confidence;
    return made;
}

CompiledThresholds compiled(double global, double margin = 0, double band = 0)
{
    ThresholdSet set;
    set.global = global;
    set.margin = margin;
    set.clarifyBand = band;
    return *CompiledThresholds::compile(set, labels, {});
}

std::vector<ScoredRow> randomRows(std::size_t count)
{
    std::mt19937 random(3);
    std::vector<ScoredRow> rows;
    for (std::size_t index = 0; index < count; ++index) {
        const double confidence = double(random() % 1000) / 1000;
        rows.push_back(row(int(random() % 4) - 1, int(random() % 3), confidence, int(random() % 3),
            confidence * double(random() % 100) / 100));
    }
    return rows;
}

} // namespace

void TestEvaluator::outcomeCountsEveryRow()
{
    const std::vector<ScoredRow> rows{
        row(0, 0, 0.9), // accepted, right
        row(0, 1, 0.9, 0), // accepted, wrong
        row(0, 0, 0.45), // clarified: in the band
        row(0, 0, 0.1), // falls back
        row(ScoredRow::outOfScopeLabel, 2, 0.8, 0), // accepted though out of scope
        row(ScoredRow::outOfScopeLabel, 2, 0.1, 0), // held back
        row(ScoredRow::unknownLabel, 2, 0.9, 0), // in scope, cannot be right
        row(1, 1, 0.6, 0, 0.55), // clarified: too near
    };
    const Outcome outcome = outcomeOf(rows, compiled(0.5, 0.1, 0.1));
    QCOMPARE(outcome.inScope, 6U);
    QCOMPARE(outcome.outOfScope, 2U);
    QCOMPARE(outcome.accepted, 4U);
    QCOMPARE(outcome.acceptedRight, 1U);
    QCOMPARE(outcome.acceptedWrong(), 3U);
    QCOMPARE(outcome.acceptedOutOfScope, 1U);
    QCOMPARE(outcome.clarified, 2U);
    QCOMPARE(outcome.fallback, 2U);
    QCOMPARE(outcome.rejectedOutOfScope, 1U);
    QCOMPARE(outcome.coverage(), 0.5);
    QCOMPARE(outcome.errorRate(), 0.75);
    QCOMPARE(outcome.outOfScopeRecall(), 0.5);
}

void TestEvaluator::intentsAddUp()
{
    const std::vector<ScoredRow> rows = randomRows(500);
    const CompiledThresholds thresholds = compiled(0.4, 0.05, 0.1);
    const Outcome all = outcomeOf(rows, thresholds);
    const std::vector<IntentOutcome> intents = intentOutcomes(rows, thresholds, labels.size());
    QCOMPARE(intents.size(), labels.size());
    std::size_t predicted = 0;
    std::size_t right = 0;
    std::size_t support = 0;
    for (const IntentOutcome& intent : intents) {
        predicted += intent.predicted;
        right += intent.right;
        support += intent.support;
        QVERIFY(intent.right <= intent.accepted && intent.accepted <= intent.support);
    }
    QCOMPARE(predicted, all.accepted);
    QCOMPARE(right, all.acceptedRight);
    QCOMPARE(support, all.inScope);
}

void TestEvaluator::curveAgreesWithTheRule()
{
    const std::vector<ScoredRow> rows = randomRows(700);
    const std::vector<RiskPoint> curve = riskCoverage(rows, 50);
    QVERIFY(curve.size() >= 2 && curve.size() <= 50);
    QCOMPARE(curve.back().coverage, 1.0);
    double coverage = -1;
    for (const RiskPoint& point : curve) {
        QVERIFY(point.coverage >= coverage);
        coverage = point.coverage;
        const Outcome outcome = outcomeOf(rows, compiled(point.threshold));
        QVERIFY(qAbs(outcome.coverage() - point.coverage) < 1e-9);
        QVERIFY(qAbs(outcome.errorRate() - point.risk) < 1e-9);
    }
}

void TestEvaluator::evaluationOfKnownRows()
{
    std::vector<ScoredRow> rows;
    for (int index = 0; index < 8; ++index) {
        rows.push_back(row(0, index < 6 ? 0 : 2, 0.9));
    }
    rows.push_back(row(ScoredRow::outOfScopeLabel, 0, 0.2));
    rows.push_back(row(ScoredRow::outOfScopeLabel, 0, 0.95));
    ScoredRow nothing;
    nothing.label = 1;
    rows.push_back(nothing);
    const Evaluation found = evaluate(rows, compiled(0.5));
    QCOMPARE(found.inScope, 9U);
    QCOMPARE(found.outOfScope, 2U);
    QVERIFY(qAbs(found.accuracyInScope - 6.0 / 9) < 1e-12);
    QVERIFY(qAbs(found.accuracyAtThreshold - 6.0 / 9) < 1e-12);
    QCOMPARE(found.outOfScopeRecall, 0.5);
    QVERIFY(found.calibrationError > 0);
}

void TestEvaluator::emptyIsHarmless()
{
    const Evaluation found = evaluate({}, compiled(0.5));
    QCOMPARE(found.accuracyInScope, 0.0);
    QCOMPARE(found.outOfScopeAuroc, 0.5);
    QCOMPARE(outcomeOf({}, compiled(0.5)).coverage(), 0.0);
    QVERIFY(riskCoverage({}).empty());
    QCOMPARE(intentOutcomes({}, compiled(0.5), 3).size(), 3U);
}

void TestEvaluator::scoringStopsWhenAsked()
{
    const std::filesystem::path share =
        std::filesystem::path(SLUICE_BINARY_DIR) / "share" / "sluice";
    const auto model = Model::load(share / "helpdesk.model");
    const auto data = readLabelledData(share / "queries.jsonl");
    QVERIFY(model.ok() && data.ok());
    std::size_t told = 0;
    const auto rows = scoreRows(*model, data->queries, [&](std::size_t done) { told = done; });
    QCOMPARE(rows.size(), data->queries.size());
    QVERIFY(told > 0);
    for (const ScoredRow& one : rows) {
        QVERIFY(one.label >= ScoredRow::outOfScopeLabel);
        QCOMPARE(data->queries[one.query].isOutOfScope(), one.label == ScoredRow::outOfScopeLabel);
    }
    const std::atomic<bool> cancel = true;
    QVERIFY(scoreRows(*model, data->queries, {}, &cancel).size() < data->queries.size());
}

QTEST_GUILESS_MAIN(TestEvaluator)
#include "tst_evaluator.moc"
