#include "ui/shell/card.h"

#include "ui/shell/text.h"
#include "ui/shell/theme.h"

#include <QPainter>
#include <QVBoxLayout>

namespace sluice::ui {

Card::Card(const QString& title, const QString& hint, QWidget* parent)
    : QFrame(parent)
    , m_head(new QHBoxLayout)
    , m_content(new QVBoxLayout)
    , m_title(new Text(FontRole::CardTitle, Ink::Muted))
    , m_hint(new Text(FontRole::Base, Ink::Faint))
{
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(14, 11, 14, 12);
    layout->setSpacing(8);
    m_head->setSpacing(8);
    m_head->addWidget(m_title);
    m_head->addWidget(m_hint, 1);
    layout->addLayout(m_head);
    m_content->setSpacing(8);
    layout->addLayout(m_content, 1);
    m_hint->setElided(true);
    m_hint->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    setTitle(title);
    setHint(hint);
}

void Card::setTitle(const QString& title)
{
    m_title->setText(title);
    m_title->setVisible(!title.isEmpty());
    m_hint->setVisible(!title.isEmpty());
    setAccessibleName(title);
}

void Card::setHint(const QString& hint)
{
    m_hint->setText(hint);
    m_hint->setToolTip(hint);
}

void Card::addToTitle(QWidget* widget)
{
    m_head->addWidget(widget);
}

void Card::setFrameColor(const QColor& color)
{
    m_frame = color;
    update();
}

void Card::paintEvent(QPaintEvent*)
{
    const Colors& c = theme().colors();
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setBrush(c.card);
    painter.setPen(QPen(m_frame.isValid() ? m_frame : c.line, 1));
    painter.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), 8, 8);
}

} // namespace sluice::ui
