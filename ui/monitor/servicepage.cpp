#include "ui/monitor/servicepage.h"

#include "engine/operations/monitoring/servicequeries.h"
#include "ui/charts/heatmap.h"
#include "ui/charts/livechart.h"
#include "ui/shell/card.h"
#include "ui/shell/plaintable.h"

#include <QComboBox>
#include <QGridLayout>
#include <QHeaderView>
#include <QTableView>
#include <cmath>

namespace sluice::ui {

namespace {

namespace queries = ops::queries;
constexpr int heatColumns = 120;

} // namespace

ServicePage::ServicePage(
    Console* console, ChartGroup* group, WorkersModel* workers, QWidget* parent)
    : MonitorPage(console, group, parent)
    , m_by(new QComboBox(this))
    , m_heatMap(new HeatMap(tr("Durations"), group, this))
{
    m_by->setAccessibleName(tr("Requests by"));
    m_by->addItem(tr("by pool"), QStringLiteral("pool"));
    m_by->addItem(tr("by version"), QStringLiteral("version"));
    m_by->addItem(tr("by route"), QStringLiteral("route"));
    m_by->addItem(tr("by worker"), QStringLiteral("instance"));
    connect(m_by, &QComboBox::currentIndexChanged, this, [this] { refreshSources(); });
    auto* grid = new QGridLayout(this);
    grid->setContentsMargins(0, 0, 0, 0);
    grid->setSpacing(12);
    LiveChart* rate = addChart(tr("Rate"), tr("requests a second"), Unit::PerSecond);
    LiveChart* errors = addChart(tr("Error share"), tr("5xx of all answers"), Unit::Share);
    LiveChart* duration = addChart(tr("Duration"), tr("p95"), Unit::Seconds);
    if (auto* card = qobject_cast<Card*>(rate->parentWidget())) {
        card->addToTitle(m_by);
    }
    LiveChart* cpu = addChart(tr("CPU"), tr("of a core, by worker"), Unit::Share);
    LiveChart* memory = addChart(tr("Memory"), tr("RSS, by worker"), Unit::Bytes);
    LiveChart* flight = addChart(tr("In flight"), tr("requests being worked on"), Unit::Count);
    LiveChart* connections = addChart(tr("Connections"), tr("open, by worker"), Unit::Count);
    errors->setLeastTop(0.012);
    errors->setLimits({{0.01, tr("rolls back at 1 %")}});
    cpu->setLimits({{0.7, tr("target")}});
    auto* heat = new Card(tr("Durations"), tr("answers by how long they took"), this);
    heat->content()->addWidget(m_heatMap, 1);
    auto* table = new Card(tr("Workers"), tr("as Prometheus sees them, last minute"), this);
    auto* view = new QTableView(table);
    plainTable(view, tr("All about the workers"));
    view->setModel(workers);
    view->horizontalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
    view->horizontalHeader()->setSectionResizeMode(WorkersModel::Instance, QHeaderView::Stretch);
    table->content()->addWidget(view, 1);
    place(grid, rate, 0, 0, 4);
    place(grid, errors, 0, 4, 4);
    place(grid, duration, 0, 8, 4);
    grid->addWidget(heat, 1, 0, 1, 6);
    place(grid, cpu, 1, 6, 3);
    place(grid, memory, 1, 9, 3);
    place(grid, flight, 2, 0, 3);
    place(grid, connections, 2, 3, 2);
    grid->addWidget(table, 2, 5, 1, 7);
    setUpSources();
}

QString ServicePage::by() const
{
    return m_by->currentData().toString();
}

void ServicePage::setUpSources()
{
    const QString worker = QStringLiteral("instance");
    setSources(chart(tr("Rate")), [this](double window) {
        return QList{byLabel(queries::requestRateBy(by(), window), by())};
    });
    setSources(chart(tr("Error share")), [this](double window) {
        return QList{byLabel(queries::errorShareBy(by(), window), by())};
    });
    setSources(chart(tr("Duration")), [this](double window) {
        return QList{byLabel(queries::latencyBy(by(), 0.95, window), by())};
    });
    setSources(chart(tr("CPU")),
        [worker](double window) { return QList{byLabel(queries::cpuByInstance(window), worker)}; });
    setSources(chart(tr("Memory")),
        [worker](double) { return QList{byLabel(queries::residentMemoryByInstance(), worker)}; });
    setSources(chart(tr("In flight")),
        [worker](double) { return QList{byLabel(queries::inFlight(), worker)}; });
    setSources(chart(tr("Connections")),
        [worker](double) { return QList{byLabel(queries::connections(), worker)}; });
}

void ServicePage::tick(const Moment& moment)
{
    MonitorPage::tick(moment);
    if (moment.round % 2 == 0 && !m_asking && !console()->environment().prometheus.isEmpty()) {
        fetchHeatMap(moment);
    }
}

void ServicePage::fetchHeatMap(const Moment& moment)
{
    const double step = std::max(
        moment.step, ops::PrometheusClient::stepFor(moment.end - moment.start, heatColumns));
    m_asking = true;
    console()->prometheus()->queryRange(queries::latencyBuckets(std::max(moment.window, step)),
        moment.start, moment.end, step, this, [this](const Result<ops::RangeAnswer>& answer) {
            m_asking = false;
            if (answer) {
                m_heatMap->setBuckets(*answer);
            }
        });
}

void ServicePage::reset()
{
    MonitorPage::reset();
    m_heatMap->setBuckets({});
}

} // namespace sluice::ui
