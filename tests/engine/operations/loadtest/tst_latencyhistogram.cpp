#include "engine/operations/loadtest/latencyhistogram.h"
#include "tests/support/testcase.h"

#include <algorithm>
#include <random>

using namespace sluice::ops;

class TestLatencyHistogram : public sluice::test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void quantilesAreNear_data();
    void quantilesAreNear();
    void mergingIsExact();
    void ends();
};

void TestLatencyHistogram::quantilesAreNear_data()
{
    QTest::addColumn<double>("scale");
    for (const double scale : {10.0, 1e3, 1e6, 1e9}) {
        QTest::addRow("%g ns", scale) << scale;
    }
}

void TestLatencyHistogram::quantilesAreNear()
{
    QFETCH(double, scale);
    std::mt19937 random(5);
    std::lognormal_distribution<double> distribution(0, 1.2);
    LatencyHistogram histogram;
    std::vector<std::int64_t> values;
    for (int index = 0; index < 20000; ++index) {
        values.push_back(std::int64_t(distribution(random) * scale));
        histogram.add(values.back());
    }
    std::sort(values.begin(), values.end());
    QCOMPARE(histogram.count(), values.size());
    QCOMPARE(histogram.max(), values.back());
    for (const double q : {0.01, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0}) {
        const auto rank =
            std::max<std::size_t>(1, std::size_t(std::ceil(q * double(values.size()))));
        const auto exact = double(values[rank - 1]);
        const auto found = double(histogram.quantile(q));
        QVERIFY2(std::abs(found - exact) <= std::max(1.0, exact * 0.004),
            qPrintable(QStringLiteral("q %1: %2, exactly %3").arg(q).arg(found).arg(exact)));
    }
}

void TestLatencyHistogram::mergingIsExact()
{
    LatencyHistogram all;
    LatencyHistogram one;
    LatencyHistogram two;
    for (int index = 1; index < 5000; ++index) {
        all.add(index * 997);
        (index % 3 == 0 ? one : two).add(index * 997);
    }
    one.merge(two);
    QCOMPARE(one.count(), all.count());
    QCOMPARE(one.max(), all.max());
    for (const double q : {0.0, 0.1, 0.5, 0.99, 1.0}) {
        QCOMPARE(one.quantile(q), all.quantile(q));
    }
    one.clear();
    QCOMPARE(one.count(), 0U);
    QCOMPARE(one.quantile(0.5), 0);
}

void TestLatencyHistogram::ends()
{
    LatencyHistogram histogram;
    QCOMPARE(histogram.quantile(0.99), 0);
    histogram.add(0);
    histogram.add(-5); // a clock that went back counts as nothing
    histogram.add(INT64_MAX);
    QCOMPARE(histogram.count(), 3U);
    QCOMPARE(histogram.quantile(0.5), 0);
    QVERIFY(histogram.quantile(1.0) >= (std::int64_t(1) << 39));
}

QTEST_GUILESS_MAIN(TestLatencyHistogram)
#include "tst_latencyhistogram.moc"
