#pragma once

#include "engine/classification/evaluator.h"

#include <QList>
#include <QWidget>
#include <span>

namespace sluice::ui {

/// How confident the answers are, in three colours (right, wrong, out of scope), or in one for
/// traffic without labels, with the threshold as a line that is dragged, or moved by the arrow
/// keys.
class ConfidenceHistogram : public QWidget
{
    Q_OBJECT

public:
    static constexpr int bins = 40;

    explicit ConfidenceHistogram(QWidget* parent = nullptr);

    void setRows(std::span<const ScoredRow> rows, bool labelled);
    void setThreshold(double threshold); ///< does not emit
    void setLive(std::optional<double> threshold); ///< of the set that is published; dashed
    double threshold() const { return m_threshold; }

    QSize sizeHint() const override { return {420, 190}; }
    QSize minimumSizeHint() const override { return {220, 130}; }

Q_SIGNALS:
    void thresholdMoved(double threshold); ///< by the user

protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;

private:
    QRectF plot() const;
    void moveTo(double x);

    struct Bin
    {
        int right = 0;
        int wrong = 0;
        int outOfScope = 0;
        int unlabelled = 0;
        int sum() const { return right + wrong + outOfScope + unlabelled; }
    };
    QList<Bin> m_bins = QList<Bin>(bins);
    Bin m_total;
    bool m_labelled = true;
    double m_threshold = 0.5;
    std::optional<double> m_live;
};

} // namespace sluice::ui
