#include "engine/operations/monitoring/prometheusclient.h"
#include "tests/support/testcase.h"

#include <cmath>

using namespace sluice;
using namespace sluice::ops;

class TestPrometheusParser : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void stepKeepsTheLimits_data();
    void stepKeepsTheLimits();
    void rangeLeavesOutWhatIsNotFinite();
    void warningsAndInfosAreShown();
    void nativeHistogramIsNamed();
    void instantReadsVectorAndScalar();
    void errorsTellWhatToDo_data();
    void errorsTellWhatToDo();
    void malformedSampleIsAnError();
};

void TestPrometheusParser::stepKeepsTheLimits_data()
{
    QTest::addColumn<double>("range");
    QTest::addColumn<int>("pixels");
    QTest::addColumn<double>("least");
    QTest::addColumn<double>("step");
    QTest::newRow("five minutes") << 300.0 << 800 << 1.0 << 1.0;
    QTest::newRow("an hour") << 3600.0 << 800 << 1.0 << 5.0;
    QTest::newRow("multiple of the scrape") << 3600.0 << 800 << 2.0 << 6.0;
    QTest::newRow("wider than Prometheus allows") << 110000.0 << 100000 << 1.0 << 11.0;
    QTest::newRow("no width") << 60.0 << 0 << 1.0 << 60.0;
    QTest::newRow("no range") << 0.0 << 800 << 5.0 << 5.0;
    QTest::newRow("not a number") << double(NAN) << 800 << -1.0 << 1.0;
}

void TestPrometheusParser::stepKeepsTheLimits()
{
    QFETCH(double, range);
    QFETCH(int, pixels);
    QFETCH(double, least);
    QTEST(PrometheusClient::stepFor(range, pixels, least), "step");
}

void TestPrometheusParser::rangeLeavesOutWhatIsNotFinite()
{
    const auto answer = PrometheusClient::parseRange(200,
        R"({"status":"success","data":{"resultType":"matrix","result":[
            {"metric":{"pool":"blue"},"values":[[10,"1.5"],[11,"NaN"],[12,"+Inf"],[13,"-Inf"],[14.5,"2e3"]]},
            {"metric":{"pool":"green"},"values":[[10,"NaN"]]}]}})",
        1);
    QVERIFY(answer.ok());
    QCOMPARE(answer->series.size(), 1);
    QCOMPARE(answer->series.at(0).labels.value(QStringLiteral("pool")), QStringLiteral("blue"));
    QCOMPARE(answer->series.at(0).points, (QList<QPointF>{{10, 1.5}, {14.5, 2000}}));
    QCOMPARE(answer->stepSeconds, 1.0);
}

void TestPrometheusParser::warningsAndInfosAreShown()
{
    const auto answer = PrometheusClient::parseRange(200,
        R"({"status":"success","data":{"resultType":"matrix","result":[]},
            "warnings":["remote read failed"],"infos":["metric might not be a counter"]})",
        1);
    QVERIFY(answer.ok());
    QCOMPARE(answer->warnings,
        (QStringList{QStringLiteral("remote read failed"),
            QStringLiteral("metric might not be a counter")}));
}

void TestPrometheusParser::nativeHistogramIsNamed()
{
    const auto answer = PrometheusClient::parseRange(200,
        R"({"status":"success","data":{"resultType":"matrix","result":[
            {"metric":{},"histograms":[[1,{"count":"1","sum":"1","buckets":[]}]]}]}})",
        1);
    QVERIFY(answer.ok());
    QVERIFY(answer->series.isEmpty());
    QCOMPARE(answer->warnings.size(), 1);
}

void TestPrometheusParser::instantReadsVectorAndScalar()
{
    const auto vector = PrometheusClient::parseInstant(200,
        R"({"status":"success","data":{"resultType":"vector","result":[
            {"metric":{"instance":"a:1"},"value":[1.25,"NaN"]},
            {"metric":{"instance":"b:1"},"value":[1.25,"+Inf"]}]}})");
    QVERIFY(vector.ok());
    QCOMPARE(vector->size(), 2);
    QVERIFY(std::isnan(vector->at(0).value));
    QVERIFY(std::isinf(vector->at(1).value));
    QCOMPARE(vector->at(1).time, 1.25);

    const auto scalar = PrometheusClient::parseInstant(
        200, R"({"status":"success","data":{"resultType":"scalar","result":[7,"42"]}})");
    QVERIFY(scalar.ok());
    QCOMPARE(scalar->at(0).value, 42.0);

    const auto text = PrometheusClient::parseInstant(
        200, R"({"status":"success","data":{"resultType":"string","result":[7,"hello"]}})");
    QVERIFY(!text.ok());
    QCOMPARE(text.error().kind, ErrorKind::Input);
}

void TestPrometheusParser::errorsTellWhatToDo_data()
{
    QTest::addColumn<int>("status");
    QTest::addColumn<QByteArray>("body");
    QTest::addColumn<int>("kind");
    QTest::addColumn<QString>("words");
    const auto api = [](const char* type) -> QByteArray {
        return QByteArray(R"({"status":"error","errorType":")") + type
            + QByteArray(R"(","error":"the reason"})");
    };
    QTest::newRow("bad query") << 400 << api("bad_data") << int(ErrorKind::Input)
                               << QStringLiteral("the reason");
    QTest::newRow("cannot execute")
        << 422 << api("execution") << int(ErrorKind::Refused) << QStringLiteral("the reason");
    QTest::newRow("timed out") << 503 << api("timeout") << int(ErrorKind::Unreachable)
                               << QStringLiteral("the reason");
    QTest::newRow("starting") << 503 << api("unavailable") << int(ErrorKind::Unreachable)
                              << QStringLiteral("not ready");
    QTest::newRow("proxy's page")
        << 502
        << QByteArray("<html><head><title>x</title></head><body><h1>502 Bad Gateway</h1><hr>nginx"
                      "</body></html>")
        << int(ErrorKind::Unreachable) << QStringLiteral("(502 Bad Gateway nginx)");
    QTest::newRow("wrong path") << 404 << QByteArray("404 page not found") << int(ErrorKind::Input)
                                << QStringLiteral("base URL");
    QTest::newRow("login") << 401 << QByteArray("Unauthorized") << int(ErrorKind::Refused)
                           << QStringLiteral("login");
    QTest::newRow("redirect") << 302 << QByteArray() << int(ErrorKind::Input)
                              << QStringLiteral("302");
    QTest::newRow("something else with 200")
        << 200 << QByteArray("<html>Welcome</html>") << int(ErrorKind::Unreachable)
        << QStringLiteral("Welcome");
    QTest::newRow("cut off") << 200 << QByteArray(R"({"status":"success","data":{"resu)")
                             << int(ErrorKind::Unreachable) << QStringLiteral("cut off");
    QTest::newRow("empty") << 200 << QByteArray() << int(ErrorKind::Unreachable)
                           << QStringLiteral("not Prometheus' JSON");
}

void TestPrometheusParser::errorsTellWhatToDo()
{
    QFETCH(int, status);
    QFETCH(QByteArray, body);
    QFETCH(int, kind);
    QFETCH(QString, words);
    const auto range = PrometheusClient::parseRange(status, body, 1);
    QVERIFY(!range.ok());
    QCOMPARE(int(range.error().kind), kind);
    const QString text = QString::fromStdString(range.error().text());
    QVERIFY2(text.contains(words), qPrintable(text));
    QVERIFY(!PrometheusClient::parseInstant(status, body).ok());
}

void TestPrometheusParser::malformedSampleIsAnError()
{
    for (const char* pair : {"[1]", "[1,2]", "[\"1\",\"2\"]", "[1,\"x\"]", "7", "null"}) {
        const QByteArray body =
            QByteArray(R"({"status":"success","data":{"resultType":"matrix","result":[)"
                       R"({"metric":{},"values":[)")
            + pair + "]}]}}";
        QVERIFY2(!PrometheusClient::parseRange(200, body, 1).ok(), pair);
    }
}

QTEST_GUILESS_MAIN(TestPrometheusParser)
#include "tst_prometheusparser.moc"
