#include "tests/support/testcase.h"
#include "ui/charts/axisticks.h"
#include "ui/charts/chartgroup.h"
#include "ui/charts/chartlegend.h"
#include "ui/charts/livechart.h"
#include "ui/shell/theme.h"

#include <QApplication>
#include <QClipboard>
#include <QGraphicsView>
#include <QLabel>
#include <QRandomGenerator>
#include <QTemporaryDir>
#include <QWheelEvent>
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
    void summariesAgreeWithThePoints();
    void tailsAreMerged();
    void negativeValuesHaveRoom();
    void wheelAndDragAndKeysZoom();
    void crosshairIsOnAllCharts();
    void picturesAndFilesComeOut();
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
    const QList<Column> columns = Samples(points).columns(0, 1000, 50, 3);
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
    const QList<Column> columns = Samples(points).columns(0, 22, 22, 3);
    QVERIFY(columns[1].joins);
    QVERIFY(!columns[20].joins); // 17 seconds without a point
    QVERIFY(columns[21].joins);
    QVERIFY(!columns[10].used);
    QCOMPARE(Samples().columns(0, 1, 10, 3).size(), 10);
}

void TestCharts::nearestPointHasAReach()
{
    const Samples points(QList<QPointF>{{10, 1}, {20, 2}, {30, 3}});
    QCOMPARE(points.nearest(19, 5), 1);
    QCOMPARE(points.nearest(26, 5), 2);
    QCOMPARE(points.nearest(100, 5), -1);
    QCOMPARE(Samples().nearest(1, 5), -1);
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
    ChartSeries other;
    other.name = QStringLiteral("green");
    other.style = 1;
    for (int second = 0; second <= 60; ++second) {
        one.points << QPointF(second, second < 30 ? value : value * 3);
        other.points << QPointF(second, 10 * (second < 30 ? value : value * 3));
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

/// The summaries are a short cut: what they say must be what the points say, however a line grew.
void TestCharts::summariesAgreeWithThePoints()
{
    QRandomGenerator random(7);
    Samples samples;
    QList<QPointF> plain;
    double time = 1000;
    for (int round = 0; round < 400; ++round) {
        QList<QPointF> tail;
        const double from = std::max(1000.0, time - random.bounded(8));
        for (int index = random.bounded(40); index >= 0; --index) {
            time += random.bounded(100) == 0 ? 50 : 1;
            const double value = random.bounded(50) == 0 ? std::nan("") : random.bounded(1000.0);
            if (time >= from) {
                tail << QPointF(time, value);
            }
        }
        samples.replaceFrom(from, tail);
        plain.removeIf([&](const QPointF& point) { return point.x() >= from; });
        plain += tail;
        const double start = 1000 + random.bounded(time - 1000);
        const double end = start + 1 + random.bounded(time - start + 1);
        double low = 1e9;
        double high = -1e9;
        for (const QPointF& point : plain) {
            if (point.x() >= start && point.x() <= end && std::isfinite(point.y())) {
                low = std::min(low, point.y());
                high = std::max(high, point.y());
            }
        }
        const auto reach = samples.extremes(start, end);
        QCOMPARE(reach.has_value(), low <= high);
        if (reach) {
            QCOMPARE(reach->first, low);
            QCOMPARE(reach->second, high);
        }
    }
    // Columns: each pixel's extremes and gaps, against a walk over all points.
    const double end = time;
    constexpr int width = 120;
    const QList<Column> columns = samples.columns(1000, end, width, 3);
    QList<Column> expected(width);
    double previous = -1e9;
    for (const QPointF& point : plain) {
        if (!std::isfinite(point.y())) {
            previous = -1e9;
            continue;
        }
        const int place = std::min(width - 1, int((point.x() - 1000) / ((end - 1000) / width)));
        Column& column = expected[place];
        const bool joins = point.x() - previous <= 3;
        column = column.used ? Column{column.first, std::min(column.low, point.y()),
                     std::max(column.high, point.y()), point.y(), true, column.joins}
                             : Column{point.y(), point.y(), point.y(), point.y(), true, joins};
        previous = point.x();
    }
    for (int x = 0; x < width; ++x) {
        QCOMPARE(columns[x].used, expected[x].used);
        QCOMPARE(columns[x].joins, expected[x].joins);
        QCOMPARE(columns[x].low, expected[x].low);
        QCOMPARE(columns[x].high, expected[x].high);
        QCOMPARE(columns[x].last, expected[x].last);
    }
    samples.dropBefore(end - 10);
    QVERIFY(samples.size() < plain.size());
    QVERIFY(samples.extremes(end - 10, end).has_value());
}

void TestCharts::tailsAreMerged()
{
    ChartGroup group;
    group.setLiveRange(0, 60);
    LiveChart chart(QStringLiteral("Requests"), &group, Unit::PerSecond);
    chart.setSeries({series(1).first()});
    chart.merge({{QStringLiteral("blue"), QList<QPointF>{{60, 9}, {61, 10}}, 0, false, true, 0},
                    {QStringLiteral("amber"), QList<QPointF>{{61, 1}}, 2, false, true, 2}},
        59.5, 0);
    QCOMPARE(chart.series().size(), 2);
    QCOMPARE(chart.series().at(0).points.size(), 62); // 60 is replaced, 61 new
    QCOMPARE(chart.series().at(0).points.last(), QPointF(61, 10));
    chart.merge({}, 100, 61.5); // both ended before what is kept
    QVERIFY(chart.series().isEmpty());
}

void TestCharts::negativeValuesHaveRoom()
{
    const ValueScale scale = valueScaleFrom(-3, 5);
    QVERIFY(scale.bottom <= -3 && scale.top >= 5);
    QVERIFY(scale.ticks.contains(0.0));
    QCOMPARE(valueScaleFrom(1, 5).bottom, 0.0);
}

void TestCharts::wheelAndDragAndKeysZoom()
{
    ChartGroup group;
    group.setLiveRange(0, 1000);
    LiveChart chart(QStringLiteral("Requests"), &group, Unit::PerSecond);
    chart.resize(500, 250);
    chart.setSeries({series(1).first()});
    chart.show();
    QVERIFY(QTest::qWaitForWindowExposed(&chart));
    auto* area = chart.findChild<QGraphicsView*>()->viewport();
    const int left = int(chart.plotArea().left());
    const int width = int(chart.plotArea().width());
    QTest::mousePress(area, Qt::LeftButton, {}, {left + width / 4, 60});
    QTest::mouseMove(area, {left + width / 2, 60});
    QTest::mouseRelease(area, Qt::LeftButton, {}, {left + width / 2, 60});
    QVERIFY(group.isZoomed());
    QVERIFY(std::abs(group.range().first - 250) < 10 && std::abs(group.range().second - 500) < 10);
    QTest::mouseDClick(area, Qt::LeftButton, {}, {left + 20, 60});
    QVERIFY(!group.isZoomed());

    const QPointF place(left + width / 2.0, 60);
    QWheelEvent wheel(
        place, area->mapToGlobal(place), {}, {0, 120}, Qt::NoButton, {}, Qt::NoScrollPhase, false);
    QApplication::sendEvent(area, &wheel);
    QApplication::sendEvent(area, &wheel);
    const auto [start, end] = group.range();
    QVERIFY(std::abs(end - start - 640) < 1); // two notches of a fifth
    group.zoomOut(); // and one step back
    QVERIFY(!group.isZoomed());

    chart.setFocus();
    QTest::keyClick(&chart, Qt::Key_Plus);
    QVERIFY(std::abs(group.range().second - group.range().first - 800) < 1);
    QTest::keyClick(&chart, Qt::Key_Right, Qt::ControlModifier);
    QVERIFY(std::abs(group.range().first - 180) < 1);
    QTest::keyClick(&chart, Qt::Key_Left);
    QVERIFY(group.crosshair().has_value());
    QTest::keyClick(&chart, Qt::Key_Escape);
    QVERIFY(!group.isZoomed() && !group.crosshair());
}

void TestCharts::crosshairIsOnAllCharts()
{
    ChartGroup group;
    group.setLiveRange(0, 60);
    LiveChart one(QStringLiteral("Requests"), &group, Unit::None);
    LiveChart other(QStringLiteral("Errors"), &group, Unit::None);
    for (LiveChart* chart : {&one, &other}) {
        chart->resize(400, 200);
        chart->setSeries({series(1).first()});
    }
    QVERIFY(other.accessibleDescription().contains(QLatin1StringView("blue 3")));
    group.setCrosshair(10); // as a mouse over the first one does
    QVERIFY(other.accessibleDescription().contains(QLatin1StringView("blue 1")));
}

void TestCharts::picturesAndFilesComeOut()
{
    ChartGroup group;
    group.setLiveRange(0, 60);
    LiveChart chart(QStringLiteral("Requests"), &group, Unit::PerSecond);
    chart.resize(400, 200);
    ChartSeries odd = series(1).first();
    odd.name = QStringLiteral("a,\"b\"");
    chart.setSeries({odd});
    chart.copyPicture();
    QVERIFY(!QApplication::clipboard()->pixmap().isNull());
    QTemporaryDir folder;
    const QString file = folder.filePath(QStringLiteral("values.csv"));
    QVERIFY(chart.saveCsv(file));
    QFile written(file);
    QVERIFY(written.open(QIODevice::ReadOnly));
    QVERIFY(written.readAll().contains("\"a,\"\"b\"\"\",0.000,1\n"));
    QVERIFY(!chart.saveCsv(folder.filePath(QStringLiteral("no/such/values.csv"))));
}

QTEST_MAIN(TestCharts)
#include "tst_charts.moc"
