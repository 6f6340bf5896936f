#include "engine/operations/rollout/prometheussource.h"
#include "tests/engine/operations/rollout/plant.h"
#include "tests/support/requestserver.h"
#include "tests/support/testcase.h"

#include <algorithm>

using namespace sluice;
using namespace sluice::ops;
using namespace sluice::test;

namespace {

/// Answers every question with one body.
class FakePrometheus : public RequestServer
{
public:
    QByteArray body = R"({"status":"success","data":{"resultType":"matrix","result":[]}})";
    QList<QByteArray> asked;

protected:
    void handle(QTcpSocket* socket, const HttpRequest& request) override
    {
        asked << QByteArray::fromPercentEncoding(request.head + request.body);
        const bool instant = asked.last().contains("vector(");
        reply(socket,
            instant
                ? QByteArray(R"({"status":"success","data":{"resultType":"vector","result":)"
                             R"([{"metric":{},"value":[1,"3"]},{"metric":{},"value":[1,"NaN"]}]}})")
                : body,
            "200 OK", "Content-Type: application/json\r\n");
    }
};

} // namespace

/// The source before a server that is down, empty or well.
class TestPrometheusSource : public sluice::test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void sourceAsksAndAnswers();
    void sourceDown();
    void sourceGoneAnswersNobody();
};

void TestPrometheusSource::sourceAsksAndAnswers()
{
    FakePrometheus server;
    PrometheusSource source({server.url(), GateJudge::defaultMemoryLimit, 5000});
    Plant plant;
    PlannedGate query = gateOf(Measure::Query, 5);
    query.query = QStringLiteral("vector(up{pool=\"{{canary}}\"}[{{window}}])");
    QList<GateReading> readings;
    GateContext what = contextOf(plant,
        {gateOf(Measure::ErrorRate, 0.01, 200), gateOf(Measure::Memory, 0.8),
            gateOf(Measure::Complaints, 2), query});
    source.evaluate(what, this, [&](const QList<GateReading>& got) { readings = got; });
    QVERIFY(readings.isEmpty()); // never from within
    QTRY_COMPARE(readings.size(), 4);
    QCOMPARE(readings[0].verdict, GateVerdict::NoData);
    QCOMPARE(readings[1].verdict, GateVerdict::NoData);
    QCOMPARE(readings[2].verdict, GateVerdict::SourceDown);
    QCOMPARE(readings[3].verdict, GateVerdict::Pass);
    QCOMPARE(readings[3].value, 3.0);
    QCOMPARE(server.asked.size(), 6); // balancer, latencies, refusals, memory, query, dispersion
    QVERIFY(std::any_of(server.asked.begin(), server.asked.end(),
        [](const QByteArray& asked) { return asked.contains("pool=\"green\"}[300s]"); }));
    // The evidence is there for a journal.
    QVERIFY(source.evidence().contains(QStringLiteral("stage")));
    source.reset();
    QVERIFY(!source.evidence().contains(QStringLiteral("stage")));
    QCOMPARE(stepsOf({{0, 5}, {15, 7}, {30, 2}, {45, 4}, {90, 9}}, 15).size(), 2U);
}

void TestPrometheusSource::sourceDown()
{
    QTcpServer silent;
    silent.listen(QHostAddress::LocalHost);
    for (const quint16 port : {silent.serverPort(), quint16(1)}) {
        PrometheusSource source({QUrl(QStringLiteral("http://127.0.0.1:%1").arg(port)),
            GateJudge::defaultMemoryLimit, 300});
        QList<GateReading> readings;
        source.evaluate(contextOf({}, {gateOf(Measure::ErrorRate, 0.01, 200)}), this,
            [&](const QList<GateReading>& got) { readings = got; });
        QTRY_COMPARE(readings.size(), 1);
        QCOMPARE(readings[0].verdict, GateVerdict::SourceDown);
    }
}

void TestPrometheusSource::sourceGoneAnswersNobody()
{
    FakePrometheus server;
    auto source = std::make_unique<PrometheusSource>(
        PrometheusSource::Options{server.url(), GateJudge::defaultMemoryLimit, 5000});
    source->evaluate(contextOf({}, {gateOf(Measure::ErrorRate, 0.01)}), this,
        [](const QList<GateReading>&) { QFAIL("called"); });
    source.reset();
    auto other = std::make_unique<PrometheusSource>(
        PrometheusSource::Options{server.url(), GateJudge::defaultMemoryLimit, 5000});
    auto context = std::make_unique<QObject>();
    other->evaluate(contextOf({}, {gateOf(Measure::ErrorRate, 0.01)}), context.get(),
        [](const QList<GateReading>&) { QFAIL("called"); });
    context.reset();
    QTRY_VERIFY(server.asked.size() >= 3);
    bool done = false;
    other->evaluate(contextOf({}, {gateOf(Measure::ErrorRate, 0.01)}), this,
        [&](const QList<GateReading>&) { done = true; });
    QTRY_VERIFY(done);
}

QTEST_GUILESS_MAIN(TestPrometheusSource)
#include "tst_prometheussource.moc"
