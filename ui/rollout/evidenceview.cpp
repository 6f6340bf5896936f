#include "ui/rollout/evidenceview.h"

#include "ui/shell/format.h"
#include "ui/shell/theme.h"

#include <QHelpEvent>
#include <QPainter>
#include <QPainterPath>
#include <QToolTip>
#include <algorithm>
#include <cmath>

namespace sluice::ui {

namespace {

constexpr int mostPoints = 2000;
constexpr double titleHeight = 18;
constexpr double floorLog = -2; // a hundredth: clearly against

QString eValue(double value)
{
    return value >= 1e5 ? EvidenceView::tr("over 100,000")
        : value < 0.01  ? EvidenceView::tr("under 0.01")
                        : format::number(value, 2);
}

} // namespace

VerdictWord verdictWord(const ops::GateReading& reading)
{
    const Colors& colors = theme().colors();
    using Verdict = ops::GateVerdict;
    switch (reading.verdict) {
    case Verdict::Pass:
        return {Theme::glyph(Tone::Ok), EvidenceView::tr("pass"), colors.ok};
    case Verdict::Fail:
        return {Theme::glyph(Tone::Bad),
            reading.action == ops::GateAction::Rollback ? EvidenceView::tr("rolls back")
                                                        : EvidenceView::tr("fails"),
            colors.bad};
    case Verdict::Inconclusive:
        return {QStringLiteral("◌"), EvidenceView::tr("not yet"), colors.warn};
    case Verdict::NoData:
        return {Theme::glyph(Tone::Warn), EvidenceView::tr("no data"), colors.warn};
    case Verdict::SourceDown:
        return {Theme::glyph(Tone::Warn), EvidenceView::tr("source down"), colors.warn};
    case Verdict::Cancelled:
        break;
    }
    return {Theme::glyph(Tone::None), EvidenceView::tr("cancelled"), colors.muted};
}

QList<EvidenceRow> evidenceRows(
    const QList<ops::GateReading>& readings, QHash<QString, QList<QPointF>>& history)
{
    QList<EvidenceRow> rows;
    for (const ops::GateReading& reading : readings) {
        if (std::isnan(reading.evidence) || std::isnan(reading.evidenceLimit)) {
            continue;
        }
        QList<QPointF>& points = history[reading.gate];
        const double time = double(reading.atMs) / 1000;
        if (points.isEmpty() || points.last().x() < time) {
            points << QPointF(time, reading.evidence);
        }
        while (points.size() > mostPoints) {
            points.removeFirst();
        }
        EvidenceRow row;
        row.gate = reading.gate;
        row.isProof = reading.evidenceLimit < 100;
        row.value = reading.evidence;
        row.limit = reading.evidenceLimit;
        row.verdict = reading.verdict;
        row.reason = reading.reason;
        row.history = points;
        rows << row;
    }
    return rows;
}

EvidenceView::EvidenceView(QWidget* parent)
    : QWidget(parent)
{
    setAccessibleName(tr("Evidence"));
}

void EvidenceView::setRows(const QList<EvidenceRow>& rows)
{
    m_rows = rows;
    QStringList said;
    for (const EvidenceRow& row : rows) {
        said << tr("%1: e-value %2 of %3. %4")
                    .arg(row.gate, eValue(row.value), format::count(row.limit), row.reason);
    }
    setAccessibleDescription(said.join(u' '));
    update();
}

void EvidenceView::setStale(bool stale)
{
    m_stale = stale;
    update();
}

QRectF EvidenceView::rowRect(qsizetype index) const
{
    const double each = double(height()) / double(std::max<qsizetype>(1, m_rows.size()));
    return {0, double(index) * each, double(width()), each - 6};
}

bool EvidenceView::event(QEvent* event)
{
    if (event->type() == QEvent::ToolTip) {
        const auto* help = static_cast<QHelpEvent*>(event);
        for (qsizetype index = 0; index < m_rows.size(); ++index) {
            if (rowRect(index).contains(help->pos())) {
                const EvidenceRow& row = m_rows[index];
                QToolTip::showText(help->globalPos(),
                    tr("%1\nIt may be looked at at any time: by chance alone it reaches %2 in at "
                       "most one of %2 soaks.")
                        .arg(row.reason, format::count(row.limit)),
                    this);
                return true;
            }
        }
    }
    return QWidget::event(event);
}

void EvidenceView::paintEvent(QPaintEvent*)
{
    const Colors& colors = theme().colors();
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setFont(theme().font(FontRole::Base));
    if (m_rows.isEmpty()) {
        painter.setPen(colors.muted);
        painter.drawText(rect(), Qt::AlignCenter | Qt::TextWordWrap,
            tr("Evidence is gathered while a share of the sessions soaks."));
        return;
    }
    if (m_stale) {
        painter.setOpacity(0.5);
    }
    for (qsizetype index = 0; index < m_rows.size(); ++index) {
        const EvidenceRow& row = m_rows[index];
        const QRectF area = rowRect(index);
        const bool reached = row.value >= row.limit;
        const QColor ink = reached ? (row.isProof ? colors.ok : colors.bad)
            : row.isProof          ? colors.warn
                                   : colors.ok;
        painter.setPen(colors.text);
        const QRectF title(area.left(), area.top(), area.width(), titleHeight);
        painter.drawText(title, Qt::AlignLeft | Qt::AlignVCenter, row.gate);
        painter.setPen(ink);
        const QString verdict = row.isProof
            ? (reached ? tr("✓ proven, e %1") : tr("◌ not yet, e %1"))
            : (reached ? tr("✕ it is worse, e %1") : tr("✓ no sign, e %1"));
        painter.drawText(title, Qt::AlignRight | Qt::AlignVCenter, verdict.arg(eValue(row.value)));
        const QRectF plot = area.adjusted(0, titleHeight, 0, 0);
        if (plot.height() < 8) {
            continue;
        }
        const double top = std::log10(row.limit) * 1.15;
        const auto yOf = [&](double value) {
            const double log = std::clamp(std::log10(std::max(value, 1e-300)), floorLog, top);
            return plot.bottom() - (log - floorLog) / (top - floorLog) * plot.height();
        };
        painter.fillRect(plot, colors.raised);
        // Beyond the limit something happens: tinted, with its word.
        const double limitY = yOf(row.limit);
        painter.fillRect(QRectF(plot.left(), plot.top(), plot.width(), limitY - plot.top()),
            withAlpha(row.isProof ? colors.ok : colors.bad, 0.18));
        painter.setPen(QPen(row.isProof ? colors.ok : colors.bad, 1, Qt::DashLine));
        painter.drawLine(QPointF(plot.left(), limitY), QPointF(plot.right(), limitY));
        painter.setPen(QPen(colors.line, 1));
        painter.drawLine(QPointF(plot.left(), yOf(1)), QPointF(plot.right(), yOf(1)));
        painter.setFont(theme().font(FontRole::Small));
        painter.setPen(colors.muted);
        if (plot.height() >= 26) {
            const QString limit = row.isProof ? tr("passes at %1") : tr("rolls back at %1");
            painter.drawText(QRectF(plot.left() + 4, limitY + 1, plot.width() - 8, 14),
                Qt::AlignRight | Qt::AlignTop, limit.arg(format::count(row.limit)));
        }
        painter.setFont(theme().font(FontRole::Base));
        if (row.history.size() > 1) {
            const double from = row.history.first().x();
            const double span = std::max(1.0, row.history.last().x() - from);
            QPainterPath path;
            for (qsizetype point = 0; point < row.history.size(); ++point) {
                const QPointF place(
                    plot.left() + (row.history[point].x() - from) / span * (plot.width() - 4),
                    yOf(row.history[point].y()));
                point == 0 ? path.moveTo(place) : path.lineTo(place);
            }
            painter.setPen(QPen(ink, 1.5));
            painter.setBrush(Qt::NoBrush);
            painter.drawPath(path);
            painter.setBrush(ink);
            painter.setPen(Qt::NoPen);
            painter.drawEllipse(path.currentPosition(), 3, 3);
        } else {
            painter.setBrush(ink);
            painter.setPen(Qt::NoPen);
            painter.drawEllipse(QPointF(plot.left() + 6, yOf(row.value)), 3, 3);
        }
    }
}

} // namespace sluice::ui
