#include "engine/operations/monitoring/servicequeries.h"
#include "engine/operations/monitoring/targets.h"
#include "tests/support/testcase.h"

#include <QFile>
#include <QProcess>
#include <QTemporaryDir>
#include <cmath>

using namespace sluice::ops;

namespace {

struct Expectation
{
    QString expression;
    QStringList samples; ///< "LABELS=VALUE" as in {pool="blue"}=5
};

QString yaml(const QList<Expectation>& expectations, const QString& series)
{
    QString text = QStringLiteral("evaluation_interval: 1s\ntests:\n  - interval: 1s\n"
                                  "    input_series:\n%1    promql_expr_test:\n")
                       .arg(series);
    for (const Expectation& expectation : expectations) {
        text += QStringLiteral("      - expr: '%1'\n        eval_time: 60s\n")
                    .arg(expectation.expression);
        text += QStringLiteral("        exp_samples:%1\n")
                    .arg(expectation.samples.isEmpty() ? QStringLiteral(" []") : QString());
        for (const QString& sample : expectation.samples) {
            const qsizetype at = sample.lastIndexOf(u'=');
            text += QStringLiteral("          - labels: '%1'\n            value: %2\n")
                        .arg(sample.left(at), sample.mid(at + 1));
        }
    }
    return text;
}

} // namespace

class TestServiceQueries : public sluice::test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void windowSpansFourScrapes();
    void queriesGiveWhatTheySay();
    void withoutTrafficThereIsNoData();
    void targetsJudge();

private:
    void check(const QList<Expectation>& expectations, const QString& series);
};

void TestServiceQueries::check(const QList<Expectation>& expectations, const QString& series)
{
    QTemporaryDir folder;
    QFile file(folder.filePath(QStringLiteral("queries.yml")));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(yaml(expectations, series).toUtf8());
    file.close();
    QProcess promtool;
    promtool.setProcessChannelMode(QProcess::MergedChannels);
    promtool.start(QStringLiteral("promtool"),
        {QStringLiteral("test"), QStringLiteral("rules"), file.fileName()});
    QVERIFY(promtool.waitForFinished(30000));
    QVERIFY2(promtool.exitCode() == 0, promtool.readAll().constData());
}

void TestServiceQueries::windowSpansFourScrapes()
{
    QCOMPARE(queries::rateWindow(1, 1), 4.0);
    QCOMPARE(queries::rateWindow(1, 30), 30.0);
}

void TestServiceQueries::queriesGiveWhatTheySay()
{
    // Blue: 8/s of which 2 fail; green: 1/s, never failed; health checks must not count.
    const QString series = QStringLiteral(R"(
      - {series: 'sluice_requests_total{pool="blue",route="/v1/classify",status="200"}', values: '0+6x90'}
      - {series: 'sluice_requests_total{pool="blue",route="/v1/classify/batch",status="503"}', values: '0+2x90'}
      - {series: 'sluice_requests_total{pool="green",route="/v1/classify",status="200"}', values: '0+1x90'}
      - {series: 'sluice_requests_total{pool="blue",route="/healthz",status="500"}', values: '0+100x90'}
      - {series: 'sluice_request_duration_seconds_bucket{pool="blue",route="/v1/classify",le="0.1"}', values: '0+8x90'}
      - {series: 'sluice_request_duration_seconds_bucket{pool="blue",route="/v1/classify",le="+Inf"}', values: '0+8x90'}
      - {series: 'sluice_request_duration_seconds_bucket{pool="green",route="/v1/classify",le="0.1"}', values: '0+0x90'}
      - {series: 'sluice_request_duration_seconds_bucket{pool="green",route="/v1/classify",le="0.2"}', values: '0+8x90'}
      - {series: 'sluice_request_duration_seconds_bucket{pool="green",route="/v1/classify",le="+Inf"}', values: '0+8x90'}
      - {series: 'process_resident_memory_bytes{pool="blue",instance="a"}', values: '5x90'}
      - {series: 'process_resident_memory_bytes{pool="blue",instance="b"}', values: '7x90'}
      - {series: 'process_resident_memory_bytes{job="prometheus"}', values: '900x90'}
      - {series: 'process_cpu_seconds_total{pool="blue",instance="a"}', values: '0+0.5x90'}
      - {series: 'process_cpu_seconds_total{pool="blue",instance="b"}', values: '0+0.25x90'}
      - {series: 'sluice_cache_hits_total{pool="blue"}', values: '0+3x90'}
      - {series: 'sluice_cache_misses_total{pool="blue"}', values: '0+1x90'}
      - {series: 'sluice_decisions_total{pool="blue",decision="accept"}', values: '0+3x90'}
      - {series: 'sluice_decisions_total{pool="green",decision="fallback"}', values: '0+1x90'}
      - {series: 'sluice_threshold_set{pool="blue",instance="a",job="worker"}', values: '4x90'}
      - {series: 'haproxy_backend_http_requests_total{proxy="blue"}', values: '0+8x90'}
      - {series: 'haproxy_backend_http_requests_total{proxy="stats"}', values: '0+50x90'}
      - {series: 'haproxy_backend_http_responses_total{proxy="blue",code="2xx"}', values: '0+6x90'}
      - {series: 'haproxy_backend_http_responses_total{proxy="blue",code="5xx"}', values: '0+2x90'}
)")
                               .mid(1);
    const auto of = [](const char* label, const char* value) {
        return QStringLiteral("{%1=\"%2\"}=")
            .arg(QLatin1StringView(label), QLatin1StringView(value));
    };
    const QString blue = of("pool", "blue");
    const QString green = of("pool", "green");
    check(
        {
            {queries::requestRate(10), {QStringLiteral("{}=9")}},
            {queries::requestRateByPool(10),
                {blue + QStringLiteral("8"), green + QStringLiteral("1")}},
            {queries::errorShare(10), {QStringLiteral("{}=0.2222222222222222")}},
            {queries::errorShareByPool(10),
                {blue + QStringLiteral("0.25"), green + QStringLiteral("0")}},
            {queries::latencyByPool(0.5, 10),
                {blue + QStringLiteral("0.05"), green + QStringLiteral("0.15000000000000002")}},
            {queries::residentMemory(), {blue + QStringLiteral("7")}},
            {queries::cpuShare(10), {blue + QStringLiteral("0.5")}},
            {queries::cacheHitRatio(10), {QStringLiteral("{}=0.75")}},
            {queries::decisionShare(10),
                {of("decision", "accept") + QStringLiteral("0.75"),
                    of("decision", "fallback") + QStringLiteral("0.25")}},
            {queries::thresholdSet(), {QStringLiteral("{instance=\"a\", pool=\"blue\"}=4")}},
            {queries::balancerErrorShare(10), {of("proxy", "blue") + QStringLiteral("0.25")}},
            {queries::balancerRequestRate(10), {of("proxy", "blue") + QStringLiteral("8")}},
        },
        series);
}

void TestServiceQueries::withoutTrafficThereIsNoData()
{
    const QString silent = QStringLiteral(R"(
      - {series: 'sluice_requests_total{pool="blue",route="/v1/classify",status="200"}', values: '5x90'}
)")
                               .mid(1);
    // Not a number, which alone is unequal to itself; promtool compares it with nothing.
    const QString share = queries::errorShare(10);
    check(
        {
            {QStringLiteral("(%1) != bool (%1)").arg(share), {QStringLiteral("{}=1")}},
            {queries::cacheHitRatio(10), {}},
            {queries::latency(0.95, 10), {}},
        },
        silent);
}

void TestServiceQueries::targetsJudge()
{
    QCOMPARE(ownersTargets().size(), 7);
    for (const Target& target : ownersTargets()) {
        QCOMPARE(&targetOf(target.quantity), &target);
        QCOMPARE(target.judge(std::nullopt), Judgement::NoData);
        QCOMPARE(target.judge(double(NAN)), Judgement::NoData);
        QCOMPARE(target.judge(target.limit), Judgement::Breach);
        const double better = target.below ? target.limit * 0.99 : target.limit * 1.01;
        QCOMPARE(target.judge(better), Judgement::Ok);
    }
    QCOMPARE(targetOf(Quantity::LatencyP95).judge(0.25), Judgement::Breach);
    QCOMPARE(targetOf(Quantity::CacheHitRatio).judge(0.5), Judgement::Breach);
}

QTEST_GUILESS_MAIN(TestServiceQueries)
#include "tst_servicequeries.moc"
