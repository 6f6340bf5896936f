#include "tests/support/ownconsole.h"
#include "tests/support/testcase.h"
#include "ui/shell/button.h"
#include "ui/shell/console.h"
#include "ui/shell/mainwindow.h"
#include "ui/shell/stateview.h"
#include "ui/shell/text.h"
#include "ui/shell/theme.h"
#include "ui/thresholds/ruledialog.h"
#include "ui/thresholds/settingsmodel.h"
#include "ui/thresholds/settingstable.h"
#include "ui/thresholds/thresholdsworkspace.h"

#include <QAction>
#include <QApplication>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QLineEdit>
#include <QListWidget>
#include <QTemporaryDir>
#include <QTimeEdit>

using namespace sluice;
using namespace sluice::ui;

namespace {
constexpr int soon = 15000;

template <typename Widget> Widget* named(const QWidget& parent, const char* name)
{
    for (Widget* widget : parent.findChildren<Widget*>()) {
        if (widget->accessibleName() == QString::fromUtf8(name)) {
            return widget;
        }
    }
    return nullptr;
}
} // namespace

/// Context rules are made, changed, refused and taken away by hand; and a value's editor loses the
/// focus at every moment.
class TestContextRules : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void cleanupTestCase();
    void ruleIsMadeChangedAndUndone();
    void whatIsWrongIsSaid();
    void focusMovesRightAfterReturn();

private:
    TuningSession* session() { return m_page->session(); }
    RuleDialog* open();
    Button* takeButton(const RuleDialog& dialog);

    QTemporaryDir m_folder;
    std::unique_ptr<Console> m_console;
    std::unique_ptr<MainWindow> m_window;
    ThresholdsWorkspace* m_page = nullptr;
};

void TestContextRules::initTestCase()
{
    test::makeConsole(m_folder, m_console, m_window);
    m_page = new ThresholdsWorkspace(m_console.get());
    m_window->addWorkspace(m_page);
    test::showConsole(*m_console, *m_window);
    m_window->showWorkspace(QStringLiteral("thresholds"));
    QTRY_VERIFY_WITH_TIMEOUT(m_console->classifier() != nullptr, soon);
    m_page->loadData();
    QTRY_VERIFY_WITH_TIMEOUT(m_page->stateView()->state() == StateView::State::Data, soon);
}

void TestContextRules::cleanupTestCase()
{
    m_window.reset();
    m_console.reset();
}

RuleDialog* TestContextRules::open()
{
    for (QAction* action : m_page->actions()) {
        if (action->text() == QStringLiteral("Add a context rule…")) {
            action->trigger();
        }
    }
    return m_page->findChild<RuleDialog*>();
}

Button* TestContextRules::takeButton(const RuleDialog& dialog)
{
    for (Button* button : dialog.findChildren<Button*>()) {
        if (button->isDefault()) {
            return button;
        }
    }
    return nullptr;
}

void TestContextRules::ruleIsMadeChangedAndUndone()
{
    RuleDialog* dialog = open();
    QVERIFY(dialog != nullptr);
    named<QComboBox>(*dialog, "When")->setCurrentIndex(3);
    named<QDoubleSpinBox>(*dialog, "Adds to the threshold")->setValue(0.1);
    named<QLineEdit>(*dialog, "Time zone")->setText(QStringLiteral("Europe/Berlin"));
    named<QListWidget>(*dialog, "Intents")->item(0)->setCheckState(Qt::Checked);
    QVERIFY(takeButton(*dialog)->isEnabled());
    QTest::mouseClick(takeButton(*dialog), Qt::LeftButton);
    QTRY_VERIFY(m_page->findChild<RuleDialog*>() == nullptr);
    QCOMPARE(session()->draft().rules.size(), 1U);
    const ContextRule made = session()->draft().rules.front();
    QVERIFY(made.when == Condition::TimeOfDay);
    QCOMPARE(made.add, 0.1);
    QCOMPARE(made.from, 22 * 60);
    QCOMPARE(made.zone, std::string("Europe/Berlin"));
    QCOMPARE(made.intents.size(), 1U);

    RuleDialog change(session(), 0);
    QCOMPARE(named<QLineEdit>(change, "Time zone")->text(), QStringLiteral("Europe/Berlin"));
    named<QDoubleSpinBox>(change, "Adds to the threshold")->setValue(-0.05);
    QTest::mouseClick(takeButton(change), Qt::LeftButton);
    QCOMPARE(session()->draft().rules.front().add, -0.05);
    session()->undoStack()->undo();
    QCOMPARE(session()->draft().rules.front().add, 0.1);
    session()->undoStack()->undo();
    QVERIFY(session()->draft().rules.empty());
    session()->undoStack()->redo();
}

void TestContextRules::whatIsWrongIsSaid()
{
    QCOMPARE(session()->draft().rules.size(), 1U);
    RuleDialog dialog(session(), -1);
    auto* when = named<QComboBox>(dialog, "When");
    when->setCurrentIndex(1); // always, for the chosen intents: none is chosen
    QVERIFY(!takeButton(dialog)->isEnabled());
    QVERIFY(!dialog.findChild<StatusLabel*>()->text().isEmpty());
    when->setCurrentIndex(3);
    named<QLineEdit>(dialog, "Time zone")->setText(QStringLiteral("Middle/Earth"));
    QVERIFY(!takeButton(dialog)->isEnabled());
    QVERIFY(dialog.findChild<StatusLabel*>()->text().contains(QStringLiteral("Middle/Earth")));
    // The very same condition twice would say two things of one case.
    named<QLineEdit>(dialog, "Time zone")->setText(QStringLiteral("Europe/Berlin"));
    named<QListWidget>(dialog, "Intents")->item(0)->setCheckState(Qt::Checked);
    QVERIFY(!takeButton(dialog)->isEnabled());
    when->setCurrentIndex(0);
    QVERIFY(takeButton(dialog)->isEnabled());
}

/// Return commits later, by the event loop; the focus may be elsewhere by then, the rows built
/// anew, the table hidden.
void TestContextRules::focusMovesRightAfterReturn()
{
    auto* table = m_page->findChild<SettingsTable*>();
    QVERIFY(table != nullptr);
    auto* elsewhere = named<QLineEdit>(*m_page, "Find an intent");
    QVERIFY(elsewhere != nullptr);
    const auto edit = [&](const QString& typed) {
        const QModelIndex value = table->model()->index(0, SettingsModel::Value);
        table->setCurrentIndex(value);
        table->edit(value);
        auto* editor = table->viewport()->findChild<QDoubleSpinBox*>();
        if (editor != nullptr) {
            editor->selectAll();
            QTest::keyClicks(editor, typed);
            QTest::keyClick(editor, Qt::Key_Return);
        }
        return editor != nullptr;
    };
    const std::function<void()> moves[] = {[&] { elsewhere->setFocus(); },
        [&] { table->setFocus(); }, [&] { session()->undoStack()->undo(); },
        [&] { m_page->showTab(ThresholdsWorkspace::Tab::Flips); },
        [&] { elsewhere->setText(QStringLiteral("refund")); },
        [&] {
            ThresholdSet set = session()->draft();
            set.rules.clear();
            session()->edit(set, QStringLiteral("rows are built anew"));
        },
        [&] { m_window->showWorkspace({}); }, [&] { m_page->loadData(); }};
    for (int round = 0; round < 2; ++round) {
        for (const auto& move : moves) {
            m_window->showWorkspace(QStringLiteral("thresholds"));
            m_page->showTab(ThresholdsWorkspace::Tab::Settings);
            elsewhere->clear();
            QTRY_VERIFY_WITH_TIMEOUT(m_page->stateView()->state() == StateView::State::Data, soon);
            QVERIFY(edit(QStringLiteral("0.6%1").arg(round)));
            move();
            QApplication::processEvents();
            QApplication::sendPostedEvents(nullptr, QEvent::DeferredDelete);
        }
    }
    QTRY_VERIFY_WITH_TIMEOUT(m_page->stateView()->state() == StateView::State::Data, soon);
    QVERIFY(session()->hasData());
}

QTEST_MAIN(TestContextRules)
#include "tst_contextrules.moc"
