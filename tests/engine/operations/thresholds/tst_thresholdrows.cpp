#include "engine/operations/thresholds/recordedtraffic.h"
#include "engine/operations/thresholds/tuningdata.h"
#include "engine/operations/thresholds/tuningrows.h"
#include "engine/operations/thresholds/tuningviews.h"
#include "tests/support/redisserver.h"
#include "tests/support/testcase.h"

#include "engine/base/resources.h"

#include <random>

using namespace sluice;
using namespace sluice::ops;

/// What stands behind the Thresholds page, against the plain functions of the engine and numbers
/// counted by hand.
class TestThresholdRows : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void judgesAsTheEngineDoes();
    void saysWhatFlips();
    void previewCountsTheFile();
    void nothingHeldOutIsRefused();
    void confusionCountsEveryRow();
    void reliabilityOfAKnownSample();
    void heatMapEqualsTheRule();
    void boundHoldsUpToItsShare();
    void shareOutOfScopeIsEstimated();
    void readsTheStreamBackwards();

private:
    CompiledThresholds compiled(double global, double margin = 0.1) const
    {
        ThresholdSet set;
        set.global = global;
        set.margin = margin;
        return *CompiledThresholds::compile(set, m_model->labels(), {});
    }

    std::optional<Model> m_model;
    std::optional<TuningData> m_data;
};

void TestThresholdRows::initTestCase()
{
    auto model = Model::load(resourceFile("helpdesk.model"));
    QVERIFY2(model.ok(), model ? "" : model.error().text().c_str());
    m_model.emplace(std::move(*model));
    const auto data = readLabelledData(resourceFile("queries.jsonl"));
    QVERIFY(data.ok());
    auto tuning = tuningData(*data, "queries.jsonl", *m_model);
    QVERIFY2(tuning.ok(), tuning ? "" : tuning.error().text().c_str());
    m_data.emplace(std::move(*tuning));
    QVERIFY(m_data->rows.size() > 500);
    QVERIFY(!m_data->validation.empty());
    QCOMPARE(m_data->preview.heldOut, m_data->rows.size());
    QVERIFY(!m_data->preview.undeclared);
}

void TestThresholdRows::judgesAsTheEngineDoes()
{
    const TuningRows rows(recordedRows(m_data->rows), m_model->labels().size());
    for (const double global : {0.0, 0.3, 0.55, 0.9, 1.0}) {
        const CompiledThresholds thresholds = compiled(global);
        const TuningFigures figures = rows.judge(thresholds);
        const Outcome plain = outcomeOf(m_data->rows, thresholds);
        QCOMPARE(figures.outcome.accepted, plain.accepted);
        QCOMPARE(figures.outcome.acceptedRight, plain.acceptedRight);
        QCOMPARE(figures.outcome.acceptedOutOfScope, plain.acceptedOutOfScope);
        QCOMPARE(figures.outcome.clarified, plain.clarified);
        QCOMPARE(figures.outcome.fallback, plain.fallback);
        QCOMPARE(figures.outcome.rejectedOutOfScope, plain.rejectedOutOfScope);
        const auto intents = intentOutcomes(m_data->rows, thresholds, m_model->labels().size());
        for (std::size_t label = 0; label < intents.size(); ++label) {
            QCOMPARE(figures.intents[label].support, intents[label].support);
            QCOMPARE(figures.intents[label].right, intents[label].right);
            QCOMPARE(figures.intents[label].accepted, intents[label].predicted);
            QCOMPARE(figures.intents[label].judged(), intents[label].predicted);
        }
    }
}

void TestThresholdRows::saysWhatFlips()
{
    // label, first candidate, its confidence: right below, wrong below, out of scope below.
    std::vector<RecordedRow> some(4);
    some[0] = {0.6F, 0.1F, 0, 0, {}};
    some[1] = {0.6F, 0.1F, 0, 1, {}};
    some[2] = {0.9F, 0.0F, 1, 1, {}};
    some[3] = {0.6F, 0.1F, 1, RecordedRow::unlabelled, {}};
    TuningRows rows(some, m_model->labels().size());
    const CompiledThresholds live = compiled(0.5);
    const CompiledThresholds strict = compiled(0.8);
    rows.setLive(live);
    const auto flips = rows.flips(strict, live, 100);
    QCOMPARE(flips.size(), std::size_t(3));
    QCOMPARE(flips[0].row, 0U);
    QVERIFY(flips[0].before == Verdict::Accept && flips[0].after == Verdict::Fallback);
    QVERIFY(flips[0].effect == Flip::Effect::Worse);
    QVERIFY(flips[1].effect == Flip::Effect::Better);
    QVERIFY(flips[2].effect == Flip::Effect::Unlabelled);
    const TuningFigures figures = rows.judge(strict);
    QCOMPARE(figures.replay.worse, 1U);
    QCOMPARE(figures.replay.better, 1U);
    QCOMPARE(rows.flips(strict, live, 1).size(), std::size_t(1));
    QVERIFY(rows.flips(live, live, 100).empty());
}

void TestThresholdRows::previewCountsTheFile()
{
    LabelledData data;
    const std::string known = m_model->labels().front();
    const auto add = [&](const char* text, const std::string& intent, Split split) {
        LabelledQuery query;
        query.text = text;
        query.intent = intent;
        query.split = split;
        data.queries.push_back(query);
    };
    add("a", known, Split::Train);
    add("b", known, Split::Test);
    add("a", known, Split::Test); // its text is in the training part
    add("c", "nonsense", Split::Test);
    add("d", std::string(outOfScope), Split::Test);
    const DataPreview preview = previewOf(data, "x", *m_model);
    QCOMPARE(preview.heldOut, std::size_t(3));
    QCOMPARE(preview.seen, std::size_t(1));
    QCOMPARE(preview.intents, std::size_t(2));
    QCOMPARE(preview.outOfScope, std::size_t(1));
    QCOMPARE(preview.unknown.at("nonsense"), std::size_t(1));
    QCOMPARE(preview.splits.at(Split::Test), std::size_t(4));
    QVERIFY(preview.undeclared); // no row says that it is for calibration
    const auto tuning = tuningData(data, "x", *m_model);
    QVERIFY(tuning.ok());
    QCOMPARE(tuning->rows.size(), std::size_t(3));
    QVERIFY(tuning->calibration().empty()); // test rows don't certify
    QVERIFY(m_data->calibration().size() < m_data->rows.size());
    QCOMPARE(m_data->calibrationHash().size(), std::size_t(64));
}

void TestThresholdRows::nothingHeldOutIsRefused()
{
    LabelledData data;
    LabelledQuery query;
    query.text = "a";
    query.intent = m_model->labels().front();
    query.split = Split::Train;
    data.queries.push_back(query);
    const auto refused = tuningData(data, "only-training.csv", *m_model);
    QVERIFY(!refused.ok());
    QVERIFY(refused.error().message.find("only-training.csv") != std::string::npos);
    const std::atomic<bool> cancelled = true;
    data.queries.front().split = Split::Test;
    const auto stopped = tuningData(data, "x", *m_model, {}, &cancelled);
    QVERIFY(!stopped.ok());
    QCOMPARE(stopped.error().kind, ErrorKind::Cancelled);
}

void TestThresholdRows::confusionCountsEveryRow()
{
    const CompiledThresholds thresholds = compiled(0.5);
    const std::size_t labels = m_model->labels().size();
    const Confusion matrix = confusion(m_data->rows, thresholds, labels);
    std::size_t sum = 0;
    std::size_t right = 0;
    for (std::size_t row = 0; row < matrix.rowCount(); ++row) {
        for (std::size_t column = 0; column < matrix.columnCount(); ++column) {
            sum += matrix.at(row, column);
            QCOMPARE(matrix.behind(row, column).size(), std::size_t(matrix.at(row, column)));
        }
        right += row < labels ? matrix.at(row, row) : 0;
    }
    const Outcome outcome = outcomeOf(m_data->rows, thresholds);
    QCOMPARE(sum, m_data->rows.size());
    QCOMPARE(right, outcome.acceptedRight);
    std::size_t clarified = 0;
    for (std::size_t row = 0; row < matrix.rowCount(); ++row) {
        clarified += matrix.at(row, matrix.clarify());
    }
    QCOMPARE(clarified, outcome.clarified);
}

void TestThresholdRows::reliabilityOfAKnownSample()
{
    std::vector<ScoredRow> rows(10);
    for (std::size_t index = 0; index < rows.size(); ++index) {
        rows[index].candidates = 1;
        rows[index].top[0] = {0, 0.85};
        rows[index].label = index < 6 ? 0 : 1;
    }
    const Reliability found = reliability(rows);
    QCOMPARE(found.bins.size(), std::size_t(10));
    QCOMPARE(found.bins[8].rows, std::int64_t(10));
    QCOMPARE(found.bins[8].share(), 0.6);
    QVERIFY(std::abs(found.error - 0.25) < 1e-12);
    QVERIFY(found.bins[8].accuracy.low < 0.6 && found.bins[8].accuracy.high > 0.6);
    QCOMPARE(found.bins[0].rows, std::int64_t(0));
}

void TestThresholdRows::heatMapEqualsTheRule()
{
    const HeatMap map = heatMap(m_data->rows);
    for (const int column : {0, 6, 10, 17, 20}) {
        for (const int row : {0, 2, 5, 10}) {
            const CompiledThresholds thresholds =
                compiled(HeatMap::threshold(column), HeatMap::margin(row));
            const Outcome plain = outcomeOf(m_data->rows, thresholds);
            QCOMPARE(map.at(row, column).accepted, std::int64_t(plain.accepted));
            QCOMPARE(map.at(row, column).errors, std::int64_t(plain.acceptedWrong()));
        }
    }
}

void TestThresholdRows::boundHoldsUpToItsShare()
{
    const StratifiedBounds bounds{0.2, 0.01, 0.8};
    const auto most = bounds.mostOutOfScope(0.05);
    QVERIFY(most.has_value());
    QVERIFY(*most > 0.1 && *most < 0.2);
    QVERIFY(std::abs(bounds.errorRate(*most) - 0.05) < 1e-9);
    QVERIFY(bounds.errorRate(*most + 0.01) > 0.05);
    QVERIFY(!StratifiedBounds({0.2, 0.2, 0.5}).mostOutOfScope(0.05).has_value());
    // Counted: 2 of 3 in scope accepted, one wrong; 1 of 2 out of scope.
    const std::vector<JudgedRow> rows{
        {0.9, 0, 0}, {0.9, 0, 1}, {0.1, 0, 0}, {0.9, -1, 0}, {0.1, -1, 0}};
    const StratifiedBounds counted = stratifiedBounds(rows, 0.5, 0.1);
    QCOMPARE(counted.outOfScopeAccepted, exactUpperBound(1, 2, 0.1 / 3));
    QCOMPARE(counted.wrong, exactUpperBound(1, 3, 0.1 / 3));
    QCOMPARE(counted.right, exactLowerBound(1, 3, 0.1 / 3));
}

void TestThresholdRows::shareOutOfScopeIsEstimated()
{
    Outcome labelled;
    labelled.inScope = 1000;
    labelled.outOfScope = 100;
    labelled.acceptedOutOfScope = 10; // F = 0.1
    labelled.accepted = 910; // A = 0.9
    // 20 % out of scope: 0.8 * 0.9 + 0.2 * 0.1 = 0.74 accepted.
    const auto estimate = outOfScopeShare(labelled, 7400, 10000);
    QVERIFY(estimate.has_value());
    QVERIFY(std::abs(estimate->share - 0.2) < 1e-9);
    QVERIFY(estimate->interval.low < 0.2 && estimate->interval.high > 0.2);
    QVERIFY(!outOfScopeShare(labelled, 0, 0).has_value());
    labelled.acceptedOutOfScope = 90; // both are accepted alike: nothing can be told
    labelled.accepted = 990;
    QVERIFY(!outOfScopeShare(labelled, 7400, 10000).has_value());
}

void TestThresholdRows::readsTheStreamBackwards()
{
    test::RedisServer server;
    QVERIFY2(server.start(), qPrintable(server.lastError()));
    RedisClient client;
    client.open(QStringLiteral("127.0.0.1"), server.port(), {}, {});
    QTRY_VERIFY(client.state() == RedisClient::State::Connected);
    DecisionRow row;
    row.model = m_model->hash();
    row.context.at = std::chrono::sys_seconds(std::chrono::seconds(1000));
    row.verdict = Verdict::Accept;
    int written = 0;
    const auto write = [&](const QByteArray& text) {
        client.command({"XADD", "sluice:decisions", "*", "row", text}, this,
            [&](const Result<RedisReply>& reply) { written += reply ? 1 : 0; });
    };
    constexpr int rows = 2345; // more than two pages
    for (int index = 0; index < rows; ++index) {
        row.query = "query " + std::to_string(index);
        row.top = {{m_model->labels()[std::size_t(index) % m_model->labels().size()],
            float(index) / rows}};
        write(QByteArray::fromStdString(row.toJson()));
    }
    row.model = std::string(64, 'a');
    write(QByteArray::fromStdString(row.toJson()));
    write("{not json");
    QTRY_COMPARE_WITH_TIMEOUT(written, rows + 2, 20000);

    TrafficReader reader(&client);
    std::optional<Result<RecordedTraffic>> answer;
    std::size_t progress = 0;
    reader.read(
        m_model->labels(), m_model->hash(), 100000, [&](std::size_t done) { progress = done; },
        [&](Result<RecordedTraffic> traffic) { answer.emplace(std::move(traffic)); });
    QTRY_VERIFY_WITH_TIMEOUT(answer.has_value(), 20000);
    QVERIFY((*answer).ok());
    const RecordedTraffic& traffic = **answer;
    QCOMPARE(traffic.rows.size(), std::size_t(rows));
    QCOMPARE(traffic.otherModels, std::size_t(1));
    QCOMPARE(traffic.damaged, std::size_t(1));
    QCOMPARE(progress, std::size_t(2000));
    QCOMPARE(traffic.rows.front().query, std::string("query 2344")); // newest first
    QCOMPARE(traffic.recorded.back().predicted, 0);
    QCOMPARE(traffic.from, std::int64_t(1000));
    QCOMPARE(traffic.scored().size(), std::size_t(rows));
    // Judged as the rule judges the recorded confidences.
    const TuningRows judged(traffic.recorded, m_model->labels().size());
    const CompiledThresholds thresholds = compiled(0.5);
    QCOMPARE(judged.judge(thresholds).outcome.accepted,
        outcomeOf(traffic.scored(), thresholds).accepted);

    // At most so many; and a lost server is said.
    answer.reset();
    reader.read(m_model->labels(), m_model->hash(), 10, {},
        [&](Result<RecordedTraffic> some) { answer.emplace(std::move(some)); });
    QTRY_VERIFY_WITH_TIMEOUT(answer.has_value(), 10000);
    QVERIFY((*answer)->rows.size() + (*answer)->otherModels + (*answer)->damaged == 10);
    answer.reset();
    reader.read(m_model->labels(), m_model->hash(), 10, {},
        [&](Result<RecordedTraffic> some) { answer.emplace(std::move(some)); });
    reader.cancel();
    QVERIFY(server.kill());
    QTRY_VERIFY_WITH_TIMEOUT(client.state() != RedisClient::State::Connected, 10000);
    QVERIFY(!answer.has_value());
    reader.read(m_model->labels(), m_model->hash(), 10, {},
        [&](Result<RecordedTraffic> some) { answer.emplace(std::move(some)); });
    QTRY_VERIFY_WITH_TIMEOUT(answer.has_value(), 10000);
    QVERIFY(!(*answer).ok());
}

QTEST_GUILESS_MAIN(TestThresholdRows)
#include "tst_thresholdrows.moc"
