#pragma once

#include "ui/monitor/monitorpage.h"
#include "ui/monitor/workersmodel.h"

class QComboBox;

namespace sluice::ui {

class HeatMap;

/// The service from close by: rate, errors and duration by pool, version, route or worker, how its
/// durations are spread, and what each worker has left.
class ServicePage : public MonitorPage
{
    Q_OBJECT

public:
    ServicePage(
        Console* console, ChartGroup* group, WorkersModel* workers, QWidget* parent = nullptr);

    void tick(const Moment& moment) override;
    void reset() override;
    HeatMap* heatMap() const { return m_heatMap; }

private:
    void setUpSources();
    void fetchHeatMap(const Moment& moment);
    QString by() const;

    QComboBox* m_by;
    HeatMap* m_heatMap;
    bool m_asking = false;
};

} // namespace sluice::ui
