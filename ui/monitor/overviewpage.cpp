#include "ui/monitor/overviewpage.h"

#include "engine/operations/monitoring/servicequeries.h"
#include "ui/charts/livechart.h"
#include "ui/monitor/metrictile.h"
#include "ui/shell/card.h"
#include "ui/shell/plaintable.h"
#include "ui/shell/text.h"

#include <QGridLayout>
#include <QHeaderView>
#include <QTableWidget>
#include <cmath>

namespace sluice::ui {

namespace {

namespace queries = ops::queries;

constexpr double day = 86400;
constexpr double dayStep = 300;
constexpr double minute = 60;
constexpr double tenMinutes = 600;
constexpr double fallbackLeast = 0.05; ///< the band of packaging/prometheus/sluice.rules.yml
constexpr double fallbackMost = 0.40;
constexpr double mixAlike = 0.1;
constexpr double mixOther = 0.25;

enum Signal
{
    Accept,
    Clarify,
    Fallback,
    Shift,
    Set,
    SignalCount
};

QHash<QString, double> byKey(const QList<ops::InstantSample>& samples, const QString& label)
{
    QHash<QString, double> values;
    for (const ops::InstantSample& sample : samples) {
        if (std::isfinite(sample.value)) {
            values.insert(sample.labels.value(label), sample.value);
        }
    }
    return values;
}

std::optional<double> largest(const Result<QList<ops::InstantSample>>& answer)
{
    std::optional<double> value;
    if (answer) {
        for (const ops::InstantSample& sample : *answer) {
            if (std::isfinite(sample.value)) {
                value = std::max(value.value_or(sample.value), sample.value);
            }
        }
    }
    return value;
}

} // namespace

OverviewPage::OverviewPage(
    Console* console, ChartGroup* group, WorkersModel* workers, QWidget* parent)
    : MonitorPage(console, group, parent)
{
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(12);
    column->addWidget(makeTiles());
    column->addWidget(makeCharts(), 5);
    column->addWidget(makeTables(workers), 2);
}

QWidget* OverviewPage::makeTiles()
{
    auto* row = new QWidget(this);
    auto* layout = new QHBoxLayout(row);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(12);
    const auto add = [&](const QString& name, const QString& limit) {
        auto* tile = new MetricTile(name, limit, row);
        m_tiles.insert(name, tile);
        layout->addWidget(tile, 1);
    };
    for (const ops::Target& target : ops::ownersTargets()) {
        add(target.name, target.limitText);
    }
    add(tr("fallback"), QStringLiteral("5 – 40 %"));
    row->setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Maximum);
    return row;
}

QWidget* OverviewPage::makeCharts()
{
    auto* area = new QWidget(this);
    auto* grid = new QGridLayout(area);
    grid->setContentsMargins(0, 0, 0, 0);
    grid->setSpacing(12);
    LiveChart* rate = addChart(tr("Requests a second"), tr("by pool"), Unit::PerSecond);
    LiveChart* latency = addChart(tr("Response time"), tr("p50 p95 p99, all pools"), Unit::Seconds);
    LiveChart* errors = addChart(tr("Errors"), tr("5xx of all answers, by pool"), Unit::Share);
    LiveChart* decisions = addChart(tr("Decisions"), tr("share; fallback's band"), Unit::Share);
    LiveChart* memory = addChart(tr("Worker memory"), tr("RSS, largest by pool"), Unit::Bytes);
    LiveChart* cpu = addChart(tr("Worker CPU"), tr("of a core, busiest by pool"), Unit::Share);
    LiveChart* operations =
        addChart(tr("Redis operations a second"), tr("without our own"), Unit::PerSecond);
    LiveChart* hits = addChart(tr("Redis hit ratio"), tr("5 min, and lifetime"), Unit::Share);
    hits->setLeastTop(1);
    errors->setLeastTop(0.012);
    errors->setLimits({{0.01, tr("rolls back at 1 %")}});
    decisions->setLeastTop(1);
    decisions->setBands({{fallbackLeast, fallbackMost}});
    const QList<LiveChart*> all{rate, latency, errors, decisions, memory, cpu, operations, hits};
    for (int index = 0; index < all.size(); ++index) {
        place(grid, all[index], index / 4, index % 4);
    }
    const QString pool = QStringLiteral("pool");
    setSources(rate, [pool](double window) {
        return QList{byLabel(queries::requestRateByPool(window), pool, {}, true)};
    });
    setSources(latency, [](double window) {
        return QList{single(queries::latency(0.50, window), QStringLiteral("p50"), 0),
            single(queries::latency(0.95, window), QStringLiteral("p95"), 2),
            single(queries::latency(0.99, window), QStringLiteral("p99"), 3)};
    });
    setSources(errors,
        [pool](double window) { return QList{byLabel(queries::errorShareByPool(window), pool)}; });
    setSources(decisions, [](double window) {
        return QList{SeriesFeed::Source{queries::decisionShare(std::max(window, minute)),
            [](const ops::Labels& labels) {
                const QString decision = labels.value(QStringLiteral("decision"));
                return std::pair(decision,
                    decision == QLatin1StringView("accept")         ? 0
                        : decision == QLatin1StringView("fallback") ? 2
                                                                    : 3);
            },
            false}};
    });
    setSources(memory, [pool](double) { return QList{byLabel(queries::residentMemory(), pool)}; });
    setSources(
        cpu, [pool](double window) { return QList{byLabel(queries::cpuShare(window), pool)}; });
    for (LiveChart* chart : {operations, hits}) {
        chart->setGap(5);
    }
    return area;
}

QWidget* OverviewPage::makeTables(WorkersModel* workers)
{
    auto* row = new QWidget(this);
    auto* layout = new QHBoxLayout(row);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(12);
    auto* model = new Card(tr("Model"), tr("its own signals"), row);
    m_model = new QTableWidget(SignalCount, 2, model);
    plainTable(m_model, tr("The model's signals"));
    m_model->horizontalHeader()->hide();
    m_model->horizontalHeader()->setSectionResizeMode(0, QHeaderView::ResizeToContents);
    m_model->horizontalHeader()->setSectionResizeMode(1, QHeaderView::Stretch);
    m_model->verticalHeader()->setDefaultSectionSize(22);
    const QString names[] = {tr("accept share"), tr("clarify share"), tr("fallback share"),
        tr("intent mix shift"), tr("set in force")};
    for (int index = 0; index < SignalCount; ++index) {
        m_model->setItem(index, 0, new QTableWidgetItem(names[index]));
        setSignal(index, format::missing(), {});
    }
    model->content()->addWidget(m_model, 1);
    auto* alerts = new Card(tr("Alerts"), tr("Prometheus' rules"), row);
    m_alerts = new Text(FontRole::Base, Ink::Faint, tr("not asked yet"), alerts);
    m_alertList = new Text(FontRole::Base, Ink::Muted, {}, alerts);
    m_alertList->setWordWrap(true);
    alerts->content()->addWidget(m_alerts);
    alerts->content()->addWidget(m_alertList, 1, Qt::AlignTop);
    auto* table = new Card(tr("Workers"), tr("last minute"), row);
    auto* view = new QTableView(table);
    plainTable(view, tr("Workers"));
    view->setModel(workers);
    view->horizontalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
    view->horizontalHeader()->setSectionResizeMode(WorkersModel::Instance, QHeaderView::Stretch);
    view->setColumnHidden(WorkersModel::Version, true); // the page Service has it
    for (int column = WorkersModel::Memory + 1; column < WorkersModel::ColumnCount; ++column) {
        view->setColumnHidden(column, true);
    }
    table->content()->addWidget(view, 1);
    auto* recent = new Card(tr("Recent"), tr("what was done"), row);
    m_recent = new QTableWidget(0, 3, recent);
    plainTable(m_recent, tr("Recent actions"));
    m_recent->horizontalHeader()->hide();
    m_recent->horizontalHeader()->setSectionResizeMode(1, QHeaderView::Stretch);
    for (const int column : {0, 2}) {
        m_recent->horizontalHeader()->setSectionResizeMode(column, QHeaderView::ResizeToContents);
    }
    recent->content()->addWidget(m_recent, 1);
    m_nothingRecent = new Text(FontRole::Base, Ink::Faint,
        tr("Nothing yet. Publishes, load runs and shifts appear here."), recent);
    m_nothingRecent->setWordWrap(true);
    recent->content()->addWidget(m_nothingRecent, 0, Qt::AlignTop);
    layout->addWidget(model, 4);
    layout->addWidget(alerts, 3);
    layout->addWidget(table, 6);
    layout->addWidget(recent, 4);
    row->setFixedHeight(190);
    return row;
}

void OverviewPage::setSignal(int row, const QString& value, const QString& hint)
{
    auto* item = new QTableWidgetItem(value);
    item->setTextAlignment(Qt::AlignRight | Qt::AlignVCenter);
    item->setToolTip(hint);
    m_model->setItem(row, 1, item);
}

QString OverviewPage::signal(const QString& name) const
{
    for (int row = 0; row < SignalCount; ++row) {
        if (m_model->item(row, 0)->text() == name) {
            return m_model->item(row, 1)->text();
        }
    }
    return {};
}

void OverviewPage::tick(const Moment& moment)
{
    MonitorPage::tick(moment);
    if (moment.round % 2 == 0 && !console()->environment().prometheus.isEmpty()) {
        fetchTiles(moment.round % (moment.round < minute ? 10 : 60) == 0);
        fetchModel();
    }
}

void OverviewPage::reset()
{
    MonitorPage::reset();
    m_usualMix.clear();
    for (const char* name : {"Redis operations a second", "Redis hit ratio"}) {
        chart(tr(name))->setSeries({});
    }
}

void OverviewPage::judge(ops::Quantity quantity, const QString& expression, Unit unit)
{
    MetricTile* shown = tile(ops::targetOf(quantity).name);
    console()->prometheus()->query(expression, this,
        [shown, quantity, unit, expression](const Result<QList<ops::InstantSample>>& answer) {
            const std::optional<double> value = largest(answer);
            shown->setFigure(format::value(value, unit), ops::targetOf(quantity).judge(value),
                tr("Prometheus, last minute:\n%1").arg(expression));
        });
}

void OverviewPage::judgeDay(ops::Quantity quantity, const QString& expression, Unit unit)
{
    // The worst of the day; of what has to be large, the best: a quiet night is no fault.
    const QString day24 = queries::largestOver(expression, day, dayStep);
    MetricTile* shown = tile(ops::targetOf(quantity).name);
    console()->prometheus()->query(
        day24, this,
        [shown, quantity, unit](const Result<QList<ops::InstantSample>>& answer) {
            const std::optional<double> value = largest(answer);
            const ops::Target& target = ops::targetOf(quantity);
            const ops::Judgement judgement = target.judge(value);
            shown->setDay(judgement == ops::Judgement::NoData ? tr("24 h –")
                    : judgement == ops::Judgement::Ok         ? tr("24 h ok")
                    : target.below ? tr("24 h: to %1").arg(format::value(value, unit))
                                   : tr("24 h: %1 at best").arg(format::value(value, unit)));
        },
        15000);
}

void OverviewPage::fetchTiles(bool wholeDay)
{
    const std::tuple<ops::Quantity, std::function<QString(double)>, Unit> asked[] = {
        {ops::Quantity::LatencyP95, [](double w) { return queries::latency(0.95, w); },
            Unit::Seconds},
        {ops::Quantity::LatencyP99, [](double w) { return queries::latency(0.99, w); },
            Unit::Seconds},
        {ops::Quantity::RequestRate, queries::requestRate, Unit::PerSecond},
        {ops::Quantity::Memory, [](double) { return queries::residentMemory(); }, Unit::Bytes},
        {ops::Quantity::Cpu, queries::cpuShare, Unit::Share},
        {ops::Quantity::ErrorShare, queries::errorShare, Unit::Share},
        {ops::Quantity::CacheHitRatio, queries::cacheHitRatio, Unit::Share}};
    for (const auto& [quantity, expression, unit] : asked) {
        judge(quantity, expression(minute), unit);
        if (wholeDay) {
            judgeDay(quantity, expression(dayStep), unit);
        }
    }
}

void OverviewPage::fetchModel()
{
    const QString decisions = queries::decisionShare(minute);
    console()->prometheus()->query(
        decisions, this, [this, decisions](const Result<QList<ops::InstantSample>>& answer) {
            const auto shares =
                answer ? byKey(*answer, QStringLiteral("decision")) : QHash<QString, double>();
            const auto share = [&](const char* decision) {
                const QString key = QString::fromLatin1(decision);
                return shares.isEmpty() ? std::nullopt : std::optional(shares.value(key));
            };
            const QString hint = tr("Prometheus, last minute:\n%1").arg(decisions);
            setSignal(Accept, format::value(share("accept"), Unit::Share), hint);
            setSignal(Clarify, format::value(share("clarify"), Unit::Share), hint);
            const auto fallback = share("fallback");
            setSignal(Fallback, format::value(fallback, Unit::Share), hint);
            tile(tr("fallback"))
                ->setFigure(format::value(fallback, Unit::Share),
                    !fallback ? ops::Judgement::NoData
                        : *fallback >= fallbackLeast && *fallback <= fallbackMost
                        ? ops::Judgement::Ok
                        : ops::Judgement::Breach,
                    hint);
        });
    if (m_usualMix.isEmpty()) {
        console()->prometheus()->query(queries::intentShare(day), this,
            [this](const Result<QList<ops::InstantSample>>& answer) {
                m_usualMix = answer ? byKey(*answer, QStringLiteral("intent")) : m_usualMix;
            });
    }
    console()->prometheus()->query(queries::intentShare(tenMinutes), this,
        [this](const Result<QList<ops::InstantSample>>& answer) {
            const auto shift = answer
                ? ops::mixShift(byKey(*answer, QStringLiteral("intent")), m_usualMix)
                : std::nullopt;
            const QString word = !shift ? QString()
                : *shift < mixAlike     ? tr("alike")
                : *shift < mixOther     ? tr("moved")
                                        : tr("shifted");
            setSignal(Shift,
                shift ? QString(format::fixed(*shift, 2) % u' ' % word) : format::missing(),
                tr("Population stability index of the accepted intents, the last 10 minutes "
                   "against the day before: under 0.1 alike, over 0.25 shifted"));
        });
    console()->prometheus()->query(
        queries::thresholdSet(), this, [this](const Result<QList<ops::InstantSample>>& answer) {
            QMap<QString, QSet<QString>> sets;
            for (const ops::InstantSample& sample :
                answer ? *answer : QList<ops::InstantSample>()) {
                sets[sample.labels.value(QStringLiteral("pool"))]
                    << (sample.value > 0 ? format::count(sample.value) : tr("model's"));
            }
            QStringList words;
            QSet<QString> all;
            for (const QSet<QString>& served : std::as_const(sets)) {
                all += served;
            }
            if (sets.size() > 1 && all.size() == 1) {
                words << tr("%1 in all pools").arg(*all.begin());
            }
            for (auto pool = words.isEmpty() ? sets.begin() : sets.end(); pool != sets.end();
                 ++pool) {
                words << QString(pool.key() % u' '
                    % QStringList(pool->begin(), pool->end()).join(QStringLiteral(" and ")));
            }
            setSignal(Set, words.isEmpty() ? format::missing() : words.join(QStringLiteral(", ")),
                tr("As the workers report it"));
        });
}

void OverviewPage::take(const ops::RedisSample& sample)
{
    const auto add = [&](const QString& name, const QString& line, int style,
                         std::optional<double> value, bool area = false) {
        QList<QPointF> points;
        if (sample.restarted) {
            points << QPointF(sample.time - 0.001, std::nan(""));
        }
        points << QPointF(sample.time, value.value_or(std::nan("")));
        chart(name)->merge(
            {{line, points, style, area, true, style}}, sample.time - 0.002, sample.time - day);
    };
    add(tr("Redis operations a second"), tr("operations"), 0, sample.opsPerSecond, true);
    add(tr("Redis hit ratio"), tr("window"), 0, sample.windowHitRatio);
    add(tr("Redis hit ratio"), tr("lifetime"), 2, sample.lifetimeHitRatio);
}

void OverviewPage::showAlerts(const QList<ops::AlertRule>& rules)
{
    QStringList firing;
    for (const ops::AlertRule& rule : rules) {
        for (const ops::ActiveAlert& alert : rule.alerts) {
            if (alert.firing) {
                firing << QString(
                    Theme::glyph(Tone::Bad) % u' ' % rule.name % u": " % alert.summary);
            }
        }
    }
    m_alerts->setInk(rules.isEmpty() ? Ink::Faint : firing.isEmpty() ? Ink::Ok : Ink::Bad);
    m_alerts->setText(rules.isEmpty() ? tr("Prometheus has no alerting rules")
            : firing.isEmpty()
            ? QString(Theme::glyph(Tone::Ok) % u' '
                % tr("%n rule(s), none fires", nullptr, int(rules.size())))
            : tr("%1 of %n rule(s) fire", nullptr, int(rules.size())).arg(firing.size()));
    m_alertList->setText(rules.isEmpty() ? tr("Ours are in packaging/prometheus/sluice.rules.yml.")
                                         : firing.mid(0, 4).join(u'\n'));
}

void OverviewPage::showRecent(const QList<ops::HistoryEntry>& entries)
{
    const QDateTime now = QDateTime::currentDateTimeUtc();
    const int rows = int(std::min<qsizetype>(entries.size(), 6));
    m_recent->setRowCount(rows);
    m_recent->setVisible(rows > 0);
    m_nothingRecent->setVisible(rows == 0);
    for (int row = 0; row < rows; ++row) {
        const ops::HistoryEntry& entry = entries[row];
        const QString texts[] = {
            format::when(entry.at, now), QString(entry.kind % u' ' % entry.subject), entry.actor};
        for (int column = 0; column < 3; ++column) {
            auto* item = new QTableWidgetItem(texts[column]);
            item->setToolTip(texts[column]);
            item->setTextAlignment(
                (column == 2 ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
            m_recent->setItem(row, column, item);
        }
    }
}

} // namespace sluice::ui
