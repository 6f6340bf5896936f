#include "ui/shell/infobanner.h"

#include "ui/shell/button.h"

#include <QHBoxLayout>
#include <QPainter>
#include <QToolButton>

namespace sluice::ui {

InfoBanner::InfoBanner(QWidget* parent)
    : QFrame(parent)
    , m_glyph(new Text)
    , m_text(new Text)
    , m_action(new Button({}))
{
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(12, 6, 6, 6);
    m_text->setWordWrap(true);
    m_text->setTextInteractionFlags(Qt::TextSelectableByMouse);
    auto* close = new QToolButton;
    close->setIcon(theme().icon(QStringLiteral("close")));
    close->setIconSize(QSize(14, 14));
    close->setAutoRaise(true);
    close->setAccessibleName(tr("Dismiss the message"));
    layout->addWidget(m_glyph, 0, Qt::AlignTop);
    layout->addWidget(m_text, 1);
    layout->addWidget(m_action);
    layout->addWidget(close, 0, Qt::AlignTop);
    connect(close, &QToolButton::clicked, this, &InfoBanner::dismiss);
    connect(m_action, &QPushButton::clicked, this, &InfoBanner::actionTriggered);
    hide();
}

void InfoBanner::show(Tone tone, const QString& text, const QString& action)
{
    m_tone = tone;
    const Ink ink = tone == Tone::Ok ? Ink::Ok
        : tone == Tone::Warn         ? Ink::Warn
        : tone == Tone::Bad          ? Ink::Bad
                                     : Ink::Muted;
    m_glyph->setText(Theme::glyph(tone));
    m_glyph->setInk(ink);
    m_text->setText(text);
    m_action->setText(action);
    m_action->setVisible(!action.isEmpty());
    QFrame::show();
    update();
}

void InfoBanner::dismiss()
{
    hide();
    Q_EMIT dismissed();
}

QString InfoBanner::text() const
{
    return m_text->text();
}

void InfoBanner::paintEvent(QPaintEvent*)
{
    const QColor tone = theme().color(m_tone);
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setBrush(theme().colors().card);
    painter.setPen(QPen(tone, 1));
    const QRectF box = QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5);
    painter.drawRoundedRect(box, 6, 6);
    painter.setBrush(withAlpha(tone, 0.08));
    painter.drawRoundedRect(box, 6, 6);
}

} // namespace sluice::ui
