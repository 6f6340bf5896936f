#pragma once

#include "engine/classification/classifier.h"
#include "ui/classify/classifysettings.h"
#include "ui/shell/workspace.h"

#include <functional>

class QLineEdit;
class QStackedWidget;
class QTabBar;

namespace sluice::ui {

class BatchView;
class CandidateBars;
class EntityText;
class InboxView;
class RetrainView;
class StateView;
class SuiteView;
class TryView;

/// Testers' page: queries and conversations on one target or two, a file of queries, suites of test
/// cases, what users complained of, and retraining; a tab each.
class ClassifyWorkspace : public Workspace
{
    Q_OBJECT

public:
    enum Tab
    {
        Try,
        Batch,
        Suite,
        Inbox,
        Retrain
    };

    explicit ClassifyWorkspace(Console* console, QWidget* parent = nullptr);

    void activated() override;
    void showTab(Tab tab);

    TryView* tryView() const { return m_try; }
    BatchView* batchView() const { return m_batch; }
    SuiteView* suiteView() const { return m_suite; }
    InboxView* inboxView() const { return m_inbox; }
    RetrainView* retrainView() const { return m_retrain; }
    QTabBar* tabs() const { return m_tabs; }
    QLineEdit* input() const;
    StateView* stateView() const { return m_state; }
    const std::optional<Answer>& answer() const;
    const Session& session() const;
    const CandidateBars* bars() const;
    const EntityText* entities() const;

private:
    void makeActions();
    void makeTryActions();
    void runAgain(); ///< what the tab in hand runs
    void addNamed(const QString& text, const QKeySequence& keys, const QString& tip,
        const std::function<void()>& run);
    void onClassifier();
    void updateChips();

    ClassifySettings m_settings;
    StateView* m_state;
    QTabBar* m_tabs;
    QStackedWidget* m_pages;
    TryView* m_try;
    BatchView* m_batch;
    SuiteView* m_suite;
    InboxView* m_inbox;
    RetrainView* m_retrain;
};

} // namespace sluice::ui
