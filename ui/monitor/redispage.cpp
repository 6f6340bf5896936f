#include "ui/monitor/redispage.h"

#include "ui/charts/livechart.h"
#include "ui/shell/button.h"
#include "ui/shell/card.h"
#include "ui/shell/plaintable.h"
#include "ui/shell/text.h"

#include <QDir>
#include <QFileInfo>
#include <QGridLayout>
#include <QHeaderView>
#include <QTabWidget>
#include <QTableWidget>
#include <algorithm>
#include <cmath>

namespace sluice::ui {

namespace {

constexpr double day = 86400;
constexpr double reportSeconds = 10; ///< between two looks at slow log, latency and cluster
constexpr qint64 scanBudget = 20000; ///< keys
const double nothing = std::nan("");

/// A line of a chart: the order is that of the file of samples.
struct Line
{
    const char* name;
    const char* chart;
    int style;
    bool area;
    double (*value)(const ops::RedisSample&);
};

const Line lines[] = {
    {QT_TRANSLATE_NOOP("RedisPage", "operations"), QT_TRANSLATE_NOOP("RedisPage", "Operations"), 0,
        true, [](const ops::RedisSample& s) { return s.opsPerSecond; }},
    {QT_TRANSLATE_NOOP("RedisPage", "our own"), "Operations", 4, false,
        [](const ops::RedisSample& s) { return s.ownPerSecond; }},
    {QT_TRANSLATE_NOOP("RedisPage", "window"), QT_TRANSLATE_NOOP("RedisPage", "Hit ratio"), 0,
        false, [](const ops::RedisSample& s) { return s.windowHitRatio.value_or(nothing); }},
    {QT_TRANSLATE_NOOP("RedisPage", "lifetime"), "Hit ratio", 2, false,
        [](const ops::RedisSample& s) { return s.lifetimeHitRatio.value_or(nothing); }},
    {QT_TRANSLATE_NOOP("RedisPage", "used"), QT_TRANSLATE_NOOP("RedisPage", "Memory"), 0, true,
        [](const ops::RedisSample& s) { return double(s.usedMemory); }},
    {QT_TRANSLATE_NOOP("RedisPage", "resident"), "Memory", 2, false,
        [](const ops::RedisSample& s) { return double(s.usedMemoryRss); }},
    {QT_TRANSLATE_NOOP("RedisPage", "resident / used"),
        QT_TRANSLATE_NOOP("RedisPage", "Fragmentation"), 0, false,
        [](const ops::RedisSample& s) { return s.fragmentation.value_or(nothing); }},
    {QT_TRANSLATE_NOOP("RedisPage", "connected"), QT_TRANSLATE_NOOP("RedisPage", "Redis clients"),
        0, false, [](const ops::RedisSample& s) { return double(s.clients); }},
    {QT_TRANSLATE_NOOP("RedisPage", "blocked"), "Redis clients", 3, false,
        [](const ops::RedisSample& s) { return double(s.blockedClients); }},
    {QT_TRANSLATE_NOOP("RedisPage", "evicted"), QT_TRANSLATE_NOOP("RedisPage", "Keys that went"), 3,
        false, [](const ops::RedisSample& s) { return s.evictedPerSecond; }},
    {QT_TRANSLATE_NOOP("RedisPage", "expired"), "Keys that went", 0, false,
        [](const ops::RedisSample& s) { return s.expiredPerSecond; }},
    {QT_TRANSLATE_NOOP("RedisPage", "in"), QT_TRANSLATE_NOOP("RedisPage", "Network"), 0, false,
        [](const ops::RedisSample& s) { return s.inputPerSecond; }},
    {QT_TRANSLATE_NOOP("RedisPage", "out"), "Network", 1, false,
        [](const ops::RedisSample& s) { return s.outputPerSecond; }},
    {QT_TRANSLATE_NOOP("RedisPage", "behind"), QT_TRANSLATE_NOOP("RedisPage", "Replication lag"), 0,
        false,
        [](const ops::RedisSample& s) { return s.lagBytes ? double(*s.lagBytes) : nothing; }},
};

QStringList lineNames()
{
    QStringList names;
    for (const Line& line : lines) {
        names << QString::fromLatin1(line.name);
    }
    return names;
}

} // namespace

RedisPage::RedisPage(Console* console, ChartGroup* group, QWidget* parent)
    : MonitorPage(console, group, parent)
    , m_log(lineNames())
    , m_scan(new ops::KeySpaceScan(console->redis(), console->redisMonitor(), this))
    , m_facts(new Text(FontRole::Base, Ink::Muted, {}, this))
{
    auto* grid = new QGridLayout(this);
    grid->setContentsMargins(0, 0, 0, 0);
    grid->setSpacing(12);
    m_facts->setTextFormat(Qt::PlainText);
    m_facts->setElided(true);
    grid->addWidget(m_facts, 0, 0, 1, 4);
    const std::tuple<QString, QString, Unit> charts[] = {
        {tr("Operations"), tr("a second"), Unit::PerSecond},
        {tr("Hit ratio"), tr("5 min, and lifetime"), Unit::Share},
        {tr("Memory"), tr("used and resident"), Unit::Bytes},
        {tr("Fragmentation"), tr("far over 1: fragmented, under: swapped"), Unit::None},
        {tr("Redis clients"), tr("connected, blocked"), Unit::Count},
        {tr("Keys that went"), tr("a second"), Unit::PerSecond},
        {tr("Network"), tr("bytes a second"), Unit::Bytes},
        {tr("Replication lag"), tr("bytes, the replica furthest behind"), Unit::Bytes}};
    int index = 0;
    for (const auto& [name, hint, unit] : charts) {
        LiveChart* chart = addChart(name, hint, unit);
        chart->setGap(5);
        place(grid, chart, 1 + index / 4, index % 4);
        ++index;
    }
    chart(tr("Hit ratio"))->setLeastTop(1);
    chart(tr("Fragmentation"))->setLeastTop(2);
    chart(tr("Replication lag"))->setEmptyText(tr("no replica"));
    grid->addWidget(makeTables(), 3, 0, 1, 4);
    grid->setRowStretch(3, 1);
}

QTableWidget* RedisPage::addTable(QTabWidget* tabs, const QString& name, const QStringList& columns)
{
    auto* table = new QTableWidget(0, int(columns.size()), tabs);
    plainTable(table, name);
    table->setHorizontalHeaderLabels(columns);
    table->horizontalHeader()->setDefaultAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    table->horizontalHeader()->setSectionResizeMode(QHeaderView::Stretch);
    table->verticalHeader()->setDefaultSectionSize(22);
    if (name == tr("Commands") || name == tr("Key space")) {
        for (int column = 1; column < columns.size(); ++column) {
            table->horizontalHeaderItem(column)->setTextAlignment(
                Qt::AlignRight | Qt::AlignVCenter);
        }
    }
    m_tables.insert(name, table);
    tabs->addTab(table, name);
    return table;
}

QWidget* RedisPage::makeTables()
{
    auto* card = new Card({}, {}, this);
    auto* tabs = new QTabWidget(card);
    tabs->setDocumentMode(true);
    tabs->setAccessibleName(tr("Reports of Redis"));
    addTable(tabs, tr("Commands"),
        {tr("command"), tr("calls"), tr("time a call"), tr("time in all"), tr("failed")});
    addTable(tabs, tr("Slow log"), {tr("when"), tr("took"), tr("command"), tr("client")})
        ->horizontalHeader()
        ->setSectionResizeMode(0, QHeaderView::ResizeToContents);
    addTable(tabs, tr("Latency"), {tr("event"), tr("when"), tr("last"), tr("largest")});
    addTable(tabs, tr("Cluster"), {tr("node"), tr("role"), tr("state"), tr("slots"), tr("ranges")});
    QTableWidget* keys = addTable(tabs, tr("Key space"),
        {tr("keys that begin with"), tr("keys"), tr("share"), tr("memory, estimated")});
    auto* page = new QWidget(tabs);
    auto* layout = new QVBoxLayout(page);
    layout->setContentsMargins(0, 4, 0, 0);
    auto* line = new QHBoxLayout;
    m_scanButton = new Button(tr("Look through the keys"), ButtonRole::Plain, page);
    m_scanButton->setToolTip(
        tr("By SCAN, 100 keys a step with pauses, %1 keys at most").arg(format::count(scanBudget)));
    m_scanState = new Text(FontRole::Small, Ink::Muted,
        tr("Nothing is asked until you say so: a scan costs Redis time."), page);
    line->addWidget(m_scanButton);
    line->addWidget(m_scanState, 1);
    layout->addLayout(line);
    tabs->removeTab(tabs->indexOf(keys));
    layout->addWidget(keys, 1);
    keys->show();
    tabs->addTab(page, tr("Key space"));
    connect(m_scanButton, &Button::clicked, this, [this] {
        if (m_scan->isRunning()) {
            m_scan->cancel();
        } else {
            m_scan->start(scanBudget);
            showScan();
        }
    });
    connect(m_scan, &ops::KeySpaceScan::progressed, this, &RedisPage::showScan);
    connect(m_scan, &ops::KeySpaceScan::finished, this, &RedisPage::showScan);
    connect(m_scan, &ops::KeySpaceScan::failed, this, [this](const Error& error) {
        showScan();
        m_scanState->setText(QString::fromStdString(error.text()));
    });
    card->content()->addWidget(tabs, 1);
    card->setMinimumHeight(170);
    return card;
}

void RedisPage::fill(
    const QString& name, const QList<QStringList>& rows, const QString& nothingText)
{
    QTableWidget* shown = table(name);
    const QList<QStringList> all = rows.isEmpty() ? QList<QStringList>{{nothingText}} : rows;
    shown->setRowCount(int(all.size()));
    shown->clearSpans();
    if (rows.isEmpty()) {
        shown->setSpan(0, 0, 1, shown->columnCount());
    }
    for (int row = 0; row < all.size(); ++row) {
        for (int column = 0; column < shown->columnCount(); ++column) {
            auto* item = new QTableWidgetItem(all[row].value(column));
            item->setToolTip(all[row].value(column));
            if (column > 0 && (shown == table(tr("Commands")) || shown == table(tr("Key space")))) {
                item->setTextAlignment(Qt::AlignRight | Qt::AlignVCenter);
            }
            shown->setItem(row, column, item);
        }
    }
}

void RedisPage::openLog()
{
    m_logOf = console()->environment().name;
    QString name = m_logOf;
    name.replace(u'/', u'_').replace(u':', u'_');
    const QString folder =
        QFileInfo(ops::History::defaultFile()).absolutePath() % QStringLiteral("/monitor/");
    if (const auto opened = m_log.open(
            folder % name % QStringLiteral(".samples"), double(QDateTime::currentSecsSinceEpoch()));
        !opened) {
        console()->notify(
            Tone::Warn, QString::fromStdString(opened.error().text()), QStringLiteral("monitor"));
    }
    for (const Line& line : lines) {
        const QList<QPointF> points = m_log.points(QString::fromLatin1(line.name));
        if (!points.isEmpty()) {
            chart(tr(line.chart))
                ->merge({{tr(line.name), points, line.style, line.area, true, line.style}},
                    points.first().x(), points.first().x() - 1);
        }
    }
}

void RedisPage::take(const ops::RedisSample& sample)
{
    if (m_logOf != console()->environment().name) {
        openLog();
    }
    QList<double> values;
    for (const Line& line : lines) {
        values << line.value(sample);
    }
    m_log.append(sample.time, values);
    addPoints(sample.time, values, sample.restarted);
    m_cluster = sample.info.value("cluster_enabled") == "1";
    if (isVisible()) {
        showFacts(sample);
        showCommands(sample);
    }
}

void RedisPage::addPoints(double time, const QList<double>& values, bool restarted)
{
    QHash<QString, QList<ChartSeries>> tails;
    for (std::size_t index = 0; index < std::size(lines); ++index) {
        const Line& line = lines[index];
        QList<QPointF> points;
        if (restarted) {
            points << QPointF(time - 0.001, nothing);
        }
        const double value = values[qsizetype(index)];
        if (std::isfinite(value)) {
            points << QPointF(time, value);
        }
        if (!points.isEmpty()) {
            tails[tr(line.chart)] << ChartSeries{
                tr(line.name), points, line.style, line.area, true, line.style};
        }
    }
    for (auto tail = tails.begin(); tail != tails.end(); ++tail) {
        chart(tail.key())->merge(*tail, time - 0.002, time - day);
    }
}

void RedisPage::showFacts(const ops::RedisSample& sample)
{
    const auto& info = sample.info;
    const auto text = [&](const char* key) { return QString::fromUtf8(info.value(key)); };
    QStringList facts{tr("Redis %1, %2").arg(sample.version, text("redis_mode")),
        tr("up %1").arg(format::age(info.value("uptime_in_seconds").toDouble())),
        tr("role %1, %2 replica(s)").arg(text("role"), text("connected_slaves")),
        sample.maxMemory > 0
            ? tr("%1 of %2, %3")
                  .arg(format::bytes(double(sample.usedMemory)),
                      format::bytes(double(sample.maxMemory)), text("maxmemory_policy"))
            : tr("no memory limit, %1").arg(text("maxmemory_policy")),
        tr("CPU %1").arg(format::percent(sample.cpuShare))};
    if (sample.lagSeconds) {
        facts << tr("replica heard of %1 s ago").arg(*sample.lagSeconds);
    }
    if (text("role") == QLatin1StringView("slave")) {
        facts << tr("link to its primary %1").arg(text("master_link_status"));
    }
    const bool saved = info.value("rdb_last_bgsave_status") != "err";
    facts << (saved ? tr("saved %1 ago, %2 changes since")
                          .arg(format::age(double(QDateTime::currentSecsSinceEpoch())
                                   - info.value("rdb_last_save_time").toDouble()),
                              text("rdb_changes_since_last_save"))
                    : tr("the last save failed"));
    if (info.value("aof_enabled") == "1") {
        facts << tr("AOF %1").arg(text("aof_last_write_status"));
    }
    facts << tr("own load %1 /s (%2)")
                 .arg(format::number(sample.ownPerSecond),
                     format::percent(sample.ownPerSecond
                         / std::max(1e-9, sample.ownPerSecond + sample.opsPerSecond)));
    m_facts->setText(facts.join(QStringLiteral(" · ")));
    m_facts->setToolTip(facts.join(u'\n'));
}

void RedisPage::showCommands(const ops::RedisSample& sample)
{
    if (sample.time - m_commandsAt < 2) {
        return;
    }
    m_commandsAt = sample.time;
    QList<QStringList> rows;
    const QList<ops::CommandStat> stats = ops::parseCommandStats(sample.info);
    for (const ops::CommandStat& stat : stats.mid(0, 40)) {
        rows << QStringList{stat.command, format::count(double(stat.calls)),
            format::micros(stat.microsPerCall), format::micros(double(stat.micros)),
            format::count(double(stat.failed))};
    }
    fill(tr("Commands"), rows, tr("Redis tells no command statistics"));
}

void RedisPage::tick(const Moment& moment)
{
    MonitorPage::tick(moment);
    if (moment.end - m_reportsAt >= reportSeconds && console()->source(Source::Redis).isUp()) {
        m_reportsAt = moment.end;
        askReports();
    }
}

void RedisPage::ask(const QList<QByteArray>& command, const QString& name,
    std::function<QList<QStringList>(const ops::RedisReply&)> rows)
{
    console()->redisMonitor()->noteOwnCommands(1);
    console()->redis()->command(
        command, this, [this, name, rows = std::move(rows)](const Result<ops::RedisReply>& reply) {
            if (reply) {
                fill(name, rows(*reply), tr("nothing"));
            } else {
                fill(name, {}, QString::fromStdString(reply.error().text()));
            }
        });
}

void RedisPage::askReports()
{
    ask({"SLOWLOG", "GET", "32"}, tr("Slow log"), [](const ops::RedisReply& reply) {
        QList<QStringList> rows;
        const QDateTime now = QDateTime::currentDateTimeUtc();
        for (const ops::SlowCommand& slow : ops::parseSlowLog(reply)) {
            rows << QStringList{format::when(slow.at, now), format::micros(double(slow.micros)),
                slow.command, slow.client};
        }
        return rows;
    });
    ask({"LATENCY", "LATEST"}, tr("Latency"), [](const ops::RedisReply& reply) {
        QList<QStringList> rows;
        const QDateTime now = QDateTime::currentDateTimeUtc();
        for (const ops::LatencyEvent& event : ops::parseLatencyLatest(reply)) {
            rows << QStringList{event.event, format::when(event.at, now),
                format::duration(double(event.lastMs) / 1000),
                format::duration(double(event.largestMs) / 1000)};
        }
        return rows;
    });
    if (!m_cluster) {
        fill(tr("Cluster"), {}, tr("This Redis is no cluster."));
        return;
    }
    ask({"CLUSTER", "NODES"}, tr("Cluster"), [](const ops::RedisReply& reply) {
        QList<QStringList> rows;
        for (const ops::ClusterNode& node : ops::parseClusterNodes(reply.text)) {
            rows << QStringList{node.address, node.primary ? tr("primary") : tr("replica"),
                QString(Theme::glyph(node.failing || !node.connected ? Tone::Bad : Tone::Ok) % u' '
                    % (node.failing           ? tr("failing")
                            : !node.connected ? tr("not connected")
                                              : tr("ok"))),
                format::count(node.slotCount), node.slotRanges};
        }
        return rows;
    });
}

void RedisPage::showScan()
{
    m_scanButton->setText(m_scan->isRunning() ? tr("Stop") : tr("Look through the keys"));
    m_scanState->setText(m_scan->isRunning()
            ? tr("%1 keys seen").arg(format::count(double(m_scan->seen())))
            : m_scan->isComplete()
            ? tr("all %1 keys").arg(format::count(double(m_scan->seen())))
            : tr("the first %1 keys that SCAN gave; the rest was not looked at")
                  .arg(format::count(double(m_scan->seen()))));
    QList<QStringList> rows;
    for (const ops::KeyGroup& keys : m_scan->groups().mid(0, 200)) {
        rows << QStringList{keys.prefix, format::count(double(keys.keys)),
            format::percent(double(keys.keys) / double(std::max<qint64>(1, m_scan->seen()))),
            keys.measured > 0 ? format::bytes(double(keys.bytes)) : format::missing()};
    }
    fill(tr("Key space"), rows, tr("no keys"));
}

void RedisPage::reset()
{
    MonitorPage::reset();
    m_scan->cancel();
    m_log.close();
    m_logOf.clear();
    m_reportsAt = 0;
    for (LiveChart* chart : charts()) {
        chart->setSeries({});
    }
    for (QTableWidget* table : std::as_const(m_tables)) {
        table->setRowCount(0);
    }
}

} // namespace sluice::ui
