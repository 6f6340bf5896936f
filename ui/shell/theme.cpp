#include "ui/shell/theme.h"

#include "ui/shell/style.h"

#include <QApplication>
#include <QEvent>
#include <QFile>
#include <QFontDatabase>
#include <QIconEngine>
#include <QPainter>
#include <QPalette>
#include <QPixmapCache>
#include <QSvgRenderer>
#include <QWidget>
#include <cmath>

static void initResources()
{
    Q_INIT_RESOURCE(icons);
}

namespace sluice::ui {

namespace {

QColor rgb(unsigned value)
{
    return QColor::fromRgb(value);
}

double channel(double c)
{
    return c <= 0.03928 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4);
}

double luminance(const QColor& color)
{
    return 0.2126 * channel(color.redF()) + 0.7152 * channel(color.greenF())
        + 0.0722 * channel(color.blueF());
}

/// The icon in one colour; the name serves as the key of nothing: engines are cheap.
class LineIconEngine : public QIconEngine
{
public:
    explicit LineIconEngine(QString name)
        : m_name(std::move(name))
    { }

    void paint(QPainter* painter, const QRect& rect, QIcon::Mode mode, QIcon::State state) override
    {
        const qreal ratio =
            painter->device() != nullptr ? painter->device()->devicePixelRatio() : 1;
        painter->drawPixmap(rect, scaled(rect.size(), ratio, mode, state));
    }

    QPixmap pixmap(const QSize& size, QIcon::Mode mode, QIcon::State state) override
    {
        return scaled(size, 1.0, mode, state);
    }

    QPixmap scaledPixmap(
        const QSize& size, QIcon::Mode mode, QIcon::State state, qreal scale) override
    {
        return scaled(size / scale, scale, mode, state);
    }

    QIconEngine* clone() const override { return new LineIconEngine(m_name); }

private:
    QPixmap scaled(const QSize& size, qreal ratio, QIcon::Mode mode, QIcon::State state) const
    {
        const Colors& c = theme().colors();
        const QColor color = mode == QIcon::Disabled ? c.faint
            : state == QIcon::On                     ? c.accent
                                                     : c.text;
        return theme().pixmap(m_name, std::min(size.width(), size.height()), color, ratio);
    }

    QString m_name;
};

} // namespace

const Colors& Theme::lightColors()
{
    static const Colors colors{rgb(0xf4f6f8), rgb(0xffffff), rgb(0xf0f3f6), rgb(0xd8dee6),
        rgb(0x1b2129), rgb(0x5c6876), rgb(0x8a95a3), rgb(0x0072b2), rgb(0xffffff), rgb(0x009e73),
        rgb(0xe69f00), rgb(0xcc79a7), rgb(0x00805c), rgb(0xb26b00), rgb(0xc04a00), rgb(0xe3eff8)};
    return colors;
}

const Colors& Theme::darkColors()
{
    static const Colors colors{rgb(0x12161b), rgb(0x1a1f26), rgb(0x222932), rgb(0x2e3742),
        rgb(0xe6eaf0), rgb(0x9ba7b5), rgb(0x6d7886), rgb(0x56b4e9), rgb(0x12161b), rgb(0x35c498),
        rgb(0xf0b040), rgb(0xe0a0c4), rgb(0x35c498), rgb(0xf0b040), rgb(0xf07840), rgb(0x1f3242)};
    return colors;
}

Theme& Theme::instance()
{
    static auto* theme = new Theme; // outlives the application's last widget
    return *theme;
}

Theme::Theme()
    : m_colors(lightColors())
{
    ::initResources();
}

void Theme::install(QApplication& application)
{
    m_application = &application;
    m_systemDark = luminance(QApplication::palette().color(QPalette::Window)) < 0.2;
    m_family = QFontDatabase::hasFamily(QStringLiteral("Inter"))
        ? QStringLiteral("Inter")
        : QFontDatabase::systemFont(QFontDatabase::GeneralFont).family();
    QApplication::setStyle(new Style);
    application.installEventFilter(this);
    apply();
}

void Theme::setMode(Mode mode)
{
    m_mode = mode;
    apply();
}

Theme::Mode Theme::modeFromText(const QString& text, bool* known)
{
    if (known != nullptr) {
        *known = true;
    }
    if (text == QLatin1StringView("light")) {
        return Mode::Light;
    }
    if (text == QLatin1StringView("dark")) {
        return Mode::Dark;
    }
    if (known != nullptr) {
        *known = text == QLatin1StringView("system");
    }
    return Mode::System;
}

QString Theme::modeText(Mode mode)
{
    switch (mode) {
    case Mode::Light:
        return QStringLiteral("light");
    case Mode::Dark:
        return QStringLiteral("dark");
    case Mode::System:
        break;
    }
    return QStringLiteral("system");
}

bool Theme::eventFilter(QObject* watched, QEvent* event)
{
    // A palette that we did not set comes from the desktop: its luminance says light or dark.
    if (event->type() == QEvent::ApplicationPaletteChange && watched == m_application
        && !m_applying) {
        const bool dark = luminance(QApplication::palette().color(QPalette::Window)) < 0.2;
        if (dark != m_systemDark) {
            m_systemDark = dark;
            apply();
        }
    }
    return QObject::eventFilter(watched, event);
}

void Theme::apply()
{
    m_dark = m_mode == Mode::Dark || (m_mode == Mode::System && m_systemDark);
    m_colors = m_dark ? darkColors() : lightColors();
    if (m_application == nullptr) {
        return;
    }
    m_applying = true;
    const Colors& c = m_colors;
    QPalette palette;
    palette.setColor(QPalette::Window, c.background);
    palette.setColor(QPalette::WindowText, c.text);
    palette.setColor(QPalette::Base, c.card);
    palette.setColor(QPalette::AlternateBase, c.raised);
    palette.setColor(QPalette::Text, c.text);
    palette.setColor(QPalette::Button, c.raised);
    palette.setColor(QPalette::ButtonText, c.text);
    palette.setColor(QPalette::BrightText, c.bad);
    palette.setColor(QPalette::PlaceholderText, c.faint);
    palette.setColor(QPalette::Highlight, c.selected);
    palette.setColor(QPalette::HighlightedText, c.text);
    palette.setColor(QPalette::Link, c.accent);
    palette.setColor(QPalette::LinkVisited, c.accent);
    palette.setColor(QPalette::ToolTipBase, c.raised);
    palette.setColor(QPalette::ToolTipText, c.text);
    palette.setColor(QPalette::Light, c.raised);
    palette.setColor(QPalette::Midlight, c.raised);
    palette.setColor(QPalette::Mid, c.line);
    palette.setColor(QPalette::Dark, c.line);
    palette.setColor(QPalette::Shadow, c.line);
    for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText}) {
        palette.setColor(QPalette::Disabled, role, c.faint);
    }
    palette.setColor(QPalette::Disabled, QPalette::Highlight, c.line);
    QApplication::setPalette(palette);
    QApplication::setFont(font(FontRole::Base));
    QPixmapCache::clear();
    m_applying = false;
    Q_EMIT changed();
    const auto widgets = QApplication::allWidgets();
    for (QWidget* widget : widgets) {
        widget->update();
    }
}

QColor Theme::color(Tone tone) const
{
    switch (tone) {
    case Tone::Ok:
        return m_colors.ok;
    case Tone::Warn:
        return m_colors.warn;
    case Tone::Bad:
        return m_colors.bad;
    case Tone::None:
        break;
    }
    return m_colors.muted;
}

QString Theme::glyph(Tone tone)
{
    switch (tone) {
    case Tone::Ok:
        return QStringLiteral("✓");
    case Tone::Warn:
        return QStringLiteral("△");
    case Tone::Bad:
        return QStringLiteral("✕");
    case Tone::None:
        break;
    }
    return QStringLiteral("○");
}

QFont Theme::font(FontRole role) const
{
    QFont font(m_family.isEmpty() ? QStringLiteral("Inter") : m_family);
    font.setPixelSize(13);
    switch (role) {
    case FontRole::Small:
        font.setPixelSize(11);
        break;
    case FontRole::Base:
        break;
    case FontRole::CardTitle:
        font.setPixelSize(12);
        font.setWeight(QFont::DemiBold);
        break;
    case FontRole::Title:
        font.setPixelSize(15);
        font.setWeight(QFont::DemiBold);
        break;
    case FontRole::Figure:
        font.setPixelSize(24);
        font.setWeight(QFont::DemiBold);
        break;
    }
#if QT_VERSION >= QT_VERSION_CHECK(6, 7, 0)
    font.setFeature("tnum", 1);
#endif
    return font;
}

QPen Theme::seriesPen(int series) const
{
    const QColor colors[]{m_colors.accent, m_colors.second, m_colors.third, m_colors.fourth,
        m_colors.muted, m_colors.bad};
    static const QList<qreal> dashes[]{
        {}, {4.0, 2.5}, {1.2, 2.0}, {6.0, 2.0, 1.2, 2.0}, {2.0, 2.0}, {8.0, 2.0}};
    const auto index = static_cast<std::size_t>(std::max(series, 0)) % std::size(colors);
    QPen pen(colors[index], 1.5, Qt::SolidLine, Qt::FlatCap, Qt::RoundJoin);
    if (!dashes[index].isEmpty()) {
        pen.setDashPattern(dashes[index]);
    }
    return pen;
}

int Theme::poolSeries(const QString& pool)
{
    return pool == QLatin1StringView("green") ? 1 : 0;
}

QIcon Theme::icon(const QString& name) const
{
    return QIcon(new LineIconEngine(name));
}

QPixmap Theme::pixmap(const QString& name, int size, const QColor& color, qreal ratio) const
{
    const QString key = QStringLiteral("sluice/%1/%2/%3/%4")
                            .arg(name)
                            .arg(size)
                            .arg(color.name(QColor::HexArgb))
                            .arg(ratio);
    QPixmap pixmap;
    if (QPixmapCache::find(key, &pixmap)) {
        return pixmap;
    }
    QFile file(QStringLiteral(":/icons/%1.svg").arg(name));
    pixmap = QPixmap(qRound(size * ratio), qRound(size * ratio));
    pixmap.fill(Qt::transparent);
    if (file.open(QIODevice::ReadOnly)) {
        QByteArray svg = file.readAll();
        svg.replace("currentColor", color.name().toLatin1());
        QSvgRenderer renderer(svg);
        QPainter painter(&pixmap);
        renderer.render(&painter, QRectF(pixmap.rect()));
    }
    pixmap.setDevicePixelRatio(ratio);
    QPixmapCache::insert(key, pixmap);
    return pixmap;
}

QColor withAlpha(QColor color, double alpha)
{
    color.setAlphaF(static_cast<float>(alpha));
    return color;
}

double contrast(const QColor& a, const QColor& b)
{
    const double la = luminance(a) + 0.05;
    const double lb = luminance(b) + 0.05;
    return la > lb ? la / lb : lb / la;
}

} // namespace sluice::ui
