#include "ui/thresholds/confidencehistogram.h"

#include "ui/shell/format.h"
#include "ui/shell/theme.h"

#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <algorithm>
#include <cmath>

namespace sluice::ui {

ConfidenceHistogram::ConfidenceHistogram(QWidget* parent)
    : QWidget(parent)
{
    setFocusPolicy(Qt::StrongFocus);
    setCursor(Qt::SplitHCursor);
    setAccessibleName(tr("Confidence of answers"));
    setToolTip(tr("Drag the line, or use ← and →, to move the global threshold"));
    connect(&theme(), &Theme::changed, this, qOverload<>(&QWidget::update));
}

void ConfidenceHistogram::setRows(std::span<const ScoredRow> rows, bool labelled)
{
    m_bins = QList<Bin>(bins);
    m_total = {};
    m_labelled = labelled;
    for (const ScoredRow& row : rows) {
        const double confidence = row.candidates > 0 ? row.top[0].confidence : 0.0;
        const int place = std::clamp(int(confidence * bins), 0, bins - 1);
        int Bin::*const part = !labelled              ? &Bin::unlabelled
            : row.label == ScoredRow::outOfScopeLabel ? &Bin::outOfScope
            : row.isRight()                           ? &Bin::right
                                                      : &Bin::wrong;
        m_bins[place].*part += 1;
        m_total.*part += 1;
    }
    setAccessibleDescription(!labelled
            ? tr("%1 queries of recorded traffic").arg(m_total.unlabelled)
            : tr("%1 right, %2 wrong, %3 out of scope; threshold %4")
                  .arg(m_total.right)
                  .arg(m_total.wrong)
                  .arg(m_total.outOfScope)
                  .arg(format::fixed(m_threshold, 3)));
    update();
}

void ConfidenceHistogram::setThreshold(double threshold)
{
    m_threshold = threshold;
    update();
}

void ConfidenceHistogram::setLive(std::optional<double> threshold)
{
    m_live = threshold;
    update();
}

QRectF ConfidenceHistogram::plot() const
{
    return QRectF(6, 24, width() - 12, height() - 24 - 44);
}

void ConfidenceHistogram::paintEvent(QPaintEvent*)
{
    QPainter painter(this);
    const Colors& colors = theme().colors();
    const QRectF area = plot();
    int most = 1;
    for (const Bin& bin : m_bins) {
        most = std::max(most, bin.sum());
    }
    const double width = area.width() / bins;
    // Square-root heights: few errors must stay visible beside many right answers.
    const auto heightOf = [&](int count) {
        return std::sqrt(double(count) / most) * area.height();
    };
    if (m_total.sum() == 0 && !m_labelled) {
        painter.setPen(colors.muted);
        painter.drawText(area, Qt::AlignCenter | Qt::TextWordWrap,
            tr("No traffic is loaded.\nConnect, and press \"Load traffic\": it comes from the "
               "stream sluice:decisions."));
    }
    painter.setPen(Qt::NoPen);
    for (int index = 0; index < bins; ++index) {
        const Bin& bin = m_bins[index];
        if (bin.sum() == 0) {
            continue;
        }
        double bottom = area.bottom();
        const double whole = heightOf(bin.sum());
        const std::pair<int, QColor> parts[] = {{bin.right, colors.accent}, {bin.wrong, colors.bad},
            {bin.outOfScope, colors.third}, {bin.unlabelled, colors.faint}};
        for (const auto& [count, color] : parts) {
            const double part = whole * count / bin.sum();
            painter.fillRect(
                QRectF(area.left() + index * width + 1, bottom - part, width - 2, part), color);
            bottom -= part;
        }
    }
    painter.setPen(QPen(colors.line, 1));
    painter.drawLine(area.bottomLeft(), area.bottomRight());
    painter.setFont(theme().font(FontRole::Small));
    painter.setPen(colors.muted);
    for (const double tick : {0.0, 0.25, 0.5, 0.75, 1.0}) {
        const double x = area.left() + tick * area.width();
        const Qt::Alignment side = tick == 0 ? Qt::AlignLeft
            : tick == 1                      ? Qt::AlignRight
                                             : Qt::AlignHCenter;
        const double left = tick == 0 ? x : tick == 1 ? x - 40 : x - 20;
        painter.drawText(
            QRectF(left, area.bottom() + 3, 40, 14), side | Qt::AlignTop, format::fixed(tick, 2));
    }
    if (m_live) {
        const double x = area.left() + *m_live * area.width();
        painter.setPen(QPen(colors.muted, 1, Qt::DashLine));
        painter.drawLine(QPointF(x, area.top() - 4), QPointF(x, area.bottom()));
        const bool right = *m_live > 0.8;
        painter.drawText(QRectF(right ? x - 84 : x + 4, area.top() - 2, 80, 14),
            right ? Qt::AlignRight : Qt::AlignLeft, tr("live %1").arg(format::fixed(*m_live, 2)));
    }
    const double x = area.left() + m_threshold * area.width();
    painter.setPen(QPen(colors.text, hasFocus() ? 3 : 2));
    painter.drawLine(QPointF(x, area.top() - 6), QPointF(x, area.bottom()));
    QRectF label(0, 1, 44, 17);
    label.moveLeft(std::clamp(x - 22, 0.0, double(this->width()) - 44.0));
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    painter.setBrush(colors.text);
    painter.drawRoundedRect(label, 4, 4);
    painter.setPen(colors.card);
    painter.drawText(label, Qt::AlignCenter, format::fixed(m_threshold, 2));

    double left = area.left();
    const std::tuple<QString, int, QColor> legend[] = {
        {tr("■ right"), m_total.right, colors.accent}, {tr("▲ wrong"), m_total.wrong, colors.bad},
        {tr("◆ out of scope"), m_total.outOfScope, colors.third}};
    const std::tuple<QString, int, QColor> traffic[] = {
        {tr("■ queries, without labels"), m_total.unlabelled, colors.faint}};
    using Entries = std::span<const std::tuple<QString, int, QColor>>;
    for (const auto& [word, count, color] : m_labelled ? Entries(legend) : Entries(traffic)) {
        const QString entry = word % u' ' % format::count(count);
        painter.setPen(color);
        painter.drawText(QPointF(left, height() - 6), entry.left(1));
        painter.setPen(colors.muted);
        const int glyph = painter.fontMetrics().horizontalAdvance(entry.left(1));
        painter.drawText(QPointF(left + glyph, height() - 6), entry.mid(1));
        left += painter.fontMetrics().horizontalAdvance(entry) + 18;
    }
}

void ConfidenceHistogram::moveTo(double x)
{
    const QRectF area = plot();
    const double threshold = std::clamp((x - area.left()) / area.width(), 0.0, 1.0);
    m_threshold = std::round(threshold * 1000) / 1000;
    update();
    Q_EMIT thresholdMoved(m_threshold);
}

void ConfidenceHistogram::mousePressEvent(QMouseEvent* event)
{
    if (event->button() == Qt::LeftButton) {
        moveTo(event->position().x());
    }
}

void ConfidenceHistogram::mouseMoveEvent(QMouseEvent* event)
{
    if ((event->buttons() & Qt::LeftButton) != 0) {
        moveTo(event->position().x());
    }
}

void ConfidenceHistogram::keyPressEvent(QKeyEvent* event)
{
    const double step = (event->modifiers() & Qt::ShiftModifier) != 0 ? 0.05 : 0.01;
    const double direction = event->key() == Qt::Key_Left ? -1
        : event->key() == Qt::Key_Right                   ? 1
                                                          : 0;
    if (direction == 0) {
        QWidget::keyPressEvent(event);
        return;
    }
    m_threshold = std::clamp(std::round((m_threshold + direction * step) * 1000) / 1000, 0.0, 1.0);
    update();
    Q_EMIT thresholdMoved(m_threshold);
}

} // namespace sluice::ui
