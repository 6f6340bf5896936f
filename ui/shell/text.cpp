#include "ui/shell/text.h"

#include <QPainter>

namespace sluice::ui {

namespace {

QColor colorOf(Ink ink)
{
    const Colors& c = theme().colors();
    switch (ink) {
    case Ink::Text:
        return c.text;
    case Ink::Muted:
        return c.muted;
    case Ink::Faint:
        return c.faint;
    case Ink::Accent:
        return c.accent;
    case Ink::Ok:
        return c.ok;
    case Ink::Warn:
        return c.warn;
    case Ink::Bad:
        return c.bad;
    }
    return c.text;
}

} // namespace

Text::Text(FontRole role, Ink ink, const QString& text, QWidget* parent)
    : QLabel(text, parent)
    , m_role(role)
    , m_ink(ink)
{
    apply();
    connect(&theme(), &Theme::changed, this, &Text::apply);
}

void Text::setInk(Ink ink)
{
    if (ink != m_ink) {
        m_ink = ink;
        apply();
    }
}

void Text::setElided(bool elided)
{
    m_elided = elided;
    updateGeometry();
    update();
}

void Text::apply()
{
    setFont(theme().font(m_role));
    QPalette own = palette();
    for (const auto group : {QPalette::Active, QPalette::Inactive, QPalette::Disabled}) {
        own.setColor(group, QPalette::WindowText, colorOf(m_ink));
        own.setColor(group, QPalette::Text, colorOf(m_ink));
        own.setColor(group, QPalette::Link, theme().colors().accent);
    }
    setPalette(own);
}

QSize Text::minimumSizeHint() const
{
    const QSize hint = QLabel::minimumSizeHint();
    return m_elided ? QSize(0, hint.height()) : hint;
}

void Text::paintEvent(QPaintEvent* event)
{
    if (!m_elided) {
        QLabel::paintEvent(event);
        return;
    }
    QPainter painter(this);
    painter.setFont(font());
    painter.setPen(colorOf(m_ink));
    const QRect rect = contentsRect();
    painter.drawText(rect, int(alignment() | Qt::TextSingleLine),
        fontMetrics().elidedText(text(), Qt::ElideRight, rect.width()));
}

StatusLabel::StatusLabel(QWidget* parent)
    : Text(FontRole::Base, Ink::Muted, {}, parent)
{ }

void StatusLabel::setStatus(Tone tone, const QString& word)
{
    setStatus(tone, Theme::glyph(tone), word);
}

void StatusLabel::setStatus(Tone tone, const QString& glyph, const QString& word)
{
    m_tone = tone;
    setInk(tone == Tone::Ok      ? Ink::Ok
            : tone == Tone::Warn ? Ink::Warn
            : tone == Tone::Bad  ? Ink::Bad
                                 : Ink::Muted);
    setText(word.isEmpty() ? glyph : QString(glyph + QLatin1Char(' ') + word));
}

} // namespace sluice::ui
