#include "engine/classification/thresholds/recordedrows.h"
#include "tests/support/testcase.h"

#include <random>

using namespace sluice;

class TestRecordedRows : public sluice::test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void agreesWithTheRule_data();
    void agreesWithTheRule();
    void flippedRowsAreThose();
    void oddRowsAreHarmless();
};

namespace {

const std::vector<std::string> labels{"cancel", "refund", "track", "return"};

/// Confidences in steps of 1/64, which floats hold exactly and thresholds meet.
std::vector<RecordedRow> randomRows(std::size_t count, bool timed)
{
    std::mt19937_64 random(21);
    std::vector<RecordedRow> rows(count);
    for (RecordedRow& row : rows) {
        row.first = float(random() % 65) / 64;
        row.second = float(random() % 65) / 64 * row.first;
        row.second = std::floor(row.second * 64) / 64;
        row.predicted = int(random() % 6) - 1; // -1: none; 4: beyond
        row.label = int(random() % 8) - 3; // -3: none, -2 and 4: unknown
        row.context.followUp = random() % 2 == 0;
        row.context.failuresInARow = int(random() % 4);
        if (timed && random() % 5 != 0) {
            row.context.at = std::chrono::sys_seconds(
                std::chrono::seconds(1772000000 + std::int64_t(random() % (30 * 86400))));
        }
    }
    return rows;
}

ThresholdSet randomSet(std::mt19937_64& random, bool timed)
{
    const auto share = [&random](
                           int steps) { return double(random() % std::uint64_t(steps)) / 64; };
    ThresholdSet set;
    set.global = share(65);
    set.perIntent = {{"refund", share(65)}, {"track", 0.1 + share(32)}};
    set.margin = share(10);
    set.clarifyBand = share(20);
    set.followUp = share(20) - 0.15625;
    set.sensitive = share(10);
    set.sensitiveIntents = {"cancel"};
    set.failuresBeforeClarify = int(random() % 4);
    ContextRule failures;
    failures.when = Condition::RepeatedFailure;
    failures.failures = 2;
    failures.add = share(20) - 0.15625;
    failures.intents = {"return", "refund"};
    set.rules.push_back(failures);
    if (timed) {
        ContextRule night;
        night.when = Condition::TimeOfDay;
        night.add = share(20);
        night.from = 22 * 60;
        night.to = 6 * 60 + 7;
        night.zone = "America/New_York";
        set.rules.push_back(night);
    }
    return set;
}

bool knows(std::int32_t label)
{
    return label >= 0 && std::size_t(label) < labels.size();
}

Verdict verdictOf(const CompiledThresholds& thresholds, const RecordedRow& row)
{
    const std::array top{Candidate{row.predicted, row.first}, Candidate{0, row.second}};
    return thresholds.verdict(std::span(top).first(knows(row.predicted) ? 2 : 0), row.context);
}

/// What replay() is to say, row by row through the rule.
Replay expected(std::span<const RecordedRow> rows, const CompiledThresholds& thresholds,
    const CompiledThresholds& live)
{
    Replay replay;
    replay.intents.resize(labels.size());
    for (const RecordedRow& row : rows) {
        const Verdict before = verdictOf(live, row);
        const Verdict after = verdictOf(thresholds, row);
        ++replay.flips[std::size_t(before)][std::size_t(after)];
        const bool labelled = knows(row.label) || row.label == RecordedRow::outOfScope;
        const bool right = knows(row.label) && row.label == row.predicted;
        if (after == Verdict::Accept) {
            Replay::Intent& intent = replay.intents[std::size_t(row.predicted)];
            ++intent.accepted;
            intent.truePositives += right ? 1U : 0U;
            intent.falsePositives += labelled && !right ? 1U : 0U;
        }
        if (knows(row.label) && !(after == Verdict::Accept && right)) {
            ++replay.intents[std::size_t(row.label)].falseNegatives;
        }
        const bool wasWell = (before == Verdict::Accept) == right;
        const bool isWell = (after == Verdict::Accept) == right;
        replay.worse += labelled && wasWell && !isWell ? 1U : 0U;
        replay.better += labelled && !wasWell && isWell ? 1U : 0U;
    }
    return replay;
}

} // namespace

void TestRecordedRows::agreesWithTheRule_data()
{
    QTest::addColumn<int>("count");
    QTest::addColumn<bool>("timed");
    QTest::newRow("none") << 0 << false;
    QTest::newRow("one") << 1 << true;
    QTest::newRow("some") << 100 << false;
    QTest::newRow("more than a chunk") << 60000 << false;
    QTest::newRow("with times") << 20000 << true;
}

void TestRecordedRows::agreesWithTheRule()
{
    QFETCH(int, count);
    QFETCH(bool, timed);
    const auto rows = randomRows(std::size_t(count), timed);
    const RecordedRows recorded(rows, labels.size());
    QCOMPARE(recorded.size(), rows.size());
    std::mt19937_64 random(4);
    for (int round = 0; round < 20; ++round) {
        const auto live =
            *CompiledThresholds::compile(randomSet(random, round % 3 == 0), labels, {});
        const auto set = *CompiledThresholds::compile(randomSet(random, timed), labels, {});
        const Replay found = recorded.replay(set, recorded.verdicts(live));
        const Replay wanted = expected(rows, set, live);
        QVERIFY(found == wanted);
        QCOMPARE(found.count(Verdict::Accept) + found.count(Verdict::Clarify)
                + found.count(Verdict::Fallback),
            std::uint32_t(count));
    }
}

void TestRecordedRows::flippedRowsAreThose()
{
    const auto rows = randomRows(5000, true);
    const RecordedRows recorded(rows, labels.size());
    std::mt19937_64 random(8);
    const auto live = *CompiledThresholds::compile(randomSet(random, true), labels, {});
    const auto set = *CompiledThresholds::compile(randomSet(random, true), labels, {});
    const auto verdicts = recorded.verdicts(live);
    std::vector<std::uint32_t> wanted;
    for (std::size_t index = 0; index < rows.size(); ++index) {
        if (verdictOf(live, rows[index]) != verdictOf(set, rows[index])) {
            wanted.push_back(std::uint32_t(index));
        }
    }
    QVERIFY(wanted.size() > 100);
    QVERIFY(recorded.flipped(set, verdicts, rows.size()) == wanted);
    QCOMPARE(recorded.replay(set, verdicts).flipped(), std::uint32_t(wanted.size()));
    wanted.resize(7);
    QVERIFY(recorded.flipped(set, verdicts, 7) == wanted);
    QVERIFY(recorded.flipped(live, verdicts, 7).empty());
}

void TestRecordedRows::oddRowsAreHarmless()
{
    RecordedRow strange;
    strange.predicted = 1000000;
    strange.label = 1000000;
    strange.first = std::nanf("");
    strange.context.failuresInARow = 2000000000;
    const std::vector<RecordedRow> rows{strange, RecordedRow()};
    const RecordedRows recorded(rows, labels.size());
    ThresholdSet set;
    set.global = 0;
    set.margin = 0;
    set.failuresBeforeClarify = 1;
    const auto thresholds = *CompiledThresholds::compile(set, labels, {});
    const Replay found = recorded.replay(thresholds, recorded.verdicts(thresholds));
    QCOMPARE(found.count(Verdict::Fallback), 2U);
    QCOMPARE(found.flipped(), 0U);
}

QTEST_GUILESS_MAIN(TestRecordedRows)
#include "tst_recordedrows.moc"
