// What a person does with a conversation beside asking: replay, files, context, labels, cases.
#include "engine/base/file.h"
#include "engine/classification/evaluation/labelleddata.h"
#include "engine/operations/queries/testsuite.h"
#include "ui/classify/answerpanel.h"
#include "ui/classify/sessioncard.h"
#include "ui/classify/targetpicker.h"
#include "ui/classify/tryview.h"
#include "ui/shell/console.h"
#include "ui/shell/infobanner.h"

#include "engine/operations/environment/redisclient.h"

#include <QFileDialog>
#include <QFileInfo>
#include <QLineEdit>
#include <QTimer>
#include <chrono>

namespace sluice::ui {

namespace {

constexpr int sessionSeconds = 3600;

QString conversationFilter()
{
    return TryView::tr("Conversations (*.jsonl *.json);;All files (*)");
}

QByteArray sessionKey(const Session& session)
{
    return "sluice:session:{" + QByteArray::fromStdString(session.id) + '}';
}

/// Entities whose value does not depend on the day: a case has to pass tomorrow as well.
std::vector<std::pair<std::string, std::string>> lastingEntities(
    const EntityCatalogue& catalogue, const std::string& text)
{
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    const auto today = catalogue.extract(text, now);
    const auto later = catalogue.extract(text, now + std::chrono::days(401));
    std::vector<std::pair<std::string, std::string>> lasting;
    for (const Entity& entity : today) {
        if (std::any_of(later.begin(), later.end(), [&](const Entity& other) {
                return other.type == entity.type && other.value == entity.value;
            })) {
            lasting.emplace_back(entity.type, entity.value);
        }
    }
    return lasting;
}

} // namespace

void TryView::runAgain()
{
    State next = freshState();
    for (const Turn& turn : std::as_const(m_state.turns)) {
        next.waiting.push_back(turn.query);
    }
    next.waiting.insert(next.waiting.end(), m_state.waiting.begin(), m_state.waiting.end());
    if (next.waiting.empty() || m_asking) {
        return;
    }
    set(next);
    m_replaying = true;
    continueReplay();
}

void TryView::nextTurn()
{
    if (m_asking) {
        return;
    }
    if (m_state.waiting.empty()) {
        State next = freshState();
        for (const Turn& turn : std::as_const(m_state.turns)) {
            next.waiting.push_back(turn.query);
        }
        if (next.waiting.empty()) {
            m_banner->show(
                Tone::None, tr("There is no conversation to replay: type one, or open a file."));
            return;
        }
        change(tr("Replaying from the first turn."), std::move(next));
    }
    start(m_state.waiting.front(), m_comparing, true);
}

void TryView::continueReplay()
{
    if (!m_replaying || m_state.waiting.empty()) {
        m_replaying = false;
        return;
    }
    QTimer::singleShot(0, this, [this] {
        if (m_replaying && !m_state.waiting.empty()) {
            nextTurn();
        }
    });
}

void TryView::openConversation(const QString& file)
{
    const QString chosen = file.isEmpty()
        ? QFileDialog::getOpenFileName(this, tr("Open a conversation"), {}, conversationFilter())
        : file;
    if (chosen.isEmpty()) {
        return;
    }
    int others = 0;
    auto read = ops::readConversation(chosen.toStdString(), &others);
    if (!read) {
        m_banner->show(Tone::Bad, QString::fromStdString(read.error().text()));
        return;
    }
    State next = freshState();
    for (ops::ConversationTurn& turn : read->turns) {
        next.waiting.push_back(std::move(turn.query));
    }
    const QString name = QFileInfo(chosen).fileName();
    change(others > 0
            ? tr("%1 opened: its first conversation, of %2. F6 asks turn by turn, F5 all.")
                  .arg(name)
                  .arg(others + 1)
            : tr("%1 opened. F6 asks turn by turn, F5 all.").arg(name),
        std::move(next));
}

void TryView::saveConversation(const QString& file)
{
    const QString chosen = file.isEmpty()
        ? QFileDialog::getSaveFileName(this, tr("Save the conversation"),
            QStringLiteral("conversation.jsonl"), conversationFilter())
        : file;
    if (chosen.isEmpty()) {
        return;
    }
    ops::Conversation conversation;
    conversation.name = QFileInfo(chosen).completeBaseName().toStdString();
    conversation.session = m_state.sessions.at(First);
    for (const Turn& turn : std::as_const(m_state.turns)) {
        conversation.turns.push_back({turn.query, turn.label.toStdString()});
    }
    for (const Query& query : m_state.waiting) {
        conversation.turns.push_back({query, {}});
    }
    if (conversation.turns.empty()) {
        m_banner->show(Tone::None, tr("There is nothing to save yet."));
        return;
    }
    const auto written = writeFileAtomically(chosen.toStdString(), conversation.toJson() + "\n");
    m_banner->show(written ? Tone::Ok : Tone::Bad,
        written ? tr("Saved as %1.").arg(chosen) : QString::fromStdString(written.error().text()));
}

void TryView::editContext()
{
    editSession(this, m_state.sessions.at(First), [this](const Session& edited) {
        State next = m_state;
        next.sessions.at(First) = edited;
        const std::string id = next.sessions.at(Second).id;
        next.sessions.at(Second) = edited;
        next.sessions.at(Second).id = id;
        change(tr("The session's state was edited."), std::move(next));
    });
}

void TryView::setFrozen(bool frozen)
{
    m_context->setFrozen(frozen);
}

void TryView::store(Side side)
{
    ops::RedisClient* redis = m_console->redis();
    const Session& session = m_state.sessions.at(side);
    if (!m_sides.at(side).picker->target().isWorker() || session.turnCount == 0
        || redis->state() != ops::RedisClient::State::Connected) {
        return;
    }
    redis->command(
        {QByteArrayLiteral("SET"), sessionKey(session), QByteArray::fromStdString(session.toJson()),
            QByteArrayLiteral("EX"), QByteArray::number(sessionSeconds)},
        this, [this](const Result<ops::RedisReply>& reply) {
            if (!reply) {
                m_banner->show(Tone::Bad,
                    tr("The worker's session could not be changed: %1. Act as tester to change it.")
                        .arg(QString::fromStdString(reply.error().text())));
            }
        });
}

void TryView::readBack(Side side)
{
    ops::RedisClient* redis = m_console->redis();
    if (!m_sides.at(side).picker->target().isWorker()
        || redis->state() != ops::RedisClient::State::Connected) {
        return;
    }
    const std::string id = m_state.sessions.at(side).id;
    redis->command({QByteArrayLiteral("GET"), sessionKey(m_state.sessions.at(side))}, this,
        [this, side, id](const Result<ops::RedisReply>& reply) {
            Session& session = m_state.sessions.at(side);
            if (!reply || reply->isNil() || session.id != id) {
                return;
            }
            if (auto stored = Session::fromJson(reply->text.toStdString());
                stored.ok() && stored->turnCount == session.turnCount) {
                stored->id = id;
                session = std::move(*stored);
                m_context->show(m_state.sessions.at(First), tr("as the worker stored it"));
            }
        });
}

void TryView::label(int candidate)
{
    if (m_state.turns.isEmpty()) {
        m_banner->show(Tone::None, tr("There is no answer to label yet."));
        return;
    }
    Turn& turn = m_state.turns.last();
    const auto& reply = turn.replies.at(First) ? turn.replies.at(First) : turn.replies.at(Second);
    const auto& candidates = reply->answer.candidates;
    if (candidate > int(candidates.size())) {
        m_banner->show(Tone::Warn, tr("There are only %1 candidates.").arg(candidates.size()));
        return;
    }
    turn.label = candidate == 0
        ? QString::fromUtf8(outOfScope.data(), qsizetype(outOfScope.size()))
        : QString::fromStdString(candidates[std::size_t(candidate) - 1].intent);
    showAll();
}

std::vector<ops::ConversationTurn> TryView::lastWithContext() const
{
    std::vector<ops::ConversationTurn> turns;
    for (qsizetype at = 0; at < m_state.turns.size(); ++at) {
        const Turn& turn = m_state.turns[at];
        if (turn.counted || at + 1 == m_state.turns.size()) {
            QString label = turn.label;
            if (label.isEmpty() && turn.replies.at(First)) { // those before: as they were accepted
                label = QString::fromStdString(turn.replies.at(First)->answer.intent);
            }
            turns.push_back({turn.query, label.toStdString()});
        }
    }
    return turns;
}

void TryView::saveAsCase()
{
    if (m_state.turns.isEmpty()) {
        m_banner->show(Tone::None, tr("There is no answer to make a test case of yet."));
        return;
    }
    const Turn& last = m_state.turns.last();
    const auto& reply = last.replies.at(First) ? last.replies.at(First) : last.replies.at(Second);
    ops::TestCase added;
    for (ops::ConversationTurn& turn : lastWithContext()) {
        added.turns.push_back(std::move(turn.query));
    }
    if (!last.label.isEmpty()) {
        added.expected.intent = last.label.toStdString();
    } else {
        added.expected.verdict = reply->answer.verdict;
        if (reply->answer.verdict != Verdict::Fallback && !reply->answer.candidates.empty()) {
            added.expected.intent = reply->answer.candidates.front().intent;
        }
    }
    if (const auto classifier = m_console->classifier()) {
        added.expected.entities = lastingEntities(classifier->catalogue(), last.query.text);
    }
    added.author = m_console->user().toStdString();
    added.at = QDateTime::currentDateTimeUtc().toString(Qt::ISODate).toStdString();
    const QString file = m_settings->suiteFile();
    auto saved = ensureWritableFolder(QFileInfo(file).path().toStdString());
    const Result<bool> replaced =
        saved ? ops::saveCase(file.toStdString(), added) : Result<bool>(saved.error());
    if (!replaced) {
        m_banner->show(Tone::Bad, QString::fromStdString(replaced.error().text()));
        return;
    }
    m_banner->show(Tone::Ok,
        *replaced ? tr("Test case changed in %1: its turns were there already.").arg(file)
                  : tr("Saved as a test case in %1.").arg(file));
    Q_EMIT caseSaved();
}

void TryView::addToData()
{
    if (m_state.turns.isEmpty() || m_state.turns.last().label.isEmpty()) {
        m_banner->show(Tone::Warn,
            tr("Label it first: Alt+1 to Alt+9 for a candidate, Alt+0 for out of scope."));
        return;
    }
    ops::Conversation conversation;
    conversation.turns = lastWithContext();
    conversation.name = m_state.sessions.at(First).id.substr(0, 8);
    const QString file = m_settings->dataFile();
    auto added = ensureWritableFolder(QFileInfo(file).path().toStdString());
    if (added) {
        added = ops::addLabelled(file.toStdString(), conversation);
    }
    m_banner->show(added ? Tone::Ok : Tone::Bad,
        added ? tr("Added to the labelled data in %1.").arg(file)
              : QString::fromStdString(added.error().text()));
}

void TryView::toggleJson()
{
    m_showsJson = !m_showsJson;
    for (const SideView& side : m_sides) {
        side.panel->showJson(m_showsJson);
    }
}

void TryView::take(const QString& query)
{
    m_input->setText(query);
    m_input->setFocus();
}

} // namespace sluice::ui
