#include "ui/monitor/seriesfeed.h"

#include "ui/charts/livechart.h"

#include <QElapsedTimer>
#include <algorithm>
#include <utility>

namespace sluice::ui {

namespace {

constexpr double overlapSteps =
    3; ///< the newest points may still change: a rate's last window fills up

} // namespace

SeriesFeed::SeriesFeed(LiveChart* chart, QObject* parent)
    : QObject(parent)
    , m_chart(chart)
{ }

void SeriesFeed::setSources(QList<Source> sources)
{
    m_sources = std::move(sources);
    clear();
}

void SeriesFeed::clear()
{
    m_fetchedTo = 0;
    m_open = 0;
    ++m_epoch;
    m_chart->setSeries({});
}

void SeriesFeed::fetch(ops::PrometheusClient* client, double start, double end, double step)
{
    const bool whole =
        step != m_step || m_fetchedTo == 0 || start < m_start - 0.5 || end < m_fetchedTo - 60;
    if (m_open > 0 && !whole) {
        return; // the last round is still open
    }
    if (whole) {
        ++m_epoch;
        m_open = 0;
        m_step = step;
        m_whole = true; // until the first answer the old lines stay
    }
    m_start = start;
    const double from = whole ? start : std::max(start, m_fetchedTo - overlapSteps * step);
    m_fetchedTo = end;
    m_chart->setGap(step * 2.5);
    for (int index = 0; index < m_sources.size(); ++index) {
        ++m_open;
        QElapsedTimer timer;
        timer.start();
        client->queryRange(m_sources[index].expression, from, end, step, this,
            [this, index, from, timer, epoch = m_epoch](const Result<ops::RangeAnswer>& answer) {
                if (epoch != m_epoch) {
                    return;
                }
                --m_open;
                if (!answer) {
                    m_fetchedTo = 0; // asked anew as a whole
                    Q_EMIT failed(answer.error());
                    return;
                }
                merge(index, *answer, from);
                Q_EMIT answered(double(timer.nsecsElapsed()) / 1e6);
            });
    }
}

void SeriesFeed::merge(int source, const ops::RangeAnswer& answer, double from)
{
    QList<ChartSeries> tails;
    for (const ops::TimeSeries& series : answer.series) {
        const auto [name, style] = m_sources[source].present(series.labels);
        QList<QPointF> points = series.points;
        if (m_sources[source].factor != 1) {
            for (QPointF& point : points) {
                point.ry() *= m_sources[source].factor;
            }
        }
        if (!name.isEmpty()) {
            tails << ChartSeries{name, points, style, m_sources[source].area && style == 0, true,
                source * 100 + style};
        }
    }
    if (std::exchange(m_whole, false)) {
        std::stable_sort(tails.begin(), tails.end(), [](const auto& a, const auto& b) {
            return std::pair(a.order, a.name) < std::pair(b.order, b.name);
        });
        m_chart->setSeries(std::move(tails));
    } else {
        m_chart->merge(tails, from - 0.001, m_start - 2 * m_step);
    }
    if (!answer.warnings.isEmpty()) {
        Q_EMIT warned(answer.warnings);
    }
}

} // namespace sluice::ui
