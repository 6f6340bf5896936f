#include "engine/service/metrics.h"
#include "tests/support/testcase.h"

#include <QMap>
#include <QProcess>
#include <algorithm>
#include <cmath>
#include <thread>

using namespace sluice::service;

class TestMetricsText : public sluice::test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void boundaries();
    void bucketsAreCumulative();
    void promtoolIsContent();
    void countsFromManyThreads();
};

namespace {

QMap<QString, double> samples(const Metrics& metrics, const Metrics::Gauges& gauges = {})
{
    QMap<QString, double> found;
    const QStringList lines = QString::fromStdString(metrics.text(gauges)).split(u'\n');
    for (const QString& line : lines) {
        if (!line.isEmpty() && !line.startsWith(u'#')) {
            const qsizetype blank = line.lastIndexOf(u' ');
            found[line.left(blank)] = line.mid(blank + 1).toDouble();
        }
    }
    return found;
}

} // namespace

void TestMetricsText::boundaries()
{
    const std::vector<double>& bounds = latencyBounds();
    QVERIFY(std::is_sorted(bounds.begin(), bounds.end()));
    for (int power = -14; power <= 4; ++power) {
        QVERIFY(std::find(bounds.begin(), bounds.end(), std::pow(2.0, power)) != bounds.end());
    }
    for (const double owner : {0.1, 0.2, 0.25, 0.5, 1.0}) {
        QVERIFY(std::find(bounds.begin(), bounds.end(), owner) != bounds.end());
    }
    QCOMPARE(bounds.size(), 21U); // 0.25, 0.5 and 1 are powers of two
}

void TestMetricsText::bucketsAreCumulative()
{
    Metrics metrics("blue", "1.0");
    const std::vector<double>& bounds = latencyBounds();
    for (const double bound : bounds) {
        metrics.request("/v1/classify", 200, bound); // on the border belongs below it: le
    }
    metrics.request("/v1/classify", 200, 1000);
    const auto found = samples(metrics);
    const QString name = QStringLiteral("sluice_request_duration_seconds");
    double last = 0;
    int buckets = 0;
    double count = -1;
    for (auto sample = found.begin(); sample != found.end(); ++sample) {
        if (sample.key().startsWith(name + QStringLiteral("_count"))) {
            count = sample.value();
        }
    }
    QCOMPARE(count, double(bounds.size() + 1));
    for (std::size_t index = 0; index < bounds.size(); ++index) {
        for (auto sample = found.begin(); sample != found.end(); ++sample) {
            const qsizetype at = sample.key().indexOf(QStringLiteral("le=\""));
            if (sample.key().startsWith(name + QStringLiteral("_bucket")) && at >= 0) {
                const QString le = sample.key().mid(at + 4).section(u'"', 0, 0);
                if (le.toDouble() == bounds[index]) {
                    QCOMPARE(sample.value(), last + 1);
                    last = sample.value();
                    ++buckets;
                }
            }
        }
    }
    QCOMPARE(buckets, int(bounds.size()));
}

void TestMetricsText::promtoolIsContent()
{
    Metrics metrics("green", "1.0 \"beta\"\\x");
    metrics.request("/v1/classify", 200, 0.001);
    metrics.request("/v1/classify", 400, 0.0001);
    metrics.decision("accept");
    Metrics::Gauges gauges;
    gauges.model = "abc";
    gauges.startTime = 1.7e9;
    QProcess promtool;
    promtool.setProcessChannelMode(QProcess::MergedChannels);
    promtool.start(
        QStringLiteral("promtool"), {QStringLiteral("check"), QStringLiteral("metrics")});
    QVERIFY(promtool.waitForStarted(10000));
    promtool.write(QByteArray::fromStdString(metrics.text(gauges)));
    promtool.closeWriteChannel();
    QVERIFY(promtool.waitForFinished(20000));
    const QByteArray said = promtool.readAll();
    QVERIFY2(promtool.exitCode() == 0, said.constData());
}

void TestMetricsText::countsFromManyThreads()
{
    Metrics metrics("blue", "1.0");
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 4; ++thread) {
        threads.emplace_back([&] {
            for (int index = 0; index < 10000; ++index) {
                metrics.request(index % 2 == 0 ? "/a" : "/b", 200 + index % 3, 0.01);
                metrics.decision("clarify");
            }
        });
    }
    for (int read = 0; read < 50; ++read) {
        QVERIFY(!metrics.text({}).empty());
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    double requests = 0;
    double decisions = 0;
    const auto found = samples(metrics);
    for (auto sample = found.begin(); sample != found.end(); ++sample) {
        requests +=
            sample.key().startsWith(QStringLiteral("sluice_requests_total")) ? sample.value() : 0;
        decisions +=
            sample.key().startsWith(QStringLiteral("sluice_decisions_total")) ? sample.value() : 0;
    }
    QCOMPARE(requests, 40000.0);
    QCOMPARE(decisions, 40000.0);
}

QTEST_GUILESS_MAIN(TestMetricsText)
#include "tst_metrics_text.moc"
