#include "ui/monitor/monitorpage.h"

#include "ui/charts/livechart.h"
#include "ui/shell/card.h"

#include <QGridLayout>
#include <QHeaderView>
#include <QTableView>
#include <algorithm>

namespace sluice::ui {

namespace {

const QString loopback = QStringLiteral("127.0.0.1");

} // namespace

MonitorPage::MonitorPage(Console* console, ChartGroup* group, QWidget* parent)
    : QWidget(parent)
    , m_console(console)
    , m_group(group)
{ }

LiveChart* MonitorPage::addChart(const QString& name, const QString& hint, Unit unit)
{
    auto* card = new Card(name, hint, this);
    auto* chart = new LiveChart(name, m_group, unit, card);
    card->content()->addWidget(chart, 1);
    m_charts.insert(name, chart);
    return chart;
}

void MonitorPage::setSources(LiveChart* chart, Sources sources)
{
    m_sources.insert(chart, std::move(sources));
    if (m_feeds.contains(chart)) {
        return;
    }
    auto* feed = new SeriesFeed(chart, this);
    m_feeds.insert(chart, feed);
    connect(feed, &SeriesFeed::answered, this,
        [this](double ms) { m_console->report(Source::Prometheus, nullptr, ms); });
    connect(feed, &SeriesFeed::failed, this,
        [this](const Error& error) { m_console->report(Source::Prometheus, &error); });
    connect(feed, &SeriesFeed::warned, this, &MonitorPage::warned);
}

void MonitorPage::tick(const Moment& moment)
{
    if (m_window != moment.window) {
        m_window = moment.window;
        for (auto feed = m_feeds.begin(); feed != m_feeds.end(); ++feed) {
            (*feed)->setSources(m_sources.value(feed.key())(m_window));
        }
    }
    if (!m_console->environment().prometheus.isEmpty()) {
        for (SeriesFeed* feed : std::as_const(m_feeds)) {
            feed->fetch(m_console->prometheus(), moment.start, moment.end, moment.step);
        }
    }
}

void MonitorPage::reset()
{
    for (SeriesFeed* feed : std::as_const(m_feeds)) {
        feed->clear();
    }
    m_window = 0;
}

void MonitorPage::forgetCharts()
{
    qDeleteAll(m_feeds);
    m_feeds.clear();
    m_sources.clear();
    m_charts.clear();
}

void MonitorPage::setLost(bool prometheus, bool redis)
{
    for (LiveChart* chart : std::as_const(m_charts)) {
        chart->setStale(m_feeds.contains(chart) ? prometheus : redis);
    }
}

void MonitorPage::setMarks(const QList<EventMark>& marks)
{
    for (LiveChart* chart : std::as_const(m_charts)) {
        chart->setMarks(marks);
    }
}

void MonitorPage::place(QGridLayout* grid, LiveChart* chart, int row, int column, int columns)
{
    grid->addWidget(chart->parentWidget(), row, column, 1, columns);
    grid->setRowStretch(row, 1);
    for (int index = column; index < column + columns; ++index) {
        grid->setColumnStretch(index, 1);
    }
}

SeriesFeed::Source MonitorPage::single(
    const QString& expression, const QString& name, int style, bool area)
{
    return {expression, [name, style](const ops::Labels&) { return std::pair(name, style); }, area};
}

SeriesFeed::Source MonitorPage::byLabel(
    const QString& expression, const QString& label, const QString& suffix, bool area)
{
    auto seen = std::make_shared<QStringList>(); // the order in which names came is their style
    return {expression,
        [label, suffix, seen](const ops::Labels& labels) {
            QString name = labels.value(label);
            if (label == QLatin1StringView("instance")) {
                name.remove(loopback); // the port tells the worker
            }
            if (name.isEmpty()) {
                return std::pair(QString(), 0);
            }
            if (label == QLatin1StringView("pool")) {
                return std::pair(QString(name % suffix), Theme::poolSeries(name));
            }
            if (!seen->contains(name)) {
                *seen << name;
            }
            return std::pair(QString(name % suffix), int(seen->indexOf(name)));
        },
        area};
}

} // namespace sluice::ui
