#include "engine/base/file.h"
#include "engine/service/metrics.h"
#include "engine/service/process.h"
#include "tests/support/testcase.h"

#include <QFile>
#include <QMap>
#include <QProcess>
#include <QTemporaryDir>
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
    void seriesAreBounded();
    void intentsAreTheModels();
    void formatByAccept_data();
    void formatByAccept();
    void exemplarsNameARequest();
    void memoryLimitOfTheControlGroup();
    void processIsRead();
};

namespace {

QMap<QString, double> samples(const Metrics& metrics)
{
    QMap<QString, double> found;
    const QStringList lines = QString::fromStdString(metrics.text()).split(u'\n');
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
    metrics.decision("accept", "a \"quoted\"\nintent", 0.7);
    metrics.setIntents({"a \"quoted\"\nintent"});
    metrics.model.set({"abc"});
    metrics.startTime = 1.7e9;
    QProcess promtool;
    promtool.setProcessChannelMode(QProcess::MergedChannels);
    promtool.start(
        QStringLiteral("promtool"), {QStringLiteral("check"), QStringLiteral("metrics")});
    QVERIFY(promtool.waitForStarted(10000));
    promtool.write(QByteArray::fromStdString(metrics.text()));
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
                metrics.request(index % 2 == 0 ? "/a" : "/b", 200 + index % 3, 0.01, "some");
                metrics.decision("clarify", {}, 0.5);
            }
        });
    }
    for (int read = 0; read < 50; ++read) {
        QVERIFY(!metrics.text(MetricsFormat::OpenMetrics).empty());
        metrics.readProcess();
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

void TestMetricsText::seriesAreBounded()
{
    Metrics metrics("blue", "1.0");
    for (int index = 0; index < 100; ++index) {
        metrics.request("/route-" + std::to_string(index), 200, 0.01);
    }
    metrics.request("/route-0", 9000, 0.01);
    const auto found = samples(metrics);
    const QString common =
        QStringLiteral("sluice_requests_total{pool=\"blue\",version=\"1.0\",route=");
    QCOMPARE(found[common + QStringLiteral("\"/route-0\",status=\"200\"}")], 1.0);
    QCOMPARE(found[common + QStringLiteral("\"/route-0\",status=\"599\"}")], 1.0);
    QCOMPARE(found[common + QStringLiteral("\"other\",status=\"200\"}")], 69.0);

    MetricRegistry registry({});
    auto& many = registry.counters({"many_total", "Many.", {}, {"name"}});
    for (std::size_t index = 0; index < many.maxSeries + 10; ++index) {
        ++many.at({std::to_string(index)});
    }
    QCOMPARE(many.at({"other"}).value(), 10U);
    QCOMPARE(many.at({"7"}).value(), 1U);
}

void TestMetricsText::intentsAreTheModels()
{
    Metrics metrics("blue", "1.0");
    metrics.setIntents({"track", "cancel"});
    metrics.decision("accept", "track", 0.9);
    metrics.decision("accept", "unheard_of", 0.9);
    metrics.decision("fallback", {}, 0.2);
    metrics.decision("nonsense", {}, 0.2);
    metrics.setIntents({"track"}); // another model: what was counted stays
    metrics.decision("accept", "cancel", 0.9);
    const auto found = samples(metrics);
    const QString common =
        QStringLiteral("sluice_intents_total{pool=\"blue\",version=\"1.0\",intent=");
    QCOMPARE(found[common + QStringLiteral("\"track\"}")], 1.0);
    QCOMPARE(found[common + QStringLiteral("\"cancel\"}")], 0.0);
    QCOMPARE(found[common + QStringLiteral("\"other\"}")], 2.0);
    const QString confidence =
        QStringLiteral("sluice_confidence_bucket{pool=\"blue\",version=\"1.0\",decision=");
    QCOMPARE(found[confidence + QStringLiteral("\"accept\",le=\"0.85\"}")], 0.0);
    QCOMPARE(found[confidence + QStringLiteral("\"accept\",le=\"0.9\"}")], 3.0);
    QCOMPARE(found[confidence + QStringLiteral("\"fallback\",le=\"1.0\"}")], 1.0);
}

void TestMetricsText::formatByAccept_data()
{
    QTest::addColumn<QByteArray>("accept");
    QTest::addColumn<bool>("openMetrics");
    const auto row = [](const char* accept, bool openMetrics) {
        QTest::newRow(accept) << QByteArray(accept) << openMetrics;
    };
    row("", false);
    row("*/*", false);
    row("text/plain", false);
    row("application/openmetrics-text", true);
    row("application/openmetrics-text;version=0.0.1", false);
    // What Prometheus 2.42 sends.
    row("application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;"
        "q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
        true);
    row("text/plain;version=0.0.4, application/openmetrics-text;q=0.5", false);
    row("application/openmetrics-text; q=0", false);
    row(",;,q=", false);
}

void TestMetricsText::formatByAccept()
{
    QFETCH(QByteArray, accept);
    QFETCH(bool, openMetrics);
    QCOMPARE(metricsFormat(accept.toStdString()) == MetricsFormat::OpenMetrics, openMetrics);
}

void TestMetricsText::exemplarsNameARequest()
{
    Metrics metrics("blue", "1.0");
    metrics.request("/v1/classify", 200, 0.09, "first \"one\"");
    metrics.request("/v1/classify", 200, 0.09, "within the same second");
    metrics.request("/v1/classify", 200, 0.001, std::string(1000, 'x'));
    const QByteArray text = QByteArray::fromStdString(metrics.text(MetricsFormat::OpenMetrics));
    QVERIFY2(
        text.contains(R"(le="0.1"} 3 # {request_id="first \"one\""} 0.09 )"), text.constData());
    QVERIFY(!text.contains("within the same second"));
    QVERIFY(text.contains(QByteArray("{request_id=\"" + QByteArray(64, 'x') + "\"} 0.001 ")));
    QVERIFY(text.contains("# UNIT sluice_request_duration_seconds seconds\n"));
    QVERIFY(text.contains("# TYPE sluice_requests counter\n"));
    QVERIFY(text.contains("# TYPE sluice_build info\n"));
    QVERIFY(metrics.text().find("request_id") == std::string::npos);
}

void TestMetricsText::memoryLimitOfTheControlGroup()
{
    const QTemporaryDir folder;
    const std::filesystem::path root = folder.path().toStdString();
    const auto write = [&](const char* name, const std::string& text) {
        std::filesystem::create_directories((root / name).parent_path());
        QVERIFY(sluice::writeFileAtomically(root / name, text).ok());
    };
    const std::uint64_t machine = memoryLimitBytes(root);
    QVERIFY(machine > (std::uint64_t(64) << 20));
    write("proc/self/cgroup", "0::/system.slice/sluiced.service\n");
    write("sys/fs/cgroup/system.slice/sluiced.service/memory.max", "max\n");
    QCOMPARE(memoryLimitBytes(root), machine);
    write("sys/fs/cgroup/system.slice/memory.max", "33554432\n"); // the one above it counts too
    QCOMPARE(memoryLimitBytes(root), 33554432U);
    write("proc/self/cgroup", "nonsense\n5:cpu:/x\n4:memory:/box\n");
    write("sys/fs/cgroup/memory/box/memory.limit_in_bytes", "1000000\n");
    QCOMPARE(memoryLimitBytes(root), 1000000U);
}

void TestMetricsText::processIsRead()
{
    const std::size_t before = openFiles();
    QVERIFY(before > 2);
    QFile file(QStringLiteral("/proc/self/status"));
    QVERIFY(file.open(QIODevice::ReadOnly));
    QCOMPARE(openFiles(), before + 1);
    Metrics metrics("blue", "1.0");
    metrics.readProcess();
    const auto found = samples(metrics);
    const QString common = QStringLiteral("{pool=\"blue\",version=\"1.0\"}");
    for (const char* name : {"process_resident_memory_bytes", "sluice_memory_limit_bytes",
             "process_cpu_seconds_total", "process_open_fds", "process_max_fds"}) {
        QVERIFY2(found[QString::fromLatin1(name) + common] > 0, name);
    }
}

QTEST_GUILESS_MAIN(TestMetricsText)
#include "tst_metrics_text.moc"
