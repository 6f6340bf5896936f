#include "tests/support/pictures.h"
#include "tests/support/testcase.h"

#include "engine/base/file.h"
#include "ui/history/historymodel.h"
#include "ui/history/historyworkspace.h"
#include "ui/shell/console.h"
#include "ui/shell/infobanner.h"
#include "ui/shell/mainwindow.h"
#include "ui/shell/stateview.h"

#include <QAbstractItemModelTester>
#include <QApplication>
#include <QComboBox>
#include <QDir>
#include <QLineEdit>
#include <QTableView>
#include <QTableWidget>
#include <QTemporaryDir>

using namespace sluice;
using namespace sluice::ui;

/// The record as people look through it: found, filtered, compared, taken away as a file.
class TestHistoryPage : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void cleanupTestCase();
    void emptyHistorySaysSo();
    void findsAndFilters();
    void comparesTwo();
    void opensThePage();
    void exportsWhatIsListed();

private:
    void add(const QString& kind, const QString& subject, double global, int daysAgo);

    QTemporaryDir m_folder;
    std::unique_ptr<Console> m_console;
    std::unique_ptr<MainWindow> m_window;
    HistoryWorkspace* m_page = nullptr;
};

void TestHistoryPage::initTestCase()
{
    theme().install(*qApp);
    theme().setMode(Theme::Mode::Light);
    m_console = std::make_unique<Console>(
        m_folder.filePath(QStringLiteral("config")), m_folder.filePath(QStringLiteral("h.sqlite")));
    m_window = std::make_unique<MainWindow>(m_console.get());
    m_page = new HistoryWorkspace(m_console.get());
    m_window->addWorkspace(m_page);
    m_window->addWorkspace(
        new Workspace(m_console.get(), QStringLiteral("thresholds"), QStringLiteral("T")));
    m_window->resize(1280, 800);
    m_console->start();
    m_window->show();
    m_window->showWorkspace(QStringLiteral("history"));
    new QAbstractItemModelTester(m_page->table()->model(), this);
}

void TestHistoryPage::cleanupTestCase()
{
    m_window.reset();
    m_console.reset();
}

void TestHistoryPage::add(const QString& kind, const QString& subject, double global, int daysAgo)
{
    ops::HistoryEntry entry;
    entry.at = QDateTime::currentDateTimeUtc().addDays(-daysAgo);
    entry.actor = daysAgo > 0 ? QStringLiteral("mira") : QStringLiteral("admin");
    entry.environment = QStringLiteral("local");
    entry.kind = kind;
    entry.subject = subject;
    entry.outcome = QStringLiteral("done");
    entry.details = {
        {QStringLiteral("thresholds"), QJsonObject{{QStringLiteral("global"), global}}}};
    m_console->record(entry);
}

void TestHistoryPage::emptyHistorySaysSo()
{
    QVERIFY(m_page->stateView()->state() == StateView::State::Empty);
}

void TestHistoryPage::findsAndFilters()
{
    add(QStringLiteral("publish"), QStringLiteral("set 1 to blue"), 0.5, 10);
    add(QStringLiteral("publish"), QStringLiteral("set 2 to blue"), 0.62, 0);
    add(QStringLiteral("acknowledge"), QStringLiteral("Redis is down"), 0, 0);
    m_page->activated();
    QCOMPARE(m_page->model()->rowCount(), 3);
    QVERIFY(m_page->kind()->findData(QStringLiteral("acknowledge")) > 0); // kinds that occur
    QTest::keyClick(m_page, Qt::Key_F, Qt::ControlModifier);
    QTest::keyClicks(m_page->filter(), QStringLiteral("MIRA"));
    QCOMPARE(m_page->model()->rowCount(), 1);
    m_page->filter()->clear();
    m_page->period()->setCurrentIndex(1); // the last day
    QCOMPARE(m_page->model()->rowCount(), 2);
    m_page->kind()->setCurrentIndex(m_page->kind()->findData(QStringLiteral("publish")));
    QCOMPARE(m_page->model()->rowCount(), 1);
    QTest::keyClicks(m_page->filter(), QStringLiteral("nothing like it"));
    QVERIFY(m_page->stateView()->state() == StateView::State::Empty);
    Q_EMIT m_page->stateView()->actionTriggered(); // clears all three
    QCOMPARE(m_page->model()->rowCount(), 3);
    QVERIFY(m_page->stateView()->state() == StateView::State::Data);
}

void TestHistoryPage::comparesTwo()
{
    QTableView* table = m_page->table();
    const auto click = [&](int row, Qt::KeyboardModifiers modifiers) {
        QTest::mouseClick(table->viewport(), Qt::LeftButton, modifiers,
            table->visualRect(table->model()->index(row, 1)).center());
    };
    click(1, Qt::NoModifier);
    QCOMPARE(m_page->details()->columnCount(), 2);
    const auto found =
        m_page->details()->findItems(QStringLiteral("thresholds.global"), Qt::MatchExactly);
    QCOMPARE(found.size(), 1);
    click(2, Qt::ControlModifier);
    QCOMPARE(m_page->details()->columnCount(), 3);
    const int row = m_page->details()
                        ->findItems(QStringLiteral("thresholds.global"), Qt::MatchExactly)
                        .first()
                        ->row();
    QCOMPARE(m_page->details()->item(row, 1)->text(), QStringLiteral("0.5")); // the earlier first
    QCOMPARE(m_page->details()->item(row, 2)->text(), QStringLiteral("0.62"));
    QVERIFY(test::drawPictures(*m_window, QStringLiteral("history-difference")));
}

void TestHistoryPage::opensThePage()
{
    m_page->table()->selectRow(1);
    QTest::keyClick(m_page->table(), Qt::Key_Return);
    QCOMPARE(m_window->currentWorkspace(), QStringLiteral("thresholds"));
    m_window->showWorkspace(QStringLiteral("history"));
}

void TestHistoryPage::exportsWhatIsListed()
{
    m_page->kind()->setCurrentIndex(m_page->kind()->findData(QStringLiteral("publish")));
    const QString csv = m_folder.filePath(QStringLiteral("out.csv"));
    m_page->exportTo(csv);
    const auto text = readFile(csv.toStdString());
    QVERIFY(text.ok());
    QCOMPARE(std::count(text->begin(), text->end(), '\n'), 3);
    QVERIFY(text->find("set 2 to blue") != std::string::npos);
    const QString json = m_folder.filePath(QStringLiteral("out.json"));
    m_page->exportTo(json);
    QVERIFY(readFile(json.toStdString())->starts_with("["));
    m_page->exportTo(QStringLiteral("/proc/nowhere/out.csv"));
    QVERIFY(m_page->banner()->isVisible());
}

QTEST_MAIN(TestHistoryPage)
#include "tst_historypage.moc"
