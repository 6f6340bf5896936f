#include "tests/support/ownconsole.h"
#include "tests/support/pictures.h"
#include "tests/support/testcase.h"

#include "engine/operations/environment/localstack.h"
#include "engine/operations/thresholds/publishedthresholds.h"
#include "ui/charts/livechart.h"
#include "ui/classify/candidatebars.h"
#include "ui/classify/classifyworkspace.h"
#include "ui/classify/entitytext.h"
#include "ui/history/historymodel.h"
#include "ui/history/historyworkspace.h"
#include "ui/load/loadworkspace.h"
#include "ui/monitor/metrictile.h"
#include "ui/monitor/monitorworkspace.h"
#include "ui/rollout/rolloutworkspace.h"
#include "ui/shell/button.h"
#include "ui/shell/confirmdialog.h"
#include "ui/shell/console.h"
#include "ui/shell/mainwindow.h"
#include "ui/shell/stateview.h"
#include "ui/shell/theme.h"
#include "ui/shell/welcomepage.h"
#include "ui/thresholds/confidencehistogram.h"
#include "ui/thresholds/thresholdsworkspace.h"

#include <QApplication>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QLineEdit>
#include <QNetworkAccessManager>
#include <QNetworkReply>
#include <QSpinBox>
#include <QTableWidget>
#include <QTemporaryDir>
#include <csignal>

using namespace sluice;
using namespace sluice::ui;

/// The whole thread, as a user walks it: the console starts the local stack, classifies, sees the
/// metrics, publishes a threshold, loads the service, shifts traffic and back, and finds it all in
/// the history. With SLUICE_PICTURES it also draws every page.
class TestFirstLight : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void cleanupTestCase();
    void startsOnTheWelcomePage();
    void classifiesWithoutAnyServer();
    void startsTheLocalStack();
    void classifiesThroughTheBalancer();
    void metricsAppearInTheMonitor();
    void thresholdsFollowTheSlider();
    void publishingReachesEveryWorker();
    void loadRunGetsAVerdict();
    void shiftsTrafficAndBack();
    void historyHoldsIt();
    void lostServersAreSaidAndComeBack();

private:
    QByteArray post(const QString& text, const QByteArray& session);
    void picture(const QString& page);

    QTemporaryDir m_folder;
    std::unique_ptr<Console> m_console;
    std::unique_ptr<MainWindow> m_window;
    QNetworkAccessManager m_network;
    ops::StackStatus m_stack;
};

namespace {

constexpr int soon = 10000;

template <typename Page> Page* page(MainWindow& window, const char* id)
{
    window.showWorkspace(QString::fromLatin1(id));
    return qobject_cast<Page*>(window.workspace(QString::fromLatin1(id)));
}

void acceptDialog(QWidget& parent)
{
    QTRY_VERIFY_WITH_TIMEOUT(parent.findChild<ConfirmDialog*>() != nullptr, soon);
    auto* dialog = parent.findChild<ConfirmDialog*>();
    QVERIFY(dialog->cancelButton()->isDefault() || !dialog->verbButton()->isDefault());
    QTest::mouseClick(dialog->verbButton(), Qt::LeftButton);
}

} // namespace

void TestFirstLight::initTestCase()
{
    QVERIFY(m_folder.isValid());
    test::makeConsole(m_folder, m_console, m_window);
    m_window->addWorkspace(new ClassifyWorkspace(m_console.get()));
    m_window->addWorkspace(new ThresholdsWorkspace(m_console.get()));
    m_window->addWorkspace(new MonitorWorkspace(m_console.get()));
    m_window->addWorkspace(new LoadWorkspace(m_console.get()));
    m_window->addWorkspace(new RolloutWorkspace(m_console.get()));
    m_window->addWorkspace(new HistoryWorkspace(m_console.get()));
    test::showConsole(*m_console, *m_window);
    QTRY_VERIFY_WITH_TIMEOUT(m_console->classifier() != nullptr, soon);
}

void TestFirstLight::cleanupTestCase()
{
    m_window.reset();
    m_console.reset();
    QVERIFY(test::endLocalStack());
    const auto status = ops::LocalStack::status();
    QVERIFY(status);
    QVERIFY(!status->running);
    for (const ops::StackPart& part : status->parts) {
        // Redis was killed by the last test.
        QVERIFY2(part.state == ops::PartState::Stopped || part.name == QLatin1StringView("redis"),
            qPrintable(part.name));
    }
}

/// Draws a page in both themes and sizes where SLUICE_PICTURES names a folder.
void TestFirstLight::picture(const QString& name)
{
    QVERIFY(test::drawPictures(
        *m_window, name, {QSize(1280, 800), QSize(1440, 900), QSize(1920, 1080)}));
}

QByteArray TestFirstLight::post(const QString& text, const QByteArray& session)
{
    QNetworkRequest request(
        QUrl(m_stack.environment.balancer.toString() % QLatin1StringView("/v1/classify")));
    request.setHeader(QNetworkRequest::ContentTypeHeader, QStringLiteral("application/json"));
    request.setRawHeader("X-Session-Id", session);
    request.setTransferTimeout(5000);
    QNetworkReply* reply = m_network.post(
        request, QJsonDocument(QJsonObject{{QStringLiteral("text"), text}}).toJson());
    QSignalSpy finished(reply, &QNetworkReply::finished);
    finished.wait(6000);
    reply->deleteLater();
    return reply->readAll();
}

void TestFirstLight::startsOnTheWelcomePage()
{
    QCOMPARE(m_window->currentWorkspace(), QString());
    QVERIFY(m_window->welcomePage()->startButton()->isEnabled());
    picture(QStringLiteral("welcome"));
    for (const char* id : {"monitor", "load", "rollout"}) {
        m_window->showWorkspace(QString::fromLatin1(id));
        picture(QString::fromLatin1(id) % QLatin1StringView("-empty"));
    }
    QCOMPARE(page<MonitorWorkspace>(*m_window, "monitor")->stateView()->state(),
        StateView::State::Empty);
}

void TestFirstLight::classifiesWithoutAnyServer()
{
    auto* classify = page<ClassifyWorkspace>(*m_window, "classify");
    QTRY_COMPARE_WITH_TIMEOUT(classify->stateView()->state(), StateView::State::Data, soon);
    QTest::keyClicks(classify->input(),
        QStringLiteral("Where is my parcel A-2231? I paid 49.90 EUR on 12 March"));
    QTest::keyClick(classify->input(), Qt::Key_Return);
    QVERIFY(classify->answer().has_value());
    QCOMPARE(classify->bars()->bars().size(), 5);
    QCOMPARE(classify->bars()->bars().first().intent, QStringLiteral("track_parcel"));
    QCOMPARE(classify->entities()->marks().size(), 3);
    QVERIFY(classify->answer()->times.total() > 0);
    QVERIFY(!classify->answer()->contributions.empty());

    // Context is kept: the amount of the first turn is carried into the second.
    QTest::keyClicks(classify->input(), QStringLiteral("and for B-10498?"));
    QTest::keyClick(classify->input(), Qt::Key_Return);
    QCOMPARE(classify->session().turnCount, 2);
    QVERIFY(classify->answer()->context == ContextState::Used);
    const auto& entities = classify->answer()->entities;
    QVERIFY(std::any_of(entities.begin(), entities.end(),
        [](const Entity& entity) { return entity.turn == 1 && entity.value == "49.90 EUR"; }));
    picture(QStringLiteral("classify"));

    // Nothing to classify is refused with words, and changes nothing.
    QTest::keyClicks(classify->input(), QString(5000, u'a'));
    QTest::keyClick(classify->input(), Qt::Key_Return);
    QCOMPARE(classify->session().turnCount, 2);
    classify->input()->clear();
    QTest::keyClick(classify, Qt::Key_L, Qt::ControlModifier | Qt::ShiftModifier);
    QTRY_COMPARE_WITH_TIMEOUT(classify->session().turnCount, 0, soon);
}

void TestFirstLight::startsTheLocalStack()
{
    m_window->showWorkspace({});
    QTest::mouseClick(m_window->welcomePage()->startButton(), Qt::LeftButton);
    QTRY_VERIFY_WITH_TIMEOUT(m_console->hasEnvironment(), 40000);
    QCOMPARE(m_console->environment().name, QStringLiteral("local"));
    for (const Source source : {Source::Redis, Source::Prometheus, Source::Balancer}) {
        QTRY_VERIFY_WITH_TIMEOUT(m_console->source(source).isUp(), soon);
    }
    QCOMPARE(m_window->currentWorkspace(), QStringLiteral("monitor"));
    const auto status = ops::LocalStack::status();
    QVERIFY(status);
    m_stack = *status;
    QVERIFY(m_stack.running);
    QCOMPARE(m_stack.parts.size(), 7);
    const QList<quint16> defaults{6379, 9090, 80, 8080, 5432, 9093, 9100, 9121};
    for (const ops::StackPart& part : std::as_const(m_stack.parts)) {
        QCOMPARE(part.state, ops::PartState::Healthy);
        QVERIFY2(!defaults.contains(part.port), qPrintable(part.name));
    }
}

void TestFirstLight::classifiesThroughTheBalancer()
{
    for (int turn = 1; turn <= 3; ++turn) {
        const QJsonObject answer = QJsonDocument::fromJson(
            post(QStringLiteral("where is my parcel A-2231?"), "first-light"))
                                       .object();
        QCOMPARE(answer[QStringLiteral("candidates")]
                     .toArray()
                     .first()
                     .toObject()[QStringLiteral("intent")]
                     .toString(),
            QStringLiteral("track_parcel"));
        QCOMPARE(answer[QStringLiteral("turn")].toInt(),
            turn); // the session lives in Redis, whichever worker answers
        QCOMPARE(answer[QStringLiteral("context")].toString(),
            turn == 1 ? QStringLiteral("new") : QStringLiteral("used"));
    }
    const QJsonObject problem = QJsonDocument::fromJson(post(QString(), "first-light")).object();
    QCOMPARE(problem[QStringLiteral("status")].toInt(), 400);
}

void TestFirstLight::metricsAppearInTheMonitor()
{
    auto* monitor = page<MonitorWorkspace>(*m_window, "monitor");
    QTRY_COMPARE_WITH_TIMEOUT(monitor->stateView()->state(), StateView::State::Data, soon);
    QElapsedTimer timer;
    timer.start();
    const LiveChart* rate = monitor->chart(QStringLiteral("Requests a second"));
    const auto seen = [&] {
        for (const ChartSeries& series : rate->series()) {
            for (const QPointF& point : series.points) {
                if (point.y() > 0) {
                    return true;
                }
            }
        }
        return false;
    };
    while (!seen() && timer.elapsed() < 30000) {
        post(QStringLiteral("is the red kettle in stock"), "first-light-metrics");
        QTest::qWait(200); // the rate of the requests that the charts wait for
    }
    QVERIFY(seen());
    QTRY_VERIFY_WITH_TIMEOUT(
        !monitor->chart(QStringLiteral("Redis clients"))->series().isEmpty(), soon);
    QTRY_COMPARE_WITH_TIMEOUT(monitor->workers()->workers().size(), 4, 20000);
    QTRY_VERIFY_WITH_TIMEOUT(
        monitor->tile(QStringLiteral("memory"))->figure() != QStringLiteral("–"), 20000);
}

void TestFirstLight::thresholdsFollowTheSlider()
{
    auto* thresholds = page<ThresholdsWorkspace>(*m_window, "thresholds");
    QCOMPARE(thresholds->stateView()->state(), StateView::State::Empty);
    picture(QStringLiteral("thresholds-empty"));
    thresholds->loadData();
    QTRY_COMPARE_WITH_TIMEOUT(thresholds->stateView()->state(), StateView::State::Data, soon);
    QVERIFY(thresholds->rows() > 200);
    thresholds->setThreshold(0.2);
    const double loose = thresholds->outcome().coverage();
    const double looseRisk = thresholds->outcome().errorRate();
    thresholds->setThreshold(0.8);
    QVERIFY(thresholds->outcome().coverage() < loose);
    QVERIFY(thresholds->outcome().errorRate() < looseRisk);
    // By hand: the line is dragged, everything follows.
    ConfidenceHistogram* histogram = thresholds->histogram();
    const QPoint middle(histogram->width() / 2, histogram->height() / 2);
    QTest::mouseClick(histogram, Qt::LeftButton, Qt::NoModifier, middle);
    QVERIFY(std::abs(histogram->threshold() - 0.5) < 0.02);
    QTest::keyClick(histogram, Qt::Key_Right);
    QVERIFY(histogram->threshold() > 0.5);
    QVERIFY(thresholds->outcome().coverage() < loose);

    // A file that can't be used is said with file, line and reason, and what was there stays
    // reachable.
    const QString bad = m_folder.filePath(QStringLiteral("bad.jsonl"));
    QFile file(bad);
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write("{\"text\":\"hello\",\"intent\":\"a\"}\n{\"text\":\n");
    file.close();
    thresholds->loadData(bad);
    QTRY_COMPARE_WITH_TIMEOUT(thresholds->stateView()->state(), StateView::State::Failed, soon);
    picture(QStringLiteral("thresholds-error"));
    thresholds->loadData();
    QTRY_COMPARE_WITH_TIMEOUT(thresholds->stateView()->state(), StateView::State::Data, soon);
}

void TestFirstLight::publishingReachesEveryWorker()
{
    auto* thresholds = page<ThresholdsWorkspace>(*m_window, "thresholds");
    thresholds->setThreshold(0.42);
    thresholds->pool()->setCurrentText(QStringLiteral("green"));
    thresholds->publish();
    acceptDialog(*thresholds);
    const auto served = [&](const QString& pool, const QString& text) {
        int count = 0;
        const QTableWidget* table = thresholds->workersTable();
        for (int row = 0; row < table->rowCount(); ++row) {
            count +=
                table->item(row, 1)->text() == pool && table->item(row, 2)->text() == text ? 1 : 0;
        }
        return count;
    };
    QTRY_COMPARE_WITH_TIMEOUT(served(QStringLiteral("green"), QStringLiteral("✓ set 1")), 2, soon);
    QCOMPARE(served(QStringLiteral("blue"), QStringLiteral("✓ set 0")), 2);
    picture(QStringLiteral("thresholds"));

    // As a tester it is Redis that refuses.
    m_console->setUser(QStringLiteral("tester"));
    QTRY_VERIFY_WITH_TIMEOUT(
        m_console->source(Source::Redis).isUp() && m_console->user() == QStringLiteral("tester"),
        soon);
    std::optional<Result<qint64>> refused;
    QTRY_VERIFY_WITH_TIMEOUT(
        [&] {
            if (!refused) {
                m_console->publishedThresholds()->publish(ThresholdSet(), QStringLiteral("green"),
                    1, this, [&](const Result<qint64>& number) { refused = number; });
            }
            return refused && !*refused && (*refused).error().kind == ErrorKind::Refused;
        }(),
        soon);
    m_console->setUser(QStringLiteral("admin"));
    QTRY_VERIFY_WITH_TIMEOUT(m_console->source(Source::Redis).isUp(), soon);

    // Back to what was before: the model's own thresholds.
    Button* undo = nullptr;
    const QList<Button*> buttons = thresholds->findChildren<Button*>();
    for (Button* button : buttons) {
        undo = button->text() == QStringLiteral("Undo last publish") ? button : undo;
    }
    QVERIFY(undo != nullptr);
    QTRY_VERIFY_WITH_TIMEOUT(undo->isEnabled(), soon);
    QTest::mouseClick(undo, Qt::LeftButton);
    QTRY_COMPARE_WITH_TIMEOUT(served(QStringLiteral("green"), QStringLiteral("✓ set 0")), 2, soon);
}

void TestFirstLight::loadRunGetsAVerdict()
{
    auto* load = page<LoadWorkspace>(*m_window, "load");
    load->seconds()->setValue(10);
    load->start(); // looks at the target first
    QTRY_VERIFY_WITH_TIMEOUT(load->isRunning(), soon);
    QTRY_VERIFY_WITH_TIMEOUT(load->result().has_value(), 30000);
    QVERIFY(load->result()->completed);
    QCOMPARE(load->result()->scheduled, 500);
    QCOMPARE(load->result()->sent, 500);
    QCOMPARE(load->result()->succeeded, 500);
    QVERIFY(load->result()->checks.size() >= 3);
    QVERIFY(!load->latency()->series().isEmpty());
    picture(QStringLiteral("load"));
    page<MonitorWorkspace>(*m_window, "monitor");
    m_console->setTimeRange({300, 0, 0});
    QTest::qWait(qEnvironmentVariableIsEmpty("SLUICE_PICTURES")
            ? 0
            : 3000); // let the pictures have the run's data
    picture(QStringLiteral("monitor"));
}

void TestFirstLight::shiftsTrafficAndBack()
{
    auto* rollout = page<RolloutWorkspace>(*m_window, "rollout");
    rollout->showPage(RolloutWorkspace::ByHand);
    QTRY_COMPARE_WITH_TIMEOUT(rollout->stateView()->state(), StateView::State::Data, soon);
    rollout->shift(50);
    QTRY_COMPARE_WITH_TIMEOUT(rollout->split()->nextShareBasisPoints, 5000, soon);
    const quint64 before = rollout->split()->nextRequests;
    for (int session = 0; session < 60; ++session) {
        QVERIFY(!post(QStringLiteral("hello"), "shift-" + QByteArray::number(session)).isEmpty());
    }
    // 60 sessions at 50 %: fewer than 10 or more than 50 on green has a probability below 1e-7.
    QTRY_VERIFY_WITH_TIMEOUT(rollout->split()->nextRequests >= before + 10, soon);
    QVERIFY(rollout->split()->nextRequests <= before + 50);
    picture(QStringLiteral("rollout-byhand"));
    QTest::mouseClick(rollout->rollBackButton(), Qt::LeftButton);
    QTRY_COMPARE_WITH_TIMEOUT(rollout->split()->nextShareBasisPoints, 0, soon);
    const quint64 after = rollout->split()->nextRequests;
    const quint64 live = rollout->split()->liveRequests;
    for (int session = 0; session < 20; ++session) {
        post(QStringLiteral("hello"), "shift-" + QByteArray::number(session));
    }
    QTRY_VERIFY_WITH_TIMEOUT(rollout->split()->liveRequests >= live + 20, soon);
    QCOMPARE(rollout->split()->nextRequests, after);
}

void TestFirstLight::historyHoldsIt()
{
    auto* history = page<HistoryWorkspace>(*m_window, "history");
    QTRY_COMPARE_WITH_TIMEOUT(history->stateView()->state(), StateView::State::Data, soon);
    QStringList kinds;
    for (const ops::HistoryEntry& entry : history->model()->entries()) {
        kinds << entry.kind;
    }
    for (const char* kind : {"publish", "load", "shift", "rollback"}) {
        QVERIFY2(kinds.contains(QString::fromLatin1(kind)), kind);
    }
    picture(QStringLiteral("history"));
    history->filter()->setText(QStringLiteral("nothing has these words"));
    QCOMPARE(history->stateView()->state(), StateView::State::Empty);
    history->filter()->clear();
    QCOMPARE(history->stateView()->state(), StateView::State::Data);
}

void TestFirstLight::lostServersAreSaidAndComeBack()
{
    // Redis dies while the console runs: queries go on without context, the console says it.
    qint64 redis = 0;
    for (const ops::StackPart& part : std::as_const(m_stack.parts)) {
        redis = part.name == QLatin1StringView("redis") ? part.pid : redis;
    }
    QVERIFY(redis > 0);
    QCOMPARE(::kill(pid_t(redis), SIGKILL), 0);
    QTRY_COMPARE_WITH_TIMEOUT(m_console->source(Source::Redis).kind, SourceState::Kind::Lost, soon);
    const QJsonObject answer =
        QJsonDocument::fromJson(post(QStringLiteral("where is my parcel"), "first-light")).object();
    QCOMPARE(answer[QStringLiteral("context")].toString(), QStringLiteral("unavailable"));
    auto* monitor = page<MonitorWorkspace>(*m_window, "monitor");
    QTRY_COMPARE_WITH_TIMEOUT(monitor->stateView()->state(), StateView::State::Disconnected, soon);
    picture(QStringLiteral("monitor-redis-lost"));
}

QTEST_MAIN(TestFirstLight)
#include "tst_firstlight.moc"
