#pragma once

#include "engine/classification/evaluator.h"

#include <QWidget>
#include <optional>
#include <vector>

namespace sluice::ui {

/// Share of the accepted that is wrong, against the share accepted, over all global thresholds; the
/// present set is a dot.
class RiskCurve : public QWidget
{
    Q_OBJECT

public:
    explicit RiskCurve(QWidget* parent = nullptr);
    void setCurve(std::vector<RiskPoint> curve);
    void setPoint(double coverage, double risk);

    QSize sizeHint() const override { return {420, 190}; }
    QSize minimumSizeHint() const override { return {200, 130}; }

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    std::vector<RiskPoint> m_curve;
    double m_coverage = 0;
    double m_risk = 0;
};

} // namespace sluice::ui
