#pragma once

#include "engine/operations/rollout/decidability.h"
#include "engine/operations/rollout/plan.h"
#include "engine/operations/rollout/preflight.h"

#include <QSet>
#include <QWidget>

class QCheckBox;
class QGridLayout;
class QLineEdit;
class QSpinBox;
class QTableWidget;

namespace sluice::ui {

class Button;
class Card;
class Console;
class InfoBanner;
class RolloutFeed;
class Text;

/// Before a rollout: what is released, the plan's stages with what their traffic can decide, and
/// the checklist, ticked by a machine where one can tell; then the start.
class PlanPage : public QWidget
{
    Q_OBJECT

public:
    PlanPage(Console* console, RolloutFeed* feed, QWidget* parent = nullptr);

    void activated();

    /// Takes a plan file (docs/FORMATS.md); an error is shown, and the plan stays as it was.
    void openPlan(const QString& file);
    /// The plan with what is typed.
    ops::RolloutPlan plan() const;

    QLineEdit* releaseId() const { return m_id; }
    QSpinBox* thresholdSet() const { return m_set; }
    QTableWidget* stages() const { return m_stages; }
    QTableWidget* checklist() const { return m_checks; }
    Button* dryRunButton() const { return m_dryRun; }
    Button* startButton() const { return m_start; }
    InfoBanner* banner() const { return m_banner; }

Q_SIGNALS:
    void started();

private:
    QWidget* makeRelease();
    QWidget* makeStages();
    QWidget* makeChecklist();
    void askToOpen();
    void showStages();
    void measureTraffic();
    void decide(const ops::StageTraffic& all);
    void check();
    void showChecks(QList<ops::PreflightResult> results);
    void updateStart();
    void confirmStart();

    Console* m_console;
    RolloutFeed* m_feed;
    ops::Preflight m_preflight;
    ops::RolloutPlan m_plan = ops::RolloutPlan::standard();
    QStringList m_decidable; ///< a sentence a stage
    QList<ops::PreflightResult> m_results;
    QSet<int> m_up; ///< sources that answer
    bool m_busy = false;
    int m_round = 0; ///< late answers of an earlier one are dropped

    QLineEdit* m_id = nullptr;
    QLineEdit* m_version = nullptr;
    QLineEdit* m_modelFile = nullptr;
    QSpinBox* m_set = nullptr;
    Text* m_origin = nullptr;
    QTableWidget* m_stages = nullptr;
    Text* m_traffic = nullptr;
    QTableWidget* m_checks = nullptr;
    Text* m_summary = nullptr;
    InfoBanner* m_banner = nullptr;
    Button* m_dryRun = nullptr;
    Button* m_start = nullptr;
};

} // namespace sluice::ui
