#pragma once

#include "engine/operations/monitoring/prometheusclient.h"
#include "engine/operations/monitoring/redismonitor.h"
#include "engine/operations/monitoring/targets.h"
#include "ui/monitor/workersmodel.h"
#include "ui/shell/console.h"
#include "ui/shell/format.h"
#include "ui/shell/workspace.h"

#include <QElapsedTimer>
#include <QHash>
#include <QTimer>

class QTableView;
class QTableWidget;

namespace sluice::ui {

class ChartGroup;
class LiveChart;
class MetricTile;
class SeriesFeed;
class StateView;
class Text;

/// Everyone's page: the service against its targets, live charts from Prometheus and Redis,
/// workers, what happened.
class MonitorWorkspace : public Workspace
{
    Q_OBJECT

public:
    explicit MonitorWorkspace(Console* console, QWidget* parent = nullptr);

    void activated() override;
    void deactivated() override;

    /// For tests: the state shown, the charts and tiles by name.
    StateView* stateView() const { return m_state; }
    LiveChart* chart(const QString& name) const { return m_charts.value(name); }
    MetricTile* tile(const QString& name) const { return m_tiles.value(name); }
    const WorkersModel* workers() const { return m_workers; }

private:
    QWidget* makeTiles();
    QWidget* makeCharts();
    QWidget* makeTables();
    LiveChart* addChart(const QString& name, const QString& hint, Unit unit);
    SeriesFeed* feed(LiveChart* chart);
    void setUpFeeds();
    void tick();
    void fetchCharts(double now);
    void fetchTiles();
    void fetchWorkers();
    void onRedisSample(const ops::RedisSample& sample);
    void updateState();
    void updateRecent();
    void judge(const QString& tile, ops::Quantity quantity, const QString& expression, Unit unit);

    QTimer m_tick;
    ChartGroup* m_group;
    StateView* m_state;
    WorkersModel* m_workers;
    QTableView* m_workersView;
    Text* m_nothingRecent = nullptr;
    QTableWidget* m_recent;
    QHash<QString, LiveChart*> m_charts;
    QHash<QString, MetricTile*> m_tiles;
    QHash<LiveChart*, SeriesFeed*> m_feeds;
    QHash<QString, QList<QPointF>> m_redis; ///< by line
    double m_step = 1;
    double m_rateWindow = 0;
    double m_queryMs = 0;
    int m_round = 0;
    bool m_active = false;
};

} // namespace sluice::ui
