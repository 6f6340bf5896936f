#pragma once

#include "engine/operations/rollout/gatereading.h"

#include <QHash>
#include <QList>
#include <QPointF>
#include <QWidget>

namespace sluice::ui {

/// One test's evidence as a row: its line on a logarithmic scale, from "against" to its limit, and
/// the verdict in words.
struct EvidenceRow
{
    QString gate;
    bool isProof = false; ///< reaching the limit is good news
    double value = 1; ///< e-value now
    double limit = 1000;
    ops::GateVerdict verdict = ops::GateVerdict::Inconclusive;
    QString reason;
    QList<QPointF> history; ///< seconds since 1970, e-value
};

/// Evidence growing, as a picture: how near each anytime-valid test is to its limit, and what
/// happens there. A value that shrinks is evidence for the other side.
class EvidenceView : public QWidget
{
    Q_OBJECT

public:
    explicit EvidenceView(QWidget* parent = nullptr);

    void setRows(const QList<EvidenceRow>& rows);
    const QList<EvidenceRow>& rows() const { return m_rows; }
    void setStale(bool stale);

    QSize sizeHint() const override { return {320, 170}; }
    QSize minimumSizeHint() const override { return {200, 110}; }

protected:
    void paintEvent(QPaintEvent* event) override;
    bool event(QEvent* event) override;

private:
    QRectF rowRect(qsizetype index) const;

    QList<EvidenceRow> m_rows;
    bool m_stale = false;
};

/// Word, glyph and tone of a verdict, for tables and pictures.
struct VerdictWord
{
    QString glyph;
    QString word;
    QColor ink;
};
VerdictWord verdictWord(const ops::GateReading& reading);

/// The rows of the readings that carry evidence; values are added to `history`, by gate, at most
/// 2,000 each.
QList<EvidenceRow> evidenceRows(
    const QList<ops::GateReading>& readings, QHash<QString, QList<QPointF>>& history);

} // namespace sluice::ui
