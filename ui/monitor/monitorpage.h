#pragma once

#include "engine/operations/monitoring/prometheusclient.h"
#include "ui/charts/timelines.h"
#include "ui/monitor/seriesfeed.h"
#include "ui/shell/console.h"
#include "ui/shell/format.h"

#include <QHash>
#include <QWidget>

class QGridLayout;
class QTableView;

namespace sluice::ui {

class LiveChart;

/// What the pages of the Monitor are made of: charts with their feeds, on the shared group.
class MonitorPage : public QWidget
{
    Q_OBJECT

public:
    /// What is to be shown now; times in seconds since 1970.
    struct Moment
    {
        double start = 0;
        double end = 0;
        double step = 1;
        double window = 4; ///< of rates
        int round = 0; ///< counts the ticks
    };

    MonitorPage(Console* console, ChartGroup* group, QWidget* parent = nullptr);

    LiveChart* chart(const QString& name) const { return m_charts.value(name); }
    const QHash<QString, LiveChart*>& charts() const { return m_charts; }
    /// Once a second while the page is seen (or when the range changes). Derived pages fetch more.
    virtual void tick(const Moment& moment);
    virtual void reset(); ///< another environment
    void setLost(bool prometheus, bool redis);
    void setMarks(const QList<EventMark>& marks);

Q_SIGNALS:
    void warned(const QStringList& warnings);

protected:
    using Sources = std::function<QList<SeriesFeed::Source>(double window)>;
    Console* console() const { return m_console; }
    ChartGroup* group() const { return m_group; }
    /// A chart in a card of its own (its parent widget).
    LiveChart* addChart(const QString& name, const QString& hint, Unit unit);
    /// The chart is fed by these queries, made anew whenever the window changes.
    void setSources(LiveChart* chart, Sources sources);
    void forgetCharts(); ///< whose widgets go with their parent
    void refreshSources() { m_window = 0; } ///< at the next tick
    static void place(QGridLayout* grid, LiveChart* chart, int row, int column, int columns = 1);

    static SeriesFeed::Source single(
        const QString& expression, const QString& name, int style, bool area = false);
    /// Lines named by a label; pools in their own colours.
    static SeriesFeed::Source byLabel(const QString& expression, const QString& label,
        const QString& suffix = {}, bool area = false);

private:
    Console* m_console;
    ChartGroup* m_group;
    QHash<QString, LiveChart*> m_charts;
    QHash<LiveChart*, SeriesFeed*> m_feeds;
    QHash<LiveChart*, Sources> m_sources;
    double m_window = 0;
};

} // namespace sluice::ui
