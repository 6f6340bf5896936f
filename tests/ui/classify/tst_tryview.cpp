#include "engine/base/file.h"
#include "engine/operations/environment/redisclient.h"
#include "engine/operations/queries/conversationfile.h"
#include "engine/operations/queries/testsuite.h"
#include "tests/support/redisserver.h"
#include "tests/support/worker.h"
#include "tests/ui/classify/classifyfixture.h"
#include "ui/classify/answerpanel.h"
#include "ui/classify/answertext.h"
#include "ui/classify/candidatebars.h"
#include "ui/classify/conversationview.h"
#include "ui/classify/entitytext.h"
#include "ui/classify/targetpicker.h"
#include "ui/classify/tryview.h"
#include "ui/shell/button.h"
#include "ui/shell/infobanner.h"

#include <QDialog>
#include <QLineEdit>
#include <QPlainTextEdit>

using namespace sluice;
using namespace sluice::ui;

class TestTryView : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void cleanupTestCase();
    void init();
    void enterSendsAndTheReasonsAppear();
    void historySurvivesARestart();
    void clearingCanBeUndone();
    void frozenContextGrowsNoTurns();
    void contextIsEditedAsJson();
    void twoThresholdSetsSideBySide();
    void engineAndWorkerSideBySide();
    void aWorkerThatIsGoneSaysSo();
    void labelsCasesAndData();
    void conversationsAreReplayed();
    void changesInWords();

private:
    void type(const QString& query, Qt::KeyboardModifiers modifiers = {})
    {
        m_try->input()->clear();
        QTest::keyClicks(m_try->input(), query);
        QTest::keyClick(m_try->input(), Qt::Key_Return, modifiers);
        QTRY_VERIFY(!m_try->isBusy());
    }
    ops::QueryTarget strict() const
    {
        ops::QueryTarget target;
        target.name = QStringLiteral("strict");
        target.classifier = m_fixture.console->classifier();
        ThresholdSet set = target.classifier->model().defaultThresholds();
        set.global = 0.999;
        target.thresholds = *target.classifier->compile(set);
        return target;
    }
    void open()
    {
        QVERIFY(m_fixture.open());
        m_try = m_fixture.page->tryView();
    }

    test::ClassifyFixture m_fixture;
    TryView* m_try = nullptr;
    const QString m_parcel = QStringLiteral("where is my parcel A-2231?");
};

void TestTryView::initTestCase()
{
    open();
}

void TestTryView::cleanupTestCase()
{
    m_fixture.close();
}

void TestTryView::init()
{
    failOnWarnings();
    m_fixture.window->activateWindow(); // a dialog of the test before may have had it
    QVERIFY(QTest::qWaitForWindowActive(m_fixture.window.get()));
    m_try->setComparing(false);
    m_try->setFrozen(false);
    m_try->clearContext();
    m_try->banner()->dismiss();
}

void TestTryView::enterSendsAndTheReasonsAppear()
{
    type(m_parcel);
    QVERIFY(m_try->answer().has_value());
    QCOMPARE(m_try->panel(TryView::First)->bars()->bars().first().intent,
        QStringLiteral("track_parcel"));
    QCOMPARE(m_try->panel(TryView::First)->entities()->marks().size(), 1);
    QVERIFY2(m_try->panel(TryView::First)->change().contains(QStringLiteral("instead of")),
        qPrintable(m_try->panel(TryView::First)->change()));
    QVERIFY(m_try->panel(TryView::First)->json().contains(QStringLiteral("\"track_parcel\"")));
    m_try->system()->setText(QStringLiteral("It is on its way. Anything else?"));
    type(QStringLiteral("and for B-10498?"));
    QCOMPARE(m_try->session().turnCount, 2);
    QVERIFY(m_try->answer()->context == ContextState::Used);
    QVERIFY(m_try->input()->text().isEmpty());
    QVERIFY(m_try->system()->text().isEmpty());
    m_fixture.picture(QStringLiteral("classify-try"));
    QTest::keyClick(m_fixture.page, Qt::Key_J, Qt::ControlModifier);
    m_fixture.picture(QStringLiteral("classify-json"));
    QTest::keyClick(m_fixture.page, Qt::Key_J, Qt::ControlModifier);
    // What can't be classified is refused with words, stays to be mended, and changes nothing.
    m_try->input()->setText(QString(5000, u'a'));
    QTest::keyClick(m_try->input(), Qt::Key_Return);
    QCOMPARE(m_try->session().turnCount, 2);
    QVERIFY(m_try->banner()->isVisible());
    QVERIFY(!m_try->input()->text().isEmpty());
}

void TestTryView::historySurvivesARestart()
{
    type(QStringLiteral("first of all"));
    type(QStringLiteral("second of all"));
    m_fixture.close();
    open();
    QTest::keyClick(m_try->input(), Qt::Key_Up);
    QCOMPARE(m_try->input()->text(), QStringLiteral("second of all"));
    QTest::keyClick(m_try->input(), Qt::Key_Up);
    QCOMPARE(m_try->input()->text(), QStringLiteral("first of all"));
    QTest::keyClick(m_try->input(), Qt::Key_Down);
    QTest::keyClick(m_try->input(), Qt::Key_Down);
    QVERIFY(m_try->input()->text().isEmpty());
}

void TestTryView::clearingCanBeUndone()
{
    type(m_parcel);
    type(QStringLiteral("and for B-10498?"));
    const Session before = m_try->session();
    QTest::keyClick(m_fixture.page, Qt::Key_L, Qt::ControlModifier | Qt::ShiftModifier);
    QTRY_COMPARE(m_try->session().turnCount, 0);
    QCOMPARE(m_try->conversation()->count(), 0);
    QVERIFY(!m_try->answer().has_value());
    m_try->input()->clear();
    m_try->undo();
    QCOMPARE(m_try->session(), before);
    QCOMPARE(m_try->conversation()->count(), 2);
    m_try->redo();
    QCOMPARE(m_try->session().turnCount, 0);
}

void TestTryView::frozenContextGrowsNoTurns()
{
    type(m_parcel);
    m_try->setFrozen(true);
    type(QStringLiteral("and for B-10498?"));
    QVERIFY(m_try->answer()->context == ContextState::Used);
    QCOMPARE(m_try->session().turnCount, 1);
    m_try->setFrozen(false);
}

void TestTryView::contextIsEditedAsJson()
{
    type(m_parcel);
    m_try->editContext();
    auto* dialog = m_try->findChild<QDialog*>(QStringLiteral("editSession"));
    QVERIFY(dialog != nullptr);
    auto* text = dialog->findChild<QPlainTextEdit*>();
    const QString good = text->toPlainText();
    QVERIFY(good.contains(QStringLiteral("track_parcel")));
    Button* take = dialog->findChild<Button*>();
    QVERIFY(take != nullptr);
    text->setPlainText(QStringLiteral("{"));
    QTest::mouseClick(take, Qt::LeftButton);
    QVERIFY(dialog->isVisible()); // and says why
    QString edited = good;
    text->setPlainText(
        edited.replace(QStringLiteral("track_parcel"), QStringLiteral("refund_status")));
    QTest::mouseClick(take, Qt::LeftButton);
    QCOMPARE(QString::fromStdString(m_try->session().turns.back().intent),
        QStringLiteral("refund_status"));
    m_try->undo();
    QCOMPARE(QString::fromStdString(m_try->session().turns.back().intent),
        QStringLiteral("track_parcel"));
}

void TestTryView::twoThresholdSetsSideBySide()
{
    m_try->picker(TryView::Second)->selectTarget(strict());
    type(m_parcel, Qt::ControlModifier);
    QVERIFY(m_try->isComparing());
    const QString differing = m_try->panel(TryView::First)->differences();
    QVERIFY2(differing.contains(QStringLiteral("decision: accept |")), qPrintable(differing));
    QVERIFY2(differing.contains(QStringLiteral("threshold:")), qPrintable(differing));
    QVERIFY(!differing.contains(QStringLiteral("confidence:")));
    QCOMPARE(m_try->panel(TryView::Second)->differences(), differing);
    m_fixture.picture(QStringLiteral("classify-compare"));
    m_try->picker(TryView::Second)->setCurrentIndex(0);
}

void TestTryView::engineAndWorkerSideBySide()
{
    test::RedisServer redis;
    QVERIFY2(redis.start(), qPrintable(redis.lastError()));
    service::Configuration options;
    options.redis.port = redis.port();
    test::Worker worker(options);
    QVERIFY(!worker.error);
    ops::Environment environment;
    environment.name = QStringLiteral("here");
    environment.redis = {QStringLiteral("127.0.0.1"), redis.port(), {}};
    const QUrl url(QStringLiteral("http://127.0.0.1:%1").arg(worker.port()));
    environment.workers = {{QStringLiteral("blue"), url}};
    m_fixture.console->connectTo(environment);
    QTRY_VERIFY(m_fixture.console->redis()->state() == ops::RedisClient::State::Connected);
    QVERIFY(m_try->picker(TryView::Second)->selectWorker(url));
    type(m_parcel, Qt::ControlModifier);
    type(QStringLiteral("and for B-10498?"), Qt::ControlModifier);
    QCOMPARE(m_try->panel(TryView::First)->differences(), QString());
    QVERIFY(m_try->panel(TryView::Second)->json().contains(QStringLiteral("B-10498")));
    // An edited session is what the worker goes on with.
    QVERIFY(m_try->picker(TryView::First)->selectWorker(url));
    m_try->clearContext();
    m_try->setComparing(false);
    type(m_parcel);
    QCOMPARE(m_try->session().turnCount, 1);
    m_try->editContext();
    auto* dialog = m_try->findChild<QDialog*>(QStringLiteral("editSession"));
    auto* text = dialog->findChild<QPlainTextEdit*>();
    QString edited = text->toPlainText();
    text->setPlainText(
        edited.replace(QStringLiteral("\"turn_count\": 1"), QStringLiteral("\"turn_count\": 7")));
    QTest::mouseClick(dialog->findChild<Button*>(), Qt::LeftButton);
    const QString key =
        QStringLiteral("sluice:session:{%1}").arg(QString::fromStdString(m_try->session().id));
    QTRY_VERIFY(redis.cli({QStringLiteral("GET"), key}).contains("\"turn_count\":7"));
    type(QStringLiteral("and for B-10498?"));
    QCOMPARE(m_try->answer()->turn, 8);
    m_fixture.console->disconnectFromAll();
    QTRY_VERIFY(!m_try->picker(TryView::First)->target().isWorker());
}

void TestTryView::aWorkerThatIsGoneSaysSo()
{
    ops::QueryTarget nobody;
    nobody.name = QStringLiteral("nobody");
    nobody.worker = QUrl(QStringLiteral("http://127.0.0.1:%1").arg(test::freePort()));
    m_try->picker(TryView::Second)->selectTarget(nobody);
    type(m_parcel, Qt::ControlModifier);
    QVERIFY(m_try->banner()->isVisible());
    QVERIFY2(m_try->banner()->text().contains(QStringLiteral("nobody")),
        qPrintable(m_try->banner()->text()));
    QVERIFY(m_try->answer().has_value()); // the other one answered
    QCOMPARE(m_try->panel(TryView::Second)->json(), QString());
    m_try->picker(TryView::Second)->setCurrentIndex(0);
}

void TestTryView::labelsCasesAndData()
{
    const QString data = m_fixture.folder.filePath(QStringLiteral("data"));
    const std::string suite = data.toStdString() + "/suite.jsonl";
    const std::string rows = data.toStdString() + "/labelled.jsonl";
    type(m_parcel);
    QTest::keyClick(m_fixture.page, Qt::Key_D, Qt::ControlModifier);
    QVERIFY(!std::filesystem::exists(rows)); // not labelled yet
    QTest::keyClick(m_fixture.page, Qt::Key_T, Qt::ControlModifier);
    auto read = ops::TestSuite::read(suite);
    QVERIFY2(read.ok(), read.ok() ? "" : read.error().text().c_str());
    QCOMPARE(
        QString::fromStdString(read->cases[0].expected.intent), QStringLiteral("track_parcel"));
    QVERIFY(read->cases[0].expected.verdict == Verdict::Accept);
    QCOMPARE(read->cases[0].expected.entities.size(), std::size_t(1));
    QTest::keyClick(m_fixture.page, Qt::Key_2, Qt::AltModifier);
    const std::string second = m_try->answer()->candidates[1].intent;
    QTest::keyClick(m_fixture.page, Qt::Key_D, Qt::ControlModifier);
    const auto labelled = readLabelledData(std::filesystem::path(rows));
    QVERIFY2(labelled.ok(), labelled.ok() ? "" : labelled.error().text().c_str());
    QCOMPARE(labelled->queries[0].intent, second);
    QTest::keyClick(m_fixture.page, Qt::Key_0, Qt::AltModifier);
    QTest::keyClick(m_fixture.page, Qt::Key_T, Qt::ControlModifier);
    read = ops::TestSuite::read(suite);
    QCOMPARE(read->cases.size(), std::size_t(1)); // the same turns: the case changed
    QCOMPARE(read->cases[0].expected.intent, std::string("oos"));
    type(QStringLiteral("and for B-10498?"));
    QTest::keyClick(m_fixture.page, Qt::Key_T, Qt::ControlModifier);
    read = ops::TestSuite::read(suite);
    QCOMPARE(read->cases.size(), std::size_t(2));
    QCOMPARE(read->cases[1].turns.size(), std::size_t(2));
}

void TestTryView::conversationsAreReplayed()
{
    const QString file = m_fixture.folder.filePath(QStringLiteral("conversation.jsonl"));
    type(m_parcel);
    type(QStringLiteral("and for B-10498?"));
    const Session before = m_try->session();
    m_try->saveConversation(file);
    m_try->clearContext();
    m_try->openConversation(file);
    QCOMPARE(m_try->conversation()->count(), 2);
    QCOMPARE(m_try->session().turnCount, 0);
    QTest::keyClick(m_fixture.page, Qt::Key_F6);
    QCOMPARE(m_try->session().turnCount, 1);
    QTest::keyClick(m_fixture.page, Qt::Key_F6);
    QCOMPARE(m_try->session().turnCount, 2);
    QCOMPARE(m_try->session().toJson(), before.toJson());
    QTest::keyClick(m_fixture.page, Qt::Key_F5);
    QTRY_COMPARE(m_try->session().turnCount, 2);
    QVERIFY(m_try->session().id != before.id);
    m_try->openConversation(QStringLiteral("/nowhere.jsonl"));
    QVERIFY(m_try->banner()->text().contains(QStringLiteral("/nowhere.jsonl")));
    QCOMPARE(m_try->session().turnCount, 2);
}

void TestTryView::changesInWords()
{
    Answer answer;
    answer.ruling.rule = Rule::NoSignal;
    QVERIFY(answertext::change(answer).startsWith(QStringLiteral("No threshold")));
    answer.candidates = {{"a", 0.6}, {"b", 0.57}};
    answer.ruling.rule = Rule::AmbiguousMargin;
    answer.ruling.parts = {{"intent", 0.5}};
    answer.ruling.wouldChangeAt = 0.76;
    answer.ruling.margin = 0.03;
    answer.ruling.requiredMargin = 0.1;
    QCOMPARE(answertext::change(answer),
        QStringLiteral("Another verdict with the threshold of a at 0.760 instead of 0.500 "
                       "(+0.260), or with a margin of 0.030 instead of 0.100."));
    QVERIFY(answertext::differences(answer, answer).isEmpty());
}

QTEST_MAIN(TestTryView)
#include "tst_tryview.moc"
