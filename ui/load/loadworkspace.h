#pragma once

#include "engine/operations/loadtest/loadrun.h"
#include "ui/shell/theme.h"
#include "ui/shell/workspace.h"

#include <memory>

class QComboBox;
class QProgressBar;
class QSpinBox;
class QTableWidget;

namespace sluice::ui {

class Button;
class Card;
class ChartGroup;
class InfoBanner;
class LiveChart;
class StateView;
class Text;

/// Testers' page: run a load scenario against the balancer with the native generator, watch it, get
/// a verdict.
class LoadWorkspace : public Workspace
{
    Q_OBJECT

public:
    explicit LoadWorkspace(Console* console, QWidget* parent = nullptr);
    ~LoadWorkspace() override; ///< stops a run

    void start();
    void stop();
    bool isRunning() const { return m_run != nullptr && m_run->isRunning(); }
    QSpinBox* seconds() const { return m_seconds; }
    const std::optional<ops::LoadResult>& result() const { return m_result; }
    StateView* stateView() const { return m_state; }
    LiveChart* latency() const { return m_latency; }

private:
    QWidget* makeScenario();
    QWidget* makeCharts();
    QWidget* makeVerdict();
    void loadScenarios();
    void onSecond(const ops::LoadSecond& second);
    void onFinished(const ops::LoadResult& result);
    void onFailed(const Error& error);
    void showScenario();
    void showVerdict(Tone tone, const QString& word);
    void inkChecks();
    void updateState();
    void updateButtons();

    QList<ops::Scenario> m_scenarios;
    std::unique_ptr<ops::LoadRun> m_run;
    std::optional<ops::LoadResult> m_result;
    QList<ops::LoadSecond> m_history;

    StateView* m_state;
    ChartGroup* m_group;
    QComboBox* m_scenario;
    QSpinBox* m_seconds;
    Text* m_description;
    Text* m_target;
    Button* m_start;
    Button* m_stop;
    QProgressBar* m_progress;
    InfoBanner* m_banner;
    LiveChart* m_rate;
    LiveChart* m_latency;
    LiveChart* m_errors;
    LiveChart* m_inFlight;
    Text* m_verdict;
    Text* m_summary;
    QTableWidget* m_checks;
    QTableWidget* m_figures;
};

} // namespace sluice::ui
