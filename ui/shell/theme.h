#pragma once

#include <QColor>
#include <QFont>
#include <QIcon>
#include <QObject>
#include <QPen>
#include <QPixmap>
#include <QString>

class QApplication;

namespace sluice::ui {

/// The one palette (SCREENS: tokens). Nothing else in the console names a colour.
struct Colors
{
    QColor background; ///< behind the cards
    QColor card;
    QColor raised; ///< fields, bars' tracks, plain buttons
    QColor line; ///< borders and table lines
    QColor text;
    QColor muted; ///< titles, labels
    QColor faint; ///< what may be overlooked
    QColor accent; ///< blue pool, first series, the primary button
    QColor onAccent; ///< text on the accent
    QColor second; ///< green pool, second series
    QColor third;
    QColor fourth;
    QColor ok;
    QColor warn;
    QColor bad;
    QColor selected; ///< the row in hand
};

enum class Tone
{
    Ok,
    Warn,
    Bad,
    None
};

enum class FontRole
{
    Small, ///< 11 px: axes, status
    Base, ///< 13 px
    CardTitle, ///< 12 px semibold
    Title, ///< 15 px semibold
    Figure ///< 24 px semibold
};

/// Colours, fonts, icons and style of the whole console; lives as long as the application. Widgets
/// that paint themselves read it in paintEvent() and are repainted when it changes; whoever keeps a
/// picture or a palette of his own listens to changed().
class Theme : public QObject
{
    Q_OBJECT

public:
    enum class Mode
    {
        Light,
        Dark,
        System ///< from the luminance of the desktop's own window colour
    };

    /// The application's theme; made on first use (after the QApplication).
    static Theme& instance();

    /// Fusion with our drawing, fonts and palette onto the application.
    void install(QApplication& application);
    void setMode(Mode mode);
    Mode mode() const { return m_mode; }
    bool isDark() const { return m_dark; }
    static Mode modeFromText(
        const QString& text, bool* known = nullptr); ///< "light" "dark" "system"
    static QString modeText(Mode mode);

    const Colors& colors() const { return m_colors; }
    static const Colors& lightColors();
    static const Colors& darkColors();
    QColor color(Tone tone) const; ///< None: muted
    static QString glyph(Tone tone); ///< "✓" "△" "✕" "○"

    QFont font(FontRole role) const;

    /// Colour and dash of the n-th series (0..), 1.5 px. Pools have theirs by name: blue is 0,
    /// green 1.
    QPen seriesPen(int series) const;
    static int poolSeries(const QString& pool);

    /// A line icon of resources/icons ("monitor") in the text colour, or in the one given.
    QIcon icon(const QString& name) const;
    QPixmap pixmap(const QString& name, int size, const QColor& color, qreal ratio = 1.0) const;

Q_SIGNALS:
    void changed();

private:
    Theme();
    bool eventFilter(QObject* watched, QEvent* event) override;
    void apply();

    Mode m_mode = Mode::System;
    bool m_dark = false;
    bool m_systemDark = false;
    bool m_applying = false;
    QApplication* m_application = nullptr;
    QString m_family;
    Colors m_colors;
};

inline Theme& theme()
{
    return Theme::instance();
}

/// A colour with another opacity (0..1).
QColor withAlpha(QColor color, double alpha);

/// WCAG contrast ratio, 1..21.
double contrast(const QColor& a, const QColor& b);

} // namespace sluice::ui
