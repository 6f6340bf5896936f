#pragma once

#include "engine/operations/loadtest/scenario.h"
#include "ui/load/preflight.h"

#include <QWidget>

class QComboBox;
class QLineEdit;
class QProgressBar;
class QSpinBox;
class QVBoxLayout;

namespace sluice::ui {

class Button;
class ChartGroup;
class InfoBanner;
class LiveChart;
class Text;

/// What is to be run: scenario (drawn), for how long, against what, by which generator, and what
/// was found when target and machine were looked at.
class ScenarioPanel : public QWidget
{
    Q_OBJECT

public:
    explicit ScenarioPanel(QWidget* parent = nullptr);

    void setTarget(const QUrl& target); ///< of the environment; kept where somebody wrote another
    /// As it is to run, scaled; none without a scenario that can be read.
    std::optional<ops::Scenario> scenario() const;
    QUrl target() const;
    QString generator() const;
    bool isLocal() const; ///< the target is a loopback address
    void setRunning(bool running, bool canStart);
    void setProgress(double share, const QString& text);
    void showChecks(const QList<PreflightCheck>& checks);
    const QList<PreflightCheck>& checks() const { return m_checks; }
    void reload(const QString& choose = {}); ///< the list of scenarios

    QComboBox* choice() const { return m_choice; }
    QComboBox* generators() const { return m_generator; }
    QSpinBox* seconds() const { return m_seconds; }
    QLineEdit* targetEdit() const { return m_target; }
    LiveChart* curve() const { return m_curve; }
    Button* startButton() const { return m_start; }
    Button* stopButton() const { return m_stop; }
    Button* editButton() const { return m_edit; }
    InfoBanner* banner() const { return m_banner; }

Q_SIGNALS:
    void changed(); ///< what is to be run is another
    void startAsked();
    void stopAsked();

private:
    QWidget* makeChoice();
    QWidget* makeChecks();
    void choose();
    void showScenario();
    void edit();

    std::optional<ops::Scenario> m_scenario; ///< as it is written
    QUrl m_environmentTarget;
    QList<PreflightCheck> m_checks;
    QComboBox* m_choice;
    Button* m_edit;
    ChartGroup* m_group;
    LiveChart* m_curve;
    Text* m_description;
    QSpinBox* m_seconds;
    Text* m_scale;
    QLineEdit* m_target;
    QComboBox* m_generator;
    QVBoxLayout* m_checkRows = nullptr;
    InfoBanner* m_banner;
    QProgressBar* m_progress;
    Text* m_progressText;
    Button* m_start;
    Button* m_stop;
};

} // namespace sluice::ui
