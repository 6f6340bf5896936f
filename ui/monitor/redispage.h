#pragma once

#include "engine/operations/monitoring/redismonitor.h"
#include "engine/operations/monitoring/redisreport.h"
#include "engine/operations/monitoring/samplelog.h"
#include "ui/monitor/monitorpage.h"

class QTableWidget;
class QTabWidget;

namespace sluice::ui {

class Button;
class Text;

/// Redis from its own INFO, once a second at most: load, memory, hit ratio, replication; commands,
/// slow log, latency, cluster and key space on demand. What was seen survives the console.
class RedisPage : public MonitorPage
{
    Q_OBJECT

public:
    RedisPage(Console* console, ChartGroup* group, QWidget* parent = nullptr);

    void tick(const Moment& moment) override;
    void reset() override;
    void take(const ops::RedisSample& sample);
    QTableWidget* table(const QString& name) const { return m_tables.value(name); }
    ops::KeySpaceScan* scan() const { return m_scan; }

private:
    QWidget* makeTables();
    QTableWidget* addTable(QTabWidget* tabs, const QString& name, const QStringList& columns);
    void openLog();
    void addPoints(double time, const QList<double>& values, bool restarted);
    void showFacts(const ops::RedisSample& sample);
    void showCommands(const ops::RedisSample& sample);
    void askReports();
    void showScan();
    void ask(const QList<QByteArray>& command, const QString& table,
        std::function<QList<QStringList>(const ops::RedisReply&)> rows);
    void fill(const QString& table, const QList<QStringList>& rows, const QString& nothing);

    ops::SampleLog m_log;
    QString m_logOf; ///< the environment whose history it is
    ops::KeySpaceScan* m_scan;
    Text* m_facts;
    Text* m_scanState = nullptr;
    Button* m_scanButton = nullptr;
    QHash<QString, QTableWidget*> m_tables;
    double m_reportsAt = 0;
    double m_commandsAt = 0;
    bool m_cluster = false;
};

} // namespace sluice::ui
