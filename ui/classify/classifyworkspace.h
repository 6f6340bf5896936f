#pragma once

#include "engine/classification/classifier.h"
#include "ui/shell/workspace.h"

class QLineEdit;
class QTableWidget;
class QStackedWidget;

namespace sluice::ui {

class Button;
class CandidateBars;
class Card;
class ConversationView;
class EntityText;
class InfoBanner;
class StateView;
class Text;

/// Testers' page: type a query and see the decision and why, on the embedded engine; context is
/// kept over turns.
class ClassifyWorkspace : public Workspace
{
    Q_OBJECT

public:
    explicit ClassifyWorkspace(Console* console, QWidget* parent = nullptr);

    void activated() override;

    /// Classifies what stands in the input line, as Enter does.
    void send();
    void clearContext();

    QLineEdit* input() const { return m_input; }
    StateView* stateView() const { return m_state; }
    const std::optional<Answer>& answer() const { return m_answer; }
    const Session& session() const { return m_session; }
    const CandidateBars* bars() const { return m_bars; }
    const EntityText* entities() const { return m_entities; }

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    QWidget* makeConversation();
    QWidget* makeVerdict();
    QWidget* makeContext();
    QWidget* makeInput();
    void onClassifier();
    void show(const QString& query, const Answer& answer);
    void showTables(const Answer& answer);
    void showContext();
    void updateChips();

    Session m_session;
    std::shared_ptr<const CompiledThresholds> m_thresholds;
    std::optional<Answer> m_answer;
    QStringList m_sent;
    qsizetype m_place = 0; ///< in m_sent, for Up and Down

    StateView* m_state;
    ConversationView* m_conversation;
    Text* m_noTurns;
    QStackedWidget* m_verdictStack;
    Text* m_verdict;
    Text* m_intent;
    Text* m_reason;
    EntityText* m_entities;
    CandidateBars* m_bars;
    Text* m_margin;
    QTableWidget* m_words;
    QTableWidget* m_times;
    Text* m_total;
    QTableWidget* m_context;
    InfoBanner* m_banner;
    QLineEdit* m_input;
    Button* m_send;
};

} // namespace sluice::ui
