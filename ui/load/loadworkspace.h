#pragma once

#include "engine/operations/loadtest/loadresult.h"
#include "ui/load/loadprocess.h"
#include "ui/load/preflight.h"
#include "ui/shell/workspace.h"

#include <memory>
#include <optional>

class QSpinBox;
class QStackedWidget;

namespace sluice::ui {

class CapacityPage;
class LiveChart;
class PageTabs;
class RunCharts;
class RunsPage;
class ScenarioPanel;
class StateView;
class VerdictPanel;

/// Testers' page: choose a scenario, look before it runs, watch it, get a verdict and a report;
/// beside that, the runs that were kept, two of them compared; and the capacity that a load in
/// steps shows. The generator runs in a process of its own, which ends with the console.
class LoadWorkspace : public Workspace
{
    Q_OBJECT

public:
    explicit LoadWorkspace(Console* console, QWidget* parent = nullptr);
    ~LoadWorkspace() override; ///< ends a run

    void activated() override;
    /// Looks at the target, asks where it must (it is not this machine, or production), and runs.
    void start();
    void startSteps(); ///< the same with the steps of the page Capacity
    void stop();
    bool isRunning() const { return m_process != nullptr && m_process->isRunning(); }
    void saveReport(const QString& file); ///< of the run that is shown

    QSpinBox* seconds() const;
    const std::optional<ops::LoadResult>& result() const { return m_result; }
    StateView* stateView() const { return m_state; }
    LiveChart* latency() const;
    ScenarioPanel* scenarioPanel() const { return m_panel; }
    RunCharts* charts() const { return m_charts; }
    VerdictPanel* verdictPanel() const { return m_verdict; }
    RunsPage* runsPage() const { return m_runs; }
    CapacityPage* capacityPage() const { return m_capacity; }
    PageTabs* tabs() const { return m_tabs; }

private:
    /// What was asked to be run.
    struct Wanted
    {
        ops::Scenario scenario;
        QString generator;
    };

    QWidget* makePages();
    void addActions();
    void begin(const Wanted& wanted);
    bool mayStart() const;
    void look();
    void onLooked(const QList<PreflightCheck>& checks);
    void confirm(const Wanted& wanted);
    void run(const Wanted& wanted, const QString& meant);
    void onSecond(const ops::LoadSecond& second);
    void onFinished(const ops::LoadResult& result);
    void onFailed(const Error& error);
    void showRun(const ops::LoadResult& result);
    void askForReport();
    void lookForLostRun();
    void updateState();
    void updateButtons();

    StateView* m_state;
    PageTabs* m_tabs;
    QStackedWidget* m_pages;
    ScenarioPanel* m_panel;
    RunCharts* m_charts;
    VerdictPanel* m_verdict;
    RunsPage* m_runs;
    CapacityPage* m_capacity;
    Preflight* m_preflight;
    std::unique_ptr<LoadProcess> m_process;
    std::optional<ops::LoadResult> m_result; ///< of the run that is shown
    std::optional<Wanted> m_starting; ///< the look before this run is under way
    bool m_lookedForLost = false;
};

} // namespace sluice::ui
