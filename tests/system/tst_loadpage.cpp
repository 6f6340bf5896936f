#include "engine/operations/environment/localstack.h"
#include "engine/operations/loadtest/latencyhistogram.h"
#include "engine/operations/loadtest/runfolder.h"
#include "tests/support/ownconsole.h"
#include "tests/support/pictures.h"
#include "tests/support/testcase.h"
#include "ui/charts/heatmap.h"
#include "ui/charts/livechart.h"
#include "ui/charts/xychart.h"
#include "ui/load/capacitypage.h"
#include "ui/load/loadworkspace.h"
#include "ui/load/runcharts.h"
#include "ui/load/runspage.h"
#include "ui/load/scenariodialog.h"
#include "ui/load/scenariopanel.h"
#include "ui/load/verdictpanel.h"
#include "ui/shell/button.h"
#include "ui/shell/confirmdialog.h"
#include "ui/shell/console.h"
#include "ui/shell/infobanner.h"
#include "ui/shell/mainwindow.h"
#include "ui/shell/pagetabs.h"
#include "ui/shell/stateview.h"

#include <QApplication>
#include <QClipboard>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QFrame>
#include <QHostInfo>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QSpinBox>
#include <QStandardPaths>
#include <QTableWidget>
#include <QTcpServer>
#include <QTcpSocket>
#include <QTemporaryDir>

using namespace sluice;
using namespace sluice::ui;

/// The Load page as a tester walks it, against the real local stack.
class TestLoadPage : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void cleanupTestCase();
    void isEmptyWithoutAnEnvironment();
    void startsWithTheStack();
    void aCopyIsCheckedWhileOneTypes();
    void aRunIsWatchedAndJudged();
    void itsReportIsOneFile();
    void stopKeepsWhatWasMeasured();
    void aForeignTargetIsAskedFor();
    void itsNameMustBeTyped();
    void aLoadTargetNeedNotBeTyped();
    void aTargetThatIsAwayIsNotLoaded();
    void locustNeverPassesByItself();
    void runsAreKeptAndCompared();
    void capacityIsEmptyAtFirst();
    void capacityAnswersFromSteps();
    void stepsAreRunFromThePage();
    void newsCoverNothing();

private:
    void picture(const QString& name)
    {
        QVERIFY(test::drawPictures(*m_window, QStringLiteral("load-") + name));
    }
    /// This machine by a name that is not "localhost"; empty where it has none that means loopback.
    static QString otherName()
    {
        const QString name = QSysInfo::machineHostName();
        const QList<QHostAddress> found = QHostInfo::fromName(name).addresses();
        const bool here = !found.isEmpty()
            && std::all_of(found.begin(), found.end(), [](const QHostAddress& one) {
                   return one == QHostAddress(QHostAddress::LocalHost);
               });
        return here && name != QLatin1StringView("localhost") ? name : QString();
    }
    /// Answers everything with an empty object.
    static void serve(QTcpServer& server)
    {
        QVERIFY(server.listen(QHostAddress::LocalHost));
        connect(&server, &QTcpServer::newConnection, &server, [&server] {
            while (QTcpSocket* socket = server.nextPendingConnection()) {
                connect(socket, &QTcpSocket::readyRead, socket, [socket] {
                    QByteArray asked = socket->property("asked").toByteArray() + socket->readAll();
                    for (qsizetype end = asked.indexOf("\r\n\r\n"); end >= 0;
                         end = asked.indexOf("\r\n\r\n")) {
                        const qsizetype at = asked.toLower().indexOf("content-length: ");
                        const qsizetype body = at < 0 || at > end
                            ? 0
                            : asked.mid(at + 16, asked.indexOf('\r', at) - at - 16).toInt();
                        if (asked.size() < end + 4 + body) {
                            break;
                        }
                        asked.remove(0, end + 4 + body);
                        socket->write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
                    }
                    socket->setProperty("asked", asked);
                });
                connect(socket, &QTcpSocket::disconnected, socket, &QObject::deleteLater);
            }
        });
    }
    /// Starts what is chosen and waits for its end.
    bool run(int timeoutMs)
    {
        QTest::mouseClick(m_page->scenarioPanel()->startButton(), Qt::LeftButton);
        return QTest::qWaitFor([this] { return m_page->isRunning(); }, 10000)
            && QTest::qWaitFor([this] { return !m_page->isRunning(); }, timeoutMs);
    }

    QTemporaryDir m_folder;
    std::unique_ptr<Console> m_console;
    std::unique_ptr<MainWindow> m_window;
    LoadWorkspace* m_page = nullptr;
};

void TestLoadPage::initTestCase()
{
    QVERIFY(m_folder.isValid());
    test::makeConsole(m_folder, m_console, m_window);
    m_page = new LoadWorkspace(m_console.get());
    m_window->addWorkspace(m_page);
    test::showConsole(*m_console, *m_window);
    m_window->showWorkspace(QStringLiteral("load"));
}

void TestLoadPage::cleanupTestCase()
{
    m_window.reset();
    m_console.reset();
    QVERIFY(test::endLocalStack());
}

void TestLoadPage::isEmptyWithoutAnEnvironment()
{
    QCOMPARE(m_page->stateView()->state(), StateView::State::Empty);
    picture(QStringLiteral("empty"));
    m_page->start();
    QVERIFY(!m_page->isRunning());
}

void TestLoadPage::startsWithTheStack()
{
    m_console->startLocalStack();
    QTRY_VERIFY_WITH_TIMEOUT(m_console->hasEnvironment(), 40000);
    m_window->showWorkspace(QStringLiteral("load"));
    QTRY_COMPARE_WITH_TIMEOUT(m_page->stateView()->state(), StateView::State::Data, 10000);
    ScenarioPanel* panel = m_page->scenarioPanel();
    QCOMPARE(panel->choice()->currentText(), QStringLiteral("normal"));
    QCOMPARE(panel->seconds()->value(), 600);
    QCOMPARE(panel->target(), m_console->environment().balancer);
    // Looked at before anything runs: target, descriptors, balancer, generator.
    QTRY_COMPARE_WITH_TIMEOUT(panel->checks().size(), 4, 10000);
    QTRY_VERIFY_WITH_TIMEOUT(panel->checks()[0].tone == Tone::Ok, 10000);
    QVERIFY(panel->startButton()->isEnabled());
    QVERIFY(!panel->stopButton()->isEnabled());
    // Every scenario is drawn before it runs.
    for (int index = 0; index < panel->choice()->count(); ++index) {
        panel->choice()->setCurrentIndex(index);
        QVERIFY2(!panel->curve()->series().isEmpty()
                && panel->curve()->series().first().points.size() > 100,
            qPrintable(panel->choice()->currentText()));
    }
    panel->choice()->setCurrentText(QStringLiteral("spike"));
    picture(QStringLiteral("before"));
}

void TestLoadPage::aCopyIsCheckedWhileOneTypes()
{
    ScenarioPanel* panel = m_page->scenarioPanel();
    panel->choice()->setCurrentText(QStringLiteral("normal"));
    QTest::mouseClick(panel->editButton(), Qt::LeftButton);
    auto* dialog = panel->findChild<ScenarioDialog*>();
    QVERIFY(dialog != nullptr);
    QVERIFY(dialog->saveButton()->isEnabled());
    const QString sound = dialog->editor()->toPlainText();
    dialog->editor()->setPlainText(
        QString(sound).replace(QStringLiteral("\"p95_ms\""), QStringLiteral("\"p95\"")));
    QVERIFY(!dialog->saveButton()->isEnabled());
    QVERIFY2(dialog->problem()->text().contains(QStringLiteral("p95")),
        qPrintable(dialog->problem()->text()));
    dialog->editor()->setPlainText(
        QString(sound).replace(QStringLiteral("normal-copy"), QStringLiteral("peak")));
    QVERIFY(!dialog->saveButton()->isEnabled()); // a bundled one's name
    dialog->editor()->setPlainText(
        QString(sound).replace(QStringLiteral("normal-copy"), QStringLiteral("mine")));
    QVERIFY(dialog->saveButton()->isEnabled());
    if (!qEnvironmentVariableIsEmpty("SLUICE_PICTURES")) {
        QVERIFY(test::drawPictures(*dialog, QStringLiteral("load-scenario"), {QSize(880, 560)}));
    }
    QTest::mouseClick(dialog->saveButton(), Qt::LeftButton);
    QCOMPARE(panel->choice()->currentText(), QStringLiteral("mine"));
    QVERIFY(ops::loadScenario(QStringLiteral("mine")).ok());
}

void TestLoadPage::aRunIsWatchedAndJudged()
{
    ScenarioPanel* panel = m_page->scenarioPanel();
    panel->choice()->setCurrentText(QStringLiteral("mine"));
    panel->seconds()->setValue(12);
    QTest::mouseClick(panel->startButton(), Qt::LeftButton);
    QTRY_VERIFY_WITH_TIMEOUT(m_page->isRunning(), 10000);
    QVERIFY(!panel->choice()->isEnabled());
    QTRY_VERIFY_WITH_TIMEOUT(!m_page->charts()->rate()->series().isEmpty()
            && m_page->charts()->rate()->series().first().points.size() >= 6,
        30000);
    picture(QStringLiteral("running"));
    QTRY_VERIFY_WITH_TIMEOUT(!m_page->isRunning(), 30000);
    QVERIFY(m_page->result());
    const ops::LoadResult& result = *m_page->result();
    QVERIFY(result.completed);
    QCOMPARE(result.scheduled, 600);
    // An answer that came after the last second has a row of its own.
    QVERIFY(result.seconds.size() == 12 || result.seconds.size() == 13);
    QVERIFY(result.checks.size() >= 3);
    QCOMPARE(m_page->verdictPanel()->checks()->rowCount(), int(result.checks.size()));
    QVERIFY(m_page->verdictPanel()->verdict().contains(result.verdict()));
    QVERIFY(!m_page->charts()->latency()->series().first().points.isEmpty());
    QVERIFY(!m_page->charts()->heat()->isEmpty());
    QVERIFY(panel->startButton()->isEnabled());
    picture(QStringLiteral("verdict"));
}

void TestLoadPage::itsReportIsOneFile()
{
    for (const char* name : {"report.html", "report.pdf"}) {
        const QString file = m_folder.filePath(QString::fromLatin1(name));
        m_page->saveReport(file);
        QTRY_VERIFY_WITH_TIMEOUT(QFileInfo(file).size() > 5000, 20000);
    }
    QFile pdf(m_folder.filePath(QStringLiteral("report.pdf")));
    QVERIFY(pdf.open(QIODevice::ReadOnly));
    QVERIFY(pdf.read(5) == "%PDF-");
    const QString kept = qEnvironmentVariable("SLUICE_PICTURES");
    if (!kept.isEmpty()) {
        QFile::copy(pdf.fileName(), kept + QStringLiteral("/load-report.pdf"));
        QFile::copy(m_folder.filePath(QStringLiteral("report.html")),
            kept + QStringLiteral("/load-report.html"));
    }
}

void TestLoadPage::stopKeepsWhatWasMeasured()
{
    ScenarioPanel* panel = m_page->scenarioPanel();
    panel->seconds()->setValue(3600);
    QTest::mouseClick(panel->startButton(), Qt::LeftButton);
    QTRY_VERIFY_WITH_TIMEOUT(m_page->isRunning(), 10000);
    QTRY_VERIFY_WITH_TIMEOUT(!m_page->charts()->rate()->series().isEmpty()
            && !m_page->charts()->rate()->series().first().points.isEmpty(),
        20000);
    QTest::mouseClick(panel->stopButton(), Qt::LeftButton);
    QTRY_VERIFY_WITH_TIMEOUT(!m_page->isRunning(), 10000);
    QVERIFY(m_page->result());
    QCOMPARE(m_page->result()->state, QStringLiteral("stopped"));
    QVERIFY(!m_page->result()->passed);
    QVERIFY(!m_page->result()->seconds.isEmpty());
    panel->seconds()->setValue(12);
}

void TestLoadPage::aForeignTargetIsAskedFor()
{
    // 192.0.2.1 is no machine (RFC 5737): it doesn't answer, so nothing is ever sent there.
    ScenarioPanel* panel = m_page->scenarioPanel();
    const QString before = panel->targetEdit()->text();
    panel->targetEdit()->setText(QStringLiteral("http://192.0.2.1:8080"));
    QVERIFY(!panel->isLocal());
    m_page->start();
    QTRY_VERIFY_WITH_TIMEOUT(
        panel->banner()->isVisible() || m_page->findChild<ConfirmDialog*>() != nullptr, 10000);
    QVERIFY(!m_page->isRunning());
    panel->targetEdit()->setText(before);
    panel->banner()->dismiss();
}

void TestLoadPage::itsNameMustBeTyped()
{
    const QString name = otherName();
    if (name.isEmpty()) {
        QSKIP("this machine's name is no loopback address");
    }
    QTcpServer server;
    serve(server);
    ScenarioPanel* panel = m_page->scenarioPanel();
    const QString before = panel->targetEdit()->text();
    panel->choice()->setCurrentText(QStringLiteral("smoke"));
    panel->seconds()->setValue(3);
    panel->targetEdit()->setText(QStringLiteral("http://%1:%2").arg(name).arg(server.serverPort()));
    QVERIFY(!panel->isLocal());
    const auto ask = [&]() -> ConfirmDialog* {
        m_page->start();
        return QTest::qWaitFor(
                   [&] { return m_page->findChild<ConfirmDialog*>() != nullptr; }, 10000)
            ? m_page->findChild<ConfirmDialog*>()
            : nullptr;
    };
    QPointer<ConfirmDialog> dialog = ask();
    QVERIFY2(dialog, qPrintable(panel->banner()->text()));
    auto* typed = dialog->findChild<QLineEdit*>();
    QVERIFY(typed != nullptr);
    QVERIFY(!dialog->verbButton()->isEnabled());
    typed->setText(name.left(name.size() - 1));
    QVERIFY(!dialog->verbButton()->isEnabled());
    QTest::mouseClick(dialog->cancelButton(), Qt::LeftButton);
    QVERIFY(!m_page->isRunning());
    delete dialog;
    dialog = ask();
    QVERIFY(dialog);
    dialog->findChild<QLineEdit*>()->setText(name);
    QVERIFY(dialog->verbButton()->isEnabled());
    QTest::mouseClick(dialog->verbButton(), Qt::LeftButton);
    QVERIFY(m_page->isRunning());
    QTRY_VERIFY_WITH_TIMEOUT(!m_page->isRunning(), 30000);
    QVERIFY2(m_page->result(), qPrintable(panel->banner()->text()));
    QVERIFY(m_page->result()->succeeded > 0); // the generator was told what was typed
    QCOMPARE(m_page->result()->target.host(), name);
    delete dialog;
    panel->targetEdit()->setText(before);
}

/// An environment that is marked as a load target is asked about, and its name not to be typed.
void TestLoadPage::aLoadTargetNeedNotBeTyped()
{
    const QString name = otherName();
    if (name.isEmpty()) {
        QSKIP("this machine's name is no loopback address");
    }
    QTcpServer server;
    serve(server);
    const ops::Environment local = m_console->environment();
    ops::Environment marked = local;
    marked.name = QStringLiteral("bench");
    marked.loadTarget = true;
    marked.balancer = QUrl(QStringLiteral("http://%1:%2").arg(name).arg(server.serverPort()));
    QVERIFY(m_console->store().upsert(marked).ok());
    m_console->connectTo(marked);
    ScenarioPanel* panel = m_page->scenarioPanel();
    QCOMPARE(panel->target(), marked.balancer);
    m_page->start();
    QTRY_VERIFY_WITH_TIMEOUT(m_page->findChild<ConfirmDialog*>() != nullptr, 10000);
    QPointer<ConfirmDialog> dialog = m_page->findChild<ConfirmDialog*>();
    QVERIFY(dialog->findChild<QLineEdit*>() == nullptr);
    QVERIFY(dialog->verbButton()->isEnabled());
    QTest::mouseClick(dialog->cancelButton(), Qt::LeftButton);
    QVERIFY(!m_page->isRunning());
    delete dialog;
    m_console->connectTo(local);
    QCOMPARE(panel->target(), local.balancer);
    panel->choice()->setCurrentText(QStringLiteral("mine"));
}

void TestLoadPage::aTargetThatIsAwayIsNotLoaded()
{
    ScenarioPanel* panel = m_page->scenarioPanel();
    const QString before = panel->targetEdit()->text();
    panel->targetEdit()->setText(QStringLiteral("http://127.0.0.1:1"));
    m_page->start();
    QTRY_VERIFY_WITH_TIMEOUT(panel->banner()->isVisible(), 10000);
    QVERIFY(!m_page->isRunning());
    QVERIFY(panel->checks().first().tone == Tone::Bad);
    picture(QStringLiteral("refused"));
    panel->targetEdit()->setText(before);
    panel->banner()->dismiss();
}

void TestLoadPage::locustNeverPassesByItself()
{
    if (QStandardPaths::findExecutable(QStringLiteral("locust")).isEmpty()) {
        QSKIP("python3-locust is not installed");
    }
    ScenarioPanel* panel = m_page->scenarioPanel();
    panel->generators()->setCurrentIndex(1);
    QCOMPARE(panel->generator(), QStringLiteral("locust"));
    panel->seconds()->setValue(8);
    QVERIFY(run(60000));
    QVERIFY2(m_page->result(), qPrintable(panel->banner()->text()));
    QCOMPARE(m_page->result()->generator, QStringLiteral("locust"));
    QVERIFY(m_page->result()->succeeded > 100);
    QVERIFY(!m_page->result()->latencyCorrected);
    QVERIFY(!m_page->result()->passed);
    picture(QStringLiteral("locust"));
    panel->generators()->setCurrentIndex(0);
}

void TestLoadPage::runsAreKeptAndCompared()
{
    ScenarioPanel* panel = m_page->scenarioPanel();
    panel->seconds()->setValue(12);
    QVERIFY(run(40000));
    m_page->tabs()->setCurrentIndex(1);
    RunsPage* runs = m_page->runsPage();
    QTRY_VERIFY_WITH_TIMEOUT(runs->table()->rowCount() >= 3, 10000);
    QVERIFY(!runs->compareButton()->isEnabled());
    // The newest and the first: both of "mine" by the native generator.
    runs->table()->selectRow(0);
    QVERIFY(runs->openButton()->isEnabled());
    const int last = runs->table()->rowCount() - 1;
    runs->table()->selectionModel()->select(runs->table()->model()->index(last, 0),
        QItemSelectionModel::Select | QItemSelectionModel::Rows);
    QVERIFY(runs->compareButton()->isEnabled());
    QTest::mouseClick(runs->compareButton(), Qt::LeftButton);
    QTRY_COMPARE_WITH_TIMEOUT(runs->differenceTable()->rowCount(), 5, 20000);
    picture(QStringLiteral("compared"));
    runs->table()->clearSelection();
    runs->table()->selectRow(last);
    QTest::mouseClick(runs->baselineButton(), Qt::LeftButton);
    QVERIFY(runs->table()->item(last, 0)->text().contains(QStringLiteral("baseline")));
    runs->table()->selectRow(last);
    QTest::mouseClick(runs->openButton(), Qt::LeftButton);
    QTRY_COMPARE_WITH_TIMEOUT(m_page->tabs()->currentIndex(), 0, 10000);
    QVERIFY(m_page->result()->seconds.size() >= 12);
}

void TestLoadPage::capacityIsEmptyAtFirst()
{
    m_page->tabs()->setCurrentIndex(2);
    CapacityPage* page = m_page->capacityPage();
    QTRY_COMPARE_WITH_TIMEOUT(page->stateView()->state(), StateView::State::Empty, 10000);
    QVERIFY(page->startButton()->isEnabled());
    picture(QStringLiteral("capacity-empty"));
    // What can't be run is said while one types.
    for (const char* wrong : {"", "1, 2", "1, x, 3", "4, 2, 1", "1, 2, 2", "1, 2, 20000"}) {
        page->users()->setText(QString::fromLatin1(wrong));
        QVERIFY2(!page->startButton()->isEnabled() && !page->steps().ok(), wrong);
    }
    page->users()->setText(QStringLiteral("1, 2, 4"));
    QVERIFY(page->startButton()->isEnabled());
    QCOMPARE(page->steps()->phases.size(), std::size_t(3));
}

/// A run that follows the law, kept as every run is.
void TestLoadPage::capacityAnswersFromSteps()
{
    const std::vector<int> users{1, 2, 4, 8, 16, 32, 64};
    ops::LoadResult made;
    made.scenario = ops::stepScenario(users, 10);
    made.target = m_console->environment().balancer;
    made.environment = QStringLiteral("local");
    made.startedAt = QDateTime::currentDateTimeUtc();
    made.endedAt = made.startedAt.addSecs(70);
    made.state = QStringLiteral("completed");
    made.completed = true;
    for (int at = 0; at < 70; ++at) {
        const double n = users[std::size_t(at / 10)];
        const double rate = 1000 * n / (1 + 0.08 * (n - 1) + 0.001 * n * (n - 1));
        ops::LoadSecond second;
        second.second = at;
        second.completed = int(rate * (at % 2 == 0 ? 0.98 : 1.02));
        made.seconds << second;
        ops::LatencyHistogram latencies;
        for (int request = 0; request < 100; ++request) {
            latencies.add(std::int64_t(n / rate * 2e9));
        }
        ops::LatencyBlock block;
        block.second = at;
        block.seconds = 1;
        block.scheduled = second.completed;
        block.corrected = latencies.buckets();
        block.maxNs = latencies.max();
        made.blocks.push_back(block);
    }
    QVERIFY(ops::saveRun(ops::newRunFolder(made.scenario), made).ok());
    CapacityPage* page = m_page->capacityPage();
    page->reload();
    QTRY_COMPARE_WITH_TIMEOUT(page->stateView()->state(), StateView::State::Data, 20000);
    QCOMPARE(page->runs()->count(), 1);
    QCOMPARE(page->stepTable()->rowCount(), 7);
    QCOMPARE(page->lawTable()->rowCount(), 5);
    QCOMPARE(page->workers()->value(), 2); // those of the stack's pool
    const XyChart::Picture& picture_ = page->throughput()->picture();
    QCOMPARE(picture_.lines.size(), 2);
    QCOMPARE(picture_.lines.first().bars.size(), picture_.lines.first().points.size());
    page->rate()->setValue(20000);
    page->p99()->setValue(20);
    QTRY_VERIFY_WITH_TIMEOUT(page->answerText()->text().contains(QStringLiteral("workers")), 10000);
    const auto steps = ops::stepsOf(made);
    QVERIFY(steps.ok());
    const auto answer = ops::workersFor({20000, 20, 2, 0.7}, *steps, *ops::fitScalability(*steps));
    QVERIFY(answer.ok());
    QTRY_COMPARE_WITH_TIMEOUT(
        page->answerText()->text(), QStringLiteral("%1 workers").arg(answer->workers), 10000);
    QTRY_VERIFY_WITH_TIMEOUT(page->throughput()->picture().here.has_value(), 10000);
    QVERIFY(page->settings()->toPlainText().contains(
        QStringLiteral("sluiced@%1.service").arg(answer->workers)));
    picture(QStringLiteral("capacity"));
    page->settingsKind()->setCurrentIndex(1);
    QVERIFY(page->settings()->toPlainText().contains(
        QStringLiteral("minReplicas: %1\n").arg(answer->workers)));
    QTest::mouseClick(page->copyButton(), Qt::LeftButton);
    QCOMPARE(QApplication::clipboard()->text(), page->settings()->toPlainText());
    // No number of workers makes one answer faster.
    page->p99()->setValue(0.1);
    QTRY_VERIFY_WITH_TIMEOUT(
        page->answerText()->text().contains(QStringLiteral("no number")), 10000);
    QVERIFY(!page->copyButton()->isEnabled() && page->settings()->toPlainText().isEmpty());
    page->p99()->setValue(500);
}

/// Against the real stack: watched on the first page, then found here. What a busy machine does to
/// the generator may leave it without a fit, which is said.
void TestLoadPage::stepsAreRunFromThePage()
{
    CapacityPage* page = m_page->capacityPage();
    page->users()->setText(QStringLiteral("1, 2, 4"));
    page->stepSeconds()->setValue(4);
    QTest::mouseClick(page->startButton(), Qt::LeftButton);
    QTRY_VERIFY_WITH_TIMEOUT(m_page->isRunning(), 10000);
    QCOMPARE(m_page->tabs()->currentIndex(), 0);
    QVERIFY(!page->startButton()->isEnabled());
    QTRY_VERIFY_WITH_TIMEOUT(!m_page->isRunning(), 40000);
    QVERIFY2(m_page->result(), qPrintable(m_page->scenarioPanel()->banner()->text()));
    QVERIFY(m_page->result()->completed);
    QCOMPARE(m_page->tabs()->currentIndex(), 2);
    QTRY_COMPARE_WITH_TIMEOUT(page->runs()->count(), 2, 10000);
    QCOMPARE(page->runs()->currentData().toString(), m_page->result()->id);
    if (m_page->result()->generatorLimited) {
        QTRY_COMPARE_WITH_TIMEOUT(page->stateView()->state(), StateView::State::Failed, 20000);
        picture(QStringLiteral("capacity-error"));
    } else {
        QTRY_COMPARE_WITH_TIMEOUT(page->stepTable()->rowCount(), 3, 20000);
    }
}

/// What has just been done is said beside the page, not on it.
void TestLoadPage::newsCoverNothing()
{
    m_page->tabs()->setCurrentIndex(0);
    m_console->notify(Tone::Bad, QStringLiteral("broken"));
    const QWidget* toast = m_window->findChild<QFrame*>(QStringLiteral("toast"));
    QVERIFY(toast != nullptr);
    const auto place = [this](const QWidget* widget) {
        return QRect(widget->mapTo(m_window.get(), QPoint()), widget->size());
    };
    QTRY_VERIFY(!place(toast).intersects(place(m_page)));
    QVERIFY(m_window->rect().contains(place(toast)));
    picture(QStringLiteral("toast"));
}

QTEST_MAIN(TestLoadPage)
#include "tst_loadpage.moc"
