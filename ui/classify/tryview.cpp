#include "ui/classify/tryview.h"

#include "ui/classify/answerpanel.h"
#include "ui/classify/answertext.h"
#include "ui/classify/conversationview.h"
#include "ui/classify/sessioncard.h"
#include "ui/classify/targetpicker.h"
#include "ui/shell/button.h"
#include "ui/shell/console.h"
#include "ui/shell/infobanner.h"

#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLineEdit>
#include <QSplitter>
#include <QTimer>

namespace sluice::ui {

/// A change of the conversation that can be taken back.
class TryView::StateCommand : public QUndoCommand
{
public:
    StateCommand(TryView* view, const QString& text, State before, State after)
        : QUndoCommand(text)
        , m_view(view)
        , m_before(std::move(before))
        , m_after(std::move(after))
    { }
    void undo() override { m_view->set(m_before); }
    void redo() override { m_view->set(m_after); }

private:
    TryView* m_view;
    State m_before;
    State m_after;
};

TryView::TryView(Console* console, ClassifySettings* settings, QWidget* parent)
    : QWidget(parent)
    , m_console(console)
    , m_settings(settings)
    , m_state(freshState())
    , m_sent(settings->sent())
    , m_place(m_sent.size())
    , m_columns(new QSplitter(Qt::Horizontal, this))
{
    m_columns->setChildrenCollapsible(false);
    m_columns->setHandleWidth(12);
    m_columns->addWidget(makeConversation());
    for (const Side side : {First, Second}) {
        SideView& view = m_sides.at(side);
        view.panel =
            new AnswerPanel(side == First ? tr("Verdict") : tr("Verdict of the second"), this);
        view.panel->setMinimumWidth(250);
        m_columns->addWidget(view.panel);
    }
    makeSession();
    m_columns->setStretchFactor(0, 26);
    m_columns->setStretchFactor(1, 40);
    m_columns->setStretchFactor(2, 40);
    m_columns->setStretchFactor(3, 22);
    m_sides.at(Second).panel->hide();
    auto* rows = new QVBoxLayout(this);
    rows->setContentsMargins(0, 0, 0, 0);
    rows->setSpacing(12);
    rows->addWidget(m_columns, 1);
    rows->addWidget(makeInput());
    connect(&theme(), &Theme::changed, this, &TryView::showLast); // tables keep their inks
    showAll();
}

TryView::State TryView::freshState()
{
    State state;
    for (Session& session : state.sessions) {
        session.id = makeSessionId();
    }
    return state;
}

QWidget* TryView::makeConversation()
{
    auto* card = new Card(tr("Conversation"), tr("context is kept over turns"), this);
    card->setMinimumWidth(200);
    m_noTurns = new Text(FontRole::Base, Ink::Muted,
        tr("Type what a customer would write, then a follow-up such as \"and for order A-2231?\"."),
        card);
    m_noTurns->setWordWrap(true);
    m_noTurns->setAlignment(Qt::AlignTop);
    m_conversation = new ConversationView(card);
    card->content()->addWidget(m_noTurns);
    card->content()->addWidget(m_conversation, 1);
    return card;
}

void TryView::makeSession()
{
    m_context = new SessionCard(this);
    m_context->setMinimumWidth(232);
    m_columns->addWidget(m_context);
    connect(m_context, &SessionCard::clearRequested, this, &TryView::clearContext);
    connect(m_context, &SessionCard::editRequested, this, &TryView::editContext);
    connect(m_context, &SessionCard::openRequested, this, [this] { openConversation({}); });
    connect(m_context, &SessionCard::saveRequested, this, [this] { saveConversation({}); });
    connect(m_context, &SessionCard::stepRequested, this, &TryView::nextTurn);
}

QWidget* TryView::makeInput()
{
    auto* card = new Card({}, {}, this);
    m_banner = new InfoBanner(card);
    connect(m_banner, &InfoBanner::actionTriggered, this, [this] {
        m_banner->dismiss();
        undo();
    });
    for (const Side side : {First, Second}) {
        auto* picker = new TargetPicker(
            m_console, side == First ? tr("Who answers") : tr("Who answers beside it"), card);
        m_sides.at(side).picker = picker;
        connect(picker, &TargetPicker::failed, this,
            [this](const QString& text) { m_banner->show(Tone::Bad, text); });
        connect(picker, &TargetPicker::targetChanged, this, [this, side, picker] {
            m_sides.at(side).panel->setHint(picker->target().name);
            Q_EMIT targetChanged();
        });
    }
    m_system = new QLineEdit(card);
    m_system->setPlaceholderText(tr("What the system said before it (may stay empty)"));
    m_system->setAccessibleName(tr("What the system said before"));
    m_system->setTextMargins(8, 0, 8, 0);
    m_input = new QLineEdit(card);
    m_input->setPlaceholderText(tr("Type a query…   Enter sends, Ctrl+Enter asks both, ↑ ↓ go "
                                   "through earlier ones"));
    m_input->setAccessibleName(tr("Query"));
    m_input->setMinimumHeight(36);
    m_input->setTextMargins(8, 0, 8, 0);
    m_input->installEventFilter(this);
    m_send = new Button(tr("Send"), ButtonRole::Primary, card);
    m_send->setToolTip(tr("Asks the first target (Enter)"));
    m_compare = new Button(tr("Compare"), ButtonRole::Plain, card);
    m_compare->setCheckable(true);
    m_compare->setToolTip(tr("Asks two side by side (Ctrl+Enter)"));
    connect(m_compare, &Button::clicked, this, [this](bool on) { setComparing(on); });
    connect(m_send, &Button::clicked, this, &TryView::send);
    auto* above = new QHBoxLayout;
    above->setSpacing(12);
    above->addWidget(m_system, 1);
    above->addWidget(m_sides.at(First).picker);
    above->addWidget(m_sides.at(Second).picker);
    above->addWidget(m_compare);
    auto* row = new QHBoxLayout;
    row->setSpacing(12);
    row->addWidget(m_input, 1);
    row->addWidget(m_send);
    card->content()->addWidget(m_banner);
    card->content()->addLayout(above);
    card->content()->addLayout(row);
    card->setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Maximum);
    m_sides.at(Second).picker->hide();
    return card;
}

void TryView::setComparing(bool comparing)
{
    m_comparing = comparing;
    m_compare->setChecked(comparing);
    m_sides.at(Second).picker->setVisible(comparing);
    m_sides.at(Second).panel->setVisible(comparing);
    // The second one's context begins where the first one's is.
    if (comparing
        && m_state.sessions.at(Second).turnCount != m_state.sessions.at(First).turnCount) {
        const std::string id = m_state.sessions.at(Second).id;
        m_state.sessions.at(Second) = m_state.sessions.at(First);
        m_state.sessions.at(Second).id = id;
        store(Second);
    }
    showLast();
}

void TryView::send()
{
    start({m_input->text().toStdString(), m_system->text().toStdString(), {}}, false);
}

void TryView::sendToBoth()
{
    if (!m_comparing) {
        setComparing(true);
    }
    start({m_input->text().toStdString(), m_system->text().toStdString(), {}}, true);
}

void TryView::start(Query query, bool both, bool waited)
{
    if (QString::fromStdString(query.text).trimmed().isEmpty()) {
        return;
    }
    if (m_asking) {
        m_banner->show(Tone::Warn, tr("The answer before is still on its way."));
        return;
    }
    if (!m_sides.at(First).picker->target().isValid()
        || (both && !m_sides.at(Second).picker->target().isValid())) {
        m_banner->show(Tone::Warn, tr("Nothing can answer yet: the model is being loaded."));
        return;
    }
    Asking asking;
    asking.query = std::move(query);
    asking.waited = waited;
    asking.left = both ? 2 : 1;
    asking.use = m_context->isFrozen() ? ops::ContextUse::ReadOnly : ops::ContextUse::Use;
    asking.sessions = m_state.sessions;
    m_asking = std::move(asking);
    ask(First);
    if (both && m_asking) {
        ask(Second);
    }
}

void TryView::ask(Side side)
{
    const ops::QueryTarget target = m_sides.at(side).picker->target();
    const Query query = m_asking->query;
    const ops::ContextUse use = m_asking->use;
    Session session = m_asking->sessions.at(side);
    if (!target.isWorker()) { // microseconds: not worth a thread
        auto reply = ops::openSource(target)->ask(query, session, use);
        takeReply(side, std::move(reply), session);
        return;
    }
    struct Asked
    {
        Result<ops::Reply> reply;
        Session session;
    };
    m_console->jobs()->start<Asked>(
        tr("Asking %1").arg(target.name), {},
        [target, query, use, session](JobControl&) mutable -> Result<Asked> {
            auto reply = ops::openSource(target)->ask(query, session, use);
            return Asked{std::move(reply), session};
        },
        this,
        [this, side](Result<Asked> asked) {
            if (asked) {
                takeReply(side, std::move(asked->reply), asked->session);
            } else {
                takeReply(side, asked.error(), m_state.sessions.at(side));
            }
        });
}

void TryView::takeReply(Side side, Result<ops::Reply> reply, const Session& session)
{
    if (!m_asking) {
        return;
    }
    m_asking->replies.at(side).emplace(std::move(reply));
    m_asking->sessions.at(side) = session;
    if (--m_asking->left == 0) {
        finish();
    }
}

void TryView::finish()
{
    const Asking asked = std::move(*m_asking);
    m_asking.reset();
    QStringList problems;
    Turn turn;
    turn.query = asked.query;
    turn.counted = asked.use == ops::ContextUse::Use;
    for (const Side side : {First, Second}) {
        const auto& reply = asked.replies.at(side);
        if (!reply) {
            continue;
        }
        if (reply->ok()) {
            turn.replies.at(side) = **reply;
            m_state.sessions.at(side) = asked.sessions.at(side);
        } else {
            problems << m_sides.at(side).picker->target().name % QStringLiteral(": ")
                    % QString::fromStdString(reply->error().text());
        }
    }
    if (!problems.isEmpty()) {
        m_banner->show(Tone::Bad, problems.join(QStringLiteral(" · ")));
    } else {
        m_banner->dismiss();
    }
    if (!turn.replies.at(First) && !turn.replies.at(Second)) {
        m_replaying = false;
        return;
    }
    const QString query = QString::fromStdString(asked.query.text);
    if (m_input->text() == query) {
        remember(query);
        m_input->clear();
        m_system->clear();
    }
    if (asked.waited) {
        m_state.waiting.pop_front();
    }
    m_state.turns << turn;
    m_undo.clear(); // a turn that was sent can't be unsent: what was before it is history
    showAll();
    for (const Side side : {First, Second}) {
        if (turn.counted && turn.replies.at(side)) {
            readBack(side);
        }
    }
    continueReplay();
}

void TryView::remember(const QString& query)
{
    m_sent.removeAll(query);
    m_sent << query;
    if (m_sent.size() > ClassifySettings::mostSent) {
        m_sent.removeFirst();
    }
    m_place = m_sent.size();
    m_settings->setSent(m_sent);
}

void TryView::showAll()
{
    m_conversation->clear();
    m_noTurns->setVisible(m_state.turns.isEmpty() && m_state.waiting.empty());
    for (const Turn& turn : std::as_const(m_state.turns)) {
        const auto& shown =
            turn.replies.at(First) ? turn.replies.at(First) : turn.replies.at(Second);
        const QString verdict = answertext::summary(shown->answer)
            % (turn.label.isEmpty() ? QString() : tr(" · labelled %1").arg(turn.label));
        m_conversation->addTurn(QString::fromStdString(turn.query.system),
            QString::fromStdString(turn.query.text), answertext::toneOf(shown->answer.verdict),
            verdict);
    }
    for (const Query& query : m_state.waiting) {
        m_conversation->addTurn(QString::fromStdString(query.system),
            QString::fromStdString(query.text), Tone::None, tr("waits (F6 next, F5 all)"));
    }
    showLast();
}

void TryView::showLast()
{
    const Turn* last = m_state.turns.isEmpty() ? nullptr : &m_state.turns.last();
    m_answer.reset();
    for (const Side side : {First, Second}) {
        AnswerPanel* panel = m_sides.at(side).panel;
        if (last == nullptr || !last->replies.at(side)) {
            panel->clear();
            continue;
        }
        panel->show(QString::fromStdString(last->query.text), *last->replies.at(side));
        panel->setLabel(last->label);
        if (side == First) {
            m_answer = last->replies.at(side)->answer;
        }
    }
    if (last != nullptr && m_comparing && last->replies.at(First) && last->replies.at(Second)) {
        const QStringList differing = answertext::differences(
            last->replies.at(First)->answer, last->replies.at(Second)->answer);
        m_sides.at(First).panel->setDifferences(differing);
        m_sides.at(Second).panel->setDifferences(differing);
    }
    m_context->show(m_state.sessions.at(First),
        m_answer ? QString::fromUtf8(
            toString(m_answer->context).data(), qsizetype(toString(m_answer->context).size()))
                 : QString());
}

void TryView::set(const State& state)
{
    m_state = state;
    m_replaying = false;
    for (const Side side : {First, Second}) {
        store(side);
    }
    showAll();
}

void TryView::change(const QString& what, State next)
{
    if (m_asking) {
        return;
    }
    m_undo.push(new StateCommand(this, what, m_state, std::move(next)));
    m_banner->show(Tone::None, what, tr("Undo"));
}

void TryView::undo()
{
    m_banner->dismiss();
    m_undo.undo();
}

void TryView::redo()
{
    m_undo.redo();
}

void TryView::clearContext()
{
    m_input->setFocus();
    if (!m_state.turns.isEmpty() || !m_state.waiting.empty()
        || m_state.sessions.at(First).turnCount > 0) {
        change(tr("Context cleared: a new session begins."), freshState());
    }
}

bool TryView::eventFilter(QObject* watched, QEvent* event)
{
    if (watched != m_input || event->type() != QEvent::KeyPress) {
        return QWidget::eventFilter(watched, event);
    }
    const auto* pressed = static_cast<QKeyEvent*>(event);
    const int key = pressed->key();
    if (key == Qt::Key_Return || key == Qt::Key_Enter) {
        if (pressed->modifiers().testFlag(Qt::ControlModifier)) {
            sendToBoth();
        } else {
            send();
        }
        return true;
    }
    if (key == Qt::Key_Up && m_place > 0) {
        m_input->setText(m_sent[--m_place]);
        return true;
    }
    if (key == Qt::Key_Down && m_place < m_sent.size()) {
        ++m_place;
        m_input->setText(m_place < m_sent.size() ? m_sent[m_place] : QString());
        return true;
    }
    if (pressed->matches(QKeySequence::Undo) && !m_input->isUndoAvailable() && m_undo.canUndo()) {
        undo();
        return true;
    }
    return QWidget::eventFilter(watched, event);
}

} // namespace sluice::ui
