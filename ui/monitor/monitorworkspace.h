#pragma once

#include "engine/operations/monitoring/alerts.h"
#include "ui/monitor/monitorpage.h"
#include "ui/monitor/workersmodel.h"
#include "ui/shell/workspace.h"

#include <QTimer>

class QStackedWidget;
class QTabBar;

namespace sluice::ui {

class AlertsPage;
class ChartGroup;
class ExplorePage;
class MetricTile;
class OverviewPage;
class RedisPage;
class ServicePage;
class StateView;

/// Everyone's page: overview, service, Redis, exploring and alerts, on one time axis.
class MonitorWorkspace : public Workspace
{
    Q_OBJECT

public:
    explicit MonitorWorkspace(Console* console, QWidget* parent = nullptr);

    void activated() override;
    void deactivated() override;

    /// Pages by name: "overview", "service", "redis", "explore", "alerts".
    void showPage(const QString& name);
    QString currentPage() const;

    /// For tests: the state shown, the charts of all pages and the tiles by name.
    StateView* stateView() const { return m_state; }
    LiveChart* chart(const QString& name) const;
    MetricTile* tile(const QString& name) const;
    const WorkersModel* workers() const { return m_workers; }
    OverviewPage* overview() const { return m_overview; }
    ServicePage* service() const { return m_service; }
    RedisPage* redis() const { return m_redis; }
    ExplorePage* explore() const { return m_explore; }
    AlertsPage* alerts() const { return m_alerts; }

private:
    void addPage(const QString& name, const QString& title, MonitorPage* page);
    MonitorPage* page() const;
    void tick();
    void fetchWorkers();
    void fetchAlerts();
    void takeRules(const QList<ops::AlertRule>& rules);
    void showUnseen(int count);
    void updateState();
    void updateRecent();

    QTimer m_tick;
    ChartGroup* m_group;
    StateView* m_state;
    WorkersModel* m_workers;
    QTabBar* m_tabs;
    QStackedWidget* m_stack;
    QList<MonitorPage*> m_pages;
    OverviewPage* m_overview;
    ServicePage* m_service;
    RedisPage* m_redis;
    ExplorePage* m_explore;
    AlertsPage* m_alerts;
    QTimer m_alertTimer;
    ops::AlertWatch m_watch;
    int m_round = 0;
    bool m_active = false;
};

} // namespace sluice::ui
