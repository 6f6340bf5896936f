#include "ui/charts/livechart.h"

#include "engine/base/file.h"
#include "ui/charts/chartlegend.h"
#include "ui/shell/theme.h"

#include <QApplication>
#include <QChart>
#include <QChartView>
#include <QClipboard>
#include <QContextMenuEvent>
#include <QFileDialog>
#include <QGraphicsLayout>
#include <QLabel>
#include <QLineSeries>
#include <QMenu>
#include <QMouseEvent>
#include <QPainter>
#include <QToolTip>
#include <QVBoxLayout>
#include <QValueAxis>
#include <algorithm>
#include <cmath>

namespace sluice::ui {

namespace {

constexpr double wheelStep = 120; ///< of QWheelEvent, a notch
constexpr double zoomFactor = 0.8;
constexpr double panShare = 0.1; ///< of the range
constexpr int crosshairStep = 4; ///< pixels

} // namespace

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
    setFocusPolicy(Qt::StrongFocus);
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
    m_view->viewport()->setAutoFillBackground(false);
    m_view->setViewportUpdateMode(QGraphicsView::FullViewportUpdate);
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
        m_lines->redrawLines();
        refresh();
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
    m_lines->changeSeries() = std::move(series);
    refresh();
}

void LiveChart::merge(const QList<ChartSeries>& tails, double from, double keepFrom)
{
    QList<ChartSeries>& all = m_lines->changeSeries();
    for (const ChartSeries& tail : tails) {
        auto place = std::find_if(
            all.begin(), all.end(), [&](const ChartSeries& one) { return one.name == tail.name; });
        if (place == all.end()) {
            place = std::find_if(all.begin(), all.end(), [&](const ChartSeries& one) {
                return std::pair(tail.order, tail.name) < std::pair(one.order, one.name);
            });
            all.insert(place, tail);
        } else {
            place->points.replaceFrom(from, tail.points.points());
        }
    }
    for (ChartSeries& one : all) {
        one.points.dropBefore(keepFrom);
    }
    all.removeIf([&](const ChartSeries& one) {
        return one.points.isEmpty() || one.points.last().x() < keepFrom;
    });
    refresh();
}

void LiveChart::refresh()
{
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

void LiveChart::setBands(const QList<AllowedBand>& bands)
{
    m_lines->setBands(bands);
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
    double least = 0;
    bool any = false;
    for (const ChartSeries& series : m_lines->series()) {
        if (!series.visible) {
            any = any || !series.points.isEmpty();
        } else if (const auto reach = series.points.extremes(start, end)) {
            least = std::min(least, reach->first);
            most = std::max(most, reach->second);
            any = true;
        }
    }
    m_empty->setVisible(!any);
    ValueScale scale = valueScaleFrom(least, m_unit == Unit::Count ? std::max(most, 3.0) : most);
    if (m_unit == Unit::Share && least >= 0 && most > 0.9 && most <= 1.0) {
        scale = {1.0, {0.0, 0.25, 0.5, 0.75, 1.0}}; // a share ends at 100 %
    }
    if (scale.top != m_top || scale.bottom != m_bottom) {
        m_top = scale.top;
        m_bottom = scale.bottom;
        m_lines->setScale(m_bottom, m_top);
        m_axis->setRange(m_bottom, m_top);
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
    m_lines->redrawLines();
    m_lines->update();
}

void LiveChart::updateLegend()
{
    QList<ChartLegend::Entry> entries;
    QStringList words;
    for (const ChartSeries& series : m_lines->series()) {
        QString value = format::missing();
        const auto crosshair = m_group->crosshair();
        const qsizetype index = crosshair ? series.points.nearest(*crosshair, m_lines->gap())
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
    ChartSeries& series = m_lines->changeSeries()[index];
    series.visible = !series.visible;
    refresh();
}

void LiveChart::solo(int index)
{
    QList<ChartSeries>& all = m_lines->changeSeries();
    for (int other = 0; other < all.size(); ++other) {
        all[other].visible = other == index;
    }
    refresh();
}

QString LiveChart::csv() const
{
    QStringList lines{QStringLiteral("series,time,value")};
    const auto [start, end] = m_group->range();
    for (const ChartSeries& series : m_lines->series()) {
        QString name = series.name;
        if (name.contains(u',') || name.contains(u'"')) {
            name = u'"' % name.replace(u'"', QLatin1StringView("\"\"")) % u'"';
        }
        for (qsizetype index = series.points.lowerBound(start);
             index < series.points.size() && series.points[index].x() <= end; ++index) {
            const QPointF& point = series.points[index];
            lines << QString(name % u',' % QString::number(point.x(), 'f', 3) % u','
                % QString::number(point.y(), 'g', 9));
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
    switch (event->type()) {
    case QEvent::Resize:
        layOut();
        break;
    case QEvent::Leave:
        m_group->setCrosshair(std::nullopt);
        break;
    case QEvent::Wheel:
        wheel(static_cast<QWheelEvent*>(event));
        return true;
    case QEvent::MouseMove:
    case QEvent::MouseButtonPress:
    case QEvent::MouseButtonRelease:
    case QEvent::MouseButtonDblClick:
        return mouse(static_cast<QMouseEvent*>(event));
    default:
        break;
    }
    return QWidget::eventFilter(watched, event);
}

bool LiveChart::mouse(QMouseEvent* event)
{
    const double time = m_lines->timeAt(event->position().x());
    if (event->type() == QEvent::MouseMove) {
        if (m_dragStart) {
            m_lines->setDragged(std::pair(*m_dragStart, time));
            m_lines->update();
        }
        const auto [start, end] = m_group->range();
        m_group->setCrosshair(time >= start && time <= end ? std::optional(time) : std::nullopt);
    } else if (event->type() == QEvent::MouseButtonDblClick) {
        m_dragStart.reset();
        m_group->resetZoom();
    } else if (event->type() == QEvent::MouseButtonPress && event->button() == Qt::LeftButton) {
        setFocus(Qt::MouseFocusReason);
        m_dragStart = time;
    } else if (event->type() == QEvent::MouseButtonRelease && m_dragStart) {
        const double from = *std::exchange(m_dragStart, std::nullopt);
        m_lines->setDragged(std::nullopt);
        m_lines->update();
        m_group->zoom(std::min(from, time), std::max(from, time));
    }
    return false;
}

void LiveChart::wheel(QWheelEvent* event)
{
    const auto [start, end] = m_group->range();
    const QPoint turned = event->angleDelta();
    const int sideways =
        event->modifiers().testFlag(Qt::ShiftModifier) && turned.x() == 0 ? turned.y() : turned.x();
    if (sideways != 0) {
        m_group->pan(-sideways / wheelStep * panShare * (end - start));
    } else if (turned.y() != 0) {
        m_group->scale(std::pow(zoomFactor, turned.y() / wheelStep),
            std::clamp(m_lines->timeAt(event->position().x()), start, end));
    }
    event->accept();
}

void LiveChart::moveCrosshair(int pixels)
{
    const auto [start, end] = m_group->range();
    const double step = (end - start) / std::max(1.0, m_plot.width());
    m_group->setCrosshair(
        std::clamp(m_group->crosshair().value_or(end) + pixels * step, start, end));
}

void LiveChart::keyPressEvent(QKeyEvent* event)
{
    const auto [start, end] = m_group->range();
    const bool wide = event->modifiers().testFlag(Qt::ControlModifier);
    const double centre = m_group->crosshair().value_or((start + end) / 2);
    switch (event->key()) {
    case Qt::Key_Left:
    case Qt::Key_Right: {
        const int way = event->key() == Qt::Key_Left ? -1 : 1;
        if (wide) {
            m_group->pan(way * panShare * (end - start));
        } else {
            moveCrosshair(way * crosshairStep);
        }
        break;
    }
    case Qt::Key_Plus:
    case Qt::Key_Equal:
        m_group->scale(zoomFactor, centre);
        break;
    case Qt::Key_Minus:
        m_group->scale(1 / zoomFactor, centre);
        break;
    case Qt::Key_Backspace:
        m_group->zoomOut();
        break;
    case Qt::Key_Escape:
        m_group->setCrosshair(std::nullopt);
        m_group->resetZoom();
        break;
    default:
        if (event->matches(QKeySequence::Copy)) {
            copyPicture();
            break;
        }
        QWidget::keyPressEvent(event);
        return;
    }
}

void LiveChart::focusInEvent(QFocusEvent* event)
{
    QWidget::focusInEvent(event);
    update();
}

void LiveChart::focusOutEvent(QFocusEvent* event)
{
    QWidget::focusOutEvent(event);
    update();
}

void LiveChart::paintEvent(QPaintEvent* event)
{
    QWidget::paintEvent(event);
    if (hasFocus()) {
        QPainter painter(this);
        painter.setPen(QPen(theme().colors().accent, 1));
        painter.drawRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5));
    }
}

void LiveChart::contextMenuEvent(QContextMenuEvent* event)
{
    QMenu menu(this);
    menu.addAction(tr("Zoom out one step"), m_group, &ChartGroup::zoomOut)
        ->setEnabled(m_group->isZoomed());
    menu.addAction(tr("Show the whole range"), m_group, &ChartGroup::resetZoom)
        ->setEnabled(m_group->isZoomed());
    menu.addSeparator();
    menu.addAction(tr("Copy as picture"), this, &LiveChart::copyPicture);
    menu.addAction(
        tr("Copy values (CSV)"), this, [this] { QApplication::clipboard()->setText(csv()); });
    menu.addAction(tr("Save values (CSV)…"), this, &LiveChart::askForCsvFile);
    menu.exec(event->globalPos());
}

void LiveChart::copyPicture() const
{
    QApplication::clipboard()->setPixmap(const_cast<LiveChart*>(this)->grab());
}

Result<void> LiveChart::saveCsv(const QString& file) const
{
    return writeFileAtomically(file.toStdString(), csv().toStdString());
}

void LiveChart::askForCsvFile()
{
    auto* dialog = new QFileDialog(this, tr("Save the values of %1").arg(accessibleName()), {},
        tr("Comma-separated values (*.csv)"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setAcceptMode(QFileDialog::AcceptSave);
    dialog->setDefaultSuffix(QStringLiteral("csv"));
    connect(dialog, &QFileDialog::fileSelected, this, [this](const QString& file) {
        if (const Result<void> saved = saveCsv(file); !saved) {
            QToolTip::showText(
                mapToGlobal(rect().center()), QString::fromStdString(saved.error().message), this);
        }
    });
    dialog->open();
}

} // namespace sluice::ui
