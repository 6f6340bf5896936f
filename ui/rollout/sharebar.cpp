#include "ui/rollout/sharebar.h"

#include "ui/shell/format.h"
#include "ui/shell/theme.h"

#include <QPainter>
#include <QPainterPath>

namespace sluice::ui {

ShareBar::ShareBar(QWidget* parent)
    : QWidget(parent)
{
    setAccessibleName(tr("Share of sessions"));
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    connect(&theme(), &Theme::changed, this, qOverload<>(&QWidget::update));
}

void ShareBar::setShare(const QString& live, const QString& next, double share)
{
    m_live = live;
    m_next = next;
    m_share = share;
    m_known = true;
    setAccessibleDescription(
        tr("%1 takes %2, %3 the rest").arg(next, format::percent(share), live));
    update();
}

void ShareBar::setUnknown()
{
    m_known = false;
    setAccessibleDescription(tr("unknown"));
    update();
}

void ShareBar::paintEvent(QPaintEvent*)
{
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const Colors& colors = theme().colors();
    const QRectF bar(0, 22, width(), 26);
    QPainterPath clip;
    clip.addRoundedRect(bar, 6, 6);
    painter.fillPath(clip, colors.raised);
    painter.setFont(theme().font(FontRole::Base));
    if (!m_known) {
        return;
    }
    painter.save();
    painter.setClipPath(clip);
    const double width = bar.width() * m_share;
    painter.fillRect(QRectF(bar.left(), bar.top(), bar.width() - width, bar.height()),
        theme().seriesPen(Theme::poolSeries(m_live)).color());
    painter.fillRect(QRectF(bar.right() - width, bar.top(), width, bar.height()),
        theme().seriesPen(Theme::poolSeries(m_next)).color());
    painter.restore();
    painter.setPen(colors.text);
    painter.drawText(QRectF(0, 0, this->width(), 18), Qt::AlignLeft | Qt::AlignVCenter,
        tr("%1 (live)  %2").arg(m_live, format::percent(1 - m_share)));
    painter.drawText(QRectF(0, 0, this->width(), 18), Qt::AlignRight | Qt::AlignVCenter,
        tr("%1  %2").arg(m_next, format::percent(m_share)));
}

} // namespace sluice::ui
