#include "ui/shell/style.h"

#include "ui/shell/theme.h"

#include <QAbstractItemView>
#include <QPainter>
#include <QPainterPath>
#include <QStyleOption>
#include <QWidget>

namespace sluice::ui {

namespace {

constexpr double corner = 6;

bool is(const QStyleOption* option, QStyle::StateFlag flag)
{
    return option->state.testFlag(flag);
}

QString roleOf(const QWidget* widget)
{
    return widget == nullptr ? QString() : widget->property("role").toString();
}

void roundedBox(QPainter* painter, const QRect& rect, const QColor& fill, const QColor& border)
{
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);
    painter->setBrush(fill);
    painter->setPen(border.isValid() ? QPen(border, 1) : QPen(Qt::NoPen));
    painter->drawRoundedRect(QRectF(rect).adjusted(0.5, 0.5, -0.5, -0.5), corner, corner);
    painter->restore();
}

void chevron(QPainter* painter, const QPointF& centre, bool down, const QColor& color)
{
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);
    painter->setPen(QPen(color, 1.4, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
    const double d = down ? 1.8 : -1.8;
    painter->drawPolyline(QPolygonF{{centre.x() - 3.6, centre.y() - d},
        {centre.x(), centre.y() + d}, {centre.x() + 3.6, centre.y() - d}});
    painter->restore();
}

void drawButton(const QStyleOption* option, QPainter* painter, const QWidget* widget)
{
    const Colors& c = theme().colors();
    const QString role = roleOf(widget);
    const bool enabled = is(option, QStyle::State_Enabled);
    const bool hover = is(option, QStyle::State_MouseOver) && enabled;
    const bool down = is(option, QStyle::State_Sunken) || is(option, QStyle::State_On);
    QColor fill = c.raised;
    QColor border = c.line;
    if (role == QLatin1StringView("primary") && enabled) {
        fill = c.accent;
        border = c.accent;
    } else if (role == QLatin1StringView("danger") && enabled) {
        fill = hover ? withAlpha(c.bad, 0.12) : c.card;
        border = c.bad;
    } else if (role == QLatin1StringView("flat")) {
        fill = hover || down ? c.raised : QColor(Qt::transparent);
        border = QColor();
    }
    if (down) {
        fill = theme().isDark() ? fill.lighter(118) : fill.darker(108);
    } else if (hover && role != QLatin1StringView("danger")) {
        fill = theme().isDark() ? fill.lighter(110) : fill.darker(103);
    }
    if (is(option, QStyle::State_HasFocus) && is(option, QStyle::State_KeyboardFocusChange)) {
        border = role == QLatin1StringView("primary") ? c.text : c.accent;
    }
    roundedBox(painter, option->rect, fill, border);
}

void drawField(const QStyleOption* option, QPainter* painter, const QRect& rect)
{
    const Colors& c = theme().colors();
    const bool focus = is(option, QStyle::State_HasFocus) && is(option, QStyle::State_Enabled);
    roundedBox(painter, rect, is(option, QStyle::State_Enabled) ? c.card : c.raised,
        focus ? c.accent : c.line);
}

void drawScrollBar(
    const QStyleOptionSlider* option, QPainter* painter, const QStyle* style, const QWidget* widget)
{
    const Colors& c = theme().colors();
    QRect handle =
        style->subControlRect(QStyle::CC_ScrollBar, option, QStyle::SC_ScrollBarSlider, widget);
    if (option->minimum == option->maximum) {
        return;
    }
    handle = option->orientation == Qt::Vertical ? handle.adjusted(2, 1, -2, -1)
                                                 : handle.adjusted(1, 2, -1, -2);
    const bool hover = is(option, QStyle::State_MouseOver) || is(option, QStyle::State_Sunken);
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);
    painter->setPen(Qt::NoPen);
    painter->setBrush(hover ? c.faint : c.line);
    const double radius = std::min(handle.width(), handle.height()) / 2.0;
    painter->drawRoundedRect(handle, radius, radius);
    painter->restore();
}

void drawSlider(
    const QStyleOptionSlider* option, QPainter* painter, const QStyle* style, const QWidget* widget)
{
    const Colors& c = theme().colors();
    const QRect groove =
        style->subControlRect(QStyle::CC_Slider, option, QStyle::SC_SliderGroove, widget);
    const QRect handle =
        style->subControlRect(QStyle::CC_Slider, option, QStyle::SC_SliderHandle, widget);
    const bool enabled = is(option, QStyle::State_Enabled);
    const QColor full = enabled ? c.accent : c.faint;
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);
    painter->setPen(Qt::NoPen);
    QRectF track(groove);
    QRectF done = track;
    const QPointF centre = QRectF(handle).center();
    if (option->orientation == Qt::Horizontal) {
        track = QRectF(track.left(), track.center().y() - 2, track.width(), 4);
        done = track;
        done.setRight(centre.x());
    } else {
        track = QRectF(track.center().x() - 2, track.top(), 4, track.height());
        done = track;
        done.setTop(centre.y());
    }
    painter->setBrush(c.line);
    painter->drawRoundedRect(track, 2, 2);
    painter->setBrush(full);
    painter->drawRoundedRect(done, 2, 2);
    painter->setBrush(c.card);
    painter->setPen(QPen(full, is(option, QStyle::State_HasFocus) ? 2.5 : 1.5));
    painter->drawEllipse(centre, 6.5, 6.5);
    painter->restore();
}

void drawHeader(const QStyleOptionHeader* option, QPainter* painter)
{
    const Colors& c = theme().colors();
    painter->fillRect(option->rect, c.card);
    painter->setPen(c.line);
    painter->drawLine(option->rect.bottomLeft(), option->rect.bottomRight());
}

constexpr int headerPadding = 4;

QFont headerFont()
{
    QFont font = theme().font(FontRole::Small);
    font.setWeight(QFont::Medium);
    return font;
}

void drawHeaderLabel(const QStyleOptionHeader* option, QPainter* painter)
{
    const Colors& c = theme().colors();
    painter->save();
    painter->setFont(headerFont());
    painter->setPen(c.muted);
    const QRect rect = option->rect.adjusted(headerPadding, 0, -headerPadding, 0);
    const int flags = int((option->textAlignment & Qt::AlignHorizontal_Mask) | Qt::AlignVCenter);
    painter->drawText(
        rect, flags, painter->fontMetrics().elidedText(option->text, Qt::ElideRight, rect.width()));
    painter->restore();
}

/// Fusion's box is drawn from shades of the window's colour, which are all one in the dark theme.
void drawCheckBox(const QStyleOption* option, QPainter* painter)
{
    const Colors& c = theme().colors();
    const bool enabled = is(option, QStyle::State_Enabled);
    const bool checked = is(option, QStyle::State_On);
    const QColor mark = enabled ? c.accent : c.faint;
    const QRectF box = QRectF(option->rect).adjusted(1.5, 1.5, -1.5, -1.5);
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);
    painter->setBrush(checked ? mark : c.card);
    painter->setPen(QPen(is(option, QStyle::State_HasFocus) || checked ? mark
            : enabled                                                  ? c.muted
                                                                       : c.faint,
        1));
    painter->drawRoundedRect(box, 3, 3);
    if (checked) {
        painter->setPen(QPen(c.onAccent, 1.6, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
        painter->drawPolyline(
            QPolygonF({box.topLeft() + QPointF(box.width() * 0.22, box.height() * 0.52),
                box.topLeft() + QPointF(box.width() * 0.42, box.height() * 0.72),
                box.topLeft() + QPointF(box.width() * 0.78, box.height() * 0.30)}));
    }
    painter->restore();
}

} // namespace

Style::Style()
    : QProxyStyle(QStringLiteral("Fusion"))
{ }

void Style::drawPrimitive(PrimitiveElement element, const QStyleOption* option, QPainter* painter,
    const QWidget* widget) const
{
    const Colors& c = theme().colors();
    switch (element) {
    case PE_PanelButtonCommand:
        drawButton(option, painter, widget);
        return;
    case PE_PanelButtonTool:
        if (is(option, State_On)) {
            roundedBox(painter, option->rect, c.selected, {});
        } else if (is(option, State_MouseOver) || is(option, State_Sunken)) {
            roundedBox(painter, option->rect, c.raised, {});
        }
        return;
    case PE_IndicatorCheckBox:
        if (!is(option, State_NoChange)) {
            drawCheckBox(option, painter);
            return;
        }
        break;
    case PE_FrameDefaultButton:
        return;
    case PE_FrameFocusRect:
        if (qobject_cast<const QAbstractItemView*>(widget) == nullptr) {
            roundedBox(painter, option->rect, Qt::transparent, c.accent);
        }
        return;
    case PE_PanelLineEdit:
        // Inside a spin or combo box the box draws the field.
        if (const auto* frame = qstyleoption_cast<const QStyleOptionFrame*>(option);
            frame != nullptr && frame->lineWidth > 0) {
            drawField(option, painter, option->rect);
        }
        return;
    case PE_FrameLineEdit:
        return;
    case PE_Frame:
        if (const auto* frame = qstyleoption_cast<const QStyleOptionFrame*>(option);
            frame != nullptr && frame->lineWidth > 0) {
            roundedBox(painter, option->rect, Qt::transparent,
                is(option, State_HasFocus) ? c.accent : c.line);
        }
        return;
    default:
        break;
    }
    QProxyStyle::drawPrimitive(element, option, painter, widget);
}

void Style::drawControl(ControlElement element, const QStyleOption* option, QPainter* painter,
    const QWidget* widget) const
{
    const Colors& c = theme().colors();
    if (element == CE_PushButtonLabel) {
        if (const auto* button = qstyleoption_cast<const QStyleOptionButton*>(option)) {
            QStyleOptionButton copy(*button);
            const QString role = roleOf(widget);
            if (is(option, State_Enabled)) {
                const QColor text = role == QLatin1StringView("primary") ? c.onAccent
                    : role == QLatin1StringView("danger")                ? c.bad
                                                                         : c.text;
                copy.palette.setColor(QPalette::ButtonText, text);
            }
            QProxyStyle::drawControl(element, &copy, painter, widget);
            return;
        }
    }
    if (element == CE_HeaderSection) {
        if (const auto* header = qstyleoption_cast<const QStyleOptionHeader*>(option)) {
            drawHeader(header, painter);
            return;
        }
    }
    if (element == CE_HeaderEmptyArea) {
        painter->fillRect(option->rect, c.card);
        painter->setPen(c.line);
        painter->drawLine(option->rect.bottomLeft(), option->rect.bottomRight());
        return;
    }
    if (element == CE_HeaderLabel) {
        if (const auto* header = qstyleoption_cast<const QStyleOptionHeader*>(option)) {
            drawHeaderLabel(header, painter);
            return;
        }
    }
    if (element == CE_ProgressBar) {
        if (const auto* bar = qstyleoption_cast<const QStyleOptionProgressBar*>(option)) {
            QRectF track(bar->rect);
            track = QRectF(track.left(), track.center().y() - 3, track.width(), 6);
            painter->save();
            painter->setRenderHint(QPainter::Antialiasing);
            painter->setPen(Qt::NoPen);
            painter->setBrush(c.raised);
            painter->drawRoundedRect(track, 3, 3);
            const int span = bar->maximum - bar->minimum;
            // Without a span nobody knows how far it is: a third, still, is enough to say "busy".
            const double share = span <= 0 ? 0.33 : double(bar->progress - bar->minimum) / span;
            track.setWidth(track.width() * std::clamp(share, 0.0, 1.0));
            painter->setBrush(span <= 0 ? withAlpha(c.accent, 0.5) : c.accent);
            painter->drawRoundedRect(track, 3, 3);
            painter->restore();
            return;
        }
    }
    QProxyStyle::drawControl(element, option, painter, widget);
}

void Style::drawComplexControl(ComplexControl control, const QStyleOptionComplex* option,
    QPainter* painter, const QWidget* widget) const
{
    const Colors& c = theme().colors();
    if (control == CC_ComboBox) {
        if (const auto* box = qstyleoption_cast<const QStyleOptionComboBox*>(option);
            box != nullptr && box->frame) {
            drawField(option, painter, option->rect);
            const QRect arrow = subControlRect(control, option, SC_ComboBoxArrow, widget);
            chevron(painter, QRectF(arrow).center(), true,
                is(option, State_Enabled) ? c.muted : c.faint);
            return;
        }
    }
    if (control == CC_SpinBox) {
        if (const auto* box = qstyleoption_cast<const QStyleOptionSpinBox*>(option);
            box != nullptr && box->frame) {
            drawField(option, painter, option->rect);
            const QRect up = subControlRect(control, option, SC_SpinBoxUp, widget);
            const QRect down = subControlRect(control, option, SC_SpinBoxDown, widget);
            chevron(painter, QRectF(up).center() + QPointF(0, 1), false, c.muted);
            chevron(painter, QRectF(down).center() - QPointF(0, 1), true, c.muted);
            return;
        }
    }
    if (control == CC_ScrollBar) {
        if (const auto* bar = qstyleoption_cast<const QStyleOptionSlider*>(option)) {
            drawScrollBar(bar, painter, this, widget);
            return;
        }
    }
    if (control == CC_Slider) {
        if (const auto* slider = qstyleoption_cast<const QStyleOptionSlider*>(option)) {
            drawSlider(slider, painter, this, widget);
            return;
        }
    }
    QProxyStyle::drawComplexControl(control, option, painter, widget);
}

int Style::pixelMetric(PixelMetric metric, const QStyleOption* option, const QWidget* widget) const
{
    switch (metric) {
    case PM_ScrollBarExtent:
        return 10;
    case PM_ButtonShiftHorizontal:
    case PM_ButtonShiftVertical:
        return 0;
    case PM_DefaultFrameWidth:
        return 1;
    case PM_LayoutHorizontalSpacing:
    case PM_LayoutVerticalSpacing:
        return 8;
    default:
        return QProxyStyle::pixelMetric(metric, option, widget);
    }
}

QSize Style::sizeFromContents(
    ContentsType type, const QStyleOption* option, const QSize& size, const QWidget* widget) const
{
    QSize result = QProxyStyle::sizeFromContents(type, option, size, widget);
    switch (type) {
    case CT_PushButton:
        result.setWidth(size.width() + 28);
        result.setHeight(std::max(result.height(), 32));
        break;
    case CT_LineEdit:
    case CT_ComboBox:
    case CT_SpinBox:
        result.setHeight(std::max(result.height(), 30));
        break;
    case CT_HeaderSection:
        if (const auto* header = qstyleoption_cast<const QStyleOptionHeader*>(option)) {
            const int margin = pixelMetric(PM_HeaderMargin, option, widget);
            const int text = QFontMetrics(headerFont()).horizontalAdvance(header->text);
            result.setWidth(std::max(result.width(), text + 2 * (headerPadding + margin) + 2));
        }
        break;
    case CT_MenuItem:
        result.setHeight(std::max(result.height(), 26));
        break;
    default:
        break;
    }
    return result;
}

int Style::styleHint(
    StyleHint hint, const QStyleOption* option, const QWidget* widget, QStyleHintReturn* data) const
{
    if (hint == SH_ComboBox_Popup || hint == SH_EtchDisabledText) {
        return 0;
    }
    return QProxyStyle::styleHint(hint, option, widget, data);
}

} // namespace sluice::ui
