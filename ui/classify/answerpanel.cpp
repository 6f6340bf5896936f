#include "ui/classify/answerpanel.h"

#include "ui/classify/answertext.h"
#include "ui/classify/candidatebars.h"
#include "ui/classify/entitytext.h"
#include "ui/classify/quiettable.h"
#include "ui/shell/format.h"
#include "ui/shell/text.h"

#include <QHBoxLayout>
#include <QJsonDocument>
#include <QPlainTextEdit>
#include <QScrollArea>
#include <QStackedWidget>
#include <QTableWidget>

namespace sluice::ui {

namespace {

enum Page
{
    Nothing,
    Reasons,
    Json
};

constexpr int rowHeight = 25;

/// UTF-16 offset of a UTF-8 byte offset.
int utf16(const std::string& bytes, std::size_t offset)
{
    return int(QString::fromUtf8(bytes.data(), qsizetype(std::min(offset, bytes.size()))).size());
}

} // namespace

AnswerPanel::AnswerPanel(const QString& title, QWidget* parent)
    : Card(title, {}, parent)
    , m_stack(new QStackedWidget(this))
{
    auto* nothing = new Text(FontRole::Base, Ink::Muted,
        tr("The decision, the threshold that was applied, the entities and the time it took appear "
           "here."),
        this);
    nothing->setAlignment(Qt::AlignCenter);
    nothing->setWordWrap(true);
    auto* scroll = new QScrollArea(this);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setWidgetResizable(true);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setAccessibleName(tr("Answer: %1").arg(title));
    scroll->setFocusPolicy(Qt::TabFocus);
    scroll->viewport()->setAutoFillBackground(false);
    QWidget* body = makeBody();
    scroll->setWidget(body);
    body->setAutoFillBackground(false);
    m_json = new QPlainTextEdit(this);
    m_json->setReadOnly(true);
    m_json->setFrameShape(QFrame::NoFrame);
    m_json->setLineWrapMode(QPlainTextEdit::NoWrap);
    m_json->setAccessibleName(tr("Answer as JSON: %1").arg(title));
    m_stack->addWidget(nothing);
    m_stack->addWidget(scroll);
    m_stack->addWidget(m_json);
    content()->addWidget(m_stack, 1);
}

QWidget* AnswerPanel::makeBody()
{
    auto* body = new QWidget(this);
    auto* column = new QVBoxLayout(body);
    column->setContentsMargins(0, 0, 6, 0);
    column->setSpacing(9);
    const auto words = [&](FontRole role, Ink ink) {
        auto* text = new Text(role, ink, {}, body);
        text->setWordWrap(true);
        text->setTextInteractionFlags(Qt::TextSelectableByMouse);
        column->addWidget(text);
        return text;
    };
    m_differences = words(FontRole::Base, Ink::Warn);
    auto* head = new QHBoxLayout;
    head->setSpacing(10);
    m_verdict = new Text(FontRole::Figure, Ink::Text, {}, body);
    m_intent = new Text(FontRole::Figure, Ink::Text, {}, body);
    m_intent->setElided(true);
    head->addWidget(m_verdict);
    head->addWidget(m_intent, 1);
    column->addLayout(head);
    m_reason = words(FontRole::Base, Ink::Muted);
    m_label = words(FontRole::Base, Ink::Accent);
    m_entities = new EntityText(body);
    column->addWidget(m_entities);
    m_carried = words(FontRole::Base, Ink::Muted);
    column->addWidget(new Text(FontRole::CardTitle, Ink::Muted, tr("Candidates"), body));
    m_bars = new CandidateBars(body);
    column->addWidget(m_bars);
    m_facts = words(FontRole::Base, Ink::Muted);
    m_change = words(FontRole::Base, Ink::Text);
    auto* tables = new QHBoxLayout;
    tables->setSpacing(16);
    auto* left = new QVBoxLayout;
    auto* right = new QVBoxLayout;
    left->addWidget(new Text(FontRole::CardTitle, Ink::Muted, tr("Words for and against"), body));
    m_words = quietTable(tr("Words for and against"), 2, body);
    left->addWidget(m_words);
    left->addStretch();
    m_total = new Text(FontRole::CardTitle, Ink::Muted, {}, body);
    m_total->setElided(true);
    right->addWidget(m_total);
    m_times = quietTable(tr("Time a stage"), 2, body);
    right->addWidget(m_times);
    right->addStretch();
    tables->addLayout(left, 1);
    tables->addLayout(right, 1);
    column->addLayout(tables);
    column->addStretch(1);
    return body;
}

void AnswerPanel::clear()
{
    m_hasAnswer = false;
    setDifferences({});
    setLabel({});
    m_json->clear();
    m_stack->setCurrentIndex(Nothing);
}

void AnswerPanel::setDifferences(const QStringList& differences)
{
    m_differences->setText(differences.isEmpty()
            ? QString()
            : QString(QStringLiteral("≠ ") % differences.join(QStringLiteral(" · "))));
    m_differences->setVisible(!differences.isEmpty());
    setFrameColor(differences.isEmpty() ? QColor() : theme().colors().warn);
}

void AnswerPanel::setLabel(const QString& intent)
{
    m_label->setText(intent.isEmpty() ? QString() : tr("Labelled %1").arg(intent));
    m_label->setVisible(!intent.isEmpty());
}

void AnswerPanel::showJson(bool json)
{
    m_showsJson = json;
    if (m_hasAnswer) {
        m_stack->setCurrentIndex(json ? Json : Reasons);
    }
}

QString AnswerPanel::differences() const
{
    return m_differences->text();
}

QString AnswerPanel::change() const
{
    return m_change->text();
}

QString AnswerPanel::json() const
{
    return m_json->toPlainText();
}

void AnswerPanel::show(const QString& query, const ops::Reply& reply)
{
    const Answer& answer = reply.answer;
    m_hasAnswer = true;
    setDifferences({});
    setLabel({});
    const Tone tone = answertext::toneOf(answer.verdict);
    const double confidence = answer.candidates.empty() ? 0 : answer.candidates.front().confidence;
    m_verdict->setInk(tone == Tone::Ok ? Ink::Ok : tone == Tone::Warn ? Ink::Warn : Ink::Bad);
    m_verdict->setText(Theme::glyph(tone) % u' ' % answertext::verdict(answer.verdict));
    m_intent->setText(answer.verdict == Verdict::Fallback || answer.candidates.empty()
            ? QString()
            : QString::fromStdString(answer.candidates.front().intent));
    const QChar relation = confidence >= answer.ruling.threshold ? QChar(0x2265) : QChar(u'<');
    m_reason->setText(
        tr("%1 %2 %3 · %4 · %5")
            .arg(format::fixed(confidence, 2), QString(relation),
                format::fixed(answer.ruling.threshold, 2), answertext::rule(answer.ruling.rule),
                answertext::parts(answer.ruling)));
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
    showFacts(answer);
    showTables(reply);
    m_json->setPlainText(
        QString::fromUtf8(QJsonDocument::fromJson(reply.json).toJson(QJsonDocument::Indented)));
    m_stack->setCurrentIndex(m_showsJson ? Json : Reasons);
}

void AnswerPanel::showFacts(const Answer& answer)
{
    QStringList carried;
    for (const Entity& entity : answer.entities) {
        if (entity.turn > 0) {
            carried << tr("%1 = %2 (turn %3)")
                           .arg(QString::fromStdString(entity.type),
                               QString::fromStdString(entity.value))
                           .arg(entity.turn);
        }
    }
    QString context;
    if (answer.newSubject) {
        context = tr("A new subject: nothing said before is carried into it.");
    } else if (!carried.isEmpty()) {
        context = tr("From context: %1").arg(carried.join(QStringLiteral(", ")));
    } else if (answer.context == ContextState::Unavailable) {
        context = tr("△ The session store did not answer: classified without context.");
    }
    m_carried->setText(context);
    m_carried->setVisible(!context.isEmpty());

    QList<CandidateBars::Bar> bars;
    for (const AnswerCandidate& candidate : answer.candidates) {
        bars << CandidateBars::Bar{QString::fromStdString(candidate.intent), candidate.confidence};
    }
    m_bars->setBars(bars, answer.ruling.threshold, answer.verdict == Verdict::Accept);
    m_bars->setMargin(answer.ruling.margin, answer.ruling.requiredMargin);
    m_facts->setText(
        tr("margin %1, at least %2 is asked · out-of-scope score %3 · set %4")
            .arg(format::fixed(answer.ruling.margin, 2),
                format::fixed(answer.ruling.requiredMargin, 2), format::fixed(answer.outOfScope, 2),
                answer.thresholdSet == 0 ? tr("of the model")
                                         : QString::number(answer.thresholdSet)));
    m_change->setText(answertext::change(answer));
}

void AnswerPanel::showTables(const ops::Reply& reply)
{
    const Colors& colors = theme().colors();
    const Answer& answer = reply.answer;
    m_words->setRowCount(int(answer.contributions.size()));
    for (int row = 0; row < m_words->rowCount(); ++row) {
        const Contribution& part = answer.contributions[std::size_t(row)];
        putCell(m_words, row, 0, QString::fromStdString(part.ngram));
        putCell(m_words, row, 1, format::signedFixed(part.weight, 2),
            part.weight >= 0 ? colors.ok : colors.bad);
    }
    QList<std::pair<QString, double>> stages{{tr("normalise"), answer.times.normalise},
        {tr("entities"), answer.times.entities}, {tr("context"), answer.times.context},
        {tr("score"), answer.times.score}, {tr("decide"), answer.times.decide}};
    m_total->setText(answer.cacheHit
            ? tr("Time   %1 in all, from the cache").arg(format::micros(answer.times.total()))
            : tr("Time   %1 in all").arg(format::micros(answer.times.total())));
    if (reply.roundTripMs > 0) {
        stages << std::pair(tr("round trip"), reply.roundTripMs * 1000);
    }
    m_times->setRowCount(int(stages.size()));
    for (int row = 0; row < m_times->rowCount(); ++row) {
        putCell(m_times, row, 0, stages[row].first);
        putCell(m_times, row, 1, format::micros(stages[row].second));
    }
    for (QTableWidget* table : {m_words, m_times}) {
        table->setFixedHeight(table->rowCount() * rowHeight + 4);
    }
}

} // namespace sluice::ui
