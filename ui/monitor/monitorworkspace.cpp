#include "ui/monitor/monitorworkspace.h"

#include "engine/operations/monitoring/servicequeries.h"
#include "ui/charts/chartgroup.h"
#include "ui/charts/livechart.h"
#include "ui/monitor/alertspage.h"
#include "ui/monitor/explorepage.h"
#include "ui/monitor/overviewpage.h"
#include "ui/monitor/redispage.h"
#include "ui/monitor/servicepage.h"
#include "ui/shell/desktopnotification.h"
#include "ui/shell/pagetabs.h"
#include "ui/shell/stateview.h"

#include <QAction>
#include <QStackedWidget>
#include <QTabBar>
#include <QVBoxLayout>
#include <cmath>

namespace sluice::ui {

namespace {

constexpr double scrapeSeconds = 1; ///< of the local stack; a longer one only smooths less
constexpr int chartPoints = 300;
constexpr int markEntries = 200;
constexpr int alertMs = 5000;

double nowSeconds()
{
    return double(QDateTime::currentMSecsSinceEpoch()) / 1000;
}

} // namespace

MonitorWorkspace::MonitorWorkspace(Console* console, QWidget* parent)
    : Workspace(console, QStringLiteral("monitor"), tr("Monitor"), parent)
    , m_group(new ChartGroup(this))
    , m_state(new StateView(this))
    , m_workers(new WorkersModel(this))
    , m_tabs(new PageTabs(this))
    , m_stack(new QStackedWidget(this))
    , m_overview(new OverviewPage(console, m_group, m_workers, this))
    , m_service(new ServicePage(console, m_group, m_workers, this))
    , m_redis(new RedisPage(console, m_group, this))
    , m_explore(new ExplorePage(console, m_group, this))
    , m_alerts(new AlertsPage(console, m_group, this))
{
    m_tabs->setAccessibleName(tr("Pages of the monitor"));
    addPage(QStringLiteral("overview"), tr("Overview"), m_overview);
    addPage(QStringLiteral("service"), tr("Service"), m_service);
    addPage(QStringLiteral("redis"), tr("Redis"), m_redis);
    addPage(QStringLiteral("explore"), tr("Explore"), m_explore);
    addPage(QStringLiteral("alerts"), tr("Alerts"), m_alerts);
    auto* page = new QWidget(this);
    auto* column = new QVBoxLayout(page);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(8);
    column->addWidget(m_tabs);
    column->addWidget(m_stack, 1);
    m_state->setDataWidget(page);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(m_state);

    connect(m_tabs, &QTabBar::currentChanged, this, [this](int index) {
        m_stack->setCurrentIndex(index);
        tick();
    });
    connect(m_state, &StateView::actionTriggered, console, &Console::startLocalStack);
    connect(m_state, &StateView::retryRequested, console, &Console::reconnect);
    connect(console, &Console::environmentChanged, this, [this] {
        for (MonitorPage* shown : std::as_const(m_pages)) {
            shown->reset();
        }
        m_watch.clear();
        m_round = 0;
        updateState();
        tick();
        fetchAlerts();
    });
    connect(console, &Console::sourceChanged, this, &MonitorWorkspace::updateState);
    connect(console, &Console::localStackChanged, this, &MonitorWorkspace::updateState);
    connect(console, &Console::timeRangeChanged, this, &MonitorWorkspace::tick);
    connect(m_group, &ChartGroup::rangeChanged, this, [this] {
        if (m_group->isZoomed()) {
            tick(); // a closer look has a finer step
        }
    });
    connect(console->redisMonitor(), &ops::RedisMonitor::sampled, this,
        [this](const ops::RedisSample& sample) {
            m_overview->take(sample);
            m_redis->take(sample);
        });
    m_tick.setInterval(1000);
    connect(&m_tick, &QTimer::timeout, this, [this] {
        if (m_active && this->console()->isLive()) {
            tick();
        }
    });
    m_tick.start();
    // Alerts are watched whatever page is seen.
    connect(&m_alertTimer, &QTimer::timeout, this, &MonitorWorkspace::fetchAlerts);
    m_alertTimer.start(alertMs);
    connect(m_alerts, &AlertsPage::unseenChanged, this, &MonitorWorkspace::showUnseen);
    updateState();
}

void MonitorWorkspace::fetchAlerts()
{
    if (!console()->hasEnvironment() || console()->environment().prometheus.isEmpty()) {
        return;
    }
    console()->prometheus()->rules(this,
        [this, environment = console()->environment().name](
            const Result<QList<ops::AlertRule>>& rules) {
            if (environment != console()->environment().name) {
                return;
            }
            m_alerts->showRules(rules);
            if (rules) {
                takeRules(*rules);
            }
        });
}

void MonitorWorkspace::takeRules(const QList<ops::AlertRule>& rules)
{
    m_overview->showAlerts(rules);
    const ops::AlertWatch::Change change = m_watch.take(rules);
    for (const ops::ActiveAlert& alert : change.fired) {
        const QString name = alert.labels.value(QStringLiteral("alertname"));
        const bool pages =
            alert.labels.value(QStringLiteral("severity")) == QLatin1StringView("page");
        const QString text = tr("%1 fires: %2").arg(name, alert.summary);
        console()->notify(pages ? Tone::Bad : Tone::Warn, text, id());
        if (!isActiveWindow()) {
            notifyDesktop(console()->environment().name, text, window());
        }
    }
    for (const QString& key : change.ended) {
        console()->notify(Tone::Ok, tr("%1 has ended.").arg(key), id());
    }
}

void MonitorWorkspace::showUnseen(int count)
{
    const int index = int(m_pages.indexOf(m_alerts));
    m_tabs->setTabText(index, count > 0 ? tr("Alerts (%1)").arg(count) : tr("Alerts"));
    setChips(count > 0 ? QList<ChipText>{{tr("alerts "), QString::number(count), {}, Tone::Bad,
                 tr("Fire and were not acknowledged")}}
                       : QList<ChipText>());
}

void MonitorWorkspace::addPage(const QString& name, const QString& title, MonitorPage* page)
{
    const int number = m_tabs->addTab(title) + 1;
    m_tabs->setTabData(number - 1, name);
    m_stack->addWidget(page);
    m_pages << page;
    const QKeySequence keys(Qt::ALT | Qt::Key(Qt::Key_0 + number));
    m_tabs->setTabToolTip(number - 1, keys.toString(QKeySequence::NativeText));
    auto* action = new QAction(tr("Monitor: %1").arg(title), this);
    action->setShortcut(keys);
    action->setToolTip(tr("Shows this part of the page"));
    action->setShortcutContext(Qt::WidgetWithChildrenShortcut);
    connect(action, &QAction::triggered, this, [this, name] { showPage(name); });
    addAction(action);
}

MonitorPage* MonitorWorkspace::page() const
{
    return m_pages.value(m_stack->currentIndex());
}

void MonitorWorkspace::showPage(const QString& name)
{
    for (int index = 0; index < m_tabs->count(); ++index) {
        if (m_tabs->tabData(index).toString() == name) {
            m_tabs->setCurrentIndex(index);
        }
    }
}

QString MonitorWorkspace::currentPage() const
{
    return m_tabs->tabData(m_tabs->currentIndex()).toString();
}

LiveChart* MonitorWorkspace::chart(const QString& name) const
{
    for (const MonitorPage* one : m_pages) {
        if (LiveChart* found = one->chart(name)) {
            return found;
        }
    }
    return nullptr;
}

MetricTile* MonitorWorkspace::tile(const QString& name) const
{
    return m_overview->tile(name);
}

void MonitorWorkspace::activated()
{
    m_active = true;
    console()->redisMonitor()->start();
    updateState();
    updateRecent();
    tick();
}

void MonitorWorkspace::deactivated()
{
    m_active = false;
}

void MonitorWorkspace::tick()
{
    if (!m_active || !console()->hasEnvironment()) {
        return;
    }
    const TimeRange& range = console()->timeRange();
    const double now = nowSeconds();
    const double end = range.isAbsolute() ? range.end : now;
    m_group->setLiveRange(range.isAbsolute() ? range.start : end - range.seconds, end);
    const auto [start, shownEnd] = m_group->range();
    MonitorPage::Moment moment{start, std::min(shownEnd, now), 1, 4, m_round++};
    moment.step =
        std::max(1.0, std::ceil(ops::PrometheusClient::stepFor(shownEnd - start, chartPoints)));
    moment.window = ops::queries::rateWindow(scrapeSeconds, moment.step);
    page()->tick(moment);
    if (moment.round % 2 == 0) {
        if (!console()->environment().prometheus.isEmpty()) {
            fetchWorkers();
        }
        updateRecent();
    }
    setStatus(tr("Prometheus answers in %1 · Redis INFO 1/s")
                  .arg(format::duration(console()->source(Source::Prometheus).latencyMs / 1000)));
}

void MonitorWorkspace::fetchWorkers()
{
    using Worker = WorkersModel::Worker;
    namespace queries = ops::queries;
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
                for (const ops::InstantSample& sample :
                    answer ? *answer : QList<ops::InstantSample>()) {
                    const QString instance = sample.labels.value(QStringLiteral("instance"));
                    Worker& worker = round->workers[instance];
                    worker.instance = instance;
                    take(worker, sample);
                }
                if (--round->open == 0 && !round->workers.isEmpty()) {
                    m_workers->setWorkers(round->workers.values());
                }
            });
    };
    const auto number = [&](const QString& expression, double Worker::*field) {
        ask(expression, [field](Worker& worker, const ops::InstantSample& sample) {
            worker.*field = std::isfinite(sample.value) ? sample.value : -1;
        });
    };
    constexpr double window = 60;
    const QString instance = QStringLiteral("instance");
    ask(QStringLiteral("up{job=\"sluice\"}"),
        [](Worker& worker, const ops::InstantSample& sample) { worker.up = sample.value > 0; });
    ask(QStringLiteral("sluice_threshold_set"),
        [](Worker& worker, const ops::InstantSample& sample) {
            worker.pool = sample.labels.value(QStringLiteral("pool"));
            worker.version = sample.labels.value(QStringLiteral("version"));
            worker.set = sample.value;
        });
    number(queries::residentMemoryByInstance(), &Worker::memory);
    number(queries::requestRateBy(instance, window), &Worker::rate);
    number(queries::latencyBy(instance, 0.95, window), &Worker::p95);
    if (page() == m_service) {
        number(queries::errorShareBy(instance, window), &Worker::errors);
        number(queries::cpuByInstance(window), &Worker::cpu);
        number(queries::inFlight(), &Worker::inFlight);
        number(queries::connections(), &Worker::connections);
    }
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
    for (MonitorPage* shown : std::as_const(m_pages)) {
        shown->setLost(prometheusLost, redisLost);
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
    const auto entries = console()->history()->entries({{}, {}, markEntries});
    if (!entries) {
        return;
    }
    m_overview->showRecent(*entries);
    QList<EventMark> marks;
    for (const ops::HistoryEntry& entry : *entries) {
        const double time = double(entry.at.toMSecsSinceEpoch()) / 1000;
        if (entry.kind == QLatin1StringView("publish")) {
            marks << EventMark{time, entry.subject};
        } else if (entry.kind == QLatin1StringView("load")) {
            marks << EventMark{time, QString(tr("load") % u' ' % entry.subject)};
        } else if (entry.kind == QLatin1StringView("shift")
            || entry.kind == QLatin1StringView("rollback")
            || entry.kind == QLatin1StringView("rollout")) {
            marks << EventMark{time, QString(entry.kind % u' ' % entry.subject)};
        }
    }
    page()->setMarks(marks);
}

} // namespace sluice::ui
