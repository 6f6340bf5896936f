#include "tests/support/ownconsole.h"
#include "tests/support/pictures.h"
#include "tests/support/testcase.h"
#include "tests/ui/rollout/standin.h"

#include "engine/base/file.h"
#include "engine/operations/environment/localstack.h"
#include "engine/operations/rollout/rediscontrol.h"
#include "ui/rollout/comparepage.h"
#include "ui/rollout/driverhost.h"
#include "ui/rollout/dryrundialog.h"
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
#include "ui/shell/complaintdialog.h"
#include "ui/shell/confirmdialog.h"
#include "ui/shell/console.h"
#include "ui/shell/infobanner.h"
#include "ui/shell/mainwindow.h"
#include "ui/shell/stateview.h"
#include "ui/shell/theme.h"

#include <QComboBox>
#include <QDateTimeEdit>
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
using test::soakingState;
using test::StandIn;

namespace {

constexpr int soon = 20000;

} // namespace

/// The release lead's page before a real Redis, Prometheus and HAProxy, with a stand-in for the
/// driver, so that every state can be had. With SLUICE_PICTURES it draws every one.
class TestRolloutPage : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void cleanupTestCase();
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
    void recordsAComplaint();
    void changesAreTold();
    void comparesOldAndNew();
    void dryRunsThePlan();
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
        // What was read as the one before is forgotten: until it is read anew a click says nothing.
        QTRY_VERIFY_WITH_TIMEOUT(m_console->redis()->state() == ops::RedisClient::State::Connected
                && m_page->feed()->rollout().has_value(),
            soon);
        QCOMPARE(m_console->user(), user);
    }

    void seedDecisions();

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
    QTRY_COMPARE_WITH_TIMEOUT(plan->checklist()->rowCount(), 8, soon);
    QTRY_VERIFY_WITH_TIMEOUT(
        plan->checklist()->item(0, 1)->text().contains(QStringLiteral("passed"))
            && plan->checklist()->item(6, 0)->text().contains(QStringLiteral("volatile-ttl")),
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
    QTRY_COMPARE_WITH_TIMEOUT(m_page->planPage()->checklist()->rowCount(), 9, soon);
    QTRY_COMPARE(m_page->planPage()->checklist()->item(8, 0)->checkState(), Qt::Unchecked);
    m_page->planPage()->checklist()->item(8, 0)->setCheckState(Qt::Checked);
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
    QTRY_VERIFY2_WITH_TIMEOUT(page()->pauseButton()->text() == QLatin1StringView("Resume"),
        qPrintable(page()->banner()->text()), soon);
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

void TestRolloutPage::recordsAComplaint()
{
    const auto complaint = [&] {
        QTest::mouseClick(page()->complaintButton(), Qt::LeftButton);
        return page()->findChild<ComplaintDialog*>();
    };
    QPointer<ComplaintDialog> asked = complaint();
    QVERIFY(asked != nullptr);
    QVERIFY(!asked->recordButton()->isEnabled());
    QTest::keyClicks(asked->note(), QStringLiteral("it asks back all the time"));
    QVERIFY(!asked->recordButton()->isEnabled()); // about whom?
    asked->pool()->setCurrentIndex(1);
    QCOMPARE(asked->pool()->currentText(), QStringLiteral("green"));
    QVERIFY(asked->recordButton()->isEnabled());
    picture(QStringLiteral("rollout-complaint"));
    QTest::mouseClick(asked->recordButton(), Qt::LeftButton);
    QTRY_VERIFY_WITH_TIMEOUT(
        page()->banner()->text().contains(QStringLiteral("gate counts it")), soon);
    QTRY_VERIFY(asked.isNull());
    // A session that the decision log does not know is no pool's.
    asked = complaint();
    QTest::keyClicks(asked->query(), QStringLiteral("where is it"));
    QTest::keyClicks(asked->session(), QStringLiteral("no-such-session"));
    QTest::mouseClick(asked->recordButton(), Qt::LeftButton);
    QTRY_VERIFY_WITH_TIMEOUT(
        page()->banner()->text().contains(QStringLiteral("does not know the session")), soon);
    QTRY_VERIFY(asked.isNull());
    seedDecisions();
    asked = complaint();
    QTest::keyClicks(asked->query(), QStringLiteral("where is it"));
    QTest::keyClicks(asked->session(), QStringLiteral("blue-4"));
    QTest::mouseClick(asked->recordButton(), Qt::LeftButton);
    QTRY_VERIFY_WITH_TIMEOUT(
        page()->banner()->text().contains(QStringLiteral("Recorded against blue")), soon);
    QTRY_VERIFY(asked.isNull());
    page()->banner()->dismiss();
    std::optional<ops::RedisReply> rows;
    m_console->redis()->command({"XREVRANGE", "sluice:feedback", "+", "-", "COUNT", "2"}, this,
        [&](const Result<ops::RedisReply>& reply) { rows = reply ? *reply : ops::RedisReply(); });
    QTRY_VERIFY_WITH_TIMEOUT(rows.has_value(), soon);
    QCOMPARE(rows->items.size(), 2);
    QVERIFY(rows->items[0].items[1].items[1].text.contains(R"("pool":"blue")"));
    QVERIFY(rows->items[1].items[1].items[1].text.contains(R"("pool":"green")"));
}

/// Decisions of both pools, as their workers would log them.
void TestRolloutPage::seedDecisions()
{
    ops::RedisClient worker;
    worker.open(m_console->environment().redis.host, m_console->environment().redis.port,
        QStringLiteral("worker"),
        ops::LocalStack::status()->passwords.value(QStringLiteral("worker")),
        QStringLiteral("seed"));
    QTRY_COMPARE_WITH_TIMEOUT(worker.state(), ops::RedisClient::State::Connected, soon);
    int open = 0;
    for (int number = 0; number < 60; ++number) {
        const bool isGreen = number % 3 == 0;
        const bool accepts = number % (isGreen ? 5 : 4) != 0;
        const QString row = QStringLiteral(
            R"({"v":1,"id":"seed%1","session":"%2-%1","turn":1,"query":"%3","at":5,"model":"m",)"
            R"("set":3,"pool":"%2","version":"1","weight":1,"top":[["track_order",%4]],)"
            R"("out_of_scope":0.1,"context":"new","follow_up":false,"failures":0,)"
            R"("decision":"%5","rule":"above_threshold","threshold":0.5,"ms":%6})")
                                .arg(number)
                                .arg(isGreen ? QStringLiteral("green") : QStringLiteral("blue"),
                                    number % 2 == 0 ? QStringLiteral("where is my parcel")
                                                    : QStringLiteral("cancel it"))
                                .arg(accepts ? 0.9 : 0.3)
                                .arg(
                                    accepts ? QStringLiteral("accept") : QStringLiteral("fallback"))
                                .arg(1 + number % 7);
        ++open;
        worker.command({"XADD", "sluice:decisions", "*", "row", row.toUtf8()}, this,
            [&open](const Result<ops::RedisReply>& reply) {
                QVERIFY(reply.ok());
                --open;
            });
    }
    QTRY_COMPARE_WITH_TIMEOUT(open, 0, soon);
}

void TestRolloutPage::changesAreTold()
{
    const auto told = [&](const char* word) {
        const auto& all = m_console->notifications();
        return std::any_of(all.begin(), all.end(), [&](const Notification& one) {
            return one.workspace == QLatin1StringView("rollout")
                && one.text.contains(QLatin1StringView(word));
        });
    };
    // While another workspace is in front; the page itself needs no notice.
    m_driver->rollout.state = soakingState();
    m_page->deactivated();
    m_driver->rollout.state.phase = ops::RolloutPhase::Waiting;
    m_driver->rollout.state.hold = QStringLiteral("a person promotes this stage");
    QTRY_VERIFY_WITH_TIMEOUT(told("a person promotes"), soon);
    m_driver->rollout.state.paused = true;
    QTRY_VERIFY_WITH_TIMEOUT(told("paused"), soon);
    m_page->activated();
    m_driver->rollout.state.phase = ops::RolloutPhase::Soaking;
    m_driver->rollout.state.paused = false;
    m_driver->rollout.state.reason = QStringLiteral("seen on the page");
    QTRY_COMPARE_WITH_TIMEOUT(
        page()->strip()->boxes()[3].word, QStringLiteral("clock stands"), soon);
    QVERIFY(!told("seen on the page"));
    m_driver->rollout.state = soakingState();
}

void TestRolloutPage::comparesOldAndNew()
{
    m_page->showPage(RolloutWorkspace::Compare);
    ComparePage* compare = m_page->comparePage();
    QTRY_COMPARE_WITH_TIMEOUT(compare->stateView()->state(), StateView::State::Data, soon);
    QTRY_COMPARE_WITH_TIMEOUT(compare->measures()->rowCount(), 10, soon);
    QVERIFY(compare->comparison()->canarySessions >= 20); // and what the test's own traffic adds
    QCOMPARE(compare->comparison()->canary, QStringLiteral("green"));
    QCOMPARE(compare->measures()->horizontalHeaderItem(1)->text(), QStringLiteral("green"));
    QVERIFY(compare->measures()->item(0, 1)->text().contains(QStringLiteral(" to ")));
    picture(QStringLiteral("rollout-compare"));
    const QString file = m_folder.filePath(QStringLiteral("compare.html"));
    QVERIFY(compare->save(file).ok());
    const auto text = readFile(file.toStdString(), 1 << 20);
    QVERIFY(text.ok());
    QVERIFY(text->find("sessions that complained") != std::string::npos);
    QVERIFY(!compare->save(QStringLiteral("/nowhere/at/all.html")).ok());
    m_page->showPage(RolloutWorkspace::Rollout);
}

void TestRolloutPage::dryRunsThePlan()
{
    ops::RolloutPlan plan = ops::RolloutPlan::standard();
    plan.timeScale = 0.001; // soaks of seconds
    plan.triggers.removeIf([](const ops::PlannedGate& gate) {
        return gate.measure != ops::Measure::Complaints && gate.measure != ops::Measure::Memory;
    });
    DryRunDialog dry(m_console.get(), plan);
    QCOMPARE(dry.stateView()->state(), StateView::State::Empty);
    dry.QDialog::open();
    // A time that begins after its end is refused in words.
    dry.from()->setDateTime(dry.to()->dateTime().addSecs(5));
    QTest::mouseClick(dry.runButton(), Qt::LeftButton);
    QTRY_COMPARE_WITH_TIMEOUT(dry.stateView()->state(), StateView::State::Failed, soon);
    dry.to()->setDateTime(QDateTime::currentDateTime());
    dry.from()->setDateTime(QDateTime::currentDateTime().addSecs(-30));
    QTest::mouseClick(dry.runButton(), Qt::LeftButton);
    QTRY_COMPARE_WITH_TIMEOUT(dry.stateView()->state(), StateView::State::Data, soon);
    QCOMPARE(dry.stages()->rowCount(), 6);
    QVERIFY(dry.stages()->item(0, 1)->text().contains(QStringLiteral("passed")));
    QVERIFY(dry.result()->stages[2].outcome != ops::DryRunStage::Outcome::NotReached);
    QVERIFY(test::drawPictures(dry, QStringLiteral("rollout-dryrun"), {QSize(900, 480)}));
    dry.reject();
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
