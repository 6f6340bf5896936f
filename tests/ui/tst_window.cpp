#include "tests/support/ownconsole.h"
#include "tests/support/testcase.h"
#include "ui/shell/button.h"
#include "ui/shell/commandpalette.h"
#include "ui/shell/confirmdialog.h"
#include "ui/shell/console.h"
#include "ui/shell/mainwindow.h"
#include "ui/shell/rangedialog.h"
#include "ui/shell/stateview.h"
#include "ui/shell/theme.h"
#include "ui/shell/workspace.h"

#include <QAction>
#include <QApplication>
#include <QDateTimeEdit>
#include <QDialogButtonBox>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QTemporaryDir>

using namespace sluice::ui;

namespace {

/// A page that counts.
class CountingPage : public Workspace
{
public:
    CountingPage(Console* console, const char* id)
        : Workspace(console, QString::fromLatin1(id), QString::fromLatin1(id).toUpper())
    {
        auto* action = new QAction(QStringLiteral("Do %1").arg(this->id()), this);
        connect(action, &QAction::triggered, this, [this] { ++triggered; });
        addAction(action);
    }
    void activated() override { ++shown; }
    void deactivated() override { ++hidden; }
    int shown = 0;
    int hidden = 0;
    int triggered = 0;
};

QStringList texts(const QWidget& widget)
{
    QStringList all;
    for (const QLabel* label : widget.findChildren<QLabel*>()) {
        if (label->isVisible()) {
            all << label->text();
        }
    }
    for (const QAbstractButton* button : widget.findChildren<QAbstractButton*>()) {
        all << button->accessibleName();
    }
    return all;
}

} // namespace

class TestWindow : public sluice::test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void fuzzyScorePrefersStarts();
    void paletteFiltersAndTriggers();
    void pagesAreShownAndHidden();
    void everyControlHasAName();
    void statesSayWhatIs();
    void lostSourceKeepsTheData();
    void loadingDoesNotFlicker();
    void confirmationDefaultsToCancel();
    void worstThingsMustBeTyped();
    void rangesAreTyped();

private:
    QTemporaryDir m_folder;
};

void TestWindow::initTestCase()
{
    sluice::test::useOwnFolders(m_folder);
    theme().install(*qApp);
    theme().setMode(Theme::Mode::Light);
}

void TestWindow::fuzzyScorePrefersStarts()
{
    QVERIFY(!fuzzyScore(QStringLiteral("xyz"), QStringLiteral("Publish")).has_value());
    QVERIFY(fuzzyScore(QStringLiteral("PUB"), QStringLiteral("publish")).has_value());
    QCOMPARE(fuzzyScore({}, QStringLiteral("anything")).value(), 0);
    QVERIFY(fuzzyScore(QStringLiteral("rb"), QStringLiteral("Roll Back")).value()
        > fuzzyScore(QStringLiteral("rb"), QStringLiteral("carbon")).value());
    QVERIFY(fuzzyScore(QStringLiteral("pub"), QStringLiteral("Publish")).value()
        > fuzzyScore(QStringLiteral("pub"), QStringLiteral("Pick up a bag")).value());
}

void TestWindow::paletteFiltersAndTriggers()
{
    Console console;
    MainWindow window(&console);
    auto* page = new CountingPage(&console, "monitor");
    window.addWorkspace(page);
    window.resize(1280, 800);
    window.show();
    QVERIFY(QTest::qWaitForWindowExposed(&window));
    window.showWorkspace(QStringLiteral("monitor"));
    window.openPalette();
    CommandPalette* palette = window.palette();
    QVERIFY(palette->isVisible());
    const qsizetype all = palette->shown().size();
    QVERIFY(all > 5);
    auto* edit = palette->findChild<QLineEdit*>();
    QTest::keyClicks(edit, QStringLiteral("do mon"));
    QVERIFY(palette->shown().size() < all);
    QVERIFY2(palette->shown().first().contains(QStringLiteral("Do monitor")),
        qPrintable(palette->shown().first()));
    QTest::keyClick(edit, Qt::Key_Return);
    QTRY_COMPARE(page->triggered, 1);
    QVERIFY(!palette->isVisible());
    window.openPalette();
    QTest::keyClick(palette->findChild<QLineEdit*>(), Qt::Key_Escape);
    QVERIFY(!palette->isVisible());
    QCOMPARE(page->triggered, 1);
}

void TestWindow::pagesAreShownAndHidden()
{
    Console console;
    MainWindow window(&console);
    auto* one = new CountingPage(&console, "classify");
    auto* two = new CountingPage(&console, "monitor");
    window.addWorkspace(one);
    window.addWorkspace(two);
    window.show();
    window.showWorkspace(QStringLiteral("classify"));
    window.showWorkspace(QStringLiteral("monitor"));
    QCOMPARE(one->shown, 1);
    QCOMPARE(one->hidden, 1);
    QCOMPARE(two->shown, 1);
    QCOMPARE(window.currentWorkspace(), QStringLiteral("monitor"));
    window.activateWindow();
    QVERIFY(QTest::qWaitForWindowActive(&window));
    QTest::keyClick(&window, Qt::Key_1, Qt::ControlModifier);
    QTRY_COMPARE(window.currentWorkspace(), QStringLiteral("classify"));
}

void TestWindow::everyControlHasAName()
{
    Console console;
    MainWindow window(&console);
    window.addWorkspace(new CountingPage(&console, "classify"));
    window.show();
    for (const QAbstractButton* button : window.findChildren<QAbstractButton*>()) {
        if (button->isVisible() && button->focusPolicy() != Qt::NoFocus) {
            QVERIFY2(!button->accessibleName().isEmpty() || !button->text().isEmpty(),
                button->metaObject()->className());
        }
    }
}

void TestWindow::statesSayWhatIs()
{
    StateView view;
    view.setDataWidget(new QLabel(QStringLiteral("data")));
    view.resize(600, 400);
    view.show();
    view.showEmpty(
        QStringLiteral("Nothing yet"), QStringLiteral("Run something"), QStringLiteral("Run"));
    QVERIFY(texts(view).contains(QStringLiteral("Nothing yet")));
    QSignalSpy action(&view, &StateView::actionTriggered);
    auto* button = view.findChild<Button*>();
    QVERIFY(button->isVisible());
    QTest::mouseClick(button, Qt::LeftButton);
    QCOMPARE(action.size(), 1);

    view.showError(
        {QStringLiteral("It broke"), QStringLiteral("because"), QStringLiteral("Do this")});
    for (const char* line : {"It broke", "because", "Do this"}) {
        QVERIFY2(texts(view).contains(QString::fromLatin1(line)), line);
    }
    QSignalSpy retry(&view, &StateView::retryRequested);
    QTest::mouseClick(view.findChild<Button*>(), Qt::LeftButton);
    QCOMPARE(retry.size(), 1);
    QCOMPARE(int(view.state()), int(StateView::State::Failed));
    view.showData();
    QVERIFY(texts(view).contains(QStringLiteral("data")));
}

void TestWindow::lostSourceKeepsTheData()
{
    StateView view;
    view.setDataWidget(new QLabel(QStringLiteral("data")));
    view.show();
    const Trouble lost{QStringLiteral("Prometheus does not answer"), QStringLiteral("refused"), {}};
    view.showDisconnected(lost); // nothing was shown yet: like an error
    QVERIFY(!texts(view).contains(QStringLiteral("data")));
    view.showData();
    view.showDisconnected(lost, QStringLiteral("since 12:04"));
    QVERIFY(texts(view).contains(QStringLiteral("data")));
    QVERIFY(texts(view).join(u' ').contains(QStringLiteral("since 12:04")));
    view.showData();
    QVERIFY(!texts(view).join(u' ').contains(QStringLiteral("since 12:04")));
}

void TestWindow::loadingDoesNotFlicker()
{
    StateView view;
    view.setDataWidget(new QLabel(QStringLiteral("data")));
    view.show();
    view.showData();
    view.showLoading(QStringLiteral("Reading"));
    QVERIFY(texts(view).contains(QStringLiteral("data"))); // not at once
    QTRY_VERIFY(texts(view).contains(QStringLiteral("Reading")));
    QSignalSpy cancel(&view, &StateView::cancelRequested);
    for (Button* button : view.findChildren<Button*>()) {
        if (button->isVisible()) {
            QTest::mouseClick(button, Qt::LeftButton);
        }
    }
    QCOMPARE(cancel.size(), 1);
    view.showLoading(QStringLiteral("Again"));
    view.showData(); // the answer was quick
    QTest::qWait(300);
    QVERIFY(texts(view).contains(QStringLiteral("data")));
}

void TestWindow::confirmationDefaultsToCancel()
{
    Confirmation question;
    question.title = QStringLiteral("Publish set 42 to green");
    question.verb = QStringLiteral("Publish to green");
    question.environment = QStringLiteral("staging");
    ConfirmDialog dialog(question);
    dialog.show();
    QVERIFY(texts(dialog).join(u' ').contains(QStringLiteral("staging")));
    QVERIFY(dialog.cancelButton()->isDefault());
    QVERIFY(dialog.verbButton()->text().contains(QStringLiteral("Publish to green")));
    QSignalSpy accepted(&dialog, &QDialog::accepted);
    QTest::keyClick(&dialog, Qt::Key_Escape);
    QCOMPARE(accepted.size(), 0);
}

void TestWindow::worstThingsMustBeTyped()
{
    Confirmation question;
    question.title = QStringLiteral("End it");
    question.verb = QStringLiteral("End");
    question.danger = true;
    question.production = true;
    question.typeToConfirm = QStringLiteral("production");
    ConfirmDialog dialog(question);
    dialog.show();
    QVERIFY(!dialog.verbButton()->isEnabled());
    auto* edit = dialog.findChild<QLineEdit*>();
    QTest::keyClicks(edit, QStringLiteral("productio"));
    QVERIFY(!dialog.verbButton()->isEnabled());
    QTest::keyClicks(edit, QStringLiteral("n"));
    QVERIFY(dialog.verbButton()->isEnabled());
}

void TestWindow::rangesAreTyped()
{
    QCOMPARE(RangeDialog::seconds(QStringLiteral("90 min")), std::optional(5400.0));
    QCOMPARE(RangeDialog::seconds(QStringLiteral("1.5h")), std::optional(5400.0));
    QCOMPARE(RangeDialog::seconds(QStringLiteral("2 d")), std::optional(172800.0));
    QCOMPARE(RangeDialog::seconds(QStringLiteral("45")), std::optional(2700.0));
    for (const char* wrong : {"", "soon", "-5 min", "1 s", "500 d", "5 min or so"}) {
        QVERIFY2(!RangeDialog::seconds(QString::fromLatin1(wrong)), wrong);
    }
    RangeDialog dialog({900, 0, 0});
    QSignalSpy chosen(&dialog, &RangeDialog::chosen);
    auto* ok = dialog.findChild<QDialogButtonBox*>()->button(QDialogButtonBox::Ok);
    auto* length = dialog.findChild<QLineEdit*>();
    dialog.show();
    length->selectAll();
    QTest::keyClicks(length, QStringLiteral("soon"));
    QVERIFY(!ok->isEnabled());
    length->selectAll();
    QTest::keyClicks(length, QStringLiteral("2 h"));
    QTest::mouseClick(ok, Qt::LeftButton);
    QCOMPARE(chosen.size(), 1);
    QCOMPARE(chosen.first().first().value<TimeRange>(), (TimeRange{7200, 0, 0}));
    const auto edits = dialog.findChildren<QDateTimeEdit*>();
    edits[0]->setDateTime(QDateTime::fromSecsSinceEpoch(1000000));
    edits[1]->setDateTime(QDateTime::fromSecsSinceEpoch(1003600));
    QTest::mouseClick(ok, Qt::LeftButton);
    QCOMPARE(chosen.size(), 2);
    QCOMPARE(chosen.last().first().value<TimeRange>(), (TimeRange{3600, 1000000, 1003600}));
    edits[1]->setDateTime(QDateTime::fromSecsSinceEpoch(999999)); // before its start
    QVERIFY(!ok->isEnabled());
}

QTEST_MAIN(TestWindow)
#include "tst_window.moc"
