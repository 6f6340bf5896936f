#include "ui/shell/meter.h"

#include "ui/shell/format.h"
#include "ui/shell/theme.h"

#include <QPainter>
#include <algorithm>

namespace sluice::ui {

Meter::Meter(QWidget* parent)
    : QWidget(parent)
{
    setMinimumHeight(14);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
}

void Meter::setValue(double share)
{
    m_value = share;
    setAccessibleDescription(format::percent(share));
    update();
}

void Meter::setLimit(std::optional<double> share)
{
    m_limit = share;
    update();
}

void Meter::setQuiet(bool quiet)
{
    m_quiet = quiet;
    update();
}

void Meter::paintEvent(QPaintEvent*)
{
    const Colors& c = theme().colors();
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    QRectF track(0, height() / 2.0 - 4, width(), 8);
    painter.setBrush(c.raised);
    painter.drawRoundedRect(track, 3, 3);
    const double share = std::clamp(m_value, 0.0, 1.0);
    if (share > 0) {
        QRectF bar = track;
        bar.setWidth(std::max(2.0, track.width() * share));
        painter.setBrush(m_quiet ? c.faint : c.accent);
        painter.drawRoundedRect(bar, 3, 3);
    }
    if (m_limit) {
        const double x = std::clamp(*m_limit, 0.0, 1.0) * track.width();
        painter.fillRect(QRectF(x - 1, 0, 2, height()), c.text);
    }
}

} // namespace sluice::ui
