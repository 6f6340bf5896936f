#pragma once

#include "ui/shell/console.h"

#include <QList>
#include <QMainWindow>

class QLabel;
class QMenu;
class QStackedWidget;

namespace sluice::ui {

class CommandPalette;
class NotificationPanel;
class Rail;
class TopBar;
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

protected:
    void closeEvent(QCloseEvent* event) override;
    void paintEvent(QPaintEvent* event) override;

private:
    void makeActions();
    QAction* addNamed(
        const QString& text, const QKeySequence& keys, const std::function<void()>& run);
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
    QLabel* m_status;
    QLabel* m_work;
    QLabel* m_who;
    QList<Workspace*> m_workspaces;
    Workspace* m_current = nullptr;
};

} // namespace sluice::ui
