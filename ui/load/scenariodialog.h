#pragma once

#include "engine/operations/loadtest/scenario.h"

#include <QDialog>

class QPlainTextEdit;

namespace sluice::ui {

class Button;
class ChartGroup;
class LiveChart;
class Text;

/// Draws a scenario's users and rate over its time.
void drawScenario(LiveChart* chart, ChartGroup* group, const ops::Scenario& scenario);

/// A copy of a scenario to be edited as its JSON: what is wrong is said while one types, what is
/// right is drawn. Saved into the user's own folder, it stands in the list beside the bundled ones.
class ScenarioDialog : public QDialog
{
    Q_OBJECT

public:
    explicit ScenarioDialog(const ops::Scenario& scenario, QWidget* parent = nullptr);

    QPlainTextEdit* editor() const { return m_editor; }
    Button* saveButton() const { return m_save; }
    LiveChart* curve() const { return m_curve; }
    Text* problem() const { return m_problem; }

Q_SIGNALS:
    void saved(const QString& name); ///< lies in ops::scenarioFolder() now

private:
    void check();
    void save();

    QPlainTextEdit* m_editor;
    ChartGroup* m_group;
    LiveChart* m_curve;
    Text* m_problem;
    Button* m_save;
    std::optional<ops::Scenario> m_scenario; ///< none while something is wrong
};

} // namespace sluice::ui
