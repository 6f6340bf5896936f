#pragma once

#include "ui/charts/axisticks.h"
#include "ui/charts/chartgroup.h"

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
    QList<QPointF> points; ///< x: time, ascending; y: value; NaN breaks the line
    int style = 0; ///< index of Theme::seriesPen()
    bool area = false; ///< filled down to 0
    bool visible = true;
};

/// A dashed line that says what happens there ("rolls back at 1 %").
struct LimitLine
{
    double value = 0;
    QString text;
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

/// The smallest and largest value of each column of the screen: what a line is drawn from, however
/// many samples it has.
struct Column
{
    double low = 0;
    double high = 0;
    double last = 0;
    bool used = false;
    bool joins = false; ///< the line goes on from the column before (no gap)
};
QList<Column> reduceToColumns(
    const QList<QPointF>& points, double start, double end, int columns, double gapSeconds);

/// The index of the point nearest to `time`, or -1 when none is within `reach` seconds.
qsizetype nearestPoint(const QList<QPointF>& points, double time, double reach);

/// Paints lines, time axis, limits, marks and crosshair into a chart's plot area. QtCharts would
/// stroke each line anew on every change (docs/ARCHITECTURE.md); this draws only the columns that
/// the screen has.
class TimeLines : public QGraphicsObject
{
    Q_OBJECT

public:
    explicit TimeLines(QGraphicsItem* parent);

    void setPlot(const QRectF& plot);
    void setGroup(const ChartGroup* group) { m_group = group; }
    void setTop(double top) { m_top = top; }
    void setValueLabels(QList<ValueLabel> labels) { m_labels = std::move(labels); }
    const QList<ValueLabel>& valueLabels() const { return m_labels; }
    QList<ChartSeries>& series() { return m_series; }
    const QList<ChartSeries>& series() const { return m_series; }
    void setLimits(QList<LimitLine> limits) { m_limits = std::move(limits); }
    void setMarks(QList<EventMark> marks) { m_marks = std::move(marks); }
    void setStale(bool stale) { m_stale = stale; }
    void setGap(double seconds) { m_gap = seconds; }
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
    void paintLine(QPainter& painter, const ChartSeries& series) const;
    QRectF paintLimit(QPainter& painter, const LimitLine& limit) const; ///< where its words stand
    void paintMarks(QPainter& painter, const QList<QRectF>& taken) const;
    void paintCrosshair(QPainter& painter) const;

    const ChartGroup* m_group = nullptr;
    QRectF m_plot;
    double m_top = 1;
    double m_gap = 3;
    bool m_stale = false;
    QList<ChartSeries> m_series;
    QList<ValueLabel> m_labels;
    QList<LimitLine> m_limits;
    QList<EventMark> m_marks;
    std::optional<std::pair<double, double>> m_dragged;
};

} // namespace sluice::ui
