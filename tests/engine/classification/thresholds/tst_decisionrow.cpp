#include "engine/classification/thresholds/decisionrow.h"
#include "tests/support/testcase.h"

#include <QRegularExpression>
#include <random>

using namespace sluice;

class TestDecisionRow : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void readsWhatItWrote();
    void readsOtherVersions();
    void refuses_data();
    void refuses();
    void replaysAsServed();
};

namespace {

const std::vector<std::string> labels{"cancel", "refund", "track"};

DecisionRow sample()
{
    DecisionRow row;
    row.id = "r-1";
    row.session = "s \"1\"";
    row.turn = 3;
    row.query = "where is <ORDER_NUMBER>?";
    row.model = std::string(64, 'a');
    row.set = 7;
    row.pool = "green";
    row.version = "1.2";
    row.weight = 10;
    row.top = {{"track", 0.81234567F}, {"refund", 0.1F}, {"cancel", 1e-9F}};
    row.outOfScope = 0.125;
    row.contextState = "used";
    row.context = {true, 2, std::chrono::sys_seconds(std::chrono::seconds(1770000000))};
    row.verdict = Verdict::Accept;
    row.rule = Rule::AboveThreshold;
    row.threshold = 0.5;
    row.milliseconds = 0.123;
    return row;
}

} // namespace

void TestDecisionRow::readsWhatItWrote()
{
    const std::string text = sample().toJson();
    const auto read = DecisionRow::fromJson(text, "row");
    QVERIFY2(read.ok(), read ? "" : read.error().message.c_str());
    QCOMPARE(read->toJson(), text);
    QVERIFY(read->top == sample().top);
    QCOMPARE(read->context.failuresInARow, 2);
    QVERIFY(read->context.at == sample().context.at);
    const auto empty = DecisionRow::fromJson(DecisionRow().toJson(), "row");
    QVERIFY2(empty.ok(), empty ? "" : empty.error().message.c_str());
    QVERIFY(!empty->context.at);
    QCOMPARE(empty->recorded(labels).predicted, -1);
}

void TestDecisionRow::readsOtherVersions()
{
    // Of the next version: members added. Of one that lacks those that may be missing.
    const auto next = DecisionRow::fromJson(
        R"({"v":2,"id":"1","new":{"a":[1]},"model":"","set":0,"pool":"blue","weight":1,"top":[],
            "out_of_scope":1,"context":"none","follow_up":false,"failures":0,"decision":"fallback",
            "rule":"no_signal","threshold":0.5})",
        "row");
    QVERIFY2(next.ok(), next ? "" : next.error().message.c_str());
}

void TestDecisionRow::refuses_data()
{
    QTest::addColumn<QString>("pattern");
    QTest::addColumn<QString>("with");
    QTest::addColumn<QString>("message");
    const auto row = [](const char* name, const char* pattern, const char* with,
                         const char* message) {
        QTest::newRow(name) << QString::fromLatin1(pattern) << QString::fromLatin1(with)
                            << QString::fromLatin1(message);
    };
    row("not JSON", "^\\{", "", "row: not valid JSON");
    row("no version", "\"v\":1,", "", "row: v");
    row("a verdict that is none", "\"accept\"", "\"perhaps\"", "\"perhaps\" is not known");
    row("a rule that is none", "\"above_threshold\"", "\"x\"", "row: rule");
    row("top is no list", "\"top\":\\[.*\\],\"out", "\"top\":3,\"out", "row: top");
    row("top is no list of pairs", "\\[\"track\",[^\\]]*\\]", "[\"track\"]", "row: top");
    row("weight below 1", "\"weight\":10", "\"weight\":0.5", "row: weight");
}

void TestDecisionRow::refuses()
{
    QFETCH(QString, pattern);
    QFETCH(QString, with);
    QFETCH(QString, message);
    QString text = QString::fromStdString(sample().toJson());
    text.replace(QRegularExpression(pattern), with);
    const auto read = DecisionRow::fromJson(text.toStdString(), "row");
    QVERIFY(!read.ok());
    QVERIFY2(QString::fromStdString(read.error().message).contains(message),
        read.error().message.c_str());
}

// Confidences at, and a hair beside, what they are held against: a logged row is judged as it was
// served, by the rule itself and by the columns that a slider replays.
void TestDecisionRow::replaysAsServed()
{
    ThresholdSet set;
    set.global = 0.47;
    set.perIntent["refund"] = 0.3;
    set.margin = 0.1;
    set.clarifyBand = 0.15;
    set.followUp = -0.05;
    set.failuresBeforeClarify = 2;
    const auto thresholds = *CompiledThresholds::compile(set, labels, "");
    std::mt19937 random(7);
    std::vector<RecordedRow> recorded;
    std::array<std::uint32_t, 3> served{};
    for (int index = 0; index < 20000; ++index) {
        DecisionRow row = sample();
        const float edges[] = {0.47F, 0.42F, 0.3F, 0.25F, 0.32F, 0.27F, 0.9F};
        float first = edges[random() % 7];
        for (auto step = random() % 3; step > 0; --step) {
            first = std::nextafter(first, random() % 2 == 0 ? 0.0F : 1.0F);
        }
        float second = first - 0.1F;
        for (auto step = random() % 3; step > 0; --step) {
            second = std::nextafter(second, random() % 2 == 0 ? 0.0F : 1.0F);
        }
        row.top = {{labels[random() % 3], first}, {labels[random() % 3], second}};
        row.context.followUp = random() % 2 == 0;
        row.context.failuresInARow = int(random() % 4);
        std::vector<Candidate> candidates;
        for (const DecisionRow::Scored& scored : row.top) {
            const auto label = std::find(labels.begin(), labels.end(), scored.intent);
            candidates.push_back({int(label - labels.begin()), scored.confidence});
        }
        const Verdict verdict = thresholds.decide(candidates, row.context).verdict;
        QVERIFY(thresholds.verdict(candidates, row.context) == verdict);
        ++served[std::size_t(verdict)];
        const auto read = DecisionRow::fromJson(row.toJson(), "row");
        QVERIFY(read.ok());
        recorded.push_back(read->recorded(labels));
        const RecordedRows one(std::span(&recorded.back(), 1), labels.size());
        const Replay replay = one.replay(thresholds, one.verdicts(thresholds));
        QCOMPARE(replay.count(verdict), 1U);
    }
    const RecordedRows all(recorded, labels.size());
    const Replay replay = all.replay(thresholds, all.verdicts(thresholds));
    for (const Verdict verdict : {Verdict::Accept, Verdict::Clarify, Verdict::Fallback}) {
        QVERIFY(served[std::size_t(verdict)] > 100);
        QCOMPARE(replay.count(verdict), served[std::size_t(verdict)]);
    }
}

QTEST_GUILESS_MAIN(TestDecisionRow)
#include "tst_decisionrow.moc"
