#include "tests/support/ownconsole.h"
#include "tests/support/testcase.h"
#include "ui/classify/classifyworkspace.h"
#include "ui/history/historyworkspace.h"
#include "ui/load/loadworkspace.h"
#include "ui/monitor/monitorworkspace.h"
#include "ui/rollout/rolloutworkspace.h"
#include "ui/shell/console.h"
#include "ui/shell/mainwindow.h"
#include "ui/shell/stateview.h"
#include "ui/shell/theme.h"
#include "ui/thresholds/thresholdsworkspace.h"

#include <QAbstractButton>
#include <QAccessible>
#include <QApplication>
#include <QLineEdit>
#include <QStackedWidget>
#include <QTemporaryDir>

using namespace sluice::ui;

/// Every page's accessible tree, as a screen reader walks it: no control that takes the focus is
/// without a name, and every page's action has a shortcut and a tooltip.
class TestAccessibility : public sluice::test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void cleanupTestCase();
    void everyFocusableControlHasAName();
    void everyPagesActionHasShortcutAndToolTip();
    void shortcutsDoNotCollide();

private:
    QTemporaryDir m_folder;
    std::unique_ptr<Console> m_console;
    std::unique_ptr<MainWindow> m_window;
    QList<Workspace*> m_pages;
};

namespace {

/// What a screen reader would say of it; a part that its owner speaks for (a viewport, a spin
/// box's line) is not asked.
void walk(QAccessibleInterface* item, const QString& path, QStringList& nameless, int& asked)
{
    auto* widget = qobject_cast<QWidget*>(item->object());
    if (widget != nullptr) {
        const QString here = path % u'/' % QString::fromLatin1(widget->metaObject()->className())
            % (widget->objectName().isEmpty() ? QString() : QString(u'#' % widget->objectName()));
        const bool owned = widget->focusProxy() != nullptr
            || widget->objectName().startsWith(QLatin1StringView("qt_"));
        const bool reached = widget->focusPolicy() & Qt::TabFocus;
        asked += reached && !owned ? 1 : 0;
        if (reached && !owned && item->text(QAccessible::Name).trimmed().isEmpty()) {
            nameless << here;
        }
        if (owned) {
            return;
        }
        for (QObject* child : widget->children()) {
            auto* inner = qobject_cast<QWidget*>(child);
            // Hidden is what has nothing to say now; a page of a stack or a tab has.
            const bool page = qobject_cast<QStackedWidget*>(widget) != nullptr
                && qobject_cast<StateView*>(widget) == nullptr;
            if (inner != nullptr && !inner->isWindow()
                && (page || !inner->testAttribute(Qt::WA_WState_ExplicitShowHide)
                    || !inner->isHidden())) {
                if (QAccessibleInterface* face = QAccessible::queryAccessibleInterface(inner)) {
                    walk(face, here, nameless, asked);
                }
            }
        }
    }
}

} // namespace

void TestAccessibility::initTestCase()
{
    sluice::test::useOwnFolders(m_folder);
    qputenv("SLUICE_RESOURCES", SLUICE_BINARY_DIR "/share/sluice");
    theme().install(*qApp);
    m_console = std::make_unique<Console>();
    m_window = std::make_unique<MainWindow>(m_console.get());
    m_pages = {new ClassifyWorkspace(m_console.get()), new ThresholdsWorkspace(m_console.get()),
        new MonitorWorkspace(m_console.get()), new LoadWorkspace(m_console.get()),
        new RolloutWorkspace(m_console.get()), new HistoryWorkspace(m_console.get())};
    for (Workspace* page : std::as_const(m_pages)) {
        m_window->addWorkspace(page);
    }
    m_console->start();
    m_window->show();
    QTRY_VERIFY_WITH_TIMEOUT(m_console->classifier() != nullptr, 20000);
}

void TestAccessibility::cleanupTestCase()
{
    m_window.reset();
    m_console.reset();
}

void TestAccessibility::everyFocusableControlHasAName()
{
    QStringList nameless;
    int asked = 0;
    for (Workspace* page : std::as_const(m_pages)) {
        for (StateView* state : page->findChildren<StateView*>()) {
            state->showData(); // what is behind the empty states
        }
        walk(QAccessible::queryAccessibleInterface(page), page->id(), nameless, asked);
    }
    walk(QAccessible::queryAccessibleInterface(m_window.get()), {}, nameless, asked);
    nameless.removeDuplicates();
    QVERIFY(asked > 100); // each page was walked
    QVERIFY2(nameless.isEmpty(), qPrintable(nameless.join(u'\n')));
}

void TestAccessibility::everyPagesActionHasShortcutAndToolTip()
{
    QStringList wanting;
    for (const Workspace* page : std::as_const(m_pages)) {
        for (const QAction* action : page->actions()) {
            if (action->shortcut().isEmpty() || action->toolTip() == action->text()) {
                wanting << page->id() % QStringLiteral(": ") % action->text();
            }
        }
    }
    QVERIFY2(wanting.isEmpty(), qPrintable(wanting.join(u'\n')));
}

void TestAccessibility::shortcutsDoNotCollide()
{
    for (const Workspace* page : std::as_const(m_pages)) {
        QHash<QKeySequence, QString> taken;
        for (const QAction* action : page->actions() + m_window->actions()) {
            for (const QKeySequence& keys : action->shortcuts()) {
                QVERIFY2(!taken.contains(keys),
                    qPrintable(page->id() % u' ' % keys.toString() % QStringLiteral(": ")
                        % action->text() % QStringLiteral(" and ") % taken.value(keys)));
                taken.insert(keys, action->text());
            }
        }
    }
}

QTEST_MAIN(TestAccessibility)
#include "tst_accessibility.moc"
