#pragma once

#include "engine/base/result.h"
#include "engine/operations/loadtest/capacity.h"

#include <QWidget>
#include <memory>

class QComboBox;
class QDoubleSpinBox;
class QLineEdit;
class QPlainTextEdit;
class QSpinBox;
class QTableWidget;
class QVBoxLayout;

namespace sluice::ui {

class Button;
class Card;
class Console;
class StateView;
class Text;
class XyChart;

/// A step-load run, the Universal Scalability Law fitted to it, and what follows from both: how
/// many workers a rate at a p99 needs, and the settings that say so to systemd and Kubernetes.
/// Steps are run as every run is (startAsked()), and found again among those kept.
class CapacityPage : public QWidget
{
    Q_OBJECT

public:
    explicit CapacityPage(Console* console, QWidget* parent = nullptr);
    ~CapacityPage() override;

    /// Reads the step-load runs kept, in the background; shows `wanted`, else what was shown, else
    /// the newest.
    void reload(const QString& wanted = {});
    /// What the form asks for; Input error where it can't be run.
    Result<ops::Scenario> steps() const;
    void setTarget(const QString& target); ///< that the steps would be run against
    void setRunning(bool running, bool canStart);

    StateView* stateView() const { return m_state; }
    QComboBox* runs() const { return m_runs; }
    QLineEdit* users() const { return m_users; }
    QSpinBox* stepSeconds() const { return m_seconds; }
    Button* startButton() const { return m_start; }
    QTableWidget* stepTable() const { return m_stepTable; }
    QTableWidget* lawTable() const { return m_law; }
    XyChart* throughput() const { return m_throughput; }
    XyChart* latency() const { return m_latency; }
    QDoubleSpinBox* rate() const { return m_rate; }
    QDoubleSpinBox* p99() const { return m_p99; }
    QSpinBox* workers() const { return m_workers; }
    Text* answerText() const { return m_answer; }
    QPlainTextEdit* settings() const { return m_settings; }
    QComboBox* settingsKind() const { return m_kind; }
    Button* copyButton() const { return m_copy; }

Q_SIGNALS:
    void startAsked();

private:
    struct Fitted;

    QWidget* makeForm();
    QWidget* makeCharts();
    QWidget* makeAnswer();
    void fill(const QList<ops::LoadResult>& runs, const QString& wanted);
    void open(); ///< the run in hand
    void showFit(std::shared_ptr<const Fitted> fitted);
    void ask(); ///< the question in hand, of the run shown
    void showAnswer(const Result<ops::CapacityAnswer>& answer);
    void showSettings();
    void draw();
    void showForm();
    ops::CapacityQuestion question() const;
    int measuredWorkers(const ops::LoadResult& run) const;

    Console* m_console;
    StateView* m_state;
    QComboBox* m_runs;
    QLineEdit* m_users;
    QSpinBox* m_seconds;
    Text* m_summary;
    Button* m_start;
    QTableWidget* m_stepTable;
    XyChart* m_throughput;
    XyChart* m_latency;
    QDoubleSpinBox* m_rate;
    QDoubleSpinBox* m_p99;
    QSpinBox* m_workers;
    QSpinBox* m_busy;
    Text* m_answer;
    Text* m_reason;
    QTableWidget* m_law;
    QComboBox* m_kind;
    QPlainTextEdit* m_settings;
    Button* m_copy;
    QString m_target;
    bool m_running = false;
    bool m_canStart = false;
    std::shared_ptr<const Fitted> m_fitted; ///< of the run shown
    std::optional<ops::CapacityAnswer> m_found;
};

} // namespace sluice::ui
