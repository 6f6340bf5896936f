#include "engine/operations/environment/localstack.h"
#include "engine/operations/environment/stackextras.h"
#include "engine/operations/monitoring/alertmanager.h"
#include "engine/operations/monitoring/dashboard.h"
#include "engine/operations/monitoring/prometheusclient.h"
#include "tests/support/testcase.h"

#include <QDir>
#include <QFile>
#include <QSignalSpy>
#include <QStandardPaths>
#include <QTemporaryDir>

using namespace sluice;

/// The local stack with Alertmanager and the two exporters, all real: Prometheus reads them, the
/// Grafana dashboard of redis_exporter has answers, an alert is silenced. Skipped where the three
/// are not installed.
class TestStackExtras : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void cleanupTestCase();
    void namesAreChecked();
    void prometheusReadsThem();
    void theExportersDashboardHasAnswers();
    void alertsAreSilenced();

private:
    bool isUp() const { return m_status.running; }
    Result<QList<ops::InstantSample>> ask(const QString& query);

    QTemporaryDir m_folder;
    ops::StackStatus m_status;
    ops::PrometheusClient m_prometheus;
};

namespace {

constexpr int soon = 30000;

} // namespace

void TestStackExtras::initTestCase()
{
    ops::StackOptions options;
    options.stateFolder = m_folder.path();
    options.workersPerPool = 1;
    options.workerProgram = qEnvironmentVariable("SLUICE_BIN") % QStringLiteral("/sluiced");
    options.with = {QStringLiteral("alertmanager"), QStringLiteral("redis-exporter"),
        QStringLiteral("blackbox-exporter")};
    for (const QString& name : options.with) {
        const QString program = QString::fromLatin1(ops::stackExtra(name)->program);
        if (QStandardPaths::findExecutable(program).isEmpty()) {
            return; // each test says so
        }
    }
    ops::LocalStack stack;
    QSignalSpy ready(&stack, &ops::LocalStack::ready);
    QString problem;
    connect(&stack, &ops::LocalStack::failed, this,
        [&](const Error& error) { problem = QString::fromStdString(error.text()); });
    stack.up(options);
    QTRY_VERIFY_WITH_TIMEOUT(!ready.isEmpty() || !problem.isEmpty(), soon);
    QVERIFY2(problem.isEmpty(), qPrintable(problem));
    m_status = ready.first().first().value<ops::StackStatus>();
    m_prometheus.setBaseUrl(m_status.environment.prometheus);
}

void TestStackExtras::cleanupTestCase()
{
    if (isUp()) {
        ops::LocalStack stack;
        QSignalSpy stopped(&stack, &ops::LocalStack::stopped);
        stack.down(m_folder.path());
        QVERIFY(stopped.wait(soon));
    }
}

Result<QList<ops::InstantSample>> TestStackExtras::ask(const QString& query)
{
    std::optional<Result<QList<ops::InstantSample>>> answer;
    m_prometheus.query(query, this,
        [&](Result<QList<ops::InstantSample>> found) { answer.emplace(std::move(found)); });
    if (!QTest::qWaitFor([&] { return answer.has_value(); }, 10000)) {
        return unreachableError("no answer");
    }
    return *answer;
}

void TestStackExtras::namesAreChecked()
{
    const auto two =
        ops::stackExtrasFromString(QStringLiteral("alertmanager,redis-exporter,alertmanager"));
    QVERIFY(two.ok());
    QCOMPARE(*two, (QStringList{QStringLiteral("alertmanager"), QStringLiteral("redis-exporter")}));
    QVERIFY(ops::stackExtrasFromString({})->isEmpty());
    const auto other = ops::stackExtrasFromString(QStringLiteral("grafana"));
    QVERIFY(!other.ok());
    QVERIFY(other.error().message.find("grafana") != std::string::npos);
}

void TestStackExtras::prometheusReadsThem()
{
    if (!isUp()) {
        QSKIP("alertmanager, redis-exporter and blackbox-exporter are not installed");
    }
    // They are parts like the others, and no workers.
    QCOMPARE(m_status.environment.workers.size(), 2);
    QTRY_VERIFY_WITH_TIMEOUT(ask(QStringLiteral("redis_up == 1")).ok()
            && !ask(QStringLiteral("redis_up == 1"))->isEmpty(),
        soon);
    QTRY_VERIFY_WITH_TIMEOUT(ask(QStringLiteral("probe_success == 1")).ok()
            && ask(QStringLiteral("probe_success == 1"))->size() == 2,
        soon);
}

void TestStackExtras::theExportersDashboardHasAnswers()
{
    if (!isUp()) {
        QSKIP("alertmanager, redis-exporter and blackbox-exporter are not installed");
    }
    const QString folder = qEnvironmentVariable("SLUICE_DATA");
    QFile file(folder % QStringLiteral("/dashboards/redis_exporter.json"));
    if (folder.isEmpty() || !file.open(QIODevice::ReadOnly)) {
        QSKIP("SLUICE_DATA names no folder with dashboards/redis_exporter.json");
    }
    const auto dashboard = ops::parseGrafana(file.readAll());
    QVERIFY(dashboard.ok());
    const auto answered = [&] {
        QStringList silent;
        for (const ops::DashboardPanel& panel : dashboard->panels) {
            for (const ops::DashboardQuery& query : panel.queries) {
                const auto samples =
                    ask(ops::expandQuery(query.expression, dashboard->variables, 900, 5, 1));
                if (!samples || samples->isEmpty()) {
                    silent << QString(panel.title % QStringLiteral(": ") % query.expression);
                    if (!samples) {
                        silent.last() += u' ' + QString::fromStdString(samples.error().text());
                    }
                }
            }
        }
        return silent;
    };
    // What is silent on a Redis without replicas, evictions and expired keys is none of its fault.
    QStringList silent;
    QTRY_VERIFY2_WITH_TIMEOUT(
        (silent = answered()).size() <= 3, qPrintable(silent.join(u'\n')), soon);
    qInfo("%s", qPrintable(QStringLiteral("without answer: ") % silent.join(QStringLiteral("; "))));
}

void TestStackExtras::alertsAreSilenced()
{
    if (!isUp()) {
        QSKIP("alertmanager, redis-exporter and blackbox-exporter are not installed");
    }
    ops::Alertmanager alertmanager;
    QUrl url;
    const auto discover = [&] {
        bool answered = false;
        alertmanager.discover(
            m_status.environment.prometheus, this, [&](const Result<QUrl>& found) {
                url = found ? *found : QUrl();
                answered = true;
            });
        return QTest::qWaitFor([&] { return answered; }, 10000) && url.isValid() && !url.isEmpty();
    };
    QTRY_VERIFY_WITH_TIMEOUT(discover(), soon);
    const ops::Labels alert{{QStringLiteral("alertname"), QStringLiteral("WorkerDown")},
        {QStringLiteral("instance"), QStringLiteral("127.0.0.1:1")}};
    QString id;
    alertmanager.silence(url, alert, QStringLiteral("ann"), QStringLiteral("replacing it"), 60,
        this, [&](const Result<QString>& done) { id = done ? *done : QStringLiteral("failed"); });
    QTRY_VERIFY_WITH_TIMEOUT(!id.isEmpty(), soon);
    QVERIFY(id != QStringLiteral("failed"));
    QList<ops::Silence> silences;
    const auto read = [&] {
        bool answered = false;
        alertmanager.silences(url, this, [&](const Result<QList<ops::Silence>>& found) {
            silences = found ? *found : QList<ops::Silence>();
            answered = true;
        });
        return QTest::qWaitFor([&] { return answered; }, 10000) ? silences.size() : -1;
    };
    QTRY_COMPARE_WITH_TIMEOUT(read(), 1, soon);
    QCOMPARE(silences.first().id, id);
    QCOMPARE(silences.first().by, QStringLiteral("ann"));
    QCOMPARE(silences.first().comment, QStringLiteral("replacing it"));
    QVERIFY(silences.first().covers(alert));
    QVERIFY(!silences.first().covers({{QStringLiteral("alertname"), QStringLiteral("Other")}}));
    QVERIFY(silences.first().until > QDateTime::currentDateTimeUtc().addSecs(3000));
    bool ended = false;
    alertmanager.end(url, id, this, [&](const Result<QString>& done) { ended = done.ok(); });
    QTRY_VERIFY_WITH_TIMEOUT(ended, soon);
    QTRY_COMPARE_WITH_TIMEOUT(read(), 0, soon);
    // Nobody there is an error that says where.
    std::string problem;
    alertmanager.silences(QUrl(QStringLiteral("http://127.0.0.1:1")), this,
        [&](const Result<QList<ops::Silence>>& found) { problem = found.error().message; });
    QTRY_VERIFY_WITH_TIMEOUT(!problem.empty(), soon);
    QVERIFY(problem.find("127.0.0.1:1") != std::string::npos);
}

QTEST_GUILESS_MAIN(TestStackExtras)
#include "tst_stackextras.moc"
