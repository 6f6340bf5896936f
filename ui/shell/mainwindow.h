#pragma once

#include "ui/shell/console.h"

#include <QList>
#include <QMainWindow>

class QLabel;
class QMenu;
class QStackedWidget;

namespace sluice::ui {

class CommandPalette;
class Demo;
class Guide;
class LogPanel;
class NotificationPanel;
class Rail;
class Toasts;
class TopBar;
class Tour;
class TourPanel;
class WelcomePage;
class Workspace;

/// The frame: rail, top bar, page, status bar; the command palette over every action. Pages are
/// registered by the program; the shell includes none.
class MainWindow : public QMainWindow
{
    Q_OBJECT

public:
    explicit MainWindow(Console* console, QWidget* parent = nullptr);
    ~MainWindow() override;

    void addWorkspace(Workspace* workspace);
    void showWorkspace(const QString& id); ///< empty: the welcome page
    QString currentWorkspace() const;
    Workspace* workspace(const QString& id) const;

    /// Every action with a name, of the window and of all pages; the page in hand first.
    QList<QAction*> allActions() const;
    void openPalette();
    CommandPalette* palette() const { return m_palette; }
    WelcomePage* welcomePage() const { return m_welcome; }
    TopBar* topBar() const { return m_top; }
    Toasts* toasts() const { return m_toasts; }
    LogPanel* log() const { return m_log; }
    Guide* guide() const { return m_guide; }
    Tour* tour() const { return m_tour; }
    TourPanel* tourPanel() const { return m_tourPanel; }
    /// The local stack with queries sent to it.
    void startDemo();
    /// "en", "de"; empty: nobody chose.
    static QString wantedLanguage(const Console& console);
    void showGuide(); ///< of the page in hand
    void showShortcuts();
    void showLog(bool shown);

protected:
    void showEvent(QShowEvent* event) override;
    void closeEvent(QCloseEvent* event) override;
    void paintEvent(QPaintEvent* event) override;

private:
    void makeActions();
    void makeViewActions();
    void makeTourActions();
    QAction* addNamed(const QString& text, const QKeySequence& keys, const QString& tip,
        const std::function<void()>& run);
    void restorePages();
    void savePages();
    void showEnvironmentMenu();
    void showRangeMenu();
    void openRangeDialog();
    void openConnectDialog();
    void refreshTop();
    void refreshStatus();
    void restoreLayout();

    Console* m_console;
    Rail* m_rail;
    TopBar* m_top;
    QStackedWidget* m_stack;
    WelcomePage* m_welcome;
    CommandPalette* m_palette;
    NotificationPanel* m_notifications;
    Toasts* m_toasts;
    LogPanel* m_log;
    Guide* m_guide;
    Demo* m_demo;
    Tour* m_tour;
    TourPanel* m_tourPanel;
    QLabel* m_status;
    QLabel* m_work;
    QLabel* m_who;
    QList<Workspace*> m_workspaces;
    Workspace* m_current = nullptr;
    bool m_restored = false;
};

} // namespace sluice::ui
