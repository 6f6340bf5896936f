#pragma once

#include "ui/charts/axisticks.h"
#include "ui/charts/chartgroup.h"
#include "ui/charts/lineraster.h"
#include "ui/charts/samples.h"

#include <QGraphicsObject>
#include <QList>
#include <QPen>
#include <QPointF>
#include <QString>

namespace sluice::ui {

/// One line of a chart.
struct ChartSeries
{
    QString name;
    Samples points;
    int style = 0; ///< index of Theme::seriesPen()
    bool area = false; ///< filled down to 0
    bool visible = true;
    int order = 0; ///< where merge() puts it; then by name
};

/// A dashed line that says what happens there ("rolls back at 1 %").
struct LimitLine
{
    double value = 0;
    QString text;
};

/// Where values are allowed to be, as a tinted band ("8 to 15 %").
struct AllowedBand
{
    double low = 0;
    double high = 0;
};

/// A word at the value axis.
struct ValueLabel
{
    double value = 0;
    QString text;
};

/// A vertical mark ("set 41 published").
struct EventMark
{
    double time = 0;
    QString text;
};

/// Paints lines, time axis, limits, marks and crosshair into a chart's plot area. QtCharts would
/// stroke each line anew on every change (docs/ARCHITECTURE.md); this draws only the columns that
/// the screen has, into a picture that is kept until lines or range change.
class TimeLines : public QGraphicsObject
{
    Q_OBJECT

public:
    explicit TimeLines(QGraphicsItem* parent);

    void setPlot(const QRectF& plot);
    void setGroup(const ChartGroup* group) { m_group = group; }
    void setScale(double bottom, double top);
    void setValueLabels(QList<ValueLabel> labels) { m_labels = std::move(labels); }
    const QList<ValueLabel>& valueLabels() const { return m_labels; }
    /// To be changed, after which the lines are drawn anew.
    QList<ChartSeries>& changeSeries();
    const QList<ChartSeries>& series() const { return m_series; }
    void setLimits(QList<LimitLine> limits) { m_limits = std::move(limits); }
    void setBands(QList<AllowedBand> bands) { m_bands = std::move(bands); }
    void setMarks(QList<EventMark> marks) { m_marks = std::move(marks); }
    void setStale(bool stale) { m_stale = stale; }
    void setGap(double seconds);
    void redrawLines() { m_drawn = false; } ///< the range, the theme or a line changed
    double gap() const { return m_gap; }
    void setDragged(std::optional<std::pair<double, double>> span) { m_dragged = span; }

    double timeAt(double x) const; ///< of a place in the plot
    QRectF boundingRect() const override;
    void paint(QPainter* painter, const QStyleOptionGraphicsItem* option, QWidget* widget) override;

private:
    double xOf(double time) const;
    double yOf(double value) const;
    void paintValueAxis(QPainter& painter) const;
    void paintTimeAxis(QPainter& painter) const;
    void paintLines(QPainter& painter);
    void drawLines(double ratio);
    void drawLine(LineRaster& raster, const ChartSeries& series, double ratio) const;
    QRectF paintLimit(QPainter& painter, const LimitLine& limit) const; ///< where its words stand
    void paintMarks(QPainter& painter, const QList<QRectF>& taken) const;
    void paintCrosshair(QPainter& painter) const;

    const ChartGroup* m_group = nullptr;
    QRectF m_plot;
    double m_bottom = 0;
    double m_top = 1;
    double m_gap = 3;
    QImage m_picture; ///< of the lines, in device pixels of the plot
    bool m_drawn = false;
    bool m_stale = false;
    QList<ChartSeries> m_series;
    QList<ValueLabel> m_labels;
    QList<LimitLine> m_limits;
    QList<AllowedBand> m_bands;
    QList<EventMark> m_marks;
    std::optional<std::pair<double, double>> m_dragged;
};

} // namespace sluice::ui
