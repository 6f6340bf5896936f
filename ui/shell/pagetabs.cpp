#include "ui/shell/pagetabs.h"

#include "ui/shell/theme.h"

#include <QPainter>

namespace sluice::ui {

namespace {

constexpr int padding = 12;
constexpr int tabHeight = 30;
constexpr double corner = 6;

} // namespace

PageTabs::PageTabs(QWidget* parent)
    : QTabBar(parent)
{
    setDrawBase(false);
    setExpanding(false);
    setUsesScrollButtons(false);
    setFocusPolicy(Qt::TabFocus);
    connect(&theme(), &Theme::changed, this, qOverload<>(&QWidget::update));
}

QSize PageTabs::tabSizeHint(int index) const
{
    QFont font = theme().font(FontRole::Base);
    font.setWeight(QFont::DemiBold); // the one in hand must not move its neighbours
    return {QFontMetrics(font).horizontalAdvance(tabText(index)) + 2 * padding, tabHeight};
}

void PageTabs::paintEvent(QPaintEvent*)
{
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    for (int index = 0; index < count(); ++index) {
        const QRectF box = QRectF(tabRect(index)).adjusted(1, 1, -1, -1);
        const bool current = index == currentIndex();
        QFont font = theme().font(FontRole::Base);
        font.setWeight(current ? QFont::DemiBold : QFont::Normal);
        painter.setFont(font);
        if (current) {
            painter.setPen(hasFocus() ? QPen(theme().colors().accent, 1) : QPen(Qt::NoPen));
            painter.setBrush(theme().colors().selected);
            painter.drawRoundedRect(box, corner, corner);
        }
        painter.setPen(current ? theme().colors().accent : theme().colors().muted);
        painter.drawText(box, Qt::AlignCenter, tabText(index));
    }
}

} // namespace sluice::ui
