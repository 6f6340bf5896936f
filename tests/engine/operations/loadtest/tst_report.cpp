#include "engine/operations/loadtest/report.h"
#include "engine/operations/loadtest/verdict.h"
#include "tests/support/testcase.h"

#include <QRegularExpression>
#include <QXmlStreamReader>

using namespace sluice;
using namespace sluice::ops;

class TestReport : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void saysEverythingInOneFile();
    void picturesAreWholeSvg();
    void aRunWithoutSecondsHasNoPictures();
    void whatIsUncorrectedSaysSo();
    void namesAreNotMarkup();

private:
    static LoadResult run(int seconds)
    {
        LoadResult result;
        result.id = QStringLiteral("20260301T101500Z-peak-1");
        result.scenario = Scenario::constant(QStringLiteral("peak"), 100, 200, seconds);
        result.target = QUrl(QStringLiteral("http://127.0.0.1:8080"));
        result.environment = QStringLiteral("local");
        result.versions = {{QStringLiteral("model"), QStringLiteral("abc123")}};
        result.state = QStringLiteral("completed");
        result.completed = true;
        result.elapsedSeconds = seconds;
        for (int at = 0; at < seconds; ++at) {
            LoadSecond second;
            second.second = at;
            second.users = 100;
            second.scheduled = second.sent = second.completed = 200;
            second.plannedRate = 200;
            second.p50Ms = 1;
            second.p95Ms = 4;
            second.p99Ms = at % 10 == 0 ? 250 : 9;
            second.heat = {{20, 150}, {24, 40}, {36, 10}};
            if (at % 5 == 0) {
                second.errors = 1;
                second.errorsByKind = {{QStringLiteral("status 503"), 1}};
                result.errors[QStringLiteral("status 503")] += 1;
            }
            second.server.workerCpuShare = 0.4;
            second.server.workerMiB = 60;
            second.server.cacheHitShare = 0.7;
            result.scheduled += 200;
            result.sent += 200;
            result.succeeded += 200 - second.errors;
            result.seconds << second;
        }
        result.errorSamples = {
            {QStringLiteral("status 503"), 5, QStringLiteral("/v1/classify: load is shed")}};
        result.p50Ms = 1;
        result.p95Ms = 4;
        result.p99Ms = 9;
        result.achievedRate = 199.8;
        result.notes = QStringList{QStringLiteral("worker 2 was lost")};
        judge(result);
        return result;
    }
};

void TestReport::saysEverythingInOneFile()
{
    const QString html = reportHtml(run(60));
    for (const char* words : {"Load run: peak", "95 % interval", "status 503", "load is shed",
             "worker 2 was lost", "http://127.0.0.1:8080", "abc123", "20260301T101500Z-peak-1",
             "11,988", "Response time", "memory", "margin"}) {
        QVERIFY2(html.contains(QString::fromUtf8(words)), words);
    }
    QCOMPARE(html.count(QStringLiteral("<svg ")), 7);
    // Nothing is fetched: no reference leads out of the file.
    const QRegularExpression reference(
        QStringLiteral("(src|href|@import|url\\()\\s*=?\\s*[\"'(]?(http|//|file)"));
    QVERIFY(!reference.match(html).hasMatch());
}

void TestReport::picturesAreWholeSvg()
{
    for (const int seconds : {1, 7, 600, 90000}) {
        const auto charts = reportCharts(run(seconds));
        QCOMPARE(charts.size(), 7);
        for (const ReportChart& chart : charts) {
            QXmlStreamReader xml(chart.svg);
            while (!xml.atEnd()) {
                xml.readNext();
            }
            QVERIFY2(!xml.hasError(), qPrintable(chart.title + xml.errorString()));
            QVERIFY(!chart.svg.contains("nan") && !chart.svg.contains("inf"));
            QVERIFY2(chart.svg.size() < 200000, qPrintable(chart.title)); // a day is no larger
        }
    }
}

void TestReport::aRunWithoutSecondsHasNoPictures()
{
    LoadResult result = run(10);
    result.seconds.clear();
    QVERIFY(reportCharts(result).isEmpty());
    QVERIFY(!reportHtml(result).contains(QStringLiteral("Over time")));
}

void TestReport::whatIsUncorrectedSaysSo()
{
    LoadResult result = run(60);
    result.generator = QStringLiteral("locust");
    result.latencyCorrected = false;
    result.errors.clear();
    judge(result);
    const QString html = reportHtml(result);
    QVERIFY(html.contains(QStringLiteral("p95 (uncorrected)")));
    QVERIFY(html.contains(QStringLiteral("from the actual send: uncorrected")));
    QVERIFY(!result.passed); // never by itself
    QVERIFY(!html.contains(QStringLiteral("<b>✓ passed")));
}

void TestReport::namesAreNotMarkup()
{
    LoadResult result = run(10);
    result.scenario.name = QStringLiteral("<script>alert(1)</script>");
    result.notes = QStringList{QStringLiteral("<img src=x>")};
    result.errors = {{QStringLiteral("<b>bad</b>"), 3}};
    const QString html = reportHtml(result);
    QVERIFY(!html.contains(QStringLiteral("<script>alert")));
    QVERIFY(!html.contains(QStringLiteral("<img src=x>")));
    QVERIFY(!html.contains(QStringLiteral("<b>bad</b>")));
    int asked = 0;
    const QString placed = reportHtml(result, [&](int index, const ReportChart& chart) {
        asked += index >= 0 && !chart.svg.isEmpty() ? 1 : 0;
        return QStringLiteral("[picture %1]").arg(index);
    });
    QVERIFY(asked > 3);
    QVERIFY(placed.contains(QStringLiteral("[picture 0]")));
    QVERIFY(!placed.contains(QStringLiteral("<svg")));
}

QTEST_GUILESS_MAIN(TestReport)
#include "tst_report.moc"
