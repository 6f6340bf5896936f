#include "tests/support/ownconsole.h"
#include "tests/support/testcase.h"

#include "engine/base/file.h"
#include "ui/rollout/comparepage.h"
#include "ui/rollout/driverhost.h"
#include "ui/rollout/planpage.h"
#include "ui/rollout/rolloutfeed.h"
#include "ui/rollout/rolloutpage.h"
#include "ui/rollout/rolloutworkspace.h"
#include "ui/rollout/stagestrip.h"
#include "ui/shell/button.h"
#include "ui/shell/confirmdialog.h"
#include "ui/shell/infobanner.h"
#include "ui/shell/stateview.h"

#include <QJsonDocument>
#include <QLineEdit>
#include <QNetworkAccessManager>
#include <QNetworkReply>
#include <QTableWidget>

using namespace sluice;
using namespace sluice::ui;
using Phase = ops::RolloutPhase;

namespace {

constexpr int soon = 40000;

} // namespace

/// A console that hosts a real driver on the real local stack (HAProxy, two pools of workers,
/// Redis, Prometheus): a rollout is planned, started and watched on the page, goes to 100 % partly
/// by itself and partly by a person, and the next one is taken back by the button.
class TestRolloutDrive : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void cleanupTestCase();
    void hostsADriver();
    void goesToTheEnd();
    void oldAndNewWereCompared();
    void rollsBackByTheButton();

private:
    RolloutPage* page() { return m_page->rolloutPage(); }
    Phase phase() const
    {
        return m_page->feed()->rollout() ? m_page->feed()->rollout()->state.phase : Phase::Idle;
    }
    int stage() const { return m_page->feed()->rollout()->state.stage; }
    QByteArray said() const
    {
        if (!m_page->feed()->rollout()) {
            return "nothing is published; driver: " + m_page->driverHost()->trouble().toUtf8();
        }
        const ops::RolloutState& state = m_page->feed()->rollout()->state;
        return (ops::phaseName(state.phase) % u' ' % QString::number(state.stage) % u' '
            % state.reason % u' ' % state.hold % u' ' % m_page->planPage()->banner()->text())
            .toUtf8();
    }
    /// Opens a plan with soaks of seconds and starts it on the page. The last stage before 100 %
    /// is a person's to promote.
    void start(const QString& release);

    QTemporaryDir m_folder;
    std::unique_ptr<Console> m_console;
    std::unique_ptr<MainWindow> m_window;
    RolloutWorkspace* m_page = nullptr;
    QNetworkAccessManager m_network;
    QTimer m_traffic;
};

void TestRolloutDrive::initTestCase()
{
    test::makeConsole(m_folder, m_console, m_window);
    m_page = new RolloutWorkspace(m_console.get());
    m_window->addWorkspace(m_page);
    test::showConsole(*m_console, *m_window);
    m_window->showWorkspace(QStringLiteral("rollout"));
    m_console->startLocalStack();
    QTRY_VERIFY_WITH_TIMEOUT(m_console->hasEnvironment() && m_console->source(Source::Redis).isUp()
            && m_page->feed()->isRead(),
        60000);
    m_console->setUser(QStringLiteral("lead"));
    QTRY_COMPARE_WITH_TIMEOUT(m_console->user(), QStringLiteral("lead"), soon);
    QTRY_VERIFY_WITH_TIMEOUT(
        m_console->redis()->state() == ops::RedisClient::State::Connected, soon);
    m_traffic.setInterval(20);
    connect(&m_traffic, &QTimer::timeout, this, [this, number = 0]() mutable {
        QNetworkRequest request(
            QUrl(m_console->environment().balancer.toString() + QStringLiteral("/v1/classify")));
        request.setHeader(QNetworkRequest::ContentTypeHeader, QStringLiteral("application/json"));
        request.setRawHeader("X-Session-Id", "s" + QByteArray::number(++number));
        request.setTransferTimeout(3000);
        QNetworkReply* reply = m_network.post(request, R"({"text":"where is my parcel"})");
        connect(reply, &QNetworkReply::finished, reply, &QObject::deleteLater);
    });
    m_traffic.start();
}

void TestRolloutDrive::cleanupTestCase()
{
    m_traffic.stop();
    m_page->driverHost()->stop();
    QTRY_VERIFY_WITH_TIMEOUT(!m_page->driverHost()->isRunning(), 10000);
    m_window.reset();
    m_console.reset();
    QVERIFY(test::endLocalStack());
}

void TestRolloutDrive::hostsADriver()
{
    m_page->driverHost()->start();
    QTRY_VERIFY_WITH_TIMEOUT(m_page->driverHost()->isRunning(), soon);
    // It leads, and says so, before anything was ever rolled out.
    QTRY_VERIFY2_WITH_TIMEOUT(m_page->feed()->hasDriver(), said().constData(), soon);
    QCOMPARE(phase(), Phase::Idle);
    QCOMPARE(page()->stateView()->state(), StateView::State::Empty);
}

void TestRolloutDrive::start(const QString& release)
{
    ops::Release made;
    made.id = release;
    ops::RolloutPlan plan = ops::RolloutPlan::standard(made);
    plan.timeScale = 0.01; // windows of 3 s
    plan.leaseMs = 5000;
    plan.stages.removeAt(4); // 50 %
    plan.stages[2].shareBasisPoints = 3000; // so that few requests show it
    plan.stages[2].name = QStringLiteral("30 %");
    plan.stages[3].shareBasisPoints = 5000;
    plan.stages[3].name = QStringLiteral("50 %");
    plan.stages[2].soakMs = plan.stages[3].soakMs = 100000; // 1 s
    plan.stages[3].automatic = false;
    // What a second of traffic on a machine that is busy can't prove decides nothing.
    for (ops::PlannedGate& gate : plan.triggers) {
        gate.atLeast = gate.measure == ops::Measure::Complaints ? gate.atLeast : 5;
        if (gate.measure != ops::Measure::ErrorRate && gate.measure != ops::Measure::Memory) {
            gate.action = ops::GateAction::Record;
        }
    }
    const QString file = m_folder.filePath(release + QStringLiteral(".json"));
    QVERIFY(writeFileAtomically(
        file.toStdString(), QJsonDocument(plan.toJson()).toJson().toStdString()));
    m_page->showPage(RolloutWorkspace::Plan);
    m_page->planPage()->openPlan(file);
    QTRY_VERIFY_WITH_TIMEOUT(m_page->planPage()->startButton()->isEnabled(), soon);
    QTest::mouseClick(m_page->planPage()->startButton(), Qt::LeftButton);
    QTRY_VERIFY_WITH_TIMEOUT(m_window->findChild<ConfirmDialog*>() != nullptr, soon);
    auto* dialog = m_window->findChild<ConfirmDialog*>();
    if (auto* reason = dialog->findChild<QLineEdit*>()) { // where the checklist has something open
        QTest::keyClicks(reason, QStringLiteral("a drill"));
    }
    QVERIFY(dialog->verbButton()->isEnabled());
    QTest::mouseClick(dialog->verbButton(), Qt::LeftButton);
    // The page of the rollout comes to the front by itself.
    QTRY_VERIFY2_WITH_TIMEOUT(
        page()->isVisible() && page()->stateView()->state() == StateView::State::Data,
        said().constData(), soon);
}

void TestRolloutDrive::goesToTheEnd()
{
    start(QStringLiteral("r1"));
    // The first share passes by itself, the second waits for a person.
    QTRY_VERIFY2_WITH_TIMEOUT(
        stage() == 3 && phase() == Phase::Waiting, said().constData(), 2 * soon);
    QTRY_VERIFY_WITH_TIMEOUT(page()->promoteButton()->isEnabled(), soon);
    QTest::mouseClick(page()->promoteButton(), Qt::LeftButton);
    auto* dialog = m_window->findChild<ConfirmDialog*>();
    QVERIFY(dialog != nullptr);
    if (auto* reason = dialog->findChild<QLineEdit*>()) {
        QTest::keyClicks(reason, QStringLiteral("a drill"));
    }
    QTest::mouseClick(dialog->verbButton(), Qt::LeftButton);
    QTRY_VERIFY2_WITH_TIMEOUT(phase() == Phase::Warm, said().constData(), soon);
    std::optional<ops::TrafficSplit> split;
    m_console->router()->read(this,
        [&](const Result<ops::TrafficSplit>& read) { split = read ? *read : ops::TrafficSplit(); });
    QTRY_VERIFY_WITH_TIMEOUT(split.has_value(), soon);
    QCOMPARE(split->live, QStringLiteral("green"));
    QCOMPARE(split->nextShareBasisPoints, 0);
    QCOMPARE(page()->strip()->boxes().last().word, QStringLiteral("live"));
}

/// The workers' own decision log, written while both pools had sessions.
void TestRolloutDrive::oldAndNewWereCompared()
{
    m_page->showPage(RolloutWorkspace::Compare);
    QTRY_VERIFY_WITH_TIMEOUT(m_page->comparePage()->comparison().has_value(), soon);
    const ops::AbComparison& made = *m_page->comparePage()->comparison();
    QCOMPARE(made.canary, QStringLiteral("green"));
    QVERIFY(made.canaryDecisions + made.stableDecisions + made.outside > 0);
    m_page->showPage(RolloutWorkspace::Rollout);
    // From the warm pool back: one click, then all is blue's again.
    QTRY_VERIFY_WITH_TIMEOUT(page()->rollBackButton()->isEnabled(), soon);
    QTest::mouseClick(page()->rollBackButton(), Qt::LeftButton);
    QTRY_VERIFY2_WITH_TIMEOUT(phase() == Phase::RolledBack, said().constData(), soon);
}

void TestRolloutDrive::rollsBackByTheButton()
{
    start(QStringLiteral("r2"));
    QTRY_VERIFY2_WITH_TIMEOUT(
        phase() == Phase::Soaking || phase() == Phase::Waiting, said().constData(), 2 * soon);
    QTRY_VERIFY_WITH_TIMEOUT(page()->rollBackButton()->isEnabled(), soon);
    QCOMPARE(page()->rollBackButton()->text(), QStringLiteral("Roll back to blue"));
    QTest::mouseClick(page()->rollBackButton(), Qt::LeftButton);
    QTRY_VERIFY2_WITH_TIMEOUT(phase() == Phase::RolledBack, said().constData(), soon);
    std::optional<ops::TrafficSplit> split;
    m_console->router()->read(this,
        [&](const Result<ops::TrafficSplit>& read) { split = read ? *read : ops::TrafficSplit(); });
    QTRY_VERIFY_WITH_TIMEOUT(split.has_value(), soon);
    QCOMPARE(split->live, QStringLiteral("blue"));
    QCOMPARE(split->nextShareBasisPoints, 0);
    QTRY_VERIFY_WITH_TIMEOUT(
        page()->happened()->rowCount() > 0 && !page()->rollBackButton()->isEnabled(), soon);
}

QTEST_MAIN(TestRolloutDrive)
#include "tst_rolloutdrive.moc"
