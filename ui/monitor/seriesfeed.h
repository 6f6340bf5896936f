#pragma once

#include "engine/operations/monitoring/prometheusclient.h"
#include "ui/charts/timelines.h"

#include <QObject>
#include <functional>

namespace sluice::ui {

class LiveChart;

/// The lines of one chart, kept up to date from range queries: the whole range when it changes,
/// then the tail alone.
class SeriesFeed : public QObject
{
    Q_OBJECT

public:
    /// A query and how its series are shown.
    struct Source
    {
        QString expression;
        /// Name and style of a returned series; a name that is empty leaves it out.
        std::function<std::pair<QString, int>(const ops::Labels&)> present;
        bool area = false;
        double factor = 1; ///< values are shown times this
    };

    explicit SeriesFeed(LiveChart* chart, QObject* parent = nullptr);

    void setSources(QList<Source> sources);
    /// Asks for [start, end] at `step`; only for what is missing when the range merely moved on.
    void fetch(ops::PrometheusClient* client, double start, double end, double step);
    void clear();

Q_SIGNALS:
    void answered(double milliseconds);
    void warned(const QStringList& warnings); ///< what Prometheus said beside the answer
    void failed(const sluice::Error& error);

private:
    void merge(int source, const ops::RangeAnswer& answer, double from);

    LiveChart* m_chart;
    QList<Source> m_sources;
    double m_step = 0;
    double m_start = 0;
    double m_fetchedTo = 0;
    int m_open = 0;
    int m_epoch = 0;
    bool m_whole = true; ///< what comes replaces the lines instead of their tails
};

} // namespace sluice::ui
