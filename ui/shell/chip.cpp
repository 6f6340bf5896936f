#include "ui/shell/chip.h"

#include <QPainter>

namespace sluice::ui {

namespace {

QFont strongFont()
{
    QFont font = theme().font(FontRole::Base);
    font.setWeight(QFont::DemiBold);
    return font;
}

} // namespace

Chip::Chip(const ChipText& text, QWidget* parent)
    : QAbstractButton(parent)
{
    setFocusPolicy(Qt::NoFocus);
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
    setChip(text);
}

void Chip::setChip(const ChipText& text)
{
    if (text == m_text) {
        return;
    }
    m_text = text;
    const QString tone = !text.tone ? QString()
        : *text.tone == Tone::Ok    ? tr(", ok")
        : *text.tone == Tone::Warn  ? tr(", needs attention")
        : *text.tone == Tone::Bad   ? tr(", failed")
                                    : QString();
    setAccessibleName(QString(text.text + text.strong + text.tail + tone));
    setToolTip(text.toolTip);
    updateGeometry();
    update();
}

void Chip::setClickable(bool clickable, bool menuArrow)
{
    m_clickable = clickable;
    m_arrow = menuArrow;
    setFocusPolicy(clickable ? Qt::TabFocus : Qt::NoFocus);
    setCursor(clickable ? Qt::PointingHandCursor : Qt::ArrowCursor);
    updateGeometry();
}

QSize Chip::sizeHint() const
{
    const QFontMetrics plain(theme().font(FontRole::Base));
    const QFontMetrics strong(strongFont());
    const int width = plain.horizontalAdvance(m_text.text) + strong.horizontalAdvance(m_text.strong)
        + plain.horizontalAdvance(m_text.tail) + (m_text.tone ? 15 : 0) + (m_arrow ? 14 : 0) + 22;
    return {width, 28};
}

void Chip::paintEvent(QPaintEvent*)
{
    const Colors& c = theme().colors();
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setBrush(m_clickable && (underMouse() || isDown()) ? c.raised : c.card);
    painter.setPen(QPen(hasFocus() ? c.accent : c.line, 1));
    painter.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6);
    double x = 11;
    const double middle = height() / 2.0;
    if (m_text.tone) {
        painter.setPen(QPen(theme().color(*m_text.tone), 1.5));
        // Shape as well as colour: full when fine, a ring when there is nothing, a square else.
        const QRectF dot(x, middle - 4, 8, 8);
        painter.setBrush(
            *m_text.tone == Tone::None ? QBrush(Qt::NoBrush) : QBrush(theme().color(*m_text.tone)));
        if (*m_text.tone == Tone::Ok || *m_text.tone == Tone::None) {
            painter.drawEllipse(dot.adjusted(0.5, 0.5, -0.5, -0.5));
        } else {
            painter.drawRect(dot.adjusted(1, 1, -1, -1));
        }
        x += 15;
    }
    const double end = width() - (m_arrow ? 24 : 8);
    const auto word = [&](const QString& text, const QFont& font, const QColor& color) {
        painter.setFont(font);
        painter.setPen(color);
        painter.drawText(QRectF(x, 0, end - x, height()), int(Qt::AlignVCenter),
            QFontMetricsF(font).elidedText(text, Qt::ElideRight, std::max(0.0, end - x + 0.5)));
        x += QFontMetricsF(font).horizontalAdvance(text);
    };
    word(m_text.text, theme().font(FontRole::Base), c.muted);
    word(m_text.strong, strongFont(), c.text);
    word(m_text.tail, theme().font(FontRole::Base), c.muted);
    if (m_arrow) {
        painter.setPen(QPen(c.muted, 1.4, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
        const double right = width() - 14;
        painter.drawPolyline(QPolygonF{
            {right - 3.5, middle - 1.5}, {right, middle + 2}, {right + 3.5, middle - 1.5}});
    }
}

} // namespace sluice::ui
