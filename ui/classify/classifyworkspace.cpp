#include "ui/classify/classifyworkspace.h"

#include "ui/classify/candidatebars.h"
#include "ui/classify/conversationview.h"
#include "ui/classify/entitytext.h"
#include "ui/shell/button.h"
#include "ui/shell/card.h"
#include "ui/shell/console.h"
#include "ui/shell/format.h"
#include "ui/shell/infobanner.h"
#include "ui/shell/stateview.h"

#include <QAction>
#include <QApplication>
#include <QClipboard>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QKeyEvent>
#include <QLineEdit>
#include <QStackedWidget>
#include <QTableWidget>
#include <QVBoxLayout>

namespace sluice::ui {

namespace {

constexpr int candidates = 5;
constexpr int mostSent = 500;

Tone toneOf(Verdict verdict)
{
    switch (verdict) {
    case Verdict::Accept:
        return Tone::Ok;
    case Verdict::Clarify:
        return Tone::Warn;
    case Verdict::Fallback:
        break;
    }
    return Tone::Bad;
}

QString text(std::string_view view)
{
    return QString::fromUtf8(view.data(), qsizetype(view.size()));
}

QString ruleText(const Ruling& ruling)
{
    switch (ruling.rule) {
    case Rule::AboveThreshold:
        return ClassifyWorkspace::tr("at or above its threshold");
    case Rule::AmbiguousMargin:
        return ClassifyWorkspace::tr("the second candidate is too near");
    case Rule::InClarifyBand:
        return ClassifyWorkspace::tr("just below its threshold");
    case Rule::RepeatedFailure:
        return ClassifyWorkspace::tr("failed repeatedly: ask instead");
    case Rule::BelowThreshold:
        return ClassifyWorkspace::tr("below its threshold: out of scope");
    case Rule::NoSignal:
        return ClassifyWorkspace::tr("nothing in it is known to the model");
    }
    return {};
}

QString partsText(const Ruling& ruling)
{
    QStringList parts;
    for (const ThresholdPart& part : ruling.parts) {
        const QString amount =
            parts.isEmpty() ? format::fixed(part.amount, 2) : format::signedFixed(part.amount, 2);
        parts << QString(text(part.name).replace(u'_', u' ') % u' ' % amount);
    }
    return parts.join(QStringLiteral(", "));
}

/// UTF-16 offset of a UTF-8 byte offset.
int utf16(const std::string& bytes, std::size_t offset)
{
    return int(QString::fromUtf8(bytes.data(), qsizetype(offset)).size());
}

QTableWidget* quietTable(const QString& name, int columns, QWidget* parent)
{
    auto* table = new QTableWidget(0, columns, parent);
    table->setAccessibleName(name);
    table->setShowGrid(false);
    table->setFrameShape(QFrame::NoFrame);
    table->setEditTriggers(QAbstractItemView::NoEditTriggers);
    table->setSelectionMode(QAbstractItemView::NoSelection);
    table->setFocusPolicy(Qt::TabFocus);
    table->setTabKeyNavigation(false);
    table->verticalHeader()->hide();
    table->horizontalHeader()->hide();
    table->verticalHeader()->setDefaultSectionSize(25);
    table->horizontalHeader()->setSectionResizeMode(0, QHeaderView::Stretch);
    for (int column = 1; column < columns; ++column) {
        table->horizontalHeader()->setSectionResizeMode(column, QHeaderView::ResizeToContents);
    }
    return table;
}

void put(QTableWidget* table, int row, int column, const QString& value, const QColor& ink = {})
{
    auto* item = new QTableWidgetItem(value);
    item->setTextAlignment((column == 0 ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter);
    if (ink.isValid()) {
        item->setForeground(ink);
    }
    table->setItem(row, column, item);
}

} // namespace

ClassifyWorkspace::ClassifyWorkspace(Console* console, QWidget* parent)
    : Workspace(console, QStringLiteral("classify"), tr("Classify"), parent)
    , m_state(new StateView(this))
{
    m_session.id = makeSessionId().substr(0, 8);
    auto* page = new QWidget(this);
    auto* columns = new QHBoxLayout;
    columns->setSpacing(12);
    columns->addWidget(makeConversation(), 30);
    columns->addWidget(makeVerdict(), 47);
    columns->addWidget(makeContext(), 23);
    auto* rows = new QVBoxLayout(page);
    rows->setContentsMargins(0, 0, 0, 0);
    rows->setSpacing(12);
    rows->addLayout(columns, 1);
    rows->addWidget(makeInput());
    m_state->setDataWidget(page);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(m_state);

    auto* clear = new QAction(tr("Clear the conversation's context"), this);
    clear->setShortcut(QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_L));
    clear->setShortcutContext(Qt::WidgetWithChildrenShortcut);
    connect(clear, &QAction::triggered, this, &ClassifyWorkspace::clearContext);
    addAction(clear);
    connect(m_state, &StateView::retryRequested, console, [console] { console->loadClassifier(); });
    connect(console, &Console::classifierLoaded, this, &ClassifyWorkspace::onClassifier);
    showContext();
    onClassifier();
}

QWidget* ClassifyWorkspace::makeConversation()
{
    auto* card = new Card(tr("Conversation"), tr("context is kept over turns"), this);
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

QWidget* ClassifyWorkspace::makeVerdict()
{
    auto* card = new Card(tr("Verdict"), tr("of the last query"), this);
    m_verdictStack = new QStackedWidget(card);
    auto* nothing = new Text(FontRole::Base, Ink::Muted,
        tr("The decision, the threshold that was applied, the entities and the time it took appear "
           "here."),
        card);
    nothing->setAlignment(Qt::AlignCenter);
    nothing->setWordWrap(true);
    auto* body = new QWidget(card);
    auto* column = new QVBoxLayout(body);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(10);
    auto* head = new QHBoxLayout;
    head->setSpacing(10);
    m_verdict = new Text(FontRole::Figure, Ink::Text, {}, body);
    m_intent = new Text(FontRole::Figure, Ink::Text, {}, body);
    m_intent->setElided(true);
    head->addWidget(m_verdict);
    head->addWidget(m_intent, 1);
    column->addLayout(head);
    m_reason = new Text(FontRole::Base, Ink::Muted, {}, body);
    m_reason->setWordWrap(true);
    m_reason->setTextInteractionFlags(Qt::TextSelectableByMouse);
    column->addWidget(m_reason);
    m_entities = new EntityText(body);
    column->addWidget(m_entities);
    column->addWidget(new Text(FontRole::CardTitle, Ink::Muted, tr("Candidates"), body));
    m_bars = new CandidateBars(body);
    column->addWidget(m_bars);
    m_margin = new Text(FontRole::Base, Ink::Muted, {}, body);
    m_margin->setWordWrap(true);
    column->addWidget(m_margin);
    auto* tables = new QHBoxLayout;
    tables->setSpacing(16);
    auto* left = new QVBoxLayout;
    auto* right = new QVBoxLayout;
    left->addWidget(new Text(FontRole::CardTitle, Ink::Muted, tr("Words for and against"), body));
    m_words = quietTable(tr("Words for and against"), 2, body);
    left->addWidget(m_words, 1);
    m_total = new Text(FontRole::CardTitle, Ink::Muted, {}, body);
    right->addWidget(m_total);
    m_times = quietTable(tr("Time per stage"), 2, body);
    right->addWidget(m_times, 1);
    tables->addLayout(left, 1);
    tables->addLayout(right, 1);
    column->addLayout(tables, 1);
    m_verdictStack->addWidget(nothing);
    m_verdictStack->addWidget(body);
    card->content()->addWidget(m_verdictStack, 1);
    return card;
}

QWidget* ClassifyWorkspace::makeContext()
{
    auto* card = new Card(tr("Context"), tr("what the session remembers"), this);
    m_context = quietTable(tr("Context"), 2, card);
    m_context->horizontalHeader()->setSectionResizeMode(0, QHeaderView::ResizeToContents);
    m_context->horizontalHeader()->setSectionResizeMode(1, QHeaderView::Stretch);
    card->content()->addWidget(m_context, 1);
    auto* clear = new Button(tr("Clear context"), ButtonRole::Plain, card);
    clear->setToolTip(tr("Begins a new session (Ctrl+Shift+L)"));
    connect(clear, &Button::clicked, this, &ClassifyWorkspace::clearContext);
    auto* json = new Button(tr("Copy JSON"), ButtonRole::Plain, card);
    json->setToolTip(tr("Copies the last answer as the worker would send it"));
    connect(json, &Button::clicked, this, [this] {
        if (m_answer && !m_sent.isEmpty()) {
            QApplication::clipboard()->setText(QString::fromStdString(
                toJson(*m_answer, m_sent.last().toStdString(), m_session.id)));
        }
    });
    auto* row = new QHBoxLayout;
    row->addWidget(clear);
    row->addWidget(json);
    row->addStretch();
    card->content()->addLayout(row);
    return card;
}

QWidget* ClassifyWorkspace::makeInput()
{
    auto* card = new Card({}, {}, this);
    m_banner = new InfoBanner(card);
    m_input = new QLineEdit(card);
    m_input->setPlaceholderText(tr("Type a query…   Enter sends, ↑ ↓ go through earlier ones"));
    m_input->setAccessibleName(tr("Query"));
    m_input->setMinimumHeight(36);
    m_input->setTextMargins(8, 0, 8, 0);
    m_input->installEventFilter(this);
    auto* where = new Text(FontRole::Base, Ink::Muted, tr("Embedded engine"), card);
    m_send = new Button(tr("Send"), ButtonRole::Primary, card);
    connect(m_input, &QLineEdit::returnPressed, this, &ClassifyWorkspace::send);
    connect(m_send, &Button::clicked, this, &ClassifyWorkspace::send);
    auto* row = new QHBoxLayout;
    row->setSpacing(12);
    row->addWidget(m_input, 1);
    row->addWidget(where);
    row->addWidget(m_send);
    card->content()->addWidget(m_banner);
    card->content()->addLayout(row);
    card->setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Maximum);
    return card;
}

void ClassifyWorkspace::activated()
{
    m_input->setFocus();
}

void ClassifyWorkspace::onClassifier()
{
    if (console()->classifierError()) {
        m_state->showError(tr("The model could not be loaded"), *console()->classifierError(),
            tr("Train one with sluicectl train, or build again: the bundled model is trained with "
               "the programs."));
        return;
    }
    const auto classifier = console()->classifier();
    if (classifier == nullptr) {
        m_state->showLoading(tr("Loading the model"), false);
        return;
    }
    m_thresholds = *classifier->compile(classifier->model().defaultThresholds());
    m_state->showData();
    updateChips();
}

void ClassifyWorkspace::updateChips()
{
    const auto classifier = console()->classifier();
    setChips({ChipText{tr("embedded engine · model "),
                  format::shortHash(QString::fromStdString(classifier->model().hash())), {}, {},
                  console()->modelFile()},
        ChipText{tr("threshold "), format::fixed(m_thresholds->set().global, 2), {}, {},
            tr("the set trained with the model")}});
    setStatus(tr("Embedded engine · %1 intents · works without any server")
                  .arg(classifier->model().labels().size()));
}

void ClassifyWorkspace::send()
{
    const auto classifier = console()->classifier();
    const QString query = m_input->text();
    if (classifier == nullptr || query.trimmed().isEmpty()) {
        return;
    }
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    const auto answer = classifier->classify({query.toStdString(), {}, {}}, *m_thresholds,
        &m_session, now, {std::size_t(candidates), true});
    if (!answer) {
        m_banner->show(Tone::Bad, QString::fromStdString(answer.error().text()));
        return;
    }
    m_banner->dismiss();
    Classifier::remember(m_session, *answer);
    m_answer = *answer;
    m_sent << query;
    if (m_sent.size() > mostSent) {
        m_sent.removeFirst();
    }
    m_place = m_sent.size();
    m_input->clear();
    show(query, *answer);
}

void ClassifyWorkspace::show(const QString& query, const Answer& answer)
{
    const QString best = answer.candidates.empty()
        ? QString()
        : QString::fromStdString(answer.candidates.front().intent);
    const double confidence = answer.candidates.empty() ? 0 : answer.candidates.front().confidence;
    const Tone tone = toneOf(answer.verdict);
    const QString verdict = text(toString(answer.verdict));
    m_noTurns->hide();
    m_conversation->addTurn(query, tone,
        best.isEmpty() ? verdict
                       : QString(verdict % u' ' % best % u' ' % format::fixed(confidence, 2)));
    m_verdictStack->setCurrentIndex(1);
    m_verdict->setInk(tone == Tone::Ok ? Ink::Ok : tone == Tone::Warn ? Ink::Warn : Ink::Bad);
    m_verdict->setText(Theme::glyph(tone) % u' ' % verdict);
    m_intent->setText(answer.verdict == Verdict::Fallback ? QString() : best);
    const QChar relation = confidence >= answer.ruling.threshold ? QChar(0x2265) : QChar(u'<');
    m_reason->setText(tr("%1 %2 %3 · %4 · %5")
                          .arg(format::fixed(confidence, 2), QString(relation),
                              format::fixed(answer.ruling.threshold, 2), ruleText(answer.ruling),
                              partsText(answer.ruling)));
    QList<EntityText::Mark> marks;
    const std::string bytes = query.toStdString();
    for (const Entity& entity : answer.entities) {
        if (entity.turn == 0) {
            marks << EntityText::Mark{utf16(bytes, entity.span.byteBegin),
                utf16(bytes, entity.span.byteEnd), QString::fromStdString(entity.type),
                QString::fromStdString(entity.value)};
        }
    }
    m_entities->setText(query, marks);
    QList<CandidateBars::Bar> bars;
    for (const AnswerCandidate& candidate : answer.candidates) {
        bars << CandidateBars::Bar{QString::fromStdString(candidate.intent), candidate.confidence};
    }
    m_bars->setBars(bars, answer.ruling.threshold, answer.verdict == Verdict::Accept);
    QStringList facts{tr("margin %1, at least %2 is asked")
                          .arg(format::fixed(answer.ruling.margin, 2),
                              format::fixed(answer.ruling.requiredMargin, 2)),
        tr("out-of-scope score %1").arg(format::fixed(answer.outOfScope, 2))};
    if (answer.ruling.wouldChangeAt >= 0) {
        facts << tr("the verdict would change at a threshold of %1")
                     .arg(format::fixed(answer.ruling.wouldChangeAt, 2));
    }
    m_margin->setText(facts.join(QStringLiteral(" · ")));
    showTables(answer);
    showContext();
}

void ClassifyWorkspace::showTables(const Answer& answer)
{
    const Colors& colors = theme().colors();
    m_words->setRowCount(int(answer.contributions.size()));
    for (int row = 0; row < m_words->rowCount(); ++row) {
        const Contribution& part = answer.contributions[std::size_t(row)];
        put(m_words, row, 0, QString::fromStdString(part.ngram));
        put(m_words, row, 1, format::signedFixed(part.weight, 2),
            part.weight >= 0 ? colors.ok : colors.bad);
    }
    m_total->setText(tr("Time   %1 in all").arg(format::micros(answer.times.total())));
    const std::pair<QString, double> stages[] = {{tr("normalise"), answer.times.normalise},
        {tr("entities"), answer.times.entities}, {tr("context"), answer.times.context},
        {tr("score"), answer.times.score}, {tr("decide"), answer.times.decide}};
    m_times->setRowCount(int(std::size(stages)));
    for (int row = 0; row < m_times->rowCount(); ++row) {
        put(m_times, row, 0, stages[row].first);
        put(m_times, row, 1, format::micros(stages[row].second));
    }
}

void ClassifyWorkspace::showContext()
{
    QList<std::pair<QString, QString>> rows{{tr("session"), QString::fromStdString(m_session.id)},
        {tr("turns"), QString::number(m_session.turnCount)},
        {tr("failures in a row"), QString::number(m_session.failuresInARow)}};
    QStringList intents;
    for (auto turn = m_session.turns.rbegin(); turn != m_session.turns.rend() && intents.size() < 3;
         ++turn) {
        if (!turn->intent.empty()) {
            intents << QString::fromStdString(turn->intent);
        }
    }
    rows << std::pair(tr("last intents"),
        intents.isEmpty() ? format::missing() : intents.join(QStringLiteral(", ")));
    if (m_answer) {
        rows << std::pair(tr("this turn"), text(toString(m_answer->context)));
        for (const Entity& entity : m_answer->entities) {
            rows << std::pair(QString::fromStdString(entity.type),
                entity.turn > 0
                    ? tr("%1 (turn %2)").arg(QString::fromStdString(entity.value)).arg(entity.turn)
                    : QString::fromStdString(entity.value));
        }
    }
    m_context->setRowCount(int(rows.size()));
    for (int row = 0; row < rows.size(); ++row) {
        put(m_context, row, 0, rows[row].first, theme().colors().muted);
        put(m_context, row, 1, rows[row].second);
    }
}

void ClassifyWorkspace::clearContext()
{
    m_session = Session();
    m_session.id = makeSessionId().substr(0, 8);
    m_answer.reset();
    m_conversation->clear();
    m_noTurns->show();
    m_verdictStack->setCurrentIndex(0);
    showContext();
    m_input->setFocus();
}

bool ClassifyWorkspace::eventFilter(QObject* watched, QEvent* event)
{
    if (watched == m_input && event->type() == QEvent::KeyPress) {
        const int key = static_cast<QKeyEvent*>(event)->key();
        if (key == Qt::Key_Up && m_place > 0) {
            m_input->setText(m_sent[--m_place]);
            return true;
        }
        if (key == Qt::Key_Down && m_place < m_sent.size()) {
            ++m_place;
            m_input->setText(m_place < m_sent.size() ? m_sent[m_place] : QString());
            return true;
        }
    }
    return Workspace::eventFilter(watched, event);
}

} // namespace sluice::ui
