#pragma once

#include "engine/base/result.h"
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
/// zooms, double click goes back, the wheel zooms round the pointer (with Shift: moves), the
/// context menu copies and saves. With the keyboard: Left and Right move the crosshair (Ctrl: the
/// range), + and - zoom, Backspace goes one zoom back, Escape all.
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
    /// The tails' points replace what the lines of their names have from `from` on; new names are
    /// added. Points before `keepFrom` are forgotten, and lines that end before it.
    void merge(const QList<ChartSeries>& tails, double from, double keepFrom);
    void setLimits(const QList<LimitLine>& limits);
    void setBands(const QList<AllowedBand>& bands);
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
    Result<void> saveCsv(const QString& file) const;
    void copyPicture() const;
    double top() const { return m_top; }
    QRectF plotArea() const { return m_plot; }

    QSize sizeHint() const override { return {320, 170}; }
    QSize minimumSizeHint() const override { return {160, 90}; }

protected:
    void resizeEvent(QResizeEvent* event) override;
    bool eventFilter(QObject* watched, QEvent* event) override;
    void contextMenuEvent(QContextMenuEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void focusInEvent(QFocusEvent* event) override;
    void focusOutEvent(QFocusEvent* event) override;
    void paintEvent(QPaintEvent* event) override;

private:
    void refresh(); ///< scale, legend and lines after a change of the lines
    bool mouse(QMouseEvent* event);
    void wheel(QWheelEvent* event);
    void moveCrosshair(int pixels);
    void askForCsvFile();
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
    double m_bottom = 0;
    double m_leastTop = 0;
    std::optional<double> m_dragStart;
};

} // namespace sluice::ui
