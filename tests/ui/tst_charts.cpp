#include "tests/support/testcase.h"
#include "ui/charts/axisticks.h"
#include "ui/charts/chartgroup.h"
#include "ui/charts/chartlegend.h"
#include "ui/charts/livechart.h"
#include "ui/shell/theme.h"

#include <QApplication>
#include <QLabel>
#include <cmath>

using namespace sluice::ui;

class TestCharts : public sluice::test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { theme().install(*qApp); }
    void scalesAreRound_data();
    void scalesAreRound();
    void timeTicksAreRound();
    void columnsKeepPeaks();
    void gapsBreakTheLine();
    void nearestPointHasAReach();
    void zoomGoesInAndOut();
    void chartFollowsItsRange();
    void hiddenSeriesStayHidden();
    void emptyChartSaysWhy();
    void csvHoldsWhatIsSeen();
    void drawsItsLine();
    void legendFits();
};

void TestCharts::scalesAreRound_data()
{
    QTest::addColumn<double>("most");
    for (const double most :
        {1e-9, 0.00021, 0.07, 0.99, 1.0, 3.0, 7.3, 10.0, 99.0, 101.0, 12345.0, 1e12}) {
        QTest::addRow("%g", most) << most;
    }
}

void TestCharts::scalesAreRound()
{
    QFETCH(double, most);
    const ValueScale scale = valueScale(most);
    QVERIFY(scale.top >= most * 0.9999);
    QVERIFY2(
        scale.top <= most * 2.01, qPrintable(QString::number(scale.top))); // no half-empty chart
    QCOMPARE(scale.ticks.size(), 4);
    QCOMPARE(scale.ticks.first(), 0.0);
    for (const double nothing : {0.0, -1.0, double(NAN), double(INFINITY)}) {
        const ValueScale plain = valueScale(nothing);
        QVERIFY(plain.top > 0 && std::isfinite(plain.top));
    }
}

void TestCharts::timeTicksAreRound()
{
    const auto ticks = timeTicks(0, 90, 4, true);
    QVERIFY(ticks.size() >= 2 && ticks.size() <= 4);
    for (const TimeTick& tick : ticks) {
        QVERIFY(tick.time >= 0 && tick.time <= 90);
        QCOMPARE(std::fmod(tick.time, 5), 0.0);
        QVERIFY(tick.text.contains(u':'));
    }
    for (const double span : {1.0, 30.0, 300.0, 3600.0, 86400.0, 86400.0 * 30}) {
        const auto many = timeTicks(1.7e9, 1.7e9 + span, 6, false);
        QVERIFY2(!many.isEmpty() && many.size() <= 6, qPrintable(QString::number(span)));
    }
    QVERIFY(timeTicks(5, 5, 6, false).size() <= 1);
    QVERIFY(timeTicks(10, 0, 6, false).isEmpty());
}

void TestCharts::columnsKeepPeaks()
{
    QList<QPointF> points;
    for (int index = 0; index < 10000; ++index) {
        points << QPointF(index * 0.1, index == 5555 ? 100 : 1);
    }
    const QList<Column> columns = reduceToColumns(points, 0, 1000, 50, 3);
    QCOMPARE(columns.size(), 50);
    double high = 0;
    for (const Column& column : columns) {
        QVERIFY(column.used);
        high = std::max(high, column.high);
    }
    QCOMPARE(high, 100.0); // one sample in ten thousand is seen
}

void TestCharts::gapsBreakTheLine()
{
    const QList<QPointF> points{{0, 1}, {1, 1}, {2, double(NAN)}, {3, 1}, {20, 1}, {21, 1}};
    const QList<Column> columns = reduceToColumns(points, 0, 22, 22, 3);
    QVERIFY(columns[1].joins);
    QVERIFY(!columns[20].joins); // 17 seconds without a point
    QVERIFY(columns[21].joins);
    QVERIFY(!columns[10].used);
    QVERIFY(reduceToColumns({}, 0, 1, 10, 3).size() == 10);
}

void TestCharts::nearestPointHasAReach()
{
    const QList<QPointF> points{{10, 1}, {20, 2}, {30, 3}};
    QCOMPARE(nearestPoint(points, 19, 5), 1);
    QCOMPARE(nearestPoint(points, 26, 5), 2);
    QCOMPARE(nearestPoint(points, 100, 5), -1);
    QCOMPARE(nearestPoint({}, 1, 5), -1);
}

void TestCharts::zoomGoesInAndOut()
{
    ChartGroup group;
    group.setLiveRange(0, 100);
    QSignalSpy changed(&group, &ChartGroup::rangeChanged);
    group.zoom(10, 50);
    group.zoom(20, 30);
    QCOMPARE(group.range(), (ChartGroup::Span{20, 30}));
    group.zoom(20, 20.5); // a click, no span
    QCOMPARE(group.range(), (ChartGroup::Span{20, 30}));
    group.setLiveRange(1, 101); // goes on underneath
    QCOMPARE(group.range(), (ChartGroup::Span{20, 30}));
    group.zoomOut();
    QCOMPARE(group.range(), (ChartGroup::Span{10, 50}));
    group.resetZoom();
    QCOMPARE(group.range(), (ChartGroup::Span{1, 101}));
    group.zoomOut();
    QVERIFY(changed.size() >= 4);
}

namespace {

QList<ChartSeries> series(double value)
{
    ChartSeries one;
    one.name = QStringLiteral("blue");
    for (int second = 0; second <= 60; ++second) {
        one.points << QPointF(second, second < 30 ? value : value * 3);
    }
    ChartSeries other = one;
    other.name = QStringLiteral("green");
    other.style = 1;
    for (QPointF& point : other.points) {
        point.ry() *= 10;
    }
    return {one, other};
}

} // namespace

void TestCharts::chartFollowsItsRange()
{
    ChartGroup group;
    group.setLiveRange(0, 60);
    LiveChart chart(QStringLiteral("Requests"), &group, Unit::PerSecond);
    chart.resize(400, 200);
    chart.setSeries({series(1).first()});
    QVERIFY(chart.top() >= 3 && chart.top() <= 6);
    group.zoom(0, 20); // only the low half is seen
    QVERIFY(chart.top() < 3);
    chart.setLeastTop(50);
    QVERIFY(chart.top() >= 50);
    QVERIFY(!chart.accessibleDescription().isEmpty());
}

void TestCharts::hiddenSeriesStayHidden()
{
    ChartGroup group;
    group.setLiveRange(0, 60);
    LiveChart chart(QStringLiteral("Requests"), &group, Unit::PerSecond);
    chart.resize(400, 200);
    chart.setSeries(series(1));
    QVERIFY(chart.top() >= 30);
    auto* legend = chart.findChild<ChartLegend*>();
    Q_EMIT legend->toggled(1);
    QVERIFY(chart.top() < 10);
    chart.setSeries(series(1)); // the next refresh
    QVERIFY(!chart.series().at(1).visible);
    Q_EMIT legend->soloed(1);
    QVERIFY(!chart.series().at(0).visible && chart.series().at(1).visible);
}

void TestCharts::emptyChartSaysWhy()
{
    ChartGroup group;
    LiveChart chart(QStringLiteral("Requests"), &group, Unit::PerSecond);
    chart.resize(400, 200);
    chart.setEmptyText(QStringLiteral("no requests yet"));
    chart.setSeries({});
    chart.show();
    QLabel* said = nullptr;
    for (QLabel* label : chart.findChildren<QLabel*>()) {
        said = label->text() == QLatin1StringView("no requests yet") ? label : said;
    }
    QVERIFY(said != nullptr && said->isVisible());
    group.setLiveRange(0, 60);
    chart.setSeries(series(1));
    QVERIFY(!said->isVisible());
}

void TestCharts::csvHoldsWhatIsSeen()
{
    ChartGroup group;
    group.setLiveRange(0, 60);
    LiveChart chart(QStringLiteral("Requests"), &group, Unit::PerSecond);
    chart.setSeries(series(1));
    QCOMPARE(chart.csv().trimmed().split(u'\n').size(), 1 + 2 * 61);
    group.zoom(10, 19);
    QCOMPARE(chart.csv().trimmed().split(u'\n').size(), 1 + 2 * 10);
    QVERIFY(chart.csv().startsWith(QStringLiteral("series,time,value\nblue,10.000,1\n")));
}

void TestCharts::drawsItsLine()
{
    ChartGroup group;
    group.setLiveRange(0, 60);
    LiveChart chart(QStringLiteral("Requests"), &group, Unit::PerSecond);
    chart.resize(500, 250);
    chart.setSeries({series(1).first()});
    chart.show();
    QVERIFY(QTest::qWaitForWindowExposed(&chart));
    const QImage image = chart.grab().toImage();
    const QColor ink = theme().seriesPen(0).color();
    int inked = 0;
    for (int y = 0; y < image.height(); ++y) {
        for (int x = 0; x < image.width(); ++x) {
            const QColor c = image.pixelColor(x, y);
            inked += std::abs(c.red() - ink.red()) + std::abs(c.green() - ink.green())
                        + std::abs(c.blue() - ink.blue())
                    < 60
                ? 1
                : 0;
        }
    }
    QVERIFY2(inked > 200, qPrintable(QString::number(inked)));
}

void TestCharts::legendFits()
{
    ChartLegend legend;
    legend.setEntries({{QStringLiteral("p50"), QStringLiteral("168 µs"), 0, true},
        {QStringLiteral("p95"), QStringLiteral("281 µs"), 1, true},
        {QStringLiteral("p99"), QStringLiteral("447 µs"), 2, true}});
    legend.resize(270, 20);
    QSignalSpy toggled(&legend, &ChartLegend::toggled);
    for (int x = 0; x < 270; x += 2) {
        QTest::mousePress(&legend, Qt::LeftButton, {}, QPoint(x, 10));
    }
    QSet<int> reached;
    for (const QList<QVariant>& call : toggled) {
        reached << call.first().toInt();
    }
    QCOMPARE(reached.size(), 3); // each can be clicked within that width
}

QTEST_MAIN(TestCharts)
#include "tst_charts.moc"
