#include "tests/support/ownconsole.h"
#include "tests/support/pictures.h"
#include "tests/support/testcase.h"

#include "engine/operations/environment/localstack.h"
#include "ui/charts/heatmap.h"
#include "ui/charts/livechart.h"
#include "ui/monitor/alertspage.h"
#include "ui/monitor/dashboardview.h"
#include "ui/monitor/explorepage.h"
#include "ui/monitor/metrictile.h"
#include "ui/monitor/monitorworkspace.h"
#include "ui/monitor/overviewpage.h"
#include "ui/monitor/promqledit.h"
#include "ui/monitor/redispage.h"
#include "ui/monitor/servicepage.h"
#include "ui/shell/button.h"
#include "ui/shell/console.h"
#include "ui/shell/mainwindow.h"
#include "ui/shell/stateview.h"
#include "ui/shell/theme.h"

#include <QApplication>
#include <QComboBox>
#include <QDir>
#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>
#include <QLineEdit>
#include <QNetworkAccessManager>
#include <QNetworkReply>
#include <QTabBar>
#include <QTableWidget>
#include <QTemporaryDir>
#include <csignal>

using namespace sluice;
using namespace sluice::ui;

/// The Monitor's pages as a user walks them, over the real local stack. With SLUICE_PICTURES it
/// also draws each page.
class TestMonitor : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void init()
    { // What the offscreen platform says of every popup.
        QTest::failOnWarning(QRegularExpression(
            QStringLiteral("^(?!This plugin does not support "
                           "(propagateSizeHints|raise|grabbing the keyboard))")));
    }
    void initTestCase();
    void cleanupTestCase();
    void overviewTellsTheService();
    void serviceIsSplitByWhatIsChosen();
    void redisTellsOfItself();
    void queriesAreExploredAndPinned();
    void dashboardsComeAndGo();
    void alertsAreSeenAndAcknowledged();
    void redisHistorySurvivesTheConsole();

private:
    void send(int count);
    void picture(const QString& page);
    MonitorWorkspace* monitor() const
    {
        return qobject_cast<MonitorWorkspace*>(m_window->workspace(QStringLiteral("monitor")));
    }

    QTemporaryDir m_folder;
    std::unique_ptr<Console> m_console;
    std::unique_ptr<MainWindow> m_window;
    QNetworkAccessManager m_network;
};

namespace {

constexpr int soon = 15000;

bool hasRow(const QTableWidget* table, int column, const QString& text)
{
    for (int row = 0; row < table->rowCount(); ++row) {
        if (table->item(row, column) != nullptr
            && table->item(row, column)->text().contains(text)) {
            return true;
        }
    }
    return false;
}

} // namespace

void TestMonitor::initTestCase()
{
    QVERIFY(m_folder.isValid());
    test::makeConsole(m_folder, m_console, m_window);
    m_window->addWorkspace(new MonitorWorkspace(m_console.get()));
    test::showConsole(*m_console, *m_window);
    QCOMPARE(monitor()->stateView()->state(), StateView::State::Empty);
    m_console->startLocalStack();
    QTRY_VERIFY_WITH_TIMEOUT(m_console->hasEnvironment(), 60000);
    m_console->setTimeRange({300, 0, 0});
    m_window->showWorkspace(QStringLiteral("monitor"));
    QTRY_COMPARE_WITH_TIMEOUT(monitor()->stateView()->state(), StateView::State::Data, soon);
    send(120);
}

void TestMonitor::cleanupTestCase()
{
    m_window.reset();
    m_console.reset();
    QVERIFY(test::endLocalStack());
}

/// Queries through the balancer, in ten conversations.
void TestMonitor::send(int count)
{
    const char* texts[] = {"where is my parcel A-2231?", "I want a refund of 49.90 EUR",
        "zebra quantum lamp", "change my delivery address"};
    for (int index = 0; index < count; ++index) {
        QNetworkRequest request(
            QUrl(m_console->environment().balancer.toString() % QLatin1StringView("/v1/classify")));
        request.setHeader(QNetworkRequest::ContentTypeHeader, QStringLiteral("application/json"));
        request.setRawHeader("X-Session-Id", "monitor-" + QByteArray::number(index % 10));
        request.setTransferTimeout(5000);
        QNetworkReply* reply = m_network.post(request,
            QJsonDocument(QJsonObject{{QStringLiteral("text"),
                              QString::fromLatin1(texts[std::size_t(index) % std::size(texts)])}})
                .toJson());
        QSignalSpy finished(reply, &QNetworkReply::finished);
        QVERIFY(finished.wait(6000));
        QCOMPARE(reply->error(), QNetworkReply::NoError);
        reply->deleteLater();
    }
}

void TestMonitor::picture(const QString& name)
{
    QVERIFY(test::drawPictures(*m_window, name));
}

void TestMonitor::overviewTellsTheService()
{
    OverviewPage* overview = monitor()->overview();
    // A rate needs traffic between two looks.
    const MetricTile* p95 = overview->tile(QStringLiteral("p95"));
    QTRY_VERIFY_WITH_TIMEOUT((send(10), p95->figure() != format::missing()), soon);
    for (const char* name : {"p95", "memory", "CPU", "errors", "cache hits", "fallback"}) {
        QTRY_VERIFY2_WITH_TIMEOUT(
            overview->tile(QString::fromLatin1(name))->figure() != format::missing(), name, soon);
    }
    QTRY_VERIFY_WITH_TIMEOUT(
        overview->signal(QStringLiteral("accept share")) != format::missing(), soon);
    QTRY_VERIFY_WITH_TIMEOUT(
        overview->signal(QStringLiteral("set in force")) != format::missing(), soon);
    const LiveChart* decisions = monitor()->chart(QStringLiteral("Decisions"));
    QTRY_VERIFY_WITH_TIMEOUT(decisions->series().size() >= 2, soon); // accepted and fallen back
    QTRY_COMPARE_WITH_TIMEOUT(monitor()->workers()->workers().size(), 4, soon);
    picture(QStringLiteral("monitor-overview"));
}

void TestMonitor::serviceIsSplitByWhatIsChosen()
{
    auto* tabs = monitor()->findChild<QTabBar*>();
    QTest::mouseClick(tabs, Qt::LeftButton, {}, tabs->tabRect(1).center());
    QCOMPARE(monitor()->currentPage(), QStringLiteral("service"));
    const LiveChart* rate = monitor()->chart(QStringLiteral("Rate"));
    QTRY_VERIFY_WITH_TIMEOUT(
        !rate->series().isEmpty() && rate->series().first().name == QLatin1StringView("blue"),
        soon);
    auto* by = monitor()->service()->findChild<QComboBox*>();
    by->setCurrentIndex(by->findData(QStringLiteral("route")));
    QTRY_VERIFY_WITH_TIMEOUT(!rate->series().isEmpty()
            && rate->series().first().name == QLatin1StringView("/v1/classify"),
        soon);
    by->setCurrentIndex(by->findData(QStringLiteral("instance")));
    QTRY_VERIFY_WITH_TIMEOUT(rate->series().size() >= 2, soon);
    QTRY_VERIFY_WITH_TIMEOUT(!monitor()->service()->heatMap()->isEmpty(), soon);
    QTRY_VERIFY_WITH_TIMEOUT(monitor()->workers()->workers().value(0).cpu >= 0, soon);
    QTRY_COMPARE_WITH_TIMEOUT(
        monitor()->chart(QStringLiteral("Connections"))->series().size(), 4, soon);
    send(40);
    picture(QStringLiteral("monitor-service"));
}

void TestMonitor::redisTellsOfItself()
{
    QTest::keyClick(monitor(), Qt::Key_3, Qt::AltModifier);
    monitor()->showPage(QStringLiteral("redis"));
    RedisPage* redis = monitor()->redis();
    QTRY_VERIFY_WITH_TIMEOUT(
        !monitor()->chart(QStringLiteral("Fragmentation"))->series().isEmpty(), soon);
    QTRY_VERIFY_WITH_TIMEOUT(
        hasRow(redis->table(QStringLiteral("Commands")), 0, QStringLiteral("info")), soon);
    QTRY_VERIFY_WITH_TIMEOUT(redis->table(QStringLiteral("Cluster"))->rowCount() == 1, soon);
    Button* look = nullptr;
    for (Button* button : redis->findChildren<Button*>()) {
        look = button->text().startsWith(QLatin1StringView("Look")) ? button : look;
    }
    QVERIFY(look != nullptr);
    look->click();
    QTRY_VERIFY_WITH_TIMEOUT(!redis->scan()->isRunning() && redis->scan()->seen() >= 10, soon);
    QVERIFY(redis->scan()->isComplete());
    QVERIFY(
        hasRow(redis->table(QStringLiteral("Key space")), 0, QStringLiteral("sluice:session:")));
    picture(QStringLiteral("monitor-redis"));
}

void TestMonitor::queriesAreExploredAndPinned()
{
    monitor()->showPage(QStringLiteral("explore"));
    ExplorePage* explore = monitor()->explore();
    PromQlEdit* editor = explore->editor();
    editor->setFocus();
    // Names come from the server.
    QTest::keyClicks(editor, QStringLiteral("sluice_req"));
    QTRY_VERIFY_WITH_TIMEOUT(
        editor->candidates().contains(QLatin1StringView("sluice_requests_total")), soon);
    editor->clear();
    QTest::keyClicks(editor, QStringLiteral("sluice_requests_total{rou"));
    // The label names come in an answer of their own, after the metrics'.
    QTRY_VERIFY_WITH_TIMEOUT(editor->candidates().contains(QLatin1StringView("route")), soon);
    editor->clear();
    QTest::keyClicks(editor, QStringLiteral("sluice_requests_total{route=\"/v1"));
    QTRY_VERIFY_WITH_TIMEOUT(
        editor->candidates().contains(QLatin1StringView("/v1/classify")), soon);
    editor->setPlainText(
        QStringLiteral("sum by (pool) (process_resident_memory_bytes{pool!=\"\"})"));
    QTest::keyClick(editor, Qt::Key_Return, Qt::ControlModifier);
    QTRY_COMPARE_WITH_TIMEOUT(explore->values()->rowCount(), 2, soon);
    QTRY_COMPARE_WITH_TIMEOUT(monitor()->chart(QStringLiteral("Graph"))->series().size(), 2, soon);
    picture(QStringLiteral("monitor-explore"));
    explore->pinTo(QStringLiteral("Mine"));
    editor->setPlainText(QStringLiteral("sum by ("));
    explore->showDashboard({});
    explore->run();
    QTRY_VERIFY_WITH_TIMEOUT(explore->message().contains(QLatin1StringView("parse error")), soon);
    editor->setPlainText(QStringLiteral("up{job=\"nobody\"}"));
    explore->run();
    QTRY_VERIFY_WITH_TIMEOUT(explore->message().contains(QLatin1StringView("no series")), soon);
    explore->pinTo(QStringLiteral("Mine"));
    QCOMPARE(explore->view()->dashboard().panels.size(), 2);
    QCOMPARE(explore->view()->dashboard().panels[1].x, 12); // beside the first
}

void TestMonitor::dashboardsComeAndGo()
{
    ExplorePage* explore = monitor()->explore();
    const QString file = m_folder.filePath(QStringLiteral("grafana.json"));
    QFile json(file);
    QVERIFY(json.open(QIODevice::WriteOnly));
    json.write(R"json({"title":"Workers","templating":{"list":[{"name":"pool","type":"query",
        "query":"label_values(sluice_build_info, pool)"}]},"panels":[
        {"type":"stat","title":"Up","gridPos":{"x":0,"y":0,"w":6,"h":5},
         "targets":[{"expr":"count(up{job=\"sluice\"} == 1)"}]},
        {"type":"gauge","title":"Memory","gridPos":{"x":6,"y":0,"w":6,"h":5},
         "fieldConfig":{"defaults":{"unit":"bytes","thresholds":{"steps":[{"value":null},{"value":1}]}}},
         "targets":[{"expr":"max(process_resident_memory_bytes{pool=~\"$pool\",pool!=\"\"})"}]},
        {"type":"timeseries","title":"CPU","gridPos":{"x":12,"y":0,"w":12,"h":10},
         "fieldConfig":{"defaults":{"unit":"percent"}},
         "targets":[{"expr":"100 * sum by (pool) (rate(process_cpu_seconds_total{pool=~\"$pool\",pool!=\"\"}[$__rate_interval]))",
         "legendFormat":"{{ pool }}"}]},
        {"type":"table","title":"Sets","gridPos":{"x":0,"y":5,"w":12,"h":5},
         "targets":[{"expr":"sluice_threshold_set","legendFormat":"{{ instance }}"}]}]})json");
    json.close();
    QVERIFY(explore->importGrafana(file));
    DashboardView* view = explore->view();
    QCOMPARE(view->dashboard().panels.size(), 4);
    QTRY_COMPARE_WITH_TIMEOUT(view->figure(0), QStringLiteral("4"), soon);
    QTRY_VERIFY_WITH_TIMEOUT(view->figure(1).endsWith(QLatin1StringView("MB")), soon);
    QTRY_VERIFY_WITH_TIMEOUT(view->chart(QStringLiteral("CPU"))->series().size() == 2, soon);
    QCOMPARE(view->chart(QStringLiteral("CPU"))->series().first().name, QStringLiteral("blue"));
    QTRY_COMPARE_WITH_TIMEOUT(view->findChild<QTableWidget*>()->rowCount(), 4, soon);
    picture(QStringLiteral("monitor-dashboard"));
    const QString exported = m_folder.filePath(QStringLiteral("exported.json"));
    QVERIFY(explore->exportGrafana(exported));
    explore->removeDashboard();
    QVERIFY(explore->message().contains(QLatin1StringView("removed")));
    QVERIFY(explore->importGrafana(exported)); // what was exported comes back
    QCOMPARE(explore->view()->dashboard().panels.size(), 4);
    const Result<void> refused = explore->importGrafana(QStringLiteral("/dev/null"));
    QVERIFY(!refused && !refused.error().message.empty());
}

void TestMonitor::alertsAreSeenAndAcknowledged()
{
    monitor()->showPage(QStringLiteral("alerts"));
    AlertsPage* alerts = monitor()->alerts();
    QTRY_VERIFY_WITH_TIMEOUT(
        hasRow(alerts->rules(), 1, QStringLiteral("SluiceBudgetBurnsFast")), soon);
    // A rule that can be made to fire soon: a worker is stopped for good (SIGSTOP), and does not
    // answer Prometheus any more.
    const auto status = ops::LocalStack::status();
    QVERIFY(status);
    qint64 pid = 0;
    for (const ops::StackPart& part : status->parts) {
        pid = part.pool == QLatin1StringView("green") ? part.pid : pid;
    }
    QVERIFY(pid > 0);
    QCOMPARE(::kill(pid_t(pid), SIGSTOP), 0);
    QTRY_VERIFY_WITH_TIMEOUT(alerts->unseen() > 0, 90000);
    ::kill(pid_t(pid), SIGCONT); // stays firing until the next evaluation, and is shown till then
    QVERIFY(hasRow(alerts->rules(), 0, QStringLiteral("fires")));
    QVERIFY(!m_console->notifications().isEmpty());
    picture(QStringLiteral("monitor-alerts"));
    alerts->rules()->setCurrentCell(0, 0);
    auto* note = alerts->findChild<QLineEdit*>();
    QVERIFY(note->isVisible());
    QTest::keyClicks(note, QStringLiteral("looking at it"));
    QTest::keyClick(note, Qt::Key_Return);
    QCOMPARE(alerts->unseen(), 0);
    QVERIFY(hasRow(alerts->rules(), 0, QStringLiteral("seen")));
    const auto entries = m_console->history()->entries({{}, QStringLiteral("acknowledge"), 10});
    QVERIFY(entries && entries->size() == 1);
    QCOMPARE(entries->first().outcome, QStringLiteral("looking at it"));
    QTRY_VERIFY_WITH_TIMEOUT(hasRow(alerts->past(), 3, QStringLiteral("SluiceWorkerDown")), 30000);
}

void TestMonitor::redisHistorySurvivesTheConsole()
{
    const LiveChart* before = monitor()->chart(QStringLiteral("Fragmentation"));
    const double first = before->series().first().points[0].x();
    const ops::Environment environment = m_console->environment();
    m_window.reset();
    m_console.reset();
    m_console = std::make_unique<Console>();
    m_window = std::make_unique<MainWindow>(m_console.get());
    m_window->addWorkspace(new MonitorWorkspace(m_console.get()));
    m_console->start();
    m_window->show();
    m_console->startLocalStack(); // joins the one that runs
    QTRY_VERIFY_WITH_TIMEOUT(m_console->hasEnvironment(), 40000);
    m_window->showWorkspace(QStringLiteral("monitor"));
    const LiveChart* chart = monitor()->chart(QStringLiteral("Fragmentation"));
    QTRY_VERIFY_WITH_TIMEOUT(!chart->series().isEmpty(), soon);
    QVERIFY(std::abs(chart->series().first().points[0].x() - first) < 0.01);
}

QTEST_MAIN(TestMonitor)
#include "tst_monitor.moc"
