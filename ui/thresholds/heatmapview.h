#pragma once

#include "engine/operations/thresholds/tuningviews.h"

#include <QWidget>

namespace sluice::ui {

/// Error rate, and coverage, at every pair of global threshold and margin; a click or Return takes
/// the pair.
class HeatMapView : public QWidget
{
    Q_OBJECT

public:
    explicit HeatMapView(QWidget* parent = nullptr);
    void setMap(const ops::HeatMap& map);
    void setPresent(double threshold, double margin);

    QSize sizeHint() const override { return {420, 190}; }
    QSize minimumSizeHint() const override { return {220, 130}; }

Q_SIGNALS:
    void picked(double threshold, double margin);

protected:
    void paintEvent(QPaintEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;

private:
    QRectF area() const;
    QRectF cell(int margin, int threshold) const;
    void point(const QPointF& place);
    QString readOut() const;

    ops::HeatMap m_map;
    double m_threshold = 0.5;
    double m_margin = 0.1;
    int m_column = -1; ///< pointed at; -1: none
    int m_row = -1;
};

} // namespace sluice::ui
