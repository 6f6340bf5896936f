#pragma once

#include "engine/operations/queries/answersource.h"
#include "engine/operations/queries/conversationfile.h"
#include "ui/classify/classifysettings.h"

#include <QUndoStack>
#include <QWidget>
#include <array>
#include <deque>
#include <optional>

class QLineEdit;
class QSplitter;

namespace sluice::ui {

class AnswerPanel;
class Button;
class Console;
class ConversationView;
class InfoBanner;
class SessionCard;
class TargetPicker;
class Text;

/// A query or a conversation, turn by turn, asked of one target or of two side by side: the input
/// line, the conversation, one or two answers with their reasons, and the context.
class TryView : public QWidget
{
    Q_OBJECT

public:
    enum Side
    {
        First,
        Second
    };

    TryView(Console* console, ClassifySettings* settings, QWidget* parent = nullptr);

    void send(); ///< what stands in the input line, to the first target
    void sendToBoth(); ///< opens the comparison where it is closed
    void setComparing(bool comparing);
    bool isComparing() const { return m_comparing; }
    bool isBusy() const { return m_asking.has_value(); }
    void clearContext();
    void setFrozen(bool frozen);
    void undo();
    void redo();
    void runAgain(); ///< every turn anew, in a new session
    void nextTurn(); ///< the next one that waits; from the beginning where none does
    void openConversation(const QString& file); ///< empty: asks which
    void saveConversation(const QString& file); ///< empty: asks where
    void editContext();
    void label(int candidate); ///< from 1; 0: out of scope
    void saveAsCase();
    void addToData();
    void toggleJson();
    /// Shows a query of another page in the input line.
    void take(const QString& query);

    QLineEdit* input() const { return m_input; }
    QLineEdit* system() const { return m_system; }
    TargetPicker* picker(Side side) const { return m_sides.at(side).picker; }
    AnswerPanel* panel(Side side) const { return m_sides.at(side).panel; }
    const std::optional<Answer>& answer() const { return m_answer; }
    const Session& session() const { return m_state.sessions.at(First); }
    ConversationView* conversation() const { return m_conversation; }
    InfoBanner* banner() const { return m_banner; }

Q_SIGNALS:
    void targetChanged();
    void caseSaved();

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    struct Turn
    {
        Query query;
        QString label;
        std::array<std::optional<ops::Reply>, 2> replies; ///< neither: it waits
        bool counted = true; ///< it became a turn of the session
    };
    /// All that undo brings back.
    struct State
    {
        QList<Turn> turns;
        std::array<Session, 2> sessions;
        std::deque<Query> waiting;
    };
    struct SideView
    {
        TargetPicker* picker = nullptr;
        AnswerPanel* panel = nullptr;
    };
    /// What was asked and has not been answered by all.
    struct Asking
    {
        Query query;
        int left = 0;
        bool waited = false; ///< it is the first one that waits
        ops::ContextUse use = ops::ContextUse::Use;
        std::array<std::optional<Result<ops::Reply>>, 2> replies;
        std::array<Session, 2> sessions; ///< with the turn
    };
    class StateCommand;

    QWidget* makeConversation();
    QWidget* makeInput();
    void makeSession();
    void start(Query query, bool both, bool waited = false);
    void ask(Side side);
    void takeReply(Side side, Result<ops::Reply> reply, const Session& session);
    void finish();
    void continueReplay();
    void change(const QString& what, State next); ///< undoable
    void set(const State& state);
    void showAll();
    void showLast();
    void readBack(Side side); ///< a worker's session, as it is stored
    void store(Side side);
    void remember(const QString& query);
    static State freshState();
    std::vector<ops::ConversationTurn> lastWithContext() const;

    Console* m_console;
    ClassifySettings* m_settings;
    State m_state;
    QUndoStack m_undo;
    std::array<SideView, 2> m_sides;
    std::optional<Asking> m_asking;
    std::optional<Answer> m_answer;
    bool m_comparing = false;
    bool m_replaying = false;
    bool m_showsJson = false;
    QStringList m_sent;
    qsizetype m_place = 0; ///< in m_sent, for Up and Down

    ConversationView* m_conversation;
    Text* m_noTurns;
    SessionCard* m_context;
    QSplitter* m_columns;
    InfoBanner* m_banner;
    QLineEdit* m_system;
    QLineEdit* m_input;
    Button* m_send;
    Button* m_compare;
};

} // namespace sluice::ui
