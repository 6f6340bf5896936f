#include "ui/classify/conversationview.h"

#include "ui/shell/text.h"

#include <QFrame>
#include <QHBoxLayout>
#include <QPainter>
#include <QScrollBar>
#include <QTimer>
#include <QVBoxLayout>

namespace sluice::ui {

namespace {

constexpr int mostTurns = 200; ///< older bubbles go; the session forgets earlier than that

class Bubble : public QFrame
{
public:
    using QFrame::QFrame;

protected:
    void paintEvent(QPaintEvent*) override
    {
        QPainter painter(this);
        painter.setRenderHint(QPainter::Antialiasing);
        painter.setPen(Qt::NoPen);
        painter.setBrush(theme().colors().selected);
        painter.drawRoundedRect(rect(), 8, 8);
    }
};

} // namespace

ConversationView::ConversationView(QWidget* parent)
    : QScrollArea(parent)
{
    setFrameShape(QFrame::NoFrame);
    setWidgetResizable(true);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setAccessibleName(tr("Conversation"));
    setFocusPolicy(Qt::TabFocus);
    viewport()->setAutoFillBackground(false);
    auto* body = new QWidget;
    body->setAutoFillBackground(false);
    m_turns = new QVBoxLayout(body);
    m_turns->setContentsMargins(0, 0, 6, 0);
    m_turns->setSpacing(8);
    m_turns->addStretch();
    setWidget(body);
    body->setAutoFillBackground(false); // setWidget() had switched it on
}

void ConversationView::addTurn(
    const QString& system, const QString& query, Tone tone, const QString& verdict)
{
    if (!system.isEmpty()) {
        auto* said = new Text(FontRole::Base, Ink::Muted, system);
        said->setWordWrap(true);
        said->setContentsMargins(0, 0, 36, 0);
        said->setTextInteractionFlags(Qt::TextSelectableByMouse);
        m_turns->insertWidget(m_turns->count() - 1, said);
    }
    auto* bubble = new Bubble;
    auto* inside = new QVBoxLayout(bubble);
    inside->setContentsMargins(12, 7, 12, 7);
    inside->setSpacing(2);
    auto* text = new Text(FontRole::Base, Ink::Text, query);
    text->setWordWrap(true);
    text->setTextInteractionFlags(Qt::TextSelectableByMouse);
    auto* state = new StatusLabel;
    state->setWordWrap(true);
    state->setStatus(tone, verdict);
    inside->addWidget(text);
    inside->addWidget(state);
    auto* row = new QWidget;
    auto* line = new QHBoxLayout(row);
    line->setContentsMargins(36, 0, 0, 0);
    line->addWidget(bubble, 1);
    m_turns->insertWidget(m_turns->count() - 1, row);
    ++m_count;
    while (m_turns->count() > mostTurns + 1) {
        QLayoutItem* oldest = m_turns->takeAt(0);
        delete oldest->widget();
        delete oldest;
    }
    QTimer::singleShot(
        0, this, [this] { verticalScrollBar()->setValue(verticalScrollBar()->maximum()); });
}

void ConversationView::clear()
{
    while (m_turns->count() > 1) {
        QLayoutItem* item = m_turns->takeAt(0);
        delete item->widget();
        delete item;
    }
    m_count = 0;
}

} // namespace sluice::ui
