#pragma once

#include "ui/charts/timelines.h"
#include "ui/shell/format.h"

#include <QWidget>

class QChart;
class QChartView;
class QValueAxis;
class QLabel;

namespace sluice::ui {

class ChartLegend;

/// The one live chart that every page uses: lines over time with the range, zoom and crosshair of
/// its group. QtCharts gives the chart and its view; what is drawn in it is ours (TimeLines). Drag
/// zooms, double click goes back, the context menu copies.
class LiveChart : public QWidget
{
    Q_OBJECT

public:
    /// `name` is the accessible name: "Requests a second". The group outlives the chart.
    LiveChart(const QString& name, ChartGroup* group, Unit unit, QWidget* parent = nullptr);
    ~LiveChart() override;

    /// Replaces all lines; which ones are hidden is kept by name.
    void setSeries(QList<ChartSeries> series);
    const QList<ChartSeries>& series() const;
    void setLimits(const QList<LimitLine>& limits);
    void setMarks(const QList<EventMark>& marks);
    /// A longer distance between two points is a gap.
    void setGap(double seconds);
    /// The value axis reaches at least so far.
    void setLeastTop(double top);
    /// The source is lost: greyed, the data kept.
    void setStale(bool stale);
    /// Why there is nothing to see; shown while no line has a point.
    void setEmptyText(const QString& text);

    /// Times and values of the visible range, comma-separated, a header line first.
    QString csv() const;
    double top() const { return m_top; }
    QRectF plotArea() const { return m_plot; }

    QSize sizeHint() const override { return {320, 170}; }
    QSize minimumSizeHint() const override { return {160, 90}; }

protected:
    void resizeEvent(QResizeEvent* event) override;
    bool eventFilter(QObject* watched, QEvent* event) override;
    void contextMenuEvent(QContextMenuEvent* event) override;

private:
    void rescale();
    void layOut();
    void applyTheme();
    void updateLegend();
    void toggle(int index);
    void solo(int index);

    ChartGroup* m_group;
    Unit m_unit;
    QChart* m_chart;
    QChartView* m_view;
    QValueAxis* m_axis;
    TimeLines* m_lines;
    ChartLegend* m_legend;
    QLabel* m_empty;
    QRectF m_plot;
    double m_top = 0;
    double m_leastTop = 0;
    std::optional<double> m_dragStart;
};

} // namespace sluice::ui
