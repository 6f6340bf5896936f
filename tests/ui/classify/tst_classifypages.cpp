#include "engine/base/file.h"
#include "engine/operations/environment/redisclient.h"
#include "engine/operations/queries/testsuite.h"
#include "tests/support/redisserver.h"
#include "tests/ui/classify/classifyfixture.h"
#include "ui/classify/batchview.h"
#include "ui/classify/inboxview.h"
#include "ui/classify/retrainview.h"
#include "ui/classify/suiteview.h"
#include "ui/classify/targetpicker.h"
#include "ui/classify/tryview.h"
#include "ui/shell/button.h"
#include "ui/shell/complaintdialog.h"
#include "ui/shell/infobanner.h"
#include "ui/shell/text.h"

#include <QAbstractItemModelTester>
#include <QComboBox>
#include <QElapsedTimer>
#include <QHeaderView>
#include <QLineEdit>
#include <QTabBar>
#include <QTableView>
#include <QTableWidget>

using namespace sluice;
using namespace sluice::ui;

/// The page's other tabs, as a tester uses them.
class TestClassifyPages : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void cleanupTestCase();
    void aFileBecomesATable();
    void aHundredThousandRows();
    void wrongFilesAreNamed();
    void suitesShowWhatNewlyFails();
    void feedbackIsLabelledAndTaken();
    void complaintsByHandWithoutRedis();
    void retrainingIsJudgedAndKept();

private:
    QString file(const char* name, const std::string& content) const
    {
        const QString path = m_fixture.folder.filePath(QString::fromLatin1(name));
        return writeFileAtomically(path.toStdString(), content).ok() ? path : QString();
    }
    test::ClassifyFixture m_fixture;
};

void TestClassifyPages::initTestCase()
{
    QVERIFY(m_fixture.open());
}

void TestClassifyPages::cleanupTestCase()
{
    m_fixture.close();
}

void TestClassifyPages::aFileBecomesATable()
{
    BatchView* batch = m_fixture.page->batchView();
    m_fixture.page->showTab(ClassifyWorkspace::Batch);
    m_fixture.picture(QStringLiteral("classify-batch-empty"));
    const QAbstractItemModelTester tester(batch->model());
    batch->open(QString::fromStdString(SLUICE_BINARY_DIR "/share/sluice/queries.jsonl"));
    QTRY_COMPARE_WITH_TIMEOUT(batch->stateView()->state(), StateView::State::Data, 30000);
    const int all = batch->model()->rowCount();
    QVERIFY(all > 2000);
    batch->table()->sortByColumn(BatchModel::Confidence, Qt::DescendingOrder);
    QTRY_VERIFY(batch->model()->at(batch->model()->index(0, 0))->confidence
        >= batch->model()->at(batch->model()->index(all - 1, 0))->confidence);
    m_fixture.picture(QStringLiteral("classify-batch"));
    batch->filter()->setText(QStringLiteral("refund"));
    QTRY_VERIFY(batch->model()->rowCount() < all);
    const int some = batch->model()->rowCount();
    QVERIFY(some > 0);
    batch->show()->setCurrentIndex(int(BatchModel::Show::Wrong));
    QTRY_VERIFY(batch->model()->rowCount() < some);
    batch->show()->setCurrentIndex(int(BatchModel::Show::All));
    QTRY_COMPARE(batch->model()->rowCount(), some);
    const QString out = m_fixture.folder.filePath(QStringLiteral("out.jsonl"));
    batch->exportTo(out);
    const auto written = readFile(out.toStdString());
    QVERIFY(written.ok());
    QCOMPARE(int(std::count(written->begin(), written->end(), '\n')), some);
    // Enter takes the query to the first tab.
    batch->table()->setCurrentIndex(batch->model()->index(0, 0));
    QTest::keyClick(batch->table(), Qt::Key_Return);
    QCOMPARE(m_fixture.page->tabs()->currentIndex(), int(ClassifyWorkspace::Try));
    QVERIFY(!m_fixture.page->input()->text().isEmpty());
    m_fixture.page->input()->clear();
    batch->filter()->clear();
}

void TestClassifyPages::aHundredThousandRows()
{
    std::string text = "text,intent\n";
    for (int row = 0; row < 100000; ++row) {
        text += "where is my parcel number " + std::to_string(row) + ",track_parcel\n";
    }
    BatchView* batch = m_fixture.page->batchView();
    m_fixture.page->showTab(ClassifyWorkspace::Batch);
    // The event loop turns all the while: the longest time between two turns is the stutter.
    qint64 longest = 0;
    QElapsedTimer since;
    QTimer beat;
    connect(&beat, &QTimer::timeout, this, [&] { longest = std::max(longest, since.restart()); });
    const QString path = file("many.csv", text);
    since.start();
    beat.start(5);
    batch->open(path);
    QTRY_COMPARE_WITH_TIMEOUT(batch->model()->rowCount(), 100000, 120000);
    const qint64 loading = longest;
    longest = 0;
    since.restart();
    batch->table()->sortByColumn(BatchModel::Confidence, Qt::AscendingOrder);
    QTRY_VERIFY(m_fixture.console->jobs()->running().isEmpty());
    const qint64 sorting = longest;
    batch->filter()->setText(QStringLiteral("99999"));
    QTRY_COMPARE(batch->model()->rowCount(), 1);
    qInfo("100,000 rows: longest pause of the event loop %lld ms while they are classified, "
          "%lld ms to sort them",
        static_cast<long long>(loading), static_cast<long long>(sorting));
    batch->filter()->clear();
    batch->run();
    QVERIFY(batch->isRunning());
    batch->cancel();
    QTRY_VERIFY_WITH_TIMEOUT(!batch->isRunning(), 30000);
}

void TestClassifyPages::wrongFilesAreNamed()
{
    BatchView* batch = m_fixture.page->batchView();
    batch->open(file("wrong.csv", "text,intent\na\n"));
    QTRY_COMPARE(batch->stateView()->state(), StateView::State::Failed);
    QStringList said;
    for (const QLabel* label : batch->stateView()->findChildren<QLabel*>()) {
        said << label->text();
    }
    QVERIFY2(said.join(u' ').contains(QStringLiteral("line 2")), qPrintable(said.join(u' ')));
}

void TestClassifyPages::suitesShowWhatNewlyFails()
{
    SuiteView* suite = m_fixture.page->suiteView();
    m_fixture.page->showTab(ClassifyWorkspace::Suite);
    const QString path = file("team.jsonl",
        R"({"text":"where is my parcel A-2231?","expect":{"intent":"track_parcel"},"note":"seen on the phone"}
{"text":"xyzzy plugh","expect":{"intent":"oos"}}
)");
    suite->open(path);
    QCOMPARE(suite->table()->rowCount(), 2);
    QTest::keyClick(m_fixture.page, Qt::Key_F5);
    QTRY_VERIFY_WITH_TIMEOUT(suite->result().has_value(), 10000);
    QCOMPARE(suite->result()->failed(), std::size_t(0));
    QVERIFY(!suite->result()->hasBaseline);
    file("team.jsonl",
        R"({"text":"where is my parcel A-2231?","expect":{"decision":"fallback"},"note":"seen on the phone"}
{"text":"xyzzy plugh","expect":{"intent":"oos"}}
)");
    suite->reload();
    suite->run();
    QTRY_VERIFY_WITH_TIMEOUT(suite->result().has_value(), 10000);
    QCOMPARE(suite->result()->newlyFailing(), std::size_t(1));
    QVERIFY2(suite->summary()->text().contains(QStringLiteral("1 newly failing")),
        qPrintable(suite->summary()->text()));
    m_fixture.picture(QStringLiteral("classify-suite"));
}

void TestClassifyPages::feedbackIsLabelledAndTaken()
{
    test::RedisServer redis;
    QVERIFY2(redis.start(), qPrintable(redis.lastError()));
    const auto add = [&](const char* stream, const char* row) {
        redis.cli({QStringLiteral("XADD"), QString::fromLatin1(stream), QStringLiteral("*"),
            QStringLiteral("row"), QString::fromLatin1(row)});
    };
    add("sluice:decisions",
        R"({"v":1,"id":"r-1","session":"s","turn":1,"query":"I want my money for <ORDER_NUMBER>","at":1,"model":"m","set":1,"pool":"blue","version":"1","weight":1,"top":[["track_parcel",0.8]],"out_of_scope":0.1,"context":"new","follow_up":false,"failures":0,"decision":"accept","rule":"above_threshold","threshold":0.5,"ms":1})");
    add("sluice:feedback",
        R"({"v":1,"id":"f1","kind":"wrong","request":"r-1","pool":"blue","at":1764000000})");
    add("sluice:feedback",
        R"({"v":1,"id":"f2","kind":"right","request":"r-1","pool":"blue","at":1764000001})");
    ops::Environment environment;
    environment.name = QStringLiteral("here");
    environment.redis = {QStringLiteral("127.0.0.1"), redis.port(), {}};
    m_fixture.console->connectTo(environment);
    InboxView* inbox = m_fixture.page->inboxView();
    m_fixture.page->showTab(ClassifyWorkspace::Inbox);
    QTRY_COMPARE_WITH_TIMEOUT(inbox->table()->rowCount(), 1, 10000);
    QCOMPARE(
        m_fixture.page->tabs()->tabText(ClassifyWorkspace::Inbox), QStringLiteral("Inbox (1)"));
    inbox->takeIntoSuite();
    QVERIFY(inbox->banner()->text().contains(QStringLiteral("Label it first")));
    inbox->label(QStringLiteral("refund_status"));
    m_fixture.picture(QStringLiteral("classify-inbox"));
    inbox->takeIntoSuite();
    const auto suite =
        ops::TestSuite::read(m_fixture.folder.filePath(QStringLiteral("team.jsonl")).toStdString());
    QVERIFY(suite.ok());
    QCOMPARE(suite->cases.back().expected.intent, std::string("refund_status"));
    inbox->takeIntoData();
    QVERIFY(readFile(m_fixture.folder.filePath(QStringLiteral("data/labelled.jsonl")).toStdString())
                .ok());
    inbox->setDone(true);
    QCOMPARE(m_fixture.page->tabs()->tabText(ClassifyWorkspace::Inbox), QStringLiteral("Inbox"));
    QCOMPARE(inbox->stateView()->state(), StateView::State::Empty);
    m_fixture.console->disconnectFromAll();
}

void TestClassifyPages::complaintsByHandWithoutRedis()
{
    InboxView* inbox = m_fixture.page->inboxView();
    m_fixture.page->showTab(ClassifyWorkspace::Inbox);
    inbox->refresh();
    inbox->recordByHand();
    auto* dialog = inbox->findChild<ComplaintDialog*>();
    QVERIFY(dialog != nullptr);
    QVERIFY(!dialog->recordButton()->isEnabled());
    QTest::keyClicks(dialog->query(), QStringLiteral("where is my refund"));
    dialog->label()->setCurrentText(QStringLiteral("refund_status"));
    QTest::mouseClick(dialog->recordButton(), Qt::LeftButton);
    QCOMPARE(inbox->table()->rowCount(), 1);
    QVERIFY(inbox->banner()->text().contains(QStringLiteral("this machine")));
}

void TestClassifyPages::retrainingIsJudgedAndKept()
{
    RetrainView* retrain = m_fixture.page->retrainView();
    m_fixture.page->showTab(ClassifyWorkspace::Retrain);
    retrain->train();
    QVERIFY(retrain->isRunning());
    retrain->cancel();
    QTRY_VERIFY_WITH_TIMEOUT(!retrain->isRunning(), 60000);
    QVERIFY(!retrain->result().has_value());
    QTest::mouseClick(retrain->trainButton(), Qt::LeftButton);
    QTRY_VERIFY_WITH_TIMEOUT(retrain->result().has_value(), 90000);
    QCOMPARE(retrain->scores()->rowCount(), 8); // conversations are among the data
    retrain->note()->setText(QStringLiteral("with the inbox of Monday"));
    QTest::mouseClick(retrain->saveButton(), Qt::LeftButton);
    QCOMPARE(retrain->models()->rowCount(), 1);
    m_fixture.picture(QStringLiteral("classify-retrain"));
    // It can be chosen as who answers.
    TargetPicker* picker = m_fixture.page->tryView()->picker(TryView::Second);
    int index = -1;
    for (int entry = 0; entry < picker->count(); ++entry) {
        if (picker->itemText(entry).contains(QStringLiteral("with the inbox of Monday"))) {
            index = entry;
        }
    }
    QVERIFY(index >= 0);
    Q_EMIT picker->activated(index);
    QTRY_VERIFY_WITH_TIMEOUT(
        picker->target().name.contains(QStringLiteral("with the inbox of Monday")), 10000);
}

QTEST_MAIN(TestClassifyPages)
#include "tst_classifypages.moc"
