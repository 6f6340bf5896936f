#pragma once

#include "engine/operations/monitoring/dashboard.h"
#include "ui/monitor/monitorpage.h"

class QGridLayout;
class QScrollArea;
class QTableWidget;

namespace sluice::ui {

class Text;

/// A page of queries: an imported Grafana dashboard, or what a person pinned. Time series are
/// charts, stats and gauges figures, tables tables.
class DashboardView : public MonitorPage
{
    Q_OBJECT

public:
    DashboardView(Console* console, ChartGroup* group, QWidget* parent = nullptr);

    void setDashboard(const ops::Dashboard& dashboard);
    const ops::Dashboard& dashboard() const { return m_dashboard; }
    void tick(const Moment& moment) override;
    void reset() override;
    /// The figure shown by the n-th panel, a stat or gauge; for tests.
    QString figure(int panel) const;

    static Unit unitOf(const QString& grafana, double* factor = nullptr);

private:
    struct Panel
    {
        ops::DashboardPanel spec;
        LiveChart* chart = nullptr;
        Text* figure = nullptr;
        Text* hint = nullptr;
        QTableWidget* table = nullptr;
    };
    void addPanel(const ops::DashboardPanel& spec);
    void fetchValues(Panel& panel, const Moment& moment);
    QString expanded(const QString& expression, const Moment& moment) const;

    ops::Dashboard m_dashboard;
    QScrollArea* m_scroll;
    QWidget* m_area = nullptr;
    QGridLayout* m_grid = nullptr;
    QList<Panel> m_panels;
    double m_step = 0;
};

} // namespace sluice::ui
