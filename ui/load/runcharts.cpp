#include "ui/load/runcharts.h"

#include "ui/charts/chartgroup.h"
#include "ui/charts/heatmap.h"
#include "ui/charts/livechart.h"
#include "ui/shell/card.h"
#include "ui/shell/format.h"

#include <QGridLayout>
#include <QSet>
#include <algorithm>

namespace sluice::ui {

namespace {

constexpr int redrawMs = 500;
constexpr double memoryLimitMiB = 512; ///< of a worker, where the scenario sets none
constexpr int heatColumns = 240; ///< beyond, seconds are put together

using Value = std::optional<double>;

ChartSeries line(const QList<ops::LoadSecond>& seconds, const QString& name, int style, bool area,
    const std::function<Value(const ops::LoadSecond&)>& value)
{
    ChartSeries series{name, {}, style, area, true};
    for (const ops::LoadSecond& second : seconds) {
        if (const Value found = value(second)) {
            series.points << QPointF(second.second + 1, *found);
        }
    }
    return series;
}

Value percentile(const ops::LoadSecond& second, double ms)
{
    return second.maxMs > 0 ? Value(ms / 1000) : Value();
}

} // namespace

RunCharts::RunCharts(QWidget* parent)
    : QWidget(parent)
    , m_group(new ChartGroup(this))
    , m_grid(new QGridLayout(this))
{
    m_group->setElapsed(true);
    m_group->setLiveRange(0, 60);
    m_grid->setContentsMargins(0, 0, 0, 0);
    m_grid->setSpacing(12);
    m_users = addChart(tr("Users"), tr("and requests in flight"), int(Unit::Count), 0, 0);
    m_rate = addChart(tr("Requests a second"), tr("answered"), int(Unit::PerSecond), 0, 1);
    m_latency = addChart(tr("Response time"), tr("from the intended start"), int(Unit::Seconds), 1,
        0, &m_latencyCard);
    auto* heatCard = new Card(tr("Answers by response time"), tr("the darker, the more"), this);
    m_heat = new HeatMap(tr("Answers by response time"), m_group, heatCard);
    heatCard->content()->addWidget(m_heat, 1);
    m_grid->addWidget(heatCard, 1, 1);
    m_errors = addChart(tr("Errors"), tr("a second, by kind"), int(Unit::Count), 2, 0);
    m_server = addChart(tr("The service"), tr("from Prometheus"), int(Unit::Share), 2, 1);
    for (int row = 0; row < 3; ++row) {
        m_grid->setRowStretch(row, 1);
    }
    m_redraw.setSingleShot(true);
    m_redraw.setInterval(redrawMs);
    connect(&m_redraw, &QTimer::timeout, this, &RunCharts::redraw);
}

LiveChart* RunCharts::addChart(
    const QString& name, const QString& hint, int unit, int row, int column, Card** card)
{
    auto* made = new Card(name, hint, this);
    auto* chart = new LiveChart(name, m_group, Unit(unit), made);
    chart->setEmptyText(tr("no run yet"));
    made->content()->addWidget(chart, 1);
    m_grid->addWidget(made, row, column);
    if (card != nullptr) {
        *card = made;
    }
    return chart;
}

void RunCharts::begin(const ops::Scenario& scenario, bool corrected)
{
    m_seconds.clear();
    m_group->resetZoom();
    m_group->setLiveRange(0, scenario.durationSeconds());
    m_latencyCard->setHint(
        corrected ? tr("from the intended start") : tr("from the actual send: uncorrected"));
    m_latency->setLimits({{scenario.targets.p95Ms / 1000,
        tr("p95 fails at %1 ms").arg(format::number(scenario.targets.p95Ms))}});
    m_rate->setLeastTop(std::max(1.0, scenario.peakRate() * 1.2));
    m_users->setLeastTop(std::max(1.0, scenario.peakUsers() * 1.2));
    m_errors->setEmptyText(tr("no errors"));
    m_server->setEmptyText(tr("Prometheus has said nothing of it yet"));
    m_memoryLimit = scenario.targets.workerMiB.value_or(memoryLimitMiB);
    redraw();
}

void RunCharts::add(const ops::LoadSecond& second)
{
    m_seconds << second;
    if (!m_redraw.isActive()) {
        m_redraw.start();
    }
}

void RunCharts::show(const ops::LoadResult& result)
{
    begin(result.scenario, result.latencyCorrected);
    m_seconds = result.seconds;
    if (!m_seconds.isEmpty()) {
        m_group->setLiveRange(0,
            std::max(1.0,
                std::min(result.scenario.durationSeconds(), double(m_seconds.last().second + 1))));
    }
    m_server->setEmptyText(tr("this run had no Prometheus"));
    redraw();
}

void RunCharts::setStale(bool stale)
{
    for (LiveChart* chart : {m_users, m_rate, m_latency, m_errors, m_server}) {
        chart->setStale(stale);
    }
}

void RunCharts::redraw()
{
    using Second = ops::LoadSecond;
    const auto of = [this](const QString& name, int style, bool area, auto value) {
        return line(m_seconds, name, style, area, value);
    };
    m_users->setSeries({of(tr("users"), 0, true, [](const Second& s) -> Value { return s.users; }),
        of(tr("in flight"), 2, false, [](const Second& s) -> Value { return s.inFlight; })});
    m_rate->setSeries(
        {of(tr("answered"), 0, true, [](const Second& s) -> Value { return s.completed; }),
            of(tr("planned"), 2, false, [](const Second& s) -> Value {
                return s.plannedRate > 0 ? Value(s.plannedRate) : Value();
            })});
    m_latency->setSeries({of(QStringLiteral("p50"), 0, false,
                              [](const Second& s) { return percentile(s, s.p50Ms); }),
        of(QStringLiteral("p95"), 1, false, [](const Second& s) { return percentile(s, s.p95Ms); }),
        of(QStringLiteral("p99"), 2, false, [](const Second& s) { return percentile(s, s.p99Ms); }),
        of(tr("longest"), 3, false, [](const Second& s) { return percentile(s, s.maxMs); })});

    QSet<QString> kinds;
    for (const Second& second : m_seconds) {
        for (auto kind = second.errorsByKind.begin(); kind != second.errorsByKind.end(); ++kind) {
            kinds << kind.key();
        }
    }
    QStringList sorted(kinds.begin(), kinds.end());
    sorted.sort();
    QList<ChartSeries> errors;
    for (const QString& kind : std::as_const(sorted)) {
        errors << of(kind, int(errors.size()), false,
            [kind](const Second& s) -> Value { return double(s.errorsByKind.value(kind)); });
    }
    m_errors->setSeries(errors);

    m_server->setSeries({of(tr("processor"), 0, false,
                             [](const Second& s) { return s.server.workerCpuShare; }),
        of(tr("cache hits"), 1, false, [](const Second& s) { return s.server.cacheHitShare; }),
        of(tr("memory of %1 MiB").arg(m_memoryLimit), 2, false, [this](const Second& s) -> Value {
            return s.server.workerMiB ? Value(*s.server.workerMiB / m_memoryLimit) : Value();
        })});

    const int step = std::max(1, int(m_seconds.size()) / heatColumns);
    QMap<double, QMap<int, double>> cells;
    for (const Second& second : m_seconds) {
        QMap<int, double>& column = cells[(second.second / step + 1) * step];
        for (const ops::HeatCell& cell : second.heat) {
            column[cell.bucket] += double(cell.count) / step;
        }
    }
    m_heat->setCells(cells, step, [](int bucket) { return ops::heatEdgeMs(bucket + 1) / 1000; });
}

} // namespace sluice::ui
