#include "tests/support/ownconsole.h"
#include "tests/support/pictures.h"
#include "tests/support/testcase.h"

#include "engine/operations/environment/localstack.h"
#include "ui/classify/classifyworkspace.h"
#include "ui/history/historyworkspace.h"
#include "ui/load/loadworkspace.h"
#include "ui/monitor/monitorworkspace.h"
#include "ui/rollout/rolloutworkspace.h"
#include "ui/shell/button.h"
#include "ui/shell/confirmdialog.h"
#include "ui/shell/console.h"
#include "ui/shell/mainwindow.h"
#include "ui/shell/tour.h"
#include "ui/shell/tourpanel.h"
#include "ui/shell/welcomepage.h"
#include "ui/thresholds/thresholdsworkspace.h"

#include <QApplication>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QLineEdit>
#include <QSpinBox>
#include <QTemporaryDir>

using namespace sluice;
using namespace sluice::ui;

/// The three guided tours, walked as they say against a real stack: each ends with the thing done.
class TestTours : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void cleanupTestCase();
    void everyStepsControlIsNamedByItsPage();
    void tester();
    void admin();
    void releaseLead();
    void aTourCanBeLeft();

private:
    Tour& tour() { return *m_window->tour(); }
    void begin(int plan);
    void waitForStep(int step);
    void press();
    void accept();
    QStringList recorded(const char* kind);

    QTemporaryDir m_folder;
    std::unique_ptr<Console> m_console;
    std::unique_ptr<MainWindow> m_window;
};

namespace {

constexpr int soon = 20000;
constexpr int runSeconds = 3;

} // namespace

void TestTours::initTestCase()
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

void TestTours::cleanupTestCase()
{
    m_window.reset();
    m_console.reset();
    QVERIFY(test::endLocalStack());
}

/// From the welcome page, as a person begins it.
void TestTours::begin(int plan)
{
    m_window->showWorkspace({});
    const QString title = tourPlans()[plan].title;
    for (Button* button : m_window->welcomePage()->findChildren<Button*>()) {
        if (button->accessibleName() == title) {
            QTest::mouseClick(button, Qt::LeftButton);
        }
    }
    QVERIFY(tour().isRunning());
    QVERIFY(m_window->tourPanel()->isVisible());
}

void TestTours::waitForStep(int step)
{
    QTRY_COMPARE_WITH_TIMEOUT(tour().at(), step, soon);
    QCOMPARE(m_window->tourPanel()->text(), tour().step().text);
}

/// Presses the control that the ring is round.
void TestTours::press()
{
    QTRY_VERIFY_WITH_TIMEOUT(tour().control() != nullptr && tour().control()->isEnabled(), soon);
    QTest::qWait(300); // the tour itself looks four times a second
    QTest::mouseClick(tour().control(), Qt::LeftButton);
}

void TestTours::accept()
{
    QTRY_VERIFY_WITH_TIMEOUT(m_window->findChild<ConfirmDialog*>() != nullptr, soon);
    QTest::mouseClick(m_window->findChild<ConfirmDialog*>()->verbButton(), Qt::LeftButton);
    QTRY_VERIFY_WITH_TIMEOUT(m_window->findChild<ConfirmDialog*>() == nullptr, soon);
}

QStringList TestTours::recorded(const char* kind)
{
    QStringList all;
    const auto entries = m_console->history()->entries({{}, QString::fromLatin1(kind), 100});
    if (entries) {
        for (const ops::HistoryEntry& entry : *entries) {
            all << QString(entry.subject % u'|' % entry.outcome);
        }
    }
    return all;
}

void TestTours::everyStepsControlIsNamedByItsPage()
{
    for (const TourPlan& plan : tourPlans()) {
        QVERIFY(plan.steps.size() >= 4);
        QCOMPARE(plan.steps.last().until, TourStep::Until::Read);
        for (const TourStep& step : plan.steps) {
            QVERIFY2(step.page.isEmpty() || m_window->workspace(step.page) != nullptr,
                qPrintable(step.page));
            QVERIFY2(step.open.isEmpty()
                    || std::ranges::any_of(m_window->workspace(step.page)->actions(),
                        [&](const QAction* action) { return action->text() == step.open; }),
                qPrintable(step.open));
        }
    }
}

void TestTours::tester()
{
    begin(1);
    waitForStep(0);
    QTRY_VERIFY_WITH_TIMEOUT(tour().control() != nullptr, soon);
    QTest::qWait(300);
    QVERIFY(test::drawPictures(*m_window, QStringLiteral("tour"), {QSize(1280, 800)}));
    auto* input = qobject_cast<QLineEdit*>(tour().control());
    QVERIFY(input != nullptr);
    QTest::keyClicks(input, QStringLiteral("where is my parcel A-2231?"));
    QTest::keyClick(input, Qt::Key_Return);
    waitForStep(1);
    QTest::qWait(300);
    QTest::keyClicks(input, QStringLiteral("and B-10498?"));
    QTest::keyClick(input, Qt::Key_Return);
    waitForStep(2);
    for (QAction* action : m_window->workspace(QStringLiteral("classify"))->actions()) {
        if (action->text() == tour().step().what) {
            action->trigger();
        }
    }
    waitForStep(3);
    press();
    waitForStep(4);
    QCOMPARE(m_window->currentWorkspace(), QStringLiteral("history"));
    QCOMPARE(recorded("evaluate").size(), 1);
    QVERIFY2(recorded("evaluate").first().endsWith(QStringLiteral("|passed")),
        qPrintable(recorded("evaluate").first()));
    tour().next();
    QVERIFY(!tour().isRunning());
    QVERIFY(!m_window->tourPanel()->isVisible());
}

void TestTours::admin()
{
    begin(0);
    waitForStep(0);
    press(); // the local stack
    waitForStep(1);
    press(); // the bundled data
    waitForStep(2);
    press(); // certify
    // The bundled rows may be too few for 5 %: the tour says what to do then.
    for (QDoubleSpinBox* spin :
        m_window->workspace(QStringLiteral("thresholds"))->findChildren<QDoubleSpinBox*>()) {
        if (spin->accessibleName() == QStringLiteral("Wrong at most, of the accepted")) {
            QTest::qWait(1000);
            if (tour().at() == 2) {
                spin->setValue(8);
                press();
            }
        }
    }
    waitForStep(3);
    press(); // use
    waitForStep(4);
    press(); // publish
    accept();
    waitForStep(5);
    press(); // undo
    waitForStep(6);
    const QStringList publishes = recorded("publish");
    QCOMPARE(publishes.size(), 2);
    QVERIFY2(
        publishes[1].startsWith(QStringLiteral("set 1 to blue|done")), qPrintable(publishes[1]));
    QVERIFY2(publishes[0].endsWith(QStringLiteral("|done")), qPrintable(publishes[0]));
    tour().next();
}

void TestTours::releaseLead()
{
    begin(2);
    waitForStep(1); // the stack runs already
    for (QSpinBox* seconds :
        m_window->workspace(QStringLiteral("load"))->findChildren<QSpinBox*>()) {
        if (seconds->accessibleName() == QStringLiteral("Run for")) {
            seconds->setValue(runSeconds);
        }
    }
    press();
    waitForStep(2);
    press(); // shift
    accept();
    waitForStep(3);
    press(); // back
    waitForStep(4);
    QCOMPARE(recorded("load").size(), 1);
    QCOMPARE(recorded("shift").size(), 1);
    QCOMPARE(recorded("rollback").size(), 1);
    tour().next();
}

void TestTours::aTourCanBeLeft()
{
    tour().begin(tourPlans()[1]);
    tour().next();
    QCOMPARE(tour().at(), 1);
    tour().back();
    QCOMPARE(tour().at(), 0);
    tour().back();
    QCOMPARE(tour().at(), 0);
    tour().end();
    QVERIFY(!tour().isRunning());
    QVERIFY(!m_window->tourPanel()->isVisible());
}

QTEST_MAIN(TestTours)
#include "tst_tours.moc"
