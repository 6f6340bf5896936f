#pragma once

#include "engine/operations/loadtest/loadresult.h"

#include <QHash>
#include <QTimer>
#include <QWidget>

class QGridLayout;

namespace sluice::ui {

class Card;
class ChartGroup;
class HeatMap;
class LiveChart;

/// A run over time, its charts on one axis: users, requests, response times, errors by kind, heat
/// map, the service's processor, memory and cache. Redrawn twice a second at most.
class RunCharts : public QWidget
{
    Q_OBJECT

public:
    explicit RunCharts(QWidget* parent = nullptr);

    /// A new run, nothing of it seen yet; the axis goes to the scenario's end.
    void begin(const ops::Scenario& scenario, bool corrected);
    void add(const ops::LoadSecond& second);
    /// A finished run, whole.
    void show(const ops::LoadResult& result);
    void setStale(bool stale);

    ChartGroup* group() const { return m_group; }
    LiveChart* users() const { return m_users; }
    LiveChart* rate() const { return m_rate; }
    LiveChart* latency() const { return m_latency; }
    LiveChart* errors() const { return m_errors; }
    LiveChart* server() const { return m_server; }
    HeatMap* heat() const { return m_heat; }

private:
    LiveChart* addChart(
        const QString& name, const QString& hint, int unit, int row, int column, Card** card = {});
    void redraw();

    ChartGroup* m_group;
    QGridLayout* m_grid;
    LiveChart* m_users;
    LiveChart* m_rate;
    LiveChart* m_latency;
    LiveChart* m_errors;
    LiveChart* m_server;
    HeatMap* m_heat;
    Card* m_latencyCard = nullptr;
    QList<ops::LoadSecond> m_seconds;
    double m_memoryLimit = 512; ///< MiB
    QTimer m_redraw;
};

} // namespace sluice::ui
