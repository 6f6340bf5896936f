#include "tests/support/ownconsole.h"
#include "tests/support/pictures.h"
#include "tests/support/testcase.h"

#include "engine/base/file.h"
#include "engine/operations/environment/localstack.h"
#include "engine/operations/rollout/rediscontrol.h"
#include "ui/rollout/driverhost.h"
#include "ui/rollout/evidenceview.h"
#include "ui/rollout/gatetable.h"
#include "ui/rollout/planpage.h"
#include "ui/rollout/rolloutcharts.h"
#include "ui/rollout/rolloutfeed.h"
#include "ui/rollout/rolloutpage.h"
#include "ui/rollout/rolloutreport.h"
#include "ui/rollout/rolloutworkspace.h"
#include "ui/rollout/stagestrip.h"
#include "ui/shell/button.h"
#include "ui/shell/confirmdialog.h"
#include "ui/shell/console.h"
#include "ui/shell/infobanner.h"
#include "ui/shell/mainwindow.h"
#include "ui/shell/stateview.h"
#include "ui/shell/theme.h"

#include <QJsonDocument>
#include <QLabel>
#include <QLineEdit>
#include <QNetworkAccessManager>
#include <QNetworkReply>
#include <QSpinBox>
#include <QTabBar>
#include <QTemporaryDir>
#include <signal.h>

using namespace sluice;
using namespace sluice::ui;

namespace {

constexpr int soon = 20000;

ops::GateReading reading(const char* gate, ops::GateVerdict verdict, double value, double limit,
    const char* unit, const char* reason)
{
    ops::GateReading made;
    made.gate = QString::fromUtf8(gate);
    made.verdict = verdict;
    made.action = ops::GateAction::Rollback;
    made.value = value;
    made.limit = limit;
    made.unit = QString::fromUtf8(unit);
    made.reason = QString::fromUtf8(reason);
    made.query = QStringLiteral("haproxy_backend_http_responses_total[5m]");
    made.atMs = QDateTime::currentMSecsSinceEpoch();
    return made;
}

ops::RolloutState soakingState()
{
    ops::RolloutState state;
    ops::Release release;
    release.id = QStringLiteral("2026-11-24.1");
    release.workerVersion = QStringLiteral("1.8.0");
    release.thresholdSet = 42;
    state.plan = ops::RolloutPlan::standard(release);
    state.rolloutId = QStringLiteral("2026-11-24.1-140000");
    state.phase = ops::RolloutPhase::Soaking;
    state.stage = 3;
    state.version = 7;
    state.stable = QStringLiteral("blue");
    state.canary = QStringLiteral("green");
    state.target = {QStringLiteral("blue"), 2500};
    state.applied = true;
    state.watchedMs = 72 * 60000;
    state.startedMs = QDateTime::currentMSecsSinceEpoch() - 600000;
    state.soakFromMs = state.startedMs;
    state.by = QStringLiteral("driver");
    state.reason = QStringLiteral("every gate of \"5 %\" passed");
    state.atMs = state.startedMs;
    using V = ops::GateVerdict;
    ops::GateReading errors =
        reading("errors", V::Pass, 0.08, 1, "%", "3 of 3,600 failed on green");
    errors.counts = {{QStringLiteral("stable_value"), 0.09}};
    ops::GateReading time = reading("response time", V::Pass, 1.03, 2, "x", "p95 3.1 ms, 3.0 ms");
    time.counts = {{QStringLiteral("canary_p95_ms"), 3.1}, {QStringLiteral("stable_p95_ms"), 3.0}};
    ops::GateReading worse = reading("more errors", V::Pass, 0.9, 1, "x", "No sign of more errors");
    worse.evidence = 0.4;
    worse.evidenceLimit = 1000;
    ops::GateReading slower = reading("slower", V::Pass, 1, 2, "x", "No sign");
    slower.evidence = 2.2;
    slower.evidenceLimit = 1000;
    ops::GateReading proof = reading("no worse", V::Inconclusive, 0.9, 2, "x", "Not yet proven");
    proof.action = ops::GateAction::Hold;
    proof.evidence = 11.2;
    proof.evidenceLimit = 20;
    ops::GateReading complaints =
        reading("complaints", V::Inconclusive, 1.1, 2, "x", "2 complaints about green");
    complaints.action = ops::GateAction::Warn;
    complaints.counts = {{QStringLiteral("canary"), 2}, {QStringLiteral("stable"), 5}};
    state.readings = {errors, time, reading("memory", V::Pass, 11, 80, "%", "58 MiB of 512 MiB"),
        complaints, worse, slower, proof};
    return state;
}

} // namespace

/// Publishes what a test wants to be shown, as user driver, and takes commands as a driver does.
class StandIn : public QObject
{
    Q_OBJECT

public:
    StandIn(const ops::Environment& environment, const QString& password)
        : m_control(&m_client)
    {
        m_client.open(environment.redis.host, environment.redis.port, QStringLiteral("driver"),
            password, QStringLiteral("stand-in"));
        m_timer.setInterval(200);
        connect(&m_timer, &QTimer::timeout, this, &StandIn::turn);
        m_timer.start();
    }

    ops::PublishedRollout rollout;
    QList<ops::RolloutEvent> commands;
    QString refusal; ///< of the next command

    void say(const char* kind, const char* by, const char* reason, const char* mark = "")
    {
        m_audit << QJsonObject{{QStringLiteral("number"), ++m_number},
            {QStringLiteral("kind"), QString::fromLatin1(kind)},
            {QStringLiteral("by"), QString::fromLatin1(by)},
            {QStringLiteral("reason"), QString::fromUtf8(reason)},
            {QStringLiteral("mark"), QString::fromLatin1(mark)},
            {QStringLiteral("rollout"), rollout.state.rolloutId},
            {QStringLiteral("at_ms"), QDateTime::currentMSecsSinceEpoch()}};
    }
    void stop() { m_timer.stop(); }
    void goOn() { m_timer.start(); }

private:
    void turn()
    {
        if (m_client.state() != ops::RedisClient::State::Connected || m_busy) {
            return;
        }
        m_busy = true;
        m_control.renewLease(QStringLiteral("lb-1:1"), 10000, 0, this, [this](const auto& lease) {
            rollout.epoch = lease ? lease->epoch : 0;
            m_control.commands(this, [this](const Result<QList<ops::RolloutEvent>>& asked) {
                for (const ops::RolloutEvent& event : asked ? *asked : QList<ops::RolloutEvent>()) {
                    take(event);
                }
                publish();
            });
        });
    }
    void take(const ops::RolloutEvent& event)
    {
        commands << event;
        QJsonObject answer{{QStringLiteral("number"), ++m_number}, {QStringLiteral("id"), event.id},
            {QStringLiteral("by"), event.by}, {QStringLiteral("kind"), ops::eventName(event.kind)},
            {QStringLiteral("reason"), event.reason},
            {QStringLiteral("rollout"), rollout.state.rolloutId},
            {QStringLiteral("at_ms"), QDateTime::currentMSecsSinceEpoch()}};
        if (!refusal.isEmpty()) {
            answer[QStringLiteral("refused")] = std::exchange(refusal, {});
        } else {
            const ops::RolloutStep next = ops::step(rollout.state, event);
            rollout.state = next.state;
            if (next.refused) {
                answer[QStringLiteral("refused")] = QString::fromStdString(next.refused->message);
            }
        }
        m_audit << answer;
    }
    void publish()
    {
        rollout.publishedMs = QDateTime::currentMSecsSinceEpoch();
        rollout.driver = QStringLiteral("lb-1:1");
        m_control.publish(QStringLiteral("lb-1:1"), QStringLiteral("journal"),
            QJsonDocument(rollout.toJson()).toJson(), std::exchange(m_audit, {}), this,
            [this](const Result<void>& done) {
                m_busy = false;
                if (!done) {
                    qInfo("publish: %s", done.error().text().c_str());
                }
            });
    }

    ops::RedisClient m_client;
    ops::RedisControl m_control;
    QTimer m_timer;
    QList<QJsonObject> m_audit;
    qint64 m_number = 0;
    bool m_busy = false;
};

/// The release lead's page before a real Redis, Prometheus and HAProxy, with a stand-in for the
/// driver, so that every state can be had. With SLUICE_PICTURES it draws every one.
class TestRolloutPage : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void cleanupTestCase();
    void stagesSayWhereItStands();
    void evidenceSaysPassFailNotYet();
    void withoutAnEnvironment();
    void withoutARollout();
    void planSaysWhatItsTrafficDecides();
    void brokenPlanIsSaid();
    void showsARolloutThatSoaks();
    void pausesAndResumes();
    void promotesWithAReason();
    void loserIsTold();
    void anotherConsoleShowsTheSame();
    void blindGatesHold();
    void rollsBackWithoutAQuestion();
    void reportIsKept();
    void productionAsksForTheName();
    void nobodyDrives();
    void rollsBackWithoutADriver();
    void lostRedisIsSaid();

private:
    RolloutPage* page() { return m_page->rolloutPage(); }
    ConfirmDialog* dialog() { return m_window->findChild<ConfirmDialog*>(); }
    void picture(const QString& name) { QVERIFY(test::drawPictures(*m_window, name)); }
    /// Another user of Redis: the connection is made anew.
    void become(const QString& user)
    {
        m_console->setUser(user);
        QTRY_VERIFY_WITH_TIMEOUT(
            m_console->redis()->state() == ops::RedisClient::State::Connected, soon);
        QCOMPARE(m_console->user(), user);
    }

    QTemporaryDir m_folder;
    std::unique_ptr<Console> m_console;
    std::unique_ptr<MainWindow> m_window;
    RolloutWorkspace* m_page = nullptr;
    std::unique_ptr<StandIn> m_driver;
    QNetworkAccessManager m_network;
    QTimer m_traffic;
};

void TestRolloutPage::initTestCase()
{
    test::makeConsole(m_folder, m_console, m_window);
    m_page = new RolloutWorkspace(m_console.get());
    m_window->addWorkspace(m_page);
    test::showConsole(*m_console, *m_window);
    m_window->showWorkspace(QStringLiteral("rollout"));
}

void TestRolloutPage::cleanupTestCase()
{
    m_traffic.stop();
    m_driver.reset();
    m_window.reset();
    m_console.reset();
    QVERIFY(test::endLocalStack());
}

void TestRolloutPage::stagesSayWhereItStands()
{
    ops::RolloutState state = soakingState();
    const auto said = [&] {
        QStringList lines;
        for (const StageBox& box : stageBoxes(state)) {
            lines << box.name + u'|' + box.word + u'|' + box.line + u'|' + box.left;
        }
        return lines;
    };
    QCOMPARE(said(),
        (QStringList{QStringLiteral("Deploy|passed||"), QStringLiteral("Staging|passed||"),
            QStringLiteral("5 %|passed|2 h watched|"),
            QStringLiteral("25 %|soaking|1 h 12 of 2 h watched|48 min left"),
            QStringLiteral("50 %||4 h|"), QStringLiteral("100 %||the pools change roles|")}));
    QCOMPARE(stageBoxes(state)[3].progress, 0.6);
    state.hold = QStringLiteral("errors SOURCE_DOWN");
    QVERIFY(stageBoxes(state)[3].state == StageBox::State::Held);
    QCOMPARE(stageBoxes(state)[3].word, QStringLiteral("clock stands"));
    state.hold.clear();
    state.paused = true;
    QCOMPARE(stageBoxes(state)[3].word, QStringLiteral("paused"));
    state.paused = false;
    state.phase = ops::RolloutPhase::Waiting;
    QCOMPARE(stageBoxes(state)[3].left, QStringLiteral("soak is over"));
    state.phase = ops::RolloutPhase::RolledBack;
    QCOMPARE(stageBoxes(state)[3].word, QStringLiteral("rolled back"));
    QVERIFY(stageBoxes(state)[3].state == StageBox::State::Failed);
    state.phase = ops::RolloutPhase::Shifting;
    QCOMPARE(stageBoxes(state)[3].word, QStringLiteral("shifting"));
    state.stage = 0;
    state.phase = ops::RolloutPhase::Deploying;
    QCOMPARE(stageBoxes(state)[0].word, QStringLiteral("deploying"));
    state.stage = 1;
    state.phase = ops::RolloutPhase::Staging;
    QCOMPARE(stageBoxes(state)[1].word, QStringLiteral("testing"));
    state.stage = 5;
    state.phase = ops::RolloutPhase::Warm;
    QCOMPARE(stageBoxes(state)[5].word, QStringLiteral("live"));
    state.phase = ops::RolloutPhase::Finished;
    QVERIFY(stageBoxes(state)[5].state == StageBox::State::Passed);
}

void TestRolloutPage::evidenceSaysPassFailNotYet()
{
    QHash<QString, QList<QPointF>> history;
    ops::RolloutState state = soakingState();
    QList<EvidenceRow> rows = evidenceRows(state.readings, history);
    QCOMPARE(rows.size(), 3);
    QVERIFY(!rows[0].isProof && rows[2].isProof);
    QCOMPARE(rows[2].history.size(), 1);
    evidenceRows(state.readings, history); // the same reading again is no new point
    QCOMPARE(history[QStringLiteral("no worse")].size(), 1);
    for (ops::GateReading& one : state.readings) {
        one.atMs += 15000;
    }
    QCOMPARE(evidenceRows(state.readings, history)[0].history.size(), 2);
    QCOMPARE(GateTable::summary(state.readings), QStringLiteral("5 pass · 2 not yet"));
    QCOMPARE(verdictWord(reading("x", ops::GateVerdict::Fail, 2, 1, "%", "")).word,
        QStringLiteral("rolls back"));
    QCOMPARE(verdictWord(reading("x", ops::GateVerdict::SourceDown, 2, 1, "%", "")).word,
        QStringLiteral("source down"));
}

void TestRolloutPage::withoutAnEnvironment()
{
    QCOMPARE(page()->stateView()->state(), StateView::State::Empty);
    picture(QStringLiteral("rollout-none"));
    m_page->showPage(RolloutWorkspace::Plan);
    QVERIFY(!m_page->planPage()->startButton()->isEnabled());
    m_page->showPage(RolloutWorkspace::Rollout);
}

void TestRolloutPage::withoutARollout()
{
    m_console->startLocalStack();
    QTRY_VERIFY_WITH_TIMEOUT(m_console->hasEnvironment() && m_console->source(Source::Redis).isUp()
            && m_page->feed()->isRead(),
        60000);
    QCOMPARE(page()->stateView()->state(), StateView::State::Empty);
    QVERIFY(!m_page->feed()->rollout().has_value());
    // Some traffic for all that follows: a session a request.
    m_traffic.setInterval(40);
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

void TestRolloutPage::planSaysWhatItsTrafficDecides()
{
    m_page->showPage(RolloutWorkspace::Plan);
    PlanPage* plan = m_page->planPage();
    QTRY_COMPARE_WITH_TIMEOUT(plan->checklist()->rowCount(), 7, soon);
    QTRY_VERIFY_WITH_TIMEOUT(
        plan->checklist()->item(0, 1)->text().contains(QStringLiteral("passed"))
            && plan->checklist()->item(5, 0)->text().contains(QStringLiteral("volatile-ttl")),
        soon);
    QCOMPARE(plan->stages()->rowCount(), 6);
    QVERIFY(!plan->startButton()->isEnabled()); // it has no name
    QTest::keyClicks(plan->releaseId(), QStringLiteral("2026-11-24.1"));
    plan->thresholdSet()->setValue(42);
    QVERIFY(plan->startButton()->isEnabled());
    QCOMPARE(plan->plan().release.id, QStringLiteral("2026-11-24.1"));
    QCOMPARE(plan->plan().release.thresholdSet, 42);
    // Reckoned from the traffic once Prometheus has seen some.
    QTRY_VERIFY_WITH_TIMEOUT(
        [&] {
            if (!plan->stages()->item(2, 2)->text().contains(QStringLiteral("req/s"))) {
                plan->activated();
                QTest::qWait(500); // Prometheus scrapes every second
                return false;
            }
            return true;
        }(),
        30000);
    picture(QStringLiteral("rollout-plan"));
}

void TestRolloutPage::brokenPlanIsSaid()
{
    const QString file = m_folder.filePath(QStringLiteral("plan.json"));
    QVERIFY(writeFileAtomically(file.toStdString(), "{\"schema\": 1, \"stagess\": []}"));
    m_page->planPage()->openPlan(file);
    QVERIFY2(m_page->planPage()->banner()->text().contains(QStringLiteral("plan.json")),
        qPrintable(m_page->planPage()->banner()->text()));
    QCOMPARE(m_page->planPage()->stages()->rowCount(), 6); // the plan stays
    m_page->planPage()->banner()->dismiss();
    ops::RolloutPlan other = ops::RolloutPlan::standard();
    other.release.id = QStringLiteral("other");
    other.stages.removeAt(3);
    other.checklist = {{QStringLiteral("Tell the support team"), {}}};
    QVERIFY(writeFileAtomically(
        file.toStdString(), QJsonDocument(other.toJson()).toJson().toStdString()));
    m_page->planPage()->openPlan(file);
    QCOMPARE(m_page->planPage()->stages()->rowCount(), 5);
    QCOMPARE(m_page->planPage()->releaseId()->text(), QStringLiteral("other"));
    QTRY_COMPARE_WITH_TIMEOUT(m_page->planPage()->checklist()->rowCount(), 8, soon);
    QTRY_COMPARE(m_page->planPage()->checklist()->item(7, 0)->checkState(), Qt::Unchecked);
    m_page->planPage()->checklist()->item(7, 0)->setCheckState(Qt::Checked);
}

void TestRolloutPage::showsARolloutThatSoaks()
{
    const auto status = ops::LocalStack::status();
    QVERIFY(status.ok());
    m_driver = std::make_unique<StandIn>(
        m_console->environment(), status->passwords.value(QStringLiteral("driver")));
    m_driver->rollout.state = soakingState();
    m_driver->rollout.observedShare = 0.249;
    m_driver->rollout.observedRequests = 3600;
    ops::BalancerReport balancer;
    balancer.name = QStringLiteral("lb-1");
    balancer.reachable = true;
    balancer.configured = {QStringLiteral("blue"), 2500};
    m_driver->rollout.balancers = {balancer};
    m_driver->say("start", "lead-1", "started");
    m_driver->say("applied", "driver", "", "APPLIED");
    m_driver->say("verified", "driver", "", "VERIFIED");
    m_driver->say("promote", "lead-1", "every gate passed");
    m_driver->say("watched", "driver", "");
    m_page->showPage(RolloutWorkspace::Rollout);
    QTRY_COMPARE_WITH_TIMEOUT(page()->stateView()->state(), StateView::State::Data, soon);
    QCOMPARE(page()->strip()->boxes().size(), 6);
    QVERIFY(page()->strip()->accessibleDescription().contains(QStringLiteral("48 min left")));
    QCOMPARE(page()->gates()->rowCount(), 7);
    QCOMPARE(page()->gates()->item(0, 1)->text(), QStringLiteral("0.08 %"));
    QCOMPARE(page()->gates()->item(0, 2)->text(), QStringLiteral("0.09 %"));
    QCOMPARE(page()->gates()->item(0, 3)->text(), QStringLiteral("1 %"));
    QCOMPARE(page()->gates()->item(1, 1)->text(), QStringLiteral("3.1\u00A0ms"));
    QCOMPARE(page()->gates()->item(6, 1)->text(), QStringLiteral("e 11"));
    QCOMPARE(page()->gates()->item(6, 4)->text(), QStringLiteral("◌ not yet"));
    QVERIFY(page()->gates()->item(0, 0)->toolTip().contains(QStringLiteral("haproxy_backend")));
    QCOMPARE(page()->shares()->item(0, 2)->text(), QStringLiteral("25\u00A0%"));
    QCOMPARE(page()->shares()->item(0, 3)->text(), QStringLiteral("24.9\u00A0%"));
    QTRY_COMPARE(page()->happened()->rowCount(), 4); // plain watching is left out
    QVERIFY(page()->happened()->item(3, 2)->text().startsWith(QStringLiteral("start")));
    QCOMPARE(page()->promoteButton()->text(), QStringLiteral("Promote to 50 %…"));
    QCOMPARE(page()->rollBackButton()->text(), QStringLiteral("Roll back to blue"));
    QVERIFY(page()->outlook()->text().contains(QStringLiteral("50 %")));
    QVERIFY(page()->chips()[1].strong.contains(QStringLiteral("lb-1")));
    QCOMPARE(page()->charts()->evidence()->rows().size(), 3);
    for (int round = 0; round < 6; ++round) { // evidence that moves
        for (ops::GateReading& one : m_driver->rollout.state.readings) {
            one.atMs += 15000;
            one.evidence *= one.gate == QLatin1StringView("no worse") ? 1.06 : 1.2;
        }
        QTRY_VERIFY_WITH_TIMEOUT(
            page()->charts()->evidence()->rows()[0].history.size() > round + 1, soon);
    }
    picture(QStringLiteral("rollout-soaking"));
}

void TestRolloutPage::pausesAndResumes()
{
    // A tester, an admin: Redis itself refuses what only a lead may.
    QVERIFY(m_console->user() != QLatin1StringView("lead"));
    QTest::mouseClick(page()->pauseButton(), Qt::LeftButton);
    QTRY_VERIFY_WITH_TIMEOUT(page()->banner()->text().contains(QStringLiteral("a lead may")), soon);
    QVERIFY(m_driver->commands.isEmpty());
    become(QStringLiteral("lead"));
    QTRY_VERIFY_WITH_TIMEOUT(page()->pauseButton()->isEnabled(), soon);
    QTest::mouseClick(page()->pauseButton(), Qt::LeftButton);
    QTRY_COMPARE_WITH_TIMEOUT(page()->pauseButton()->text(), QStringLiteral("Resume"), soon);
    QCOMPARE(m_driver->commands.last().by, QStringLiteral("lead"));
    QCOMPARE(m_driver->commands.last().expectedVersion, 7);
    QCOMPARE(page()->strip()->boxes()[3].word, QStringLiteral("paused"));
    QVERIFY(!page()->promoteButton()->isEnabled());
    QTRY_VERIFY_WITH_TIMEOUT(page()->pauseButton()->isEnabled(), soon);
    picture(QStringLiteral("rollout-paused"));
    QTest::mouseClick(page()->pauseButton(), Qt::LeftButton);
    QTRY_COMPARE_WITH_TIMEOUT(page()->pauseButton()->text(), QStringLiteral("Pause"), soon);
}

void TestRolloutPage::promotesWithAReason()
{
    QTRY_VERIFY_WITH_TIMEOUT(page()->promoteButton()->isEnabled(), soon);
    QTest::mouseClick(page()->promoteButton(), Qt::LeftButton);
    QVERIFY(dialog() != nullptr);
    QVERIFY(!dialog()->verbButton()->isEnabled()); // a gate is open: why?
    picture(QStringLiteral("rollout-promote"));
    auto* reason = dialog()->findChild<QLineEdit*>();
    QVERIFY(reason != nullptr);
    QTest::keyClicks(reason, QStringLiteral("the holiday traffic starts"));
    QVERIFY(dialog()->verbButton()->isEnabled());
    QTest::mouseClick(dialog()->verbButton(), Qt::LeftButton);
    QTRY_VERIFY_WITH_TIMEOUT(m_driver->rollout.state.stage == 4, soon);
    QCOMPARE(m_driver->commands.last().reason, QStringLiteral("the holiday traffic starts"));
    QTRY_COMPARE_WITH_TIMEOUT(page()->strip()->boxes()[4].word, QStringLiteral("shifting"), soon);
}

void TestRolloutPage::loserIsTold()
{
    m_driver->refusal = QStringLiteral("already promoted by lead-2 at 14:02:00 UTC");
    QTRY_VERIFY_WITH_TIMEOUT(page()->pauseButton()->isEnabled(), soon);
    QTest::mouseClick(page()->pauseButton(), Qt::LeftButton);
    QTRY_VERIFY_WITH_TIMEOUT(page()->banner()->text().contains(QStringLiteral("by lead-2")), soon);
    page()->banner()->dismiss();
}

void TestRolloutPage::anotherConsoleShowsTheSame()
{
    Console other;
    RolloutWorkspace second(&other);
    other.connectTo(m_console->environment());
    second.activated();
    QTRY_COMPARE_WITH_TIMEOUT(
        second.rolloutPage()->stateView()->state(), StateView::State::Data, soon);
    QCOMPARE(second.rolloutPage()->strip()->boxes()[4].word, QStringLiteral("shifting"));
    QCOMPARE(second.feed()->events().size(), m_page->feed()->events().size());
    second.deactivated();
}

void TestRolloutPage::blindGatesHold()
{
    ops::RolloutState& state = m_driver->rollout.state;
    state = soakingState();
    state.hold = QStringLiteral("errors SOURCE_DOWN: Prometheus did not answer");
    state.readings[0].verdict = ops::GateVerdict::SourceDown;
    state.readings[1].verdict = ops::GateVerdict::NoData;
    m_driver->rollout.observedShare = std::numeric_limits<double>::quiet_NaN();
    QTRY_VERIFY_WITH_TIMEOUT(
        page()->outlook()->text().contains(QStringLiteral("SOURCE_DOWN")), soon);
    QCOMPARE(page()->gates()->item(0, 4)->text(), QStringLiteral("△ source down"));
    QCOMPARE(page()->gates()->item(1, 4)->text(), QStringLiteral("△ no data"));
    QCOMPARE(page()->strip()->boxes()[3].word, QStringLiteral("clock stands"));
    picture(QStringLiteral("rollout-blind"));
}

void TestRolloutPage::rollsBackWithoutAQuestion()
{
    QTRY_VERIFY_WITH_TIMEOUT(page()->rollBackButton()->isEnabled(), soon);
    QTest::mouseClick(page()->rollBackButton(), Qt::LeftButton);
    QVERIFY(dialog() == nullptr);
    QTRY_VERIFY_WITH_TIMEOUT(m_driver->rollout.state.phase == ops::RolloutPhase::RollingBack, soon);
    ops::RolloutEvent applied;
    applied.kind = ops::RolloutEvent::Kind::Applied;
    applied.by = QStringLiteral("driver");
    m_driver->rollout.state = ops::step(m_driver->rollout.state, applied).state;
    m_driver->rollout.balancers[0].configured.nextBasisPoints = 0;
    m_driver->say("applied", "driver", "", "APPLIED");
    QTRY_COMPARE_WITH_TIMEOUT(
        page()->strip()->boxes()[3].word, QStringLiteral("rolled back"), soon);
    QVERIFY(page()->outlook()->text().contains(QStringLiteral("blue has all sessions")));
    QVERIFY(!page()->rollBackButton()->isEnabled());
    picture(QStringLiteral("rollout-rolledback"));
}

void TestRolloutPage::reportIsKept()
{
    const QString html = m_folder.filePath(QStringLiteral("report.html"));
    const QString pdf = m_folder.filePath(QStringLiteral("report.pdf"));
    const ops::PublishedRollout& rollout = *m_page->feed()->rollout();
    QVERIFY(RolloutReport::save(rollout, m_page->feed()->events(), QStringLiteral("local"), html));
    const auto text = readFile(html.toStdString(), 1 << 20);
    QVERIFY(text.ok());
    for (const char* word : {"2026-11-24.1-140000", "rolled_back", "SOURCE_DOWN", "no worse",
             "asked for by lead", "the holiday traffic starts", "not reached"}) {
        QVERIFY2(text->find(word) != std::string::npos, word);
    }
    QVERIFY(RolloutReport::save(rollout, m_page->feed()->events(), QStringLiteral("local"), pdf));
    QVERIFY(readFile(pdf.toStdString(), 1 << 24)->starts_with("%PDF"));
    QTest::ignoreMessage(QtWarningMsg, QRegularExpression(QStringLiteral(".*")));
    QVERIFY(!RolloutReport::save(
        rollout, {}, QStringLiteral("local"), QStringLiteral("/nowhere/at/all.pdf")));
}

void TestRolloutPage::productionAsksForTheName()
{
    m_driver->rollout.state = soakingState();
    m_driver->rollout.balancers[0].configured.nextBasisPoints = 2500;
    Confirmation question;
    question.typeToConfirm = QStringLiteral("shop");
    question.reasonWanted = QStringLiteral("why");
    ConfirmDialog both(question);
    const auto fields = both.findChildren<QLineEdit*>();
    QCOMPARE(fields.size(), 2);
    QVERIFY(!both.verbButton()->isEnabled());
    fields[0]->setText(QStringLiteral("because"));
    QVERIFY(!both.verbButton()->isEnabled());
    fields[1]->setText(QStringLiteral("shop"));
    QVERIFY(both.verbButton()->isEnabled());
    QCOMPARE(both.reason(), QStringLiteral("because"));
    QTRY_COMPARE_WITH_TIMEOUT(page()->strip()->boxes()[3].word, QStringLiteral("soaking"), soon);
}

void TestRolloutPage::nobodyDrives()
{
    m_driver->rollout.state.plan.leaseMs = 1000;
    QTRY_COMPARE_WITH_TIMEOUT(m_page->feed()->rollout()->state.plan.leaseMs, 1000, soon);
    m_driver->stop();
    QTRY_VERIFY_WITH_TIMEOUT(!page()->pauseButton()->isEnabled(), soon);
    QVERIFY(page()->rollBackButton()->isEnabled()); // that needs no driver
    bool said = false;
    for (const QLabel* label : page()->findChildren<QLabel*>()) {
        said = said || label->text().startsWith(QStringLiteral("Nobody drives"));
    }
    QVERIFY(said);
    picture(QStringLiteral("rollout-nodriver"));
}

void TestRolloutPage::rollsBackWithoutADriver()
{
    std::optional<Result<ops::TrafficSplit>> shifted;
    m_console->router()->shift(2500, QDateTime::currentMSecsSinceEpoch() + 600000, this,
        [&](const Result<ops::TrafficSplit>& split) { shifted = split; });
    QTRY_VERIFY_WITH_TIMEOUT(shifted.has_value() && shifted->ok(), soon);
    QTest::mouseClick(page()->rollBackButton(), Qt::LeftButton);
    QTRY_VERIFY_WITH_TIMEOUT(
        page()->banner()->text().contains(QStringLiteral("sends everything to blue")), soon);
    std::optional<int> share;
    m_console->router()->read(
        this, [&](const Result<ops::TrafficSplit>& split) { share = split->nextShareBasisPoints; });
    QTRY_COMPARE_WITH_TIMEOUT(share.value_or(-1), 0, soon);
}

void TestRolloutPage::lostRedisIsSaid()
{
    m_driver.reset();
    const auto status = ops::LocalStack::status();
    QVERIFY(status.ok());
    for (const ops::StackPart& part : status->parts) {
        if (part.name == QLatin1StringView("redis")) {
            QVERIFY(::kill(pid_t(part.pid), SIGSTOP) == 0);
        }
    }
    QTRY_COMPARE_WITH_TIMEOUT(page()->stateView()->state(), StateView::State::Disconnected, 30000);
    picture(QStringLiteral("rollout-noredis"));
    for (const ops::StackPart& part : status->parts) {
        if (part.name == QLatin1StringView("redis")) {
            QVERIFY(::kill(pid_t(part.pid), SIGCONT) == 0);
        }
    }
    QTRY_COMPARE_WITH_TIMEOUT(page()->stateView()->state(), StateView::State::Data, 30000);
}

QTEST_MAIN(TestRolloutPage)
#include "tst_rolloutpage.moc"
