#include "engine/operations/monitoring/alerts.h"
#include "engine/operations/monitoring/targets.h"
#include "tests/support/testcase.h"

#include <QFile>
#include <QProcess>
#include <QTemporaryDir>

using namespace sluice::ops;

class TestAlerts : public sluice::test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void promtoolAcceptsOurRules();
    void ourRulesFireWhenTheyShould();
    void rulesAreRead();
    void namesAreRead();
    void changesAreTold();
    void spansEndAtGaps();
    void mixShiftTellsMovedTraffic();

private:
    void promtool(const QStringList& arguments);
};

namespace {

QString rulesFile()
{
    return QStringLiteral(SLUICE_RULES_FILE);
}

Labels alertLabels(const char* name, const char* instance)
{
    return {{QStringLiteral("alertname"), QString::fromLatin1(name)},
        {QStringLiteral("instance"), QString::fromLatin1(instance)},
        {QStringLiteral("severity"), QStringLiteral("page")}};
}

AlertRule ruleWith(const QList<ActiveAlert>& alerts)
{
    AlertRule rule;
    rule.name = QStringLiteral("Down");
    rule.alerts = alerts;
    return rule;
}

} // namespace

void TestAlerts::promtool(const QStringList& arguments)
{
    QProcess process;
    process.setProcessChannelMode(QProcess::MergedChannels);
    process.start(QStringLiteral("promtool"), arguments);
    QVERIFY(process.waitForFinished(60000));
    QVERIFY2(process.exitCode() == 0, process.readAll().constData());
}

void TestAlerts::promtoolAcceptsOurRules()
{
    promtool({QStringLiteral("check"), QStringLiteral("rules"), rulesFile()});
}

void TestAlerts::ourRulesFireWhenTheyShould()
{
    // A worker goes away, 3 % of the answers fail, half of the decisions are fallbacks; and a
    // second service of which nothing is wrong.
    const QString text = QStringLiteral(R"(rule_files: ['%1']
evaluation_interval: 15s
tests:
  - interval: 15s
    input_series:
      - {series: 'up{job="sluice",instance="a"}', values: '1x40 0x400'}
      - {series: 'sluice_requests_total{pool="blue",route="/v1/classify",status="200"}', values: '0+1455x400'}
      - {series: 'sluice_requests_total{pool="blue",route="/v1/classify",status="500"}', values: '0+45x400'}
      - {series: 'sluice_decisions_total{pool="blue",decision="accept"}', values: '0+100x400'}
      - {series: 'sluice_decisions_total{pool="blue",decision="fallback"}', values: '0+100x400'}
      - {series: 'sluice_sessions_redis_up{pool="blue",instance="a"}', values: '1x400'}
    alert_rule_test:
      - {eval_time: 5m, alertname: SluiceWorkerDown, exp_alerts: []}
      - eval_time: 12m
        alertname: SluiceWorkerDown
        exp_alerts:
          - exp_labels: {severity: page, job: sluice, instance: a}
            exp_annotations: {summary: "the worker a does not answer Prometheus"}
      - eval_time: 65m
        alertname: SluiceBudgetBurnsFast
        exp_alerts:
          - exp_labels: {severity: page}
            exp_annotations: {summary: "3% errors over an hour: 2 % of the month's budget an hour"}
      - {eval_time: 10m, alertname: SluiceFallbackOutOfBand, exp_alerts: []}
      - eval_time: 40m
        alertname: SluiceFallbackOutOfBand
        exp_alerts:
          - exp_labels: {severity: ticket}
            exp_annotations: {summary: "50% of the decisions are fallbacks; 5 to 40 % are expected"}
      - {eval_time: 40m, alertname: SluiceRedisDown, exp_alerts: []}
      - {eval_time: 40m, alertname: SluiceThroughputLow, exp_alerts: []}
  - interval: 15s
    input_series:
      - {series: 'sluice_requests_total{pool="blue",route="/v1/classify",status="200"}', values: '0+3000x400'}
      - {series: 'sluice_decisions_total{pool="blue",decision="accept"}', values: '0+90x400'}
      - {series: 'sluice_decisions_total{pool="blue",decision="fallback"}', values: '0+10x400'}
      - {series: 'sluice_sessions_redis_up{pool="blue",instance="a"}', values: '1x40 0x400'}
    alert_rule_test:
      - {eval_time: 90m, alertname: SluiceBudgetBurnsFast, exp_alerts: []}
      - {eval_time: 90m, alertname: SluiceErrorsHigh, exp_alerts: []}
      - {eval_time: 90m, alertname: SluiceFallbackOutOfBand, exp_alerts: []}
      - eval_time: 90m
        alertname: SluiceRedisDown
        exp_alerts:
          - exp_labels: {severity: page, pool: blue}
            exp_annotations: {summary: "Redis is down: queries are answered without context"}
)")
                             .arg(rulesFile());
    QTemporaryDir folder;
    QFile file(folder.filePath(QStringLiteral("rules_test.yml")));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(text.toUtf8());
    file.close();
    promtool({QStringLiteral("test"), QStringLiteral("rules"), file.fileName()});
}

void TestAlerts::rulesAreRead()
{
    // As Prometheus 2.42 writes it, cut.
    const QByteArray body = R"({"status":"success","data":{"groups":[{"name":"parts","rules":[
        {"state":"firing","name":"Down","query":"up == 0","duration":30,"labels":{"severity":"page"},
         "annotations":{},"alerts":[{"labels":{"alertname":"Down","instance":"a"},
         "annotations":{"summary":"a is gone"},"state":"firing",
         "activeAt":"2026-11-24T10:00:01.5Z","value":"0e+00"},
         {"labels":{"alertname":"Down","instance":"b"},"annotations":{"description":"b too"},
         "state":"pending","activeAt":"2026-11-24T10:00:01Z","value":"1"}],
         "health":"ok","lastEvaluation":"2026-11-24T10:00:05.123456789Z","type":"alerting"},
        {"name":"x:y","query":"1","health":"ok","type":"recording"},
        {"state":"inactive","name":"Broken","query":"a / on(b) c","duration":0,"labels":{},"alerts":[],
         "health":"err","lastError":"many-to-many","type":"alerting"}]}]}})";
    const auto rules = PrometheusClient::parseRules(200, body);
    QVERIFY(rules);
    QCOMPARE(rules->size(), 2);
    const AlertRule& down = rules->first();
    QCOMPARE(down.severity, QStringLiteral("page"));
    QCOMPARE(down.forSeconds, 30.0);
    QCOMPARE(down.alerts.size(), 2);
    QVERIFY(down.alerts[0].firing && !down.alerts[1].firing);
    QCOMPARE(down.alerts[0].since.toString(Qt::ISODateWithMs),
        QStringLiteral("2026-11-24T10:00:01.500Z"));
    QCOMPARE(down.alerts[1].summary, QStringLiteral("b too"));
    QCOMPARE(rules->last().error, QStringLiteral("many-to-many"));
    QVERIFY(!PrometheusClient::parseRules(502, "<html>Bad gateway</html>"));
    QVERIFY(PrometheusClient::parseRules(200, R"({"status":"success","data":{"groups":[]}})")
                ->isEmpty());
}

void TestAlerts::namesAreRead()
{
    const auto names =
        PrometheusClient::parseNames(200, R"({"status":"success","data":["up","job"]})");
    QVERIFY(names);
    QCOMPARE(*names, (QStringList{QStringLiteral("up"), QStringLiteral("job")}));
    QVERIFY(!PrometheusClient::parseNames(404, "not found"));
}

void TestAlerts::changesAreTold()
{
    const ActiveAlert a{alertLabels("Down", "a"), true, {}, 0, QStringLiteral("a is gone")};
    const ActiveAlert waiting{alertLabels("Down", "b"), false, {}, 0, {}};
    AlertWatch watch;
    auto change = watch.take({ruleWith({a, waiting})});
    QCOMPARE(change.fired.size(), 1);
    QCOMPARE(change.fired.first().summary, QStringLiteral("a is gone"));
    change = watch.take({ruleWith({a, waiting})});
    QVERIFY(change.fired.isEmpty() && change.ended.isEmpty());
    QCOMPARE(watch.firing(), 1);
    change = watch.take({ruleWith({})});
    QCOMPARE(change.ended, QStringList{QStringLiteral("Down{instance=a}")});
    QCOMPARE(watch.firing(), 0);
}

void TestAlerts::spansEndAtGaps()
{
    RangeAnswer answer;
    answer.stepSeconds = 10;
    answer.series = {{alertLabels("Down", "a"), {{100, 1}, {110, 1}, {200, 1}, {210, 1}}}};
    const QList<AlertSpan> spans = alertSpans(answer, 215);
    QCOMPARE(spans.size(), 2);
    QCOMPARE(spans[0].start, 200.0); // the newest first
    QVERIFY(spans[0].open);
    QCOMPARE(spans[1].start, 100.0);
    QCOMPARE(spans[1].end, 110.0);
    QVERIFY(!spans[1].open);
    QVERIFY(alertSpans({}, 1).isEmpty());
}

void TestAlerts::mixShiftTellsMovedTraffic()
{
    const QString a = QStringLiteral("a");
    const QString b = QStringLiteral("b");
    QCOMPARE(*mixShift({{a, 0.5}, {b, 0.5}}, {{a, 10}, {b, 10}}), 0.0); // scaled
    // By hand: (0.8 - 0.5) ln(0.8/0.5) + (0.2 - 0.5) ln(0.2/0.5)
    QVERIFY(std::abs(*mixShift({{a, 0.8}, {b, 0.2}}, {{a, 0.5}, {b, 0.5}}) - 0.415888) < 1e-5);
    QVERIFY(*mixShift({{a, 1}}, {{b, 1}}) > 5);
    QVERIFY(!mixShift({}, {{a, 1}}));
    QVERIFY(!mixShift({{a, 1}}, {{a, 0}}));
}

QTEST_GUILESS_MAIN(TestAlerts)
#include "tst_alerts.moc"
