#include "engine/classification/thresholds/tuning.h"
#include "tests/support/testcase.h"

#include <algorithm>
#include <random>

using namespace sluice;

class TestTuning : public sluice::test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void sweepCountsEveryThreshold();
    void sweepAgreesWithCounting();
    void areaIsTheMeanRisk();
    void costOptimumIsTheCheapest();
    void loosestObserved();
    void suggestionTakesRealDifferences();
    void suggestionRefusesNoise();
    void suggestionSeesCosts();
    void suggestionRefuses();
};

namespace {

JudgedRow row(double score, int label, int predicted = 0)
{
    return {score, label, predicted, RowUse::HeldOut};
}

std::vector<JudgedRow> randomRows(std::size_t count, std::uint64_t seed)
{
    std::mt19937_64 random(seed);
    std::vector<JudgedRow> rows;
    for (std::size_t index = 0; index < count; ++index) {
        rows.push_back(row(double(random() % 200) / 200, int(random() % 5) - 2, int(random() % 3)));
        rows.back().score = random() % 20 == 0 ? JudgedRow::never : rows.back().score;
        rows.back().score = random() % 20 == 0 ? JudgedRow::always : rows.back().score;
    }
    return rows;
}

/// Intents whose scores mean different things: right answers of the first begin at 0.2, those of
/// the second at 0.7, and wrong ones end there; `shift` 0: all alike.
std::vector<JudgedRow> shiftedRows(std::size_t count, double shift, std::uint64_t seed)
{
    std::mt19937_64 random(seed);
    std::uniform_real_distribution<double> share(0.0, 1.0);
    std::vector<JudgedRow> rows;
    for (std::size_t index = 0; index < count; ++index) {
        const int intent = int(random() % 4);
        const double cut = 0.45 + shift * (intent - 1.5) / 3;
        const bool right = random() % 4 != 0;
        const double noise = 0.1 * (share(random) - 0.5);
        const double score =
            right ? cut + (1 - cut) * share(random) + noise : cut * share(random) + noise;
        rows.push_back(row(std::clamp(score, 0.0, 1.0), right ? intent : -1, intent));
    }
    return rows;
}

double costOf(std::span<const JudgedRow> rows, double global, const std::map<int, double>& own)
{
    double cost = 0;
    for (const JudgedRow& one : rows) {
        const auto found = own.find(one.predicted);
        const bool accepted = one.score >= (found == own.end() ? global : found->second);
        cost += accepted != one.isRight() ? 1 : 0;
    }
    return cost / double(rows.size());
}

} // namespace

void TestTuning::sweepCountsEveryThreshold()
{
    const std::vector<JudgedRow> rows{row(0.25, 0), row(0.75, 0), row(0.75, 1), row(0.5, -1),
        row(JudgedRow::never, 0), row(JudgedRow::always, 0), row(0.1, -2)};
    const Sweep found = sweep(rows);
    QString text;
    for (const SweepPoint& point : found.points) {
        text += QStringLiteral("%1:%2/%3/%4 ")
                    .arg(point.threshold)
                    .arg(point.accepted)
                    .arg(point.wrong)
                    .arg(point.outOfScope);
    }
    QCOMPARE(text, QStringLiteral("1:1/0/0 0.75:3/1/0 0.5:4/1/1 0.25:5/1/1 0.1:6/2/1 "));
    QCOMPARE(found.rows, 7);
    QCOMPARE(found.right, 4);
    QCOMPARE(found.points[2].risk(), 0.5);
    QCOMPARE(found.coverage(found.points[4]), 6.0 / 7);
    QCOMPARE(sweep({}).points.size(), 1U);
    QCOMPARE(sweep({}).coverage(sweep({}).points[0]), 0.0);
}

void TestTuning::sweepAgreesWithCounting()
{
    const auto rows = randomRows(500, 5);
    const Costs costs{3, 2, 5};
    const Sweep found = sweep(rows);
    for (const SweepPoint& point : found.points) {
        std::int64_t accepted = 0;
        double cost = 0;
        for (const JudgedRow& one : rows) {
            const bool in = one.score >= point.threshold;
            accepted += in ? 1 : 0;
            cost += !in              ? (one.isRight() ? costs.rejected : 0)
                : one.isRight()      ? 0
                : one.isOutOfScope() ? costs.outOfScope
                                     : costs.wrong;
        }
        QCOMPARE(point.accepted, accepted);
        QCOMPARE(found.cost(point, costs), cost);
    }
}

void TestTuning::areaIsTheMeanRisk()
{
    // Risk at 1, 2, 3, 4 accepted rows: 0, 0, 1/3, 1/2.
    const std::vector<JudgedRow> rows{row(0.9, 0), row(0.8, 0), row(0.7, 1), row(0.6, -1)};
    QCOMPARE(areaUnderRiskCoverage(sweep(rows)), (0 + 0 + 1.0 / 3 + 0.5) / 4);
    QCOMPARE(areaUnderRiskCoverage(sweep({})), 0.0);
}

void TestTuning::costOptimumIsTheCheapest()
{
    const Sweep found = sweep(randomRows(300, 9));
    for (const Costs& costs : {Costs{}, Costs{10, 1, 1}, Costs{0, 1, 0}, Costs{1, 0, 1}}) {
        const SweepPoint& best = costOptimum(found, costs);
        for (const SweepPoint& point : found.points) {
            QVERIFY(found.cost(best, costs) <= found.cost(point, costs));
        }
    }
    QCOMPARE(costOptimum(found, {0, 1, 0}).right(), found.points.back().right());
    QCOMPARE(costOptimum(found, {1, 0, 1}).threshold, 1.0);
}

void TestTuning::loosestObserved()
{
    const std::vector<JudgedRow> rows{row(0.9, 0), row(0.8, 1), row(0.7, 0), row(0.6, 0),
        row(0.5, 0), row(0.4, -1), row(0.3, -1)};
    const Sweep found = sweep(rows);
    QCOMPARE(sluice::loosestObserved(found, 0.2)->threshold, 0.5);
    QCOMPARE(sluice::loosestObserved(found, 0.1)->threshold, 0.9);
    QCOMPARE(sluice::loosestObserved(found, 1.0)->threshold, 0.3);
    const std::vector<JudgedRow> wrong{row(0.9, 1)};
    QVERIFY(sluice::loosestObserved(sweep(wrong), 0.1) == nullptr);
}

void TestTuning::suggestionTakesRealDifferences()
{
    const auto rows = shiftedRows(2000, 0.6, 3);
    const auto found = suggestPerIntent(rows, {});
    QVERIFY(found.ok());
    QVERIFY2(found->reason.starts_with("thresholds by intent are worth it"), found->reason.c_str());
    QCOMPARE(found->perIntent.size(), 4U);
    QVERIFY(found->pValue < 0.001 && found->better > found->worse);
    for (int intent = 1; intent < 4; ++intent) {
        QVERIFY(found->perIntent.at(intent) > found->perIntent.at(intent - 1));
    }
    const auto fresh = shiftedRows(5000, 0.6, 4);
    QVERIFY(
        costOf(fresh, found->global, found->perIntent) < costOf(fresh, found->global, {}) - 0.02);
    QVERIFY(
        std::abs(costOf(fresh, found->global, found->perIntent) - found->heldOutPerIntent) < 0.02);
    QVERIFY(found->inSamplePerIntent <= found->heldOutPerIntent);
    const auto again = suggestPerIntent(rows, {});
    QVERIFY(again->perIntent == found->perIntent); // the seed decides
}

void TestTuning::suggestionRefusesNoise()
{
    int kept = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        const auto found = suggestPerIntent(shiftedRows(300, 0.0, seed), {});
        QVERIFY(found.ok());
        kept += found->perIntent.empty() ? 1 : 0;
        QCOMPARE(found->perIntent.empty(), found->reason.starts_with("the global threshold stays"));
        QVERIFY(found->inSamplePerIntent < found->heldOutPerIntent);
    }
    QVERIFY(kept >= 18);
}

void TestTuning::suggestionSeesCosts()
{
    const auto rows = shiftedRows(2000, 0.6, 3);
    SuggestRequest careful;
    careful.costs = {20, 1, 20};
    const auto strict = suggestPerIntent(rows, careful);
    const auto plain = suggestPerIntent(rows, {});
    QVERIFY(strict.ok() && plain.ok());
    QVERIFY(strict->global > plain->global);
}

void TestTuning::suggestionRefuses()
{
    auto rows = shiftedRows(19, 0.6, 3);
    auto found = suggestPerIntent(rows, {});
    QVERIFY(!found.ok());
    QVERIFY(found.error().message.find("at least 20") != std::string::npos);
    rows = shiftedRows(40, 0.6, 3);
    rows[3].use = RowUse::Stopping;
    found = suggestPerIntent(rows, {});
    QVERIFY(!found.ok());
    rows[3].use = RowUse::Undeclared;
    QVERIFY(!suggestPerIntent(rows, {}).ok());
    SuggestRequest declared;
    declared.declaredHeldOut = true;
    QVERIFY(suggestPerIntent(rows, declared).ok());
}

QTEST_GUILESS_MAIN(TestTuning)
#include "tst_tuning.moc"
