#include "engine/classification/thresholds/statistics.h"
#include "tests/support/testcase.h"

#include <array>
#include <cmath>

using namespace sluice;

class TestStatistics : public sluice::test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void wilson_data();
    void wilson();
    void wilsonHasNoDataAtZero();
    void binomial_data();
    void binomial();
    void upperBound_data();
    void upperBound();
    void upperBoundSolvesTheBinomial();
    void lowerBoundMirrorsTheUpper();
    void intervalNeverCoversLess();
    void mcnemarIsTheSignTest();
    void trialsToRefuteIsTheFewest_data();
    void trialsToRefuteIsTheFewest();
    void oddArgumentsAreHarmless();
};

namespace {

void near(double found, double expected, double tolerance)
{
    QVERIFY2(std::abs(found - expected) <= tolerance,
        qPrintable(QStringLiteral("%1 instead of %2").arg(found, 0, 'g', 12).arg(expected)));
}

} // namespace

// Values of Newcombe (1998), table I, method 3; the last one mirrors "none of 20".
void TestStatistics::wilson_data()
{
    QTest::addColumn<int>("k");
    QTest::addColumn<int>("n");
    QTest::addColumn<double>("low");
    QTest::addColumn<double>("high");
    QTest::newRow("81 of 263") << 81 << 263 << 0.2553 << 0.3662;
    QTest::newRow("15 of 148") << 15 << 148 << 0.0624 << 0.1605;
    QTest::newRow("none of 20") << 0 << 20 << 0.0 << 0.1611;
    QTest::newRow("1 of 29") << 1 << 29 << 0.0061 << 0.1718;
    QTest::newRow("all of 20") << 20 << 20 << 0.8389 << 1.0;
}

void TestStatistics::wilson()
{
    QFETCH(int, k);
    QFETCH(int, n);
    QFETCH(double, low);
    QFETCH(double, high);
    const Interval found = wilsonInterval(k, n);
    near(found.low, low, 5e-5);
    near(found.high, high, 5e-5);
}

void TestStatistics::wilsonHasNoDataAtZero()
{
    const Interval found = wilsonInterval(0, 0);
    QCOMPARE(found.low, 0.0);
    QCOMPARE(found.high, 1.0);
    QVERIFY(wilsonInterval(5, 10, 0.99).high > wilsonInterval(5, 10, 0.95).high);
}

void TestStatistics::binomial_data()
{
    QTest::addColumn<int>("k");
    QTest::addColumn<int>("n");
    QTest::addColumn<double>("p");
    QTest::addColumn<double>("expected");
    QTest::newRow("fair coin") << 5 << 10 << 0.5 << 638.0 / 1024.0;
    QTest::newRow("none") << 0 << 10 << 0.1 << std::pow(0.9, 10);
    QTest::newRow("below") << -1 << 10 << 0.1 << 0.0;
    QTest::newRow("all") << 10 << 10 << 0.1 << 1.0;
    QTest::newRow("never") << 3 << 10 << 0.0 << 1.0;
    QTest::newRow("always") << 3 << 10 << 1.0 << 0.0;
}

void TestStatistics::binomial()
{
    QFETCH(int, k);
    QFETCH(int, n);
    QFETCH(double, p);
    QFETCH(double, expected);
    near(binomialCdf(k, n, p), expected, 1e-12);
}

void TestStatistics::upperBound_data()
{
    QTest::addColumn<int>("k");
    QTest::addColumn<int>("n");
    QTest::addColumn<double>("delta");
    QTest::addColumn<double>("expected");
    // With no error the bound is 1 - delta^(1/n).
    QTest::newRow("0 of 10") << 0 << 10 << 0.05 << 1 - std::pow(0.05, 0.1);
    QTest::newRow("0 of 300") << 0 << 300 << 0.05 << 1 - std::pow(0.05, 1.0 / 300);
    // All but one wrong: (1 - delta)^(1/n).
    QTest::newRow("9 of 10") << 9 << 10 << 0.05 << std::pow(0.95, 0.1);
    QTest::newRow("all") << 10 << 10 << 0.05 << 1.0;
    QTest::newRow("nothing") << 0 << 0 << 0.05 << 1.0;
}

void TestStatistics::upperBound()
{
    QFETCH(int, k);
    QFETCH(int, n);
    QFETCH(double, delta);
    QFETCH(double, expected);
    near(exactUpperBound(k, n, delta), expected, 1e-9);
}

void TestStatistics::upperBoundSolvesTheBinomial()
{
    for (const int n : {1, 7, 100, 5000, 200000}) {
        for (const int k : {0, n / 20, n / 3, n - 1}) {
            for (const double delta : {0.001, 0.05, 0.1}) {
                near(binomialCdf(k, n, exactUpperBound(k, n, delta)), delta, 1e-7);
            }
        }
    }
}

// How many accepted rows certify a share alpha of errors, with e errors among them.
void TestStatistics::lowerBoundMirrorsTheUpper()
{
    // All right: 1 - bound is what no error leaves.
    near(exactLowerBound(10, 10, 0.05), std::pow(0.05, 0.1), 1e-12);
    QCOMPARE(exactLowerBound(0, 10, 0.05), 0.0);
    QCOMPARE(exactLowerBound(0, 0, 0.05), 0.0);
    for (const int k : {1, 3, 9}) {
        const double low = exactLowerBound(k, 10, 0.05);
        near(1 - binomialCdf(k - 1, 10, low), 0.05, 1e-9); // P(X >= k) at the bound is delta
    }
}

void TestStatistics::intervalNeverCoversLess()
{
    for (const double p : {0.03, 0.2, 0.5, 0.91}) {
        double covered = 0;
        for (int k = 0; k <= 40; ++k) {
            const Interval found = exactInterval(k, 40);
            if (found.low <= p && p <= found.high) {
                covered += binomialCdf(k, 40, p) - binomialCdf(k - 1, 40, p);
            }
        }
        QVERIFY2(covered >= 0.95, qPrintable(QString::number(covered)));
    }
    QVERIFY(exactInterval(5, 40, 0.99).high > exactInterval(5, 40).high);
}

void TestStatistics::mcnemarIsTheSignTest()
{
    QCOMPARE(mcnemar(0, 0), 1.0);
    QCOMPARE(mcnemar(5, 5), 1.0);
    near(mcnemar(0, 5), 2.0 / 32, 1e-12);
    near(mcnemar(1, 5), 2.0 * 7 / 64, 1e-12);
    QCOMPARE(mcnemar(5, 1), mcnemar(1, 5));
}

// Accepted rows that a certificate needs at alpha and delta with so many errors.
void TestStatistics::trialsToRefuteIsTheFewest_data()
{
    QTest::addColumn<double>("alpha");
    QTest::addColumn<double>("delta");
    QTest::addColumn<QList<int>>("needed"); ///< with 0, 1, 2 and 5 errors
    QTest::newRow("1 %, 5 %") << 0.01 << 0.05 << QList<int>{299, 473, 628, 1049};
    QTest::newRow("1 %, 10 %") << 0.01 << 0.10 << QList<int>{230, 388, 531, 926};
    QTest::newRow("2 %, 5 %") << 0.02 << 0.05 << QList<int>{149, 236, 313, 523};
    QTest::newRow("2 %, 10 %") << 0.02 << 0.10 << QList<int>{114, 194, 265, 462};
    QTest::newRow("5 %, 5 %") << 0.05 << 0.05 << QList<int>{59, 93, 124, 208};
    QTest::newRow("5 %, 10 %") << 0.05 << 0.10 << QList<int>{45, 77, 105, 184};
    QTest::newRow("10 %, 5 %") << 0.10 << 0.05 << QList<int>{29, 46, 61, 103};
    QTest::newRow("10 %, 10 %") << 0.10 << 0.10 << QList<int>{22, 38, 52, 91};
}

void TestStatistics::trialsToRefuteIsTheFewest()
{
    QFETCH(double, alpha);
    QFETCH(double, delta);
    QFETCH(QList<int>, needed);
    const std::array errors{0, 1, 2, 5};
    for (int index = 0; index < needed.size(); ++index) {
        const auto found = trialsToRefute(errors[std::size_t(index)], alpha, delta);
        QCOMPARE(found, std::int64_t(needed[index]));
        QVERIFY(exactUpperBound(errors[std::size_t(index)], found, delta) <= alpha + 1e-12);
        QVERIFY(exactUpperBound(errors[std::size_t(index)], found - 1, delta) > alpha);
    }
}

void TestStatistics::oddArgumentsAreHarmless()
{
    QCOMPARE(exactUpperBound(3, 10, 0.0), 1.0);
    QCOMPARE(exactUpperBound(3, 10, -1.0), 1.0);
    QCOMPARE(exactUpperBound(3, 10, 2.0), 0.0);
    QCOMPARE(exactUpperBound(3, 10, std::nan("")), 1.0);
    QCOMPARE(exactUpperBound(12, 10, 0.05), 1.0);
    const Interval certain = wilsonInterval(3, 10, 1.0);
    QVERIFY(certain.low >= 0.0 && certain.low < 0.3 && certain.high > 0.3 && certain.high <= 1.0);
    const Interval over = wilsonInterval(12, 10);
    QVERIFY(over.low >= 0.0 && over.high <= 1.0);
}

QTEST_GUILESS_MAIN(TestStatistics)
#include "tst_statistics.moc"
