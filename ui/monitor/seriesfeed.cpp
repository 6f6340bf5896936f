#include "ui/monitor/seriesfeed.h"

#include "ui/charts/livechart.h"

#include <QElapsedTimer>
#include <algorithm>

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
    m_lines.clear();
    m_fetchedTo = 0;
    m_open = 0;
    ++m_epoch;
    show();
}

void SeriesFeed::fetch(ops::PrometheusClient* client, double start, double end, double step)
{
    const bool whole =
        step != m_step || m_fetchedTo == 0 || start < m_start - 0.5 || end < m_fetchedTo - 60;
    if (m_open > 0 && !whole) {
        return; // the last round is still open
    }
    if (whole) {
        m_lines.clear();
        ++m_epoch;
        m_open = 0;
        m_step = step;
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
    for (const ops::TimeSeries& series : answer.series) {
        const auto [name, style] = m_sources[source].present(series.labels);
        if (name.isEmpty()) {
            continue;
        }
        Line& line = m_lines[name];
        line.style = style;
        line.area = m_sources[source].area && style == 0;
        line.order = source * 10 + style;
        // What was known from `from` on is replaced by what came; what left the range on the left
        // goes.
        const auto cut = std::lower_bound(line.points.begin(), line.points.end(), from - 0.001,
            [](const QPointF& point, double time) { return point.x() < time; });
        line.points.erase(cut, line.points.end());
        const auto first =
            std::lower_bound(line.points.begin(), line.points.end(), m_start - 2 * m_step,
                [](const QPointF& point, double time) { return point.x() < time; });
        line.points.erase(line.points.begin(), first);
        line.points += series.points;
    }
    show();
}

void SeriesFeed::show()
{
    QList<std::pair<int, ChartSeries>> sorted;
    for (auto line = m_lines.begin(); line != m_lines.end(); ++line) {
        sorted << std::pair(
            line->order, ChartSeries{line.key(), line->points, line->style, line->area, true});
    }
    std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
        return a.first != b.first ? a.first < b.first : a.second.name < b.second.name;
    });
    QList<ChartSeries> all;
    for (auto& [order, series] : sorted) {
        all << std::move(series);
    }
    m_chart->setSeries(std::move(all));
}

} // namespace sluice::ui
