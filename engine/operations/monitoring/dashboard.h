#pragma once

#include "engine/base/result.h"
#include "engine/operations/monitoring/prometheusclient.h"

#include <QByteArray>
#include <QHash>
#include <QList>
#include <QString>
#include <optional>

namespace sluice::ops {

/// A page of queries, as Grafana's dashboards are: panels on a grid 24 wide.
struct DashboardQuery
{
    QString expression; ///< PromQL with Grafana's variables ($instance, $__rate_interval)
    QString legend; ///< "{{ pool }}"; empty: the labels
};

struct DashboardPanel
{
    enum class Kind
    {
        TimeSeries,
        Stat,
        Gauge,
        Table
    };
    Kind kind = Kind::TimeSeries;
    QString title;
    QString unit; ///< Grafana's: "s", "bytes", "percent", "percentunit", "reqps", "short"
    int x = 0;
    int y = 0;
    int width = 12;
    int height = 8;
    std::optional<double> least; ///< of a gauge
    std::optional<double> most;
    std::optional<double> warnAt; ///< the first threshold step above the base
    QList<DashboardQuery> queries;
};

struct DashboardVariable
{
    QString name;
    QString label; ///< of which the values are: "instance" of label_values(redis_up, instance)
    QString value; ///< what it stands for now; empty: everything
    bool fixed = false; ///< constant or custom: not asked from the server
};

struct Dashboard
{
    QString title;
    QList<DashboardVariable> variables;
    QList<DashboardPanel> panels;
    QStringList leftOut; ///< what was not understood, in words

    QByteArray toGrafana() const; ///< JSON, schemaVersion 39
};

/// Grafana's dashboard JSON: time-series (and the older graph), stat, gauge and table panels,
/// panels in rows, variables of kind query, custom, constant and textbox. Other panels are left out
/// and said. Error: Input (not JSON, not a dashboard, no panel that can be shown).
Result<Dashboard> parseGrafana(const QByteArray& json);

/// A query with its variables set: `$__interval` and `$__rate_interval` (max(interval + scrape, 4
/// scrapes)), `$__range`, `$name`, `${name}`, `[[name]]`; a variable without a value matches
/// everything (".*").
QString expandQuery(const QString& expression, const QList<DashboardVariable>& variables,
    double rangeSeconds, double stepSeconds, double scrapeSeconds);

/// "used, {{ instance }}" with the labels of a series; empty: the labels as PromQL writes them.
QString legendOf(const QString& format, const Labels& labels);

} // namespace sluice::ops
