#pragma once

#include <QList>
#include <QObject>
#include <QPointer>
#include <QString>
#include <QStringList>
#include <QTimer>

class QWidget;

namespace sluice::ui {

class Console;
class MainWindow;

/// One thing to do, on one page, and how the tour knows that it was done.
struct TourStep
{
    enum class Until
    {
        Connected, ///< the local stack is the environment, and its Redis answers
        Recorded, ///< the record has a new entry of the kind `what` that went well
        Pressed, ///< the control was pressed
        Sent, ///< something was typed into the control and sent off
        Usable, ///< the control `what` can be pressed
        Acted, ///< the action named `what` was triggered
        Read ///< nothing to do but to read: the person goes on
    };
    QString text; ///< what to do, and what it is for
    QString page; ///< id of the workspace; empty: the welcome page
    QString control; ///< accessible name or text of the control to mark, %1: anything
    Until until = Until::Read;
    QString what; ///< see Until
    QString open; ///< name of an action to trigger first (a page's tab); empty: none
};

struct TourPlan
{
    QString name; ///< "Admin"
    QString title; ///< "Admin's tour: certify a threshold, publish it, take it back"
    QList<TourStep> steps;
};

/// The three tours on the bundled data: admin, tester, release lead.
QList<TourPlan> tourPlans();

/// Takes a person through a plan: shows each step's page, knows its control, and goes on by itself
/// when the step was done. Nothing is done for the person.
class Tour : public QObject
{
    Q_OBJECT

public:
    Tour(Console* console, MainWindow* window);

    void begin(const TourPlan& plan);
    void end();
    void next(); ///< skips what wasn't done
    void back();

    bool isRunning() const { return m_at >= 0; }
    const TourPlan& plan() const { return m_plan; }
    int at() const { return m_at; } ///< from 0; -1: no tour
    bool isLast() const { return m_at + 1 == m_plan.steps.size(); }
    const TourStep& step() const { return m_plan.steps[m_at]; }
    /// The step's control, visible, or nullptr where the page doesn't show it now.
    QWidget* control() const;

Q_SIGNALS:
    void changed(); ///< another step, or the end

private:
    void enter(int at);
    void watch(); ///< asked four times a second: pages come and go
    bool isDone();
    QWidget* find(const QString& name) const;

    Console* m_console;
    MainWindow* m_window;
    TourPlan m_plan;
    int m_at = -1;
    bool m_done = false;
    bool m_typed = false;
    QPointer<QWidget> m_watched; ///< the control whose signals are connected
    QTimer m_poll;
};

} // namespace sluice::ui
