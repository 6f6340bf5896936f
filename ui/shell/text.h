#pragma once

#include "ui/shell/theme.h"

#include <QLabel>

namespace sluice::ui {

enum class Ink
{
    Text,
    Muted,
    Faint,
    Accent,
    Ok,
    Warn,
    Bad
};

/// A label in one of the console's fonts and inks; follows the theme. (No accessible name of its
/// own: that would hide its live text from screen readers.)
class Text : public QLabel
{
    Q_OBJECT

public:
    explicit Text(FontRole role = FontRole::Base, Ink ink = Ink::Text, const QString& text = {},
        QWidget* parent = nullptr);

    void setInk(Ink ink);
    /// Cuts with an ellipsis instead of asking for room.
    void setElided(bool elided);

protected:
    void paintEvent(QPaintEvent* event) override;
    QSize minimumSizeHint() const override;

private:
    void apply();

    FontRole m_role;
    Ink m_ink;
    bool m_elided = false;
};

/// Icon, word and colour: "✓ pass".
class StatusLabel : public Text
{
    Q_OBJECT

public:
    explicit StatusLabel(QWidget* parent = nullptr);

    void setStatus(Tone tone, const QString& word);
    /// With another glyph than the tone's ("◌ not yet").
    void setStatus(Tone tone, const QString& glyph, const QString& word);
    Tone tone() const { return m_tone; }

private:
    Tone m_tone = Tone::None;
};

} // namespace sluice::ui
