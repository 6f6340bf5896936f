#pragma once

#include "engine/base/result.h"
#include "engine/operations/rollout/dryrun.h"

#include <QDialog>
#include <optional>

class QComboBox;
class QDateTimeEdit;
class QTableWidget;

namespace sluice::ui {

class Button;
class Console;
class StateView;
class Text;

/// A plan on what Prometheus recorded: which time, and then at which minute each stage would have
/// been passed or rolled back, and by which gate. Changes nothing anywhere.
class DryRunDialog : public QDialog
{
    Q_OBJECT

public:
    DryRunDialog(Console* console, const ops::RolloutPlan& plan, QWidget* parent = nullptr);

    QDateTimeEdit* from() const { return m_from; }
    QDateTimeEdit* to() const { return m_to; }
    Button* runButton() const { return m_run; }
    QTableWidget* stages() const { return m_stages; }
    StateView* stateView() const { return m_state; }
    Text* summary() const { return m_summary; }
    const std::optional<ops::DryRunResult>& result() const { return m_result; }

    void run();

private:
    void takeRecording(const Result<std::shared_ptr<ops::Recording>>& recording);
    void show(const ops::DryRunResult& result);
    void end(); ///< of work: the button says Run again

    Console* m_console;
    ops::RolloutPlan m_plan;
    ops::RecordingReader m_reader;
    QDateTimeEdit* m_from;
    QDateTimeEdit* m_to;
    QComboBox* m_canary;
    Button* m_run;
    StateView* m_state;
    Text* m_summary;
    Text* m_notes;
    QTableWidget* m_stages;
    std::optional<ops::DryRunResult> m_result;
};

} // namespace sluice::ui
