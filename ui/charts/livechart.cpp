#include "ui/charts/livechart.h"

#include "ui/charts/chartlegend.h"
#include "ui/shell/theme.h"

#include <QApplication>
#include <QChart>
#include <QChartView>
#include <QClipboard>
#include <QContextMenuEvent>
#include <QGraphicsLayout>
#include <QLabel>
#include <QLineSeries>
#include <QMenu>
#include <QMouseEvent>
#include <QVBoxLayout>
#include <QValueAxis>
#include <cmath>

namespace sluice::ui {

LiveChart::LiveChart(const QString& name, ChartGroup* group, Unit unit, QWidget* parent)
    : QWidget(parent)
    , m_group(group)
    , m_unit(unit)
    , m_chart(new QChart)
    , m_view(new QChartView(m_chart, this))
    , m_axis(new QValueAxis(this))
    , m_lines(new TimeLines(m_chart))
    , m_legend(new ChartLegend(this))
    , m_empty(new QLabel(m_view))
{
    setAccessibleName(name);
    m_chart->legend()->hide();
    m_chart->setMargins(QMargins(0, 0, 0, 0));
    m_chart->layout()->setContentsMargins(0, 0, 0, 0);
    m_chart->setBackgroundVisible(false);
    // QtCharts shows axes only with a series on them: one without points.
    auto* series = new QLineSeries(m_chart);
    m_chart->addSeries(series);
    auto* hidden = new QValueAxis(m_chart);
    hidden->setLabelsVisible(false);
    hidden->setGridLineVisible(false);
    hidden->setLineVisible(false);
    m_chart->addAxis(hidden, Qt::AlignBottom);
    m_chart->addAxis(m_axis, Qt::AlignLeft);
    series->attachAxis(hidden);
    series->attachAxis(m_axis);
    // QtCharts lays labels and grid out a while after a resize: both are ours too.
    m_axis->setLabelsVisible(false);
    m_axis->setGridLineVisible(false);
    m_axis->setLineVisible(false);

    m_lines->setGroup(group);
    m_view->setFrameShape(QFrame::NoFrame);
    m_view->setFocusPolicy(Qt::NoFocus);
    m_view->setAccessibleName(name);
    m_view->setBackgroundBrush(Qt::NoBrush);
    m_view->setStyleSheet(QStringLiteral("background: transparent"));
    m_view->viewport()->setMouseTracking(true);
    m_view->viewport()->installEventFilter(this);
    m_empty->setAlignment(Qt::AlignCenter);
    m_empty->setWordWrap(true);
    m_empty->setAttribute(Qt::WA_TransparentForMouseEvents);
    m_empty->setText(tr("no data yet"));

    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(2);
    layout->addWidget(m_legend);
    layout->addWidget(m_view, 1);

    connect(group, &ChartGroup::rangeChanged, this, [this] {
        rescale();
        updateLegend();
        m_lines->update();
    });
    connect(group, &ChartGroup::crosshairChanged, this, [this] {
        updateLegend();
        m_lines->update();
    });
    connect(m_legend, &ChartLegend::toggled, this, &LiveChart::toggle);
    connect(m_legend, &ChartLegend::soloed, this, &LiveChart::solo);
    connect(&theme(), &Theme::changed, this, &LiveChart::applyTheme);
    applyTheme();
    rescale();
}

LiveChart::~LiveChart() = default;

void LiveChart::setSeries(QList<ChartSeries> series)
{
    for (ChartSeries& fresh : series) {
        for (const ChartSeries& old : m_lines->series()) {
            if (old.name == fresh.name) {
                fresh.visible = old.visible;
            }
        }
    }
    m_lines->series() = std::move(series);
    rescale();
    updateLegend();
    m_lines->update();
}

const QList<ChartSeries>& LiveChart::series() const
{
    return m_lines->series();
}

void LiveChart::setLimits(const QList<LimitLine>& limits)
{
    m_lines->setLimits(limits);
    m_lines->update();
}

void LiveChart::setMarks(const QList<EventMark>& marks)
{
    m_lines->setMarks(marks);
    m_lines->update();
}

void LiveChart::setGap(double seconds)
{
    m_lines->setGap(seconds);
}

void LiveChart::setLeastTop(double top)
{
    m_leastTop = top;
    rescale();
}

void LiveChart::setStale(bool stale)
{
    m_lines->setStale(stale);
    m_lines->update();
}

void LiveChart::setEmptyText(const QString& text)
{
    m_empty->setText(text);
}

void LiveChart::rescale()
{
    const auto [start, end] = m_group->range();
    double most = m_leastTop;
    bool any = false;
    for (const ChartSeries& series : m_lines->series()) {
        if (!series.visible) {
            any = any || !series.points.isEmpty();
            continue;
        }
        for (const QPointF& point : series.points) {
            if (point.x() >= start && point.x() <= end && std::isfinite(point.y())) {
                most = std::max(most, point.y());
                any = true;
            }
        }
    }
    m_empty->setVisible(!any);
    ValueScale scale = valueScale(m_unit == Unit::Count ? std::max(most, 3.0) : most);
    if (m_unit == Unit::Share && most > 0.9 && most <= 1.0) {
        scale = {1.0, {0.0, 0.25, 0.5, 0.75, 1.0}}; // a share ends at 100 %
    }
    if (scale.top != m_top) {
        m_top = scale.top;
        m_lines->setTop(m_top);
        m_axis->setRange(0, m_top);
        QList<ValueLabel> labels;
        for (const double tick : scale.ticks) {
            labels << ValueLabel{tick, format::value(tick, m_unit)};
        }
        m_lines->setValueLabels(labels);
        layOut();
    }
}

void LiveChart::layOut()
{
    const QFontMetrics metrics(theme().font(FontRole::Small));
    int widest = 0;
    for (const ValueLabel& label : m_lines->valueLabels()) {
        widest = std::max(widest, metrics.horizontalAdvance(label.text));
    }
    const QSizeF size = m_view->size();
    m_plot = QRectF(widest + 12, 6, std::max(10.0, size.width() - widest - 20),
        std::max(10.0, size.height() - 26));
    m_chart->setPlotArea(m_plot);
    m_lines->setPlot(m_plot);
    m_empty->setGeometry(m_plot.toRect());
}

void LiveChart::applyTheme()
{
    QPalette palette = m_empty->palette();
    palette.setColor(QPalette::WindowText, theme().colors().muted);
    m_empty->setPalette(palette);
    layOut();
    m_lines->update();
}

void LiveChart::updateLegend()
{
    QList<ChartLegend::Entry> entries;
    QStringList words;
    for (const ChartSeries& series : m_lines->series()) {
        QString value = format::missing();
        const auto crosshair = m_group->crosshair();
        const qsizetype index = crosshair ? nearestPoint(series.points, *crosshair, m_lines->gap())
                                          : series.points.size() - 1;
        if (index >= 0) {
            value = format::value(series.points[index].y(), m_unit);
        }
        entries << ChartLegend::Entry{series.name, value, series.style, series.visible};
        words << series.name % u' ' % value;
    }
    m_legend->setEntries(entries);
    setAccessibleDescription(words.join(QStringLiteral(", ")));
}

void LiveChart::toggle(int index)
{
    ChartSeries& series = m_lines->series()[index];
    series.visible = !series.visible;
    rescale();
    updateLegend();
    m_lines->update();
}

void LiveChart::solo(int index)
{
    QList<ChartSeries>& all = m_lines->series();
    for (int other = 0; other < all.size(); ++other) {
        all[other].visible = other == index;
    }
    rescale();
    updateLegend();
    m_lines->update();
}

QString LiveChart::csv() const
{
    QStringList lines{QStringLiteral("series,time,value")};
    const auto [start, end] = m_group->range();
    for (const ChartSeries& series : m_lines->series()) {
        for (const QPointF& point : series.points) {
            if (point.x() >= start && point.x() <= end) {
                lines << QStringLiteral("%1,%2,%3")
                             .arg(series.name)
                             .arg(point.x(), 0, 'f', 3)
                             .arg(point.y(), 0, 'g', 9);
            }
        }
    }
    return lines.join(u'\n') % u'\n';
}

void LiveChart::resizeEvent(QResizeEvent* event)
{
    QWidget::resizeEvent(event);
    layOut();
}

bool LiveChart::eventFilter(QObject* watched, QEvent* event)
{
    if (watched != m_view->viewport()) {
        return QWidget::eventFilter(watched, event);
    }
    if (event->type() == QEvent::Resize) {
        layOut();
    } else if (event->type() == QEvent::Leave) {
        m_group->setCrosshair(std::nullopt);
    } else if (event->type() == QEvent::MouseMove) {
        const double time = m_lines->timeAt(static_cast<QMouseEvent*>(event)->position().x());
        if (m_dragStart) {
            m_lines->setDragged(std::pair(*m_dragStart, time));
            m_lines->update();
        }
        const auto [start, end] = m_group->range();
        m_group->setCrosshair(time >= start && time <= end ? std::optional(time) : std::nullopt);
    } else if (event->type() == QEvent::MouseButtonPress
        && static_cast<QMouseEvent*>(event)->button() == Qt::LeftButton) {
        m_dragStart = m_lines->timeAt(static_cast<QMouseEvent*>(event)->position().x());
    } else if (event->type() == QEvent::MouseButtonRelease && m_dragStart) {
        const double from = *std::exchange(m_dragStart, std::nullopt);
        const double to = m_lines->timeAt(static_cast<QMouseEvent*>(event)->position().x());
        m_lines->setDragged(std::nullopt);
        m_lines->update();
        m_group->zoom(std::min(from, to), std::max(from, to));
    } else if (event->type() == QEvent::MouseButtonDblClick) {
        m_dragStart.reset();
        m_group->resetZoom();
    }
    return QWidget::eventFilter(watched, event);
}

void LiveChart::contextMenuEvent(QContextMenuEvent* event)
{
    QMenu menu(this);
    menu.addAction(tr("Zoom out one step"), m_group, &ChartGroup::zoomOut)
        ->setEnabled(m_group->isZoomed());
    menu.addAction(tr("Show the whole range"), m_group, &ChartGroup::resetZoom)
        ->setEnabled(m_group->isZoomed());
    menu.addSeparator();
    menu.addAction(
        tr("Copy as picture"), this, [this] { QApplication::clipboard()->setPixmap(grab()); });
    menu.addAction(
        tr("Copy values (CSV)"), this, [this] { QApplication::clipboard()->setText(csv()); });
    menu.exec(event->globalPos());
}

} // namespace sluice::ui
