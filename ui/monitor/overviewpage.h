#pragma once

#include "engine/operations/monitoring/alerts.h"
#include "engine/operations/monitoring/redismonitor.h"
#include "engine/operations/monitoring/targets.h"
#include "ui/monitor/monitorpage.h"
#include "ui/monitor/workersmodel.h"

class QTableWidget;

namespace sluice::ui {

class MetricTile;
class Text;

/// The service at a glance: targets, the questions one asks first, the model's own signals, alerts,
/// workers, what happened.
class OverviewPage : public MonitorPage
{
    Q_OBJECT

public:
    OverviewPage(
        Console* console, ChartGroup* group, WorkersModel* workers, QWidget* parent = nullptr);

    void tick(const Moment& moment) override;
    void reset() override;
    void take(const ops::RedisSample& sample);
    void showAlerts(const QList<ops::AlertRule>& rules);
    void showRecent(const QList<ops::HistoryEntry>& entries);
    MetricTile* tile(const QString& name) const { return m_tiles.value(name); }
    /// "accept share" and the like -> what is shown for it.
    QString signal(const QString& name) const;

private:
    QWidget* makeTiles();
    QWidget* makeCharts();
    QWidget* makeTables(WorkersModel* workers);
    void judge(ops::Quantity quantity, const QString& expression, Unit unit);
    void judgeDay(ops::Quantity quantity, const QString& expression, Unit unit);
    void fetchTiles(bool day);
    void fetchModel();
    void setSignal(int row, const QString& value, const QString& hint);

    QHash<QString, MetricTile*> m_tiles;
    QTableWidget* m_model = nullptr;
    Text* m_alerts = nullptr;
    Text* m_alertList = nullptr;
    QTableWidget* m_recent = nullptr;
    Text* m_nothingRecent = nullptr;
    QHash<QString, double> m_usualMix; ///< of intents, over the last day
};

} // namespace sluice::ui
