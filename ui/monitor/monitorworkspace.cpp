#include "ui/monitor/monitorworkspace.h"

#include "engine/operations/monitoring/servicequeries.h"
#include "ui/charts/chartgroup.h"
#include "ui/charts/livechart.h"
#include "ui/monitor/metrictile.h"
#include "ui/monitor/seriesfeed.h"
#include "ui/shell/card.h"
#include "ui/shell/format.h"
#include "ui/shell/stateview.h"
#include "ui/shell/text.h"

#include <QGridLayout>
#include <QHeaderView>
#include <QTableView>
#include <QTableWidget>
#include <QVBoxLayout>
#include <cmath>

namespace sluice::ui {

namespace {

constexpr double scrapeSeconds = 1; ///< of the local stack; a longer one only smooths less
constexpr int recentRows = 6;

double nowSeconds()
{
    return double(QDateTime::currentMSecsSinceEpoch()) / 1000;
}

std::pair<QString, int> byPool(const ops::Labels& labels)
{
    const QString pool = labels.value(QStringLiteral("pool"));
    return {pool, Theme::poolSeries(pool)};
}

SeriesFeed::Source single(
    const QString& expression, const QString& name, int style, bool area = false)
{
    return {expression, [name, style](const ops::Labels&) { return std::pair(name, style); }, area};
}

void plainTable(QTableView* table)
{
    table->setShowGrid(false);
    table->setFrameShape(QFrame::NoFrame);
    table->setSelectionBehavior(QAbstractItemView::SelectRows);
    table->setEditTriggers(QAbstractItemView::NoEditTriggers);
    table->setTabKeyNavigation(false);
    table->verticalHeader()->hide();
    table->verticalHeader()->setDefaultSectionSize(26);
    table->horizontalHeader()->setHighlightSections(false);
}

} // namespace

MonitorWorkspace::MonitorWorkspace(Console* console, QWidget* parent)
    : Workspace(console, QStringLiteral("monitor"), tr("Monitor"), parent)
    , m_group(new ChartGroup(this))
    , m_state(new StateView(this))
    , m_workers(new WorkersModel(this))
{
    auto* page = new QWidget(this);
    auto* column = new QVBoxLayout(page);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(12);
    column->addWidget(makeTiles());
    column->addWidget(makeCharts(), 5);
    column->addWidget(makeTables(), 2);
    m_state->setDataWidget(page);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(m_state);

    connect(m_state, &StateView::actionTriggered, console, &Console::startLocalStack);
    connect(m_state, &StateView::retryRequested, console, &Console::reconnect);
    connect(console, &Console::environmentChanged, this, [this] {
        for (SeriesFeed* feed : std::as_const(m_feeds)) {
            feed->clear();
        }
        m_redis.clear();
        m_rateWindow = 0;
        updateState();
        tick();
    });
    connect(console, &Console::sourceChanged, this, &MonitorWorkspace::updateState);
    connect(console, &Console::localStackChanged, this, &MonitorWorkspace::updateState);
    connect(console, &Console::timeRangeChanged, this, &MonitorWorkspace::tick);
    connect(console->redisMonitor(), &ops::RedisMonitor::sampled, this,
        &MonitorWorkspace::onRedisSample);
    m_tick.setInterval(1000);
    connect(&m_tick, &QTimer::timeout, this, [this] {
        if (this->console()->isLive()) {
            tick();
        }
    });
    updateState();
}

QWidget* MonitorWorkspace::makeTiles()
{
    auto* row = new QWidget(this);
    auto* layout = new QHBoxLayout(row);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(12);
    const auto add = [&](const QString& name, const QString& limit) {
        auto* tile = new MetricTile(name, limit, row);
        m_tiles.insert(name, tile);
        layout->addWidget(tile, 1);
    };
    for (const ops::Target& target : ops::ownersTargets()) {
        add(target.name, target.limitText);
    }
    add(tr("fallback"), tr("share of decisions"));
    row->setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Maximum);
    return row;
}

LiveChart* MonitorWorkspace::addChart(const QString& name, const QString& hint, Unit unit)
{
    auto* card = new Card(name, hint, this);
    auto* chart = new LiveChart(name, m_group, unit, card);
    card->content()->addWidget(chart, 1);
    m_charts.insert(name, chart);
    return chart;
}

SeriesFeed* MonitorWorkspace::feed(LiveChart* chart)
{
    auto* feed = new SeriesFeed(chart, this);
    m_feeds.insert(chart, feed);
    connect(feed, &SeriesFeed::answered, this, [this](double ms) {
        m_queryMs = ms;
        console()->report(Source::Prometheus, nullptr, ms);
    });
    connect(feed, &SeriesFeed::failed, this,
        [this](const Error& error) { console()->report(Source::Prometheus, &error); });
    return feed;
}

QWidget* MonitorWorkspace::makeCharts()
{
    auto* area = new QWidget(this);
    auto* grid = new QGridLayout(area);
    grid->setContentsMargins(0, 0, 0, 0);
    grid->setSpacing(12);
    const auto place = [&](LiveChart* chart, int row, int column) {
        grid->addWidget(chart->parentWidget(), row, column);
    };
    LiveChart* rate = addChart(tr("Requests a second"), tr("by pool"), Unit::PerSecond);
    LiveChart* latency = addChart(tr("Response time"), tr("p50 p95 p99, all pools"), Unit::Seconds);
    LiveChart* errors = addChart(tr("Errors"), tr("5xx of all answers, by pool"), Unit::Share);
    LiveChart* memory = addChart(tr("Worker memory"), tr("RSS, largest by pool"), Unit::Bytes);
    LiveChart* operations =
        addChart(tr("Redis operations a second"), tr("without our own"), Unit::PerSecond);
    LiveChart* hits =
        addChart(tr("Redis hit ratio"), tr("5 min window, lifetime beside it"), Unit::Share);
    LiveChart* redisMemory = addChart(tr("Redis memory"), tr("used"), Unit::Bytes);
    LiveChart* clients = addChart(tr("Redis clients"), tr("connected"), Unit::Count);
    hits->setLeastTop(1);
    errors->setLeastTop(0.012);
    errors->setLimits({{0.01, tr("rolls back at 1 %")}});
    const QList<LiveChart*> all{
        rate, latency, errors, memory, operations, hits, redisMemory, clients};
    for (int index = 0; index < all.size(); ++index) {
        place(all[index], index / 4, index % 4);
        grid->setColumnStretch(index % 4, 1);
    }
    for (LiveChart* chart : {rate, latency, errors, memory}) {
        feed(chart);
    }
    for (LiveChart* chart : {operations, hits, redisMemory, clients}) {
        chart->setGap(5);
    }
    return area;
}

QWidget* MonitorWorkspace::makeTables()
{
    auto* row = new QWidget(this);
    auto* layout = new QHBoxLayout(row);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(12);
    auto* workers = new Card(tr("Workers"), tr("as Prometheus sees them, last minute"), row);
    m_workersView = new QTableView(workers);
    plainTable(m_workersView);
    m_workersView->setModel(m_workers);
    m_workersView->setAccessibleName(tr("Workers"));
    m_workersView->horizontalHeader()->setSectionResizeMode(QHeaderView::Stretch);
    m_workersView->horizontalHeader()->setSectionResizeMode(
        WorkersModel::Instance, QHeaderView::ResizeToContents);
    workers->content()->addWidget(m_workersView, 1);
    auto* recent = new Card(tr("Recent"), tr("what was done, by whom"), row);
    m_recent = new QTableWidget(0, 3, recent);
    plainTable(m_recent);
    m_recent->horizontalHeader()->hide();
    m_recent->setAccessibleName(tr("Recent actions"));
    m_recent->horizontalHeader()->setSectionResizeMode(1, QHeaderView::Stretch);
    recent->content()->addWidget(m_recent, 1);
    m_nothingRecent = new Text(FontRole::Base, Ink::Faint,
        tr("Nothing yet. Publishes, load runs and shifts appear here."), recent);
    recent->content()->addWidget(m_nothingRecent, 0, Qt::AlignTop);
    layout->addWidget(workers, 3);
    layout->addWidget(recent, 2);
    row->setMinimumHeight(150);
    return row;
}

void MonitorWorkspace::setUpFeeds()
{
    namespace queries = ops::queries;
    const double window = m_rateWindow;
    m_feeds[chart(tr("Requests a second"))]->setSources(
        {{queries::requestRateByPool(window), byPool, true}});
    m_feeds[chart(tr("Response time"))]->setSources(
        {single(queries::latency(0.50, window), QStringLiteral("p50"), 0),
            single(queries::latency(0.95, window), QStringLiteral("p95"), 2),
            single(queries::latency(0.99, window), QStringLiteral("p99"), 3)});
    m_feeds[chart(tr("Errors"))]->setSources({{queries::errorShareByPool(window), byPool, false}});
    m_feeds[chart(tr("Worker memory"))]->setSources({{queries::residentMemory(), byPool, false}});
}

void MonitorWorkspace::activated()
{
    m_active = true;
    console()->redisMonitor()->start();
    m_tick.start();
    updateState();
    updateRecent();
    tick();
}

void MonitorWorkspace::deactivated()
{
    m_active = false;
    m_tick.stop();
}

void MonitorWorkspace::tick()
{
    if (!m_active || !console()->hasEnvironment()) {
        return;
    }
    const TimeRange& range = console()->timeRange();
    const double end = range.isAbsolute() ? range.end : nowSeconds();
    const double start = range.isAbsolute() ? range.start : end - range.seconds;
    m_group->setLiveRange(start, end);
    if (!console()->environment().prometheus.isEmpty()) {
        fetchCharts(end);
        if (m_round++ % 2 == 0) {
            fetchTiles();
            fetchWorkers();
            updateRecent();
        }
    }
    setStatus(
        tr("Prometheus answers in %1 · Redis INFO 1/s").arg(format::duration(m_queryMs / 1000)));
}

void MonitorWorkspace::fetchCharts(double now)
{
    const auto [start, end] = m_group->range();
    m_step = std::max(1.0, std::ceil(ops::PrometheusClient::stepFor(end - start, 300)));
    const double window = ops::queries::rateWindow(scrapeSeconds, m_step);
    if (window != m_rateWindow) {
        m_rateWindow = window;
        setUpFeeds();
    }
    for (SeriesFeed* feed : std::as_const(m_feeds)) {
        feed->fetch(console()->prometheus(), start, std::min(end, now), m_step);
    }
}

void MonitorWorkspace::judge(
    const QString& name, ops::Quantity quantity, const QString& expression, Unit unit)
{
    MetricTile* shown = tile(name);
    console()->prometheus()->query(expression, this,
        [shown, quantity, unit, expression](const Result<QList<ops::InstantSample>>& answer) {
            std::optional<double> value;
            if (answer) {
                for (const ops::InstantSample& sample : *answer) {
                    if (std::isfinite(sample.value)) {
                        value = std::max(value.value_or(sample.value), sample.value);
                    }
                }
            }
            shown->setFigure(format::value(value, unit), ops::targetOf(quantity).judge(value),
                tr("Prometheus, last minute:\n%1").arg(expression));
        });
}

void MonitorWorkspace::fetchTiles()
{
    namespace queries = ops::queries;
    constexpr double window = 60;
    const std::pair<ops::Quantity, std::pair<QString, Unit>> asked[] = {
        {ops::Quantity::LatencyP95, {queries::latency(0.95, window), Unit::Seconds}},
        {ops::Quantity::LatencyP99, {queries::latency(0.99, window), Unit::Seconds}},
        {ops::Quantity::RequestRate, {queries::requestRate(window), Unit::PerSecond}},
        {ops::Quantity::Memory, {queries::residentMemory(), Unit::Bytes}},
        {ops::Quantity::Cpu, {queries::cpuShare(window), Unit::Share}},
        {ops::Quantity::ErrorShare, {queries::errorShare(window), Unit::Share}},
        {ops::Quantity::CacheHitRatio, {queries::cacheHitRatio(window), Unit::Share}}};
    for (const auto& [quantity, query] : asked) {
        judge(ops::targetOf(quantity).name, quantity, query.first, query.second);
    }
    const QString decisions = queries::decisionShare(window);
    console()->prometheus()->query(
        decisions, this, [this, decisions](const Result<QList<ops::InstantSample>>& answer) {
            std::optional<double> share;
            if (answer) {
                for (const ops::InstantSample& sample : *answer) {
                    if (sample.labels.value(QStringLiteral("decision"))
                            == QLatin1StringView("fallback")
                        && std::isfinite(sample.value)) {
                        share = sample.value;
                    }
                }
            }
            tile(tr("fallback"))
                ->setFigure(format::value(share, Unit::Share), ops::Judgement::NoData,
                    tr("Prometheus, last minute:\n%1").arg(decisions));
        });
}

void MonitorWorkspace::fetchWorkers()
{
    using Worker = WorkersModel::Worker;
    struct Round
    {
        QHash<QString, Worker> workers;
        int open = 0;
    };
    auto round = std::make_shared<Round>();
    const auto ask = [&](const QString& expression,
                         std::function<void(Worker&, const ops::InstantSample&)> take) {
        ++round->open;
        console()->prometheus()->query(expression, this,
            [this, round, take = std::move(take)](const Result<QList<ops::InstantSample>>& answer) {
                if (answer) {
                    for (const ops::InstantSample& sample : *answer) {
                        Worker& worker =
                            round->workers[sample.labels.value(QStringLiteral("instance"))];
                        worker.instance = sample.labels.value(QStringLiteral("instance"));
                        take(worker, sample);
                    }
                }
                if (--round->open == 0 && !round->workers.isEmpty()) {
                    m_workers->setWorkers(round->workers.values());
                }
            });
    };
    ask(QStringLiteral("up{job=\"sluice\"}"),
        [](Worker& worker, const ops::InstantSample& sample) { worker.up = sample.value > 0; });
    ask(QStringLiteral("sluice_threshold_set"),
        [](Worker& worker, const ops::InstantSample& sample) {
            worker.pool = sample.labels.value(QStringLiteral("pool"));
            worker.version = sample.labels.value(QStringLiteral("version"));
            worker.set = sample.value;
        });
    ask(QStringLiteral("process_resident_memory_bytes{pool!=\"\"}"),
        [](Worker& worker, const ops::InstantSample& sample) { worker.memory = sample.value; });
    ask(QStringLiteral(
            "sum by (instance) (rate(sluice_requests_total{route=~\"/v1/classify.*\"}[1m]))"),
        [](Worker& worker, const ops::InstantSample& sample) { worker.rate = sample.value; });
    ask(QStringLiteral(
            "histogram_quantile(0.95, sum by (instance, le) "
            "(rate(sluice_request_duration_seconds_bucket{route=~\"/v1/classify.*\"}[1m])))"),
        [](Worker& worker, const ops::InstantSample& sample) {
            worker.p95 = std::isfinite(sample.value) ? sample.value : -1;
        });
}

void MonitorWorkspace::onRedisSample(const ops::RedisSample& sample)
{
    const auto add = [&](const QString& line, std::optional<double> value) {
        QList<QPointF>& points = m_redis[line];
        if (sample.restarted) {
            points << QPointF(sample.time - 0.001, std::nan(""));
        }
        if (value) {
            points << QPointF(sample.time, *value);
        }
        while (points.size() > 90000) {
            points.removeFirst();
        }
    };
    add(tr("operations"), sample.opsPerSecond);
    add(tr("window"), sample.windowHitRatio);
    add(tr("lifetime"), sample.lifetimeHitRatio);
    add(tr("used"), double(sample.usedMemory));
    add(tr("clients"), sample.clients);
    if (!m_active || !console()->isLive()) {
        return;
    }
    const auto show = [&](const QString& name, const QList<std::pair<QString, int>>& lines,
                          bool area) {
        QList<ChartSeries> series;
        for (const auto& [line, style] : lines) {
            series << ChartSeries{line, m_redis.value(line), style, area, true};
        }
        chart(name)->setSeries(std::move(series));
    };
    show(tr("Redis operations a second"), {{tr("operations"), 0}}, true);
    show(tr("Redis hit ratio"), {{tr("window"), 0}, {tr("lifetime"), 2}}, false);
    show(tr("Redis memory"), {{tr("used"), 0}}, false);
    show(tr("Redis clients"), {{tr("clients"), 0}}, false);
}

void MonitorWorkspace::updateState()
{
    if (!console()->hasEnvironment()) {
        if (console()->isLocalStackStarting()) {
            m_state->showLoading(tr("Starting the local stack"), false);
        } else {
            m_state->showEmpty(tr("Nothing is connected"),
                tr("Here the service is watched live: requests, response times, errors and memory "
                   "from Prometheus, and Redis' own figures."),
                tr("Start the local stack"));
        }
        return;
    }
    const SourceState prometheus = console()->source(Source::Prometheus);
    const SourceState redis = console()->source(Source::Redis);
    const bool prometheusLost = prometheus.kind == SourceState::Kind::Lost;
    const bool redisLost = redis.kind == SourceState::Kind::Lost;
    for (LiveChart* shown : std::as_const(m_charts)) {
        shown->setStale(m_feeds.contains(shown) ? prometheusLost : redisLost);
    }
    if (prometheusLost && redisLost) {
        m_state->showDisconnected({tr("Prometheus and Redis do not answer"), prometheus.error,
                                      tr("Charts keep the last data. They go on by themselves when "
                                         "the servers are back.")},
            prometheus.lastAnswer.isValid() ? format::clock(prometheus.lastAnswer) : QString());
    } else if (prometheusLost || redisLost) {
        const SourceState& lost = prometheusLost ? prometheus : redis;
        m_state->showDisconnected(
            {prometheusLost ? tr("Prometheus does not answer") : tr("Redis does not answer"),
                lost.error, tr("Its charts keep the last data; the others go on.")},
            lost.lastAnswer.isValid() ? format::clock(lost.lastAnswer) : QString());
    } else {
        m_state->showData();
    }
}

void MonitorWorkspace::updateRecent()
{
    const auto entries = console()->history()->entries({{}, {}, recentRows});
    if (!entries) {
        return;
    }
    const QDateTime now = QDateTime::currentDateTimeUtc();
    m_recent->setRowCount(int(entries->size()));
    m_recent->setVisible(!entries->isEmpty());
    m_nothingRecent->setVisible(entries->isEmpty());
    QList<EventMark> marks;
    for (int row = 0; row < entries->size(); ++row) {
        const ops::HistoryEntry& entry = (*entries)[row];
        const QString texts[] = {
            format::when(entry.at, now), QString(entry.kind % u' ' % entry.subject), entry.actor};
        for (int column = 0; column < 3; ++column) {
            auto* item = new QTableWidgetItem(texts[column]);
            item->setTextAlignment(
                (column == 2 ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
            m_recent->setItem(row, column, item);
        }
        if (entry.kind == QLatin1StringView("publish") || entry.kind == QLatin1StringView("shift")
            || entry.kind == QLatin1StringView("rollback")) {
            marks << EventMark{double(entry.at.toMSecsSinceEpoch()) / 1000,
                entry.kind == QLatin1StringView("publish") ? entry.subject : entry.kind};
        }
    }
    for (LiveChart* shown : std::as_const(m_charts)) {
        shown->setMarks(marks);
    }
}

} // namespace sluice::ui
