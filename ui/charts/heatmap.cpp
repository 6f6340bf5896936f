#include "ui/charts/heatmap.h"

#include "ui/charts/axisticks.h"
#include "ui/shell/format.h"
#include "ui/shell/theme.h"

#include <QHelpEvent>
#include <QPainter>
#include <QToolTip>
#include <algorithm>
#include <cmath>
#include <limits>

namespace sluice::ui {

namespace {

constexpr int axisRoom = 62;
constexpr int stripHeight = 20;
constexpr int labelRoom = 76;

double boundOf(const ops::Labels& labels)
{
    const QString text = labels.value(QStringLiteral("le"));
    bool ok = false;
    const double bound = text.toDouble(&ok);
    return ok ? bound : std::numeric_limits<double>::infinity();
}

QString boundText(double bound)
{
    return std::isfinite(bound) ? format::duration(bound) : QStringLiteral("∞");
}

} // namespace

HeatMap::HeatMap(const QString& name, const ChartGroup* group, QWidget* parent)
    : QWidget(parent)
    , m_group(group)
{
    setAccessibleName(name);
    setMouseTracking(true);
    connect(group, &ChartGroup::rangeChanged, this, qOverload<>(&QWidget::update));
    connect(group, &ChartGroup::crosshairChanged, this, qOverload<>(&QWidget::update));
    connect(&theme(), &Theme::changed, this, qOverload<>(&QWidget::update));
}

void HeatMap::setBuckets(const ops::RangeAnswer& answer)
{
    QList<ops::TimeSeries> buckets = answer.series;
    std::sort(buckets.begin(), buckets.end(),
        [](const auto& a, const auto& b) { return boundOf(a.labels) < boundOf(b.labels); });
    m_bounds.clear();
    m_cells.clear();
    m_step = answer.stepSeconds;
    for (const ops::TimeSeries& bucket : buckets) {
        m_bounds << boundOf(bucket.labels);
    }
    for (int band = 0; band < buckets.size(); ++band) {
        for (const QPointF& point : buckets[band].points) {
            QList<double>& rates = m_cells[point.x()];
            rates.resize(m_bounds.size());
            rates[band] = point.y();
        }
    }
    for (auto& [time, rates] : m_cells) {
        for (qsizetype band = rates.size() - 1; band > 0; --band) {
            rates[band] = std::max(0.0, rates[band] - rates[band - 1]);
        }
    }
    trim();
}

void HeatMap::setCells(const QMap<double, QMap<int, double>>& cells, double step,
    const std::function<double(int)>& upper)
{
    m_bounds.clear();
    m_cells.clear();
    m_step = step;
    int first = std::numeric_limits<int>::max();
    int last = std::numeric_limits<int>::min();
    for (const QMap<int, double>& bands : cells) {
        if (!bands.isEmpty()) {
            first = std::min(first, bands.firstKey());
            last = std::max(last, bands.lastKey());
        }
    }
    for (int band = first; band <= last; ++band) {
        m_bounds << upper(band);
    }
    for (auto cell = cells.begin(); cell != cells.end() && first <= last; ++cell) {
        QList<double>& rates = m_cells[cell.key()];
        rates.resize(m_bounds.size());
        for (auto band = cell->begin(); band != cell->end(); ++band) {
            rates[band.key() - first] = band.value();
        }
    }
    trim();
}

void HeatMap::trim()
{
    m_most = 0;
    for (const auto& [time, rates] : m_cells) {
        m_most = std::max(m_most, *std::max_element(rates.begin(), rates.end()));
    }
    // Bands that never had an answer, above and below, would only take room.
    const auto isUsed = [this](qsizetype band) {
        return std::any_of(m_cells.begin(), m_cells.end(),
            [band](const auto& cell) { return cell.second[band] > 0; });
    };
    while (!m_bounds.isEmpty() && m_most > 0 && !isUsed(m_bounds.size() - 1)) {
        m_bounds.removeLast();
        for (auto& [time, rates] : m_cells) {
            rates.removeLast();
        }
    }
    setAccessibleDescription(
        m_cells.empty() ? tr("no data") : textAt({plot().right() - 1, plot().bottom() - 1}));
    update();
}

std::optional<double> HeatMap::at(double time, double upperBound) const
{
    auto cell = m_cells.upper_bound(time);
    if (cell == m_cells.begin()) {
        return std::nullopt;
    }
    --cell;
    const qsizetype band = m_bounds.indexOf(upperBound);
    return band >= 0 && time - cell->first <= 2 * m_step ? std::optional(cell->second[band])
                                                         : std::nullopt;
}

QRectF HeatMap::plot() const
{
    return QRectF(axisRoom, 6, std::max(10, width() - axisRoom - 10),
        std::max(10, height() - 6 - stripHeight));
}

void HeatMap::paintEvent(QPaintEvent*)
{
    QPainter painter(this);
    painter.setFont(theme().font(FontRole::Small));
    painter.setPen(theme().colors().muted);
    const QRectF area = plot();
    if (m_cells.empty() || m_bounds.isEmpty() || m_most <= 0) {
        painter.drawText(area, Qt::AlignCenter, tr("no requests in this time"));
        return;
    }
    const auto [start, end] = m_group->range();
    const double perSecond = area.width() / (end - start);
    const double bandHeight = area.height() / double(m_bounds.size());
    for (const auto& [time, rates] : m_cells) {
        const double left =
            std::max(area.left(), area.left() + (time - m_step - start) * perSecond);
        const double right = std::min(area.right(), area.left() + (time - start) * perSecond);
        for (int band = 0; band < rates.size() && right > left; ++band) {
            if (rates[band] > 0) {
                // The square root shows the few slow ones beside the many fast ones.
                const double share = std::sqrt(rates[band] / m_most);
                painter.fillRect(QRectF(left, area.bottom() - (band + 1) * bandHeight,
                                     right - left + 0.5, bandHeight),
                    withAlpha(theme().colors().accent, 0.08 + 0.92 * share));
            }
        }
    }
    const int every = std::max(1, int(std::ceil(14 / bandHeight)));
    for (int band = 0; band < m_bounds.size(); band += every) {
        const double y = area.bottom() - (band + 1) * bandHeight;
        painter.drawText(QRectF(0, y, axisRoom - 7, bandHeight), Qt::AlignRight | Qt::AlignVCenter,
            QString(u'≤' % boundText(m_bounds[band])));
    }
    for (const TimeTick& tick :
        timeTicks(start, end, std::max(1, int(area.width() / labelRoom)), m_group->isElapsed())) {
        QRectF box(area.left() + (tick.time - start) * perSecond - labelRoom / 2.0,
            area.bottom() + 3, labelRoom, stripHeight - 3);
        box.moveLeft(std::clamp(box.left(), area.left() - 24, area.right() + 8 - labelRoom));
        painter.drawText(box, Qt::AlignHCenter | Qt::AlignTop, tick.text);
    }
    if (const auto time = m_group->crosshair(); time && *time >= start && *time <= end) {
        const double x = area.left() + (*time - start) * perSecond;
        painter.setPen(QPen(theme().colors().faint, 1));
        painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()));
    }
}

QString HeatMap::textAt(const QPointF& place) const
{
    const QRectF area = plot();
    if (!area.contains(place) || m_bounds.isEmpty()) {
        return {};
    }
    const auto [start, end] = m_group->range();
    const double time = start + (place.x() - area.left()) / area.width() * (end - start);
    const auto band = std::clamp<qsizetype>(
        qsizetype((area.bottom() - place.y()) / area.height() * double(m_bounds.size())), 0,
        m_bounds.size() - 1);
    const auto rate = at(time + m_step, m_bounds[band]);
    return tr("%1: %2 took %3 to %4")
        .arg(m_group->isElapsed()
                ? format::duration(std::floor(time))
                : format::clock(QDateTime::fromMSecsSinceEpoch(qint64(time * 1000))),
            format::value(rate, Unit::PerSecond), boundText(band > 0 ? m_bounds[band - 1] : 0),
            boundText(m_bounds[band]));
}

bool HeatMap::event(QEvent* event)
{
    if (event->type() == QEvent::ToolTip) {
        auto* help = static_cast<QHelpEvent*>(event);
        QToolTip::showText(help->globalPos(), textAt(help->pos()), this);
        return true;
    }
    return QWidget::event(event);
}

} // namespace sluice::ui
