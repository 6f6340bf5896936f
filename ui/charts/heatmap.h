#pragma once

#include "engine/operations/monitoring/prometheusclient.h"
#include "ui/charts/chartgroup.h"

#include <QMap>
#include <QWidget>
#include <functional>
#include <map>
#include <optional>

namespace sluice::ui {

/// Answers by duration over time, from a histogram's buckets: the darker, the more answers
/// took so long then. Shares range, zoom and crosshair of its group; a tool tip says what is under
/// the pointer.
class HeatMap : public QWidget
{
    Q_OBJECT

public:
    HeatMap(const QString& name, const ChartGroup* group, QWidget* parent = nullptr);

    /// Cumulative rates by label `le`; the step tells how wide a cell is.
    void setBuckets(const ops::RangeAnswer& answer);
    /// Rates by time (the end of a cell) and band; `upper` says a band's upper bound in seconds.
    void setCells(const QMap<double, QMap<int, double>>& cells, double step,
        const std::function<double(int)>& upper);
    /// Answers a second between two bounds at a time, for tests and the tool tip; none without
    /// data.
    std::optional<double> at(double time, double upperBound) const;
    bool isEmpty() const { return m_cells.empty(); }

    QSize sizeHint() const override { return {320, 170}; }

protected:
    void paintEvent(QPaintEvent* event) override;
    bool event(QEvent* event) override;

private:
    void trim(); ///< drops bands that nothing is in, and finds the most
    QRectF plot() const;
    QString textAt(const QPointF& place) const;

    const ChartGroup* m_group;
    QList<double> m_bounds; ///< upper ones, ascending; the last may be infinite
    std::map<double, QList<double>> m_cells; ///< time -> rate by band
    double m_most = 0;
    double m_step = 1;
};

} // namespace sluice::ui
