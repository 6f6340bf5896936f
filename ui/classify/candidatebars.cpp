#include "ui/classify/candidatebars.h"

#include "ui/shell/format.h"
#include "ui/shell/theme.h"

#include <QPainter>

namespace sluice::ui {

namespace {

constexpr int rowHeight = 27;
constexpr int barHeight = 14;
constexpr int valueWidth = 48;

} // namespace

CandidateBars::CandidateBars(QWidget* parent)
    : QWidget(parent)
{
    setAccessibleName(tr("Candidates"));
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    connect(&theme(), &Theme::changed, this, qOverload<>(&QWidget::update));
}

void CandidateBars::setBars(const QList<Bar>& bars, double threshold, bool accepted)
{
    m_bars = bars;
    m_threshold = threshold;
    m_accepted = accepted;
    QStringList words;
    for (const Bar& bar : bars) {
        words << bar.intent % u' ' % format::fixed(bar.confidence, 2);
    }
    setAccessibleDescription(
        tr("threshold %1: %2").arg(format::fixed(threshold, 2), words.join(QStringLiteral(", "))));
    updateGeometry();
    update();
}

void CandidateBars::setMargin(double margin, double required)
{
    m_margin = margin;
    m_required = required;
    update();
}

/// From the end of the second bar to that of the first, in the gap between their rows; where more
/// is asked, on to where it would have to end.
void CandidateBars::paintMargin(QPainter& painter, const QRectF& track) const
{
    if (m_bars.size() < 2) {
        return;
    }
    const Colors& colors = theme().colors();
    const bool enough = m_margin >= m_required;
    const double from = track.left() + track.width() * m_bars[1].confidence;
    const double to = track.left() + track.width() * m_bars[0].confidence;
    const double y = rowHeight;
    painter.setPen(QPen(enough ? colors.muted : colors.warn, 1.5));
    painter.drawLine(QPointF(from, y), QPointF(to, y));
    painter.drawLine(QPointF(from, y - 3), QPointF(from, y + 4));
    painter.drawLine(QPointF(to, y - 4), QPointF(to, y + 3));
    if (!enough) {
        const double asked = std::min(track.right(), from + track.width() * m_required);
        painter.setPen(QPen(colors.warn, 1.5, Qt::DotLine));
        painter.drawLine(QPointF(to, y), QPointF(asked, y));
    }
}

QSize CandidateBars::sizeHint() const
{
    return {420, rowHeight * 5};
}

void CandidateBars::paintEvent(QPaintEvent*)
{
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const Colors& colors = theme().colors();
    const QFont base = theme().font(FontRole::Base);
    QFont strong = base;
    strong.setWeight(QFont::DemiBold);
    const QFontMetrics metrics(base);
    int nameWidth = 90;
    for (const Bar& bar : m_bars) {
        nameWidth = std::max(nameWidth, metrics.horizontalAdvance(bar.intent));
    }
    nameWidth = std::min(nameWidth + 16, width() / 3);
    const QRectF track(nameWidth, 0, std::max(40, width() - nameWidth - valueWidth), barHeight);
    for (int row = 0; row < m_bars.size(); ++row) {
        const Bar& bar = m_bars[row];
        const double top = row * rowHeight + (rowHeight - barHeight) / 2.0;
        const QRectF box(track.left(), top, track.width(), barHeight);
        painter.setFont(base);
        painter.setPen(colors.text);
        painter.drawText(QRectF(0, row * rowHeight, nameWidth - 8, rowHeight), Qt::AlignVCenter,
            metrics.elidedText(bar.intent, Qt::ElideMiddle, nameWidth - 8));
        painter.setPen(Qt::NoPen);
        painter.setBrush(colors.raised);
        painter.drawRoundedRect(box, 3, 3);
        QRectF filled = box;
        filled.setWidth(std::max(3.0, box.width() * bar.confidence));
        painter.setBrush(row == 0 && m_accepted ? colors.accent : colors.faint);
        painter.drawRoundedRect(filled, 3, 3);
        painter.setFont(strong);
        painter.setPen(colors.text);
        painter.drawText(QRectF(track.right() + 6, row * rowHeight, valueWidth - 6, rowHeight),
            Qt::AlignVCenter | Qt::AlignRight, format::fixed(bar.confidence, 2));
    }
    paintMargin(painter, track);
    if (!m_bars.isEmpty()) {
        const double x = track.left() + track.width() * m_threshold;
        painter.setPen(QPen(colors.text, 2));
        painter.drawLine(QPointF(x, 2), QPointF(x, double(m_bars.size()) * rowHeight - 2));
    }
}

} // namespace sluice::ui
