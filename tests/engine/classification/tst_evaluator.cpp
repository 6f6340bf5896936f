#include "engine/classification/evaluator.h"
#include "tests/support/testcase.h"

#include <map>
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
    void judgedRowsAreHeldAgainstTheGlobalThreshold();
    void judgedRowsSayWhatTheyWereUsedFor();
    void recordedRowsGetTheSameVerdicts();
    void hashIsOfTextsAndIntents();
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

// Whatever the global threshold is: accepted by the rule is accepted by the judged score.
void TestEvaluator::judgedRowsAreHeldAgainstTheGlobalThreshold()
{
    std::vector<ScoredRow> rows = randomRows(2000);
    rows[0].candidates = 0;
    rows[1].candidates = 1;
    rows[2].top[0].confidence = 1.0;
    rows[3].top[0].confidence = 0.0;
    ThresholdSet set;
    set.margin = 0.05;
    set.perIntent = {{"b", 0.625}};
    set.sensitive = 0.25;
    set.sensitiveIntents = {"c"};
    for (const double global : {0.0, 0.3125, 0.5, 0.9, 1.0}) {
        set.global = global;
        const auto thresholds = *CompiledThresholds::compile(set, labels, {});
        const auto judged = judgedRows(rows, thresholds);
        QCOMPARE(judged.size(), rows.size());
        for (std::size_t index = 0; index < rows.size(); ++index) {
            QCOMPARE(judged[index].score >= global,
                thresholds.verdict(rows[index].span(), {}) == Verdict::Accept);
            QCOMPARE(judged[index].isRight(), rows[index].isRight());
        }
        // Of an intent's own threshold nothing is left when that is what is tuned.
        set.perIntent.clear();
        const auto without = *CompiledThresholds::compile(set, labels, {});
        const auto replaced = judgedRows(rows, thresholds, OwnThresholds::Replace);
        const auto plain = judgedRows(rows, without);
        for (std::size_t index = 0; index < rows.size(); ++index) {
            QCOMPARE(replaced[index].score, plain[index].score);
        }
        set.perIntent = {{"b", 0.625}};
    }
}

void TestEvaluator::judgedRowsSayWhatTheyWereUsedFor()
{
    const std::filesystem::path share =
        std::filesystem::path(SLUICE_BINARY_DIR) / "share" / "sluice";
    const auto model = Model::load(share / "helpdesk.model");
    const auto data = readLabelledData(share / "queries.jsonl");
    QVERIFY(model.ok() && data.ok());
    const auto judged = judgedRows(scoreRows(*model, data->queries), compiled(0.5));
    std::map<std::pair<Split, RowUse>, int> seen;
    for (std::size_t index = 0; index < judged.size(); ++index) {
        ++seen[{data->queries[index].split, judged[index].use}];
        QCOMPARE(judged[index].isOutOfScope(), data->queries[index].isOutOfScope());
    }
    QCOMPARE(seen.size(), 4U);
    QVERIFY(seen.contains({Split::Train, RowUse::Training}));
    QVERIFY(seen.contains({Split::Validation, RowUse::Stopping}));
    QVERIFY(seen.contains({Split::Calibration, RowUse::HeldOut}));
    QVERIFY(seen.contains({Split::Test, RowUse::Undeclared}));
    const auto scores = gridScores(judged);
    QCOMPARE(scores.size(), judged.size());
    QCOMPARE(scores[7].score, judged[7].score);
    QCOMPARE(scores[7].predicted, judged[7].predicted);
}

void TestEvaluator::recordedRowsGetTheSameVerdicts()
{
    std::vector<ScoredRow> rows = randomRows(500);
    rows[0].candidates = 0;
    rows[1].candidates = 1;
    rows[2].label = ScoredRow::unknownLabel;
    const CompiledThresholds thresholds = compiled(0.4001, 0.0501, 0.1001);
    const RecordedRows recorded(recordedRows(rows), labels.size());
    const Replay replay = recorded.replay(thresholds, recorded.verdicts(thresholds));
    const Outcome outcome = outcomeOf(rows, thresholds);
    QCOMPARE(std::size_t(replay.count(Verdict::Accept)), outcome.accepted);
    QCOMPARE(std::size_t(replay.count(Verdict::Clarify)), outcome.clarified);
    QCOMPARE(std::size_t(replay.count(Verdict::Fallback)), outcome.fallback);
    const auto intents = intentOutcomes(rows, thresholds, labels.size());
    for (std::size_t label = 0; label < labels.size(); ++label) {
        QCOMPARE(std::size_t(replay.intents[label].truePositives), intents[label].right);
        QCOMPARE(std::size_t(replay.intents[label].accepted), intents[label].predicted);
        QCOMPARE(std::size_t(replay.intents[label].falsePositives),
            intents[label].predicted - intents[label].right);
        QCOMPARE(std::size_t(replay.intents[label].falseNegatives),
            intents[label].support - intents[label].right);
    }
}

void TestEvaluator::hashIsOfTextsAndIntents()
{
    std::vector<LabelledQuery> queries(2);
    queries[0].text = "hello";
    queries[0].intent = "greet";
    queries[1].text = "bye";
    queries[1].intent = "leave";
    const std::string hash = hashOf(queries);
    QCOMPARE(hash.size(), 64U);
    queries[1].line = 7;
    QCOMPARE(hashOf(queries), hash);
    queries[1].intent = "greet";
    QVERIFY(hashOf(queries) != hash);
}

QTEST_GUILESS_MAIN(TestEvaluator)
#include "tst_evaluator.moc"
