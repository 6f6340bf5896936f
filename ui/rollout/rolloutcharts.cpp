#include "ui/rollout/rolloutcharts.h"

#include "engine/operations/monitoring/prometheusclient.h"
#include "engine/operations/monitoring/servicequeries.h"
#include "ui/charts/chartgroup.h"
#include "ui/charts/livechart.h"
#include "ui/rollout/evidenceview.h"
#include "ui/shell/card.h"
#include "ui/shell/console.h"

#include <QDateTime>
#include <QGridLayout>
#include <algorithm>

namespace sluice::ui {

namespace {

namespace queries = ops::queries;
constexpr double longest = 7200;
constexpr double shortest = 300;

/// The share of the requests that one pool got.
QString shareOf(const QString& pool, double window)
{
    const QString ms = QString::number(qint64(window * 1000));
    return QStringLiteral(
        "sum(rate(haproxy_backend_http_requests_total{proxy=\"%1\"}[%2ms])) / "
        "sum(rate(haproxy_backend_http_requests_total{proxy=~\"blue|green\"}[%2ms]))")
        .arg(pool, ms);
}

} // namespace

RolloutCharts::RolloutCharts(Console* console, QWidget* parent)
    : QWidget(parent)
    , m_console(console)
    , m_group(new ChartGroup(this))
{
    auto* grid = new QGridLayout(this);
    grid->setContentsMargins(0, 0, 0, 0);
    grid->setSpacing(12);
    m_errors = add(tr("Errors"), tr("at the balancer, per pool"), 0, 0, false);
    m_errors->setLeastTop(0.012);
    m_errors->setLimits({{0.01, tr("rolls back at 1 %")}});
    m_latency = add(tr("Response time p95"), tr("at the workers, per pool"), 0, 1, true);
    auto* card = new Card(tr("Evidence"), tr("e-values, logarithmic; hover for the words"), this);
    m_evidence = new EvidenceView(card);
    card->content()->addWidget(m_evidence, 1);
    grid->addWidget(card, 1, 0);
    m_share = add(
        tr("Share of the requests"), tr("observed at the balancer, against asked"), 1, 1, false);
    m_share->setLeastTop(0.1);
    for (int index = 0; index < 2; ++index) {
        grid->setColumnStretch(index, 1);
        grid->setRowStretch(index, 1);
    }
}

LiveChart* RolloutCharts::add(
    const QString& name, const QString& hint, int row, int column, bool seconds)
{
    auto* card = new Card(name, hint, this);
    auto* chart = new LiveChart(name, m_group, seconds ? Unit::Seconds : Unit::Share, card);
    chart->setGap(60);
    chart->setEmptyText(tr("no requests yet"));
    card->content()->addWidget(chart, 1);
    static_cast<QGridLayout*>(layout())->addWidget(card, row, column);
    return chart;
}

void RolloutCharts::clear()
{
    ++m_epoch;
    m_open = 0;
    m_history.clear();
    m_rolloutId.clear();
    for (LiveChart* chart : {m_errors, m_latency, m_share}) {
        chart->setSeries({});
    }
    m_evidence->setRows({});
}

void RolloutCharts::setMarks(const QList<QJsonObject>& events)
{
    QList<EventMark> marks;
    for (const QJsonObject& event : events) {
        const QString kind = event[QLatin1StringView("kind")].toString();
        const double at = event[QLatin1StringView("at_ms")].toDouble() / 1000;
        if (kind == QLatin1StringView("verified")) {
            marks << EventMark{at, tr("verified")};
        } else if (kind == QLatin1StringView("rollback")
            || event[QLatin1StringView("phase")].toString() == QLatin1StringView("rolling_back")) {
            marks << EventMark{at, tr("rolled back")};
        }
    }
    for (LiveChart* chart : {m_errors, m_latency, m_share}) {
        chart->setMarks(marks);
    }
}

void RolloutCharts::ask(LiveChart* chart, const QString& query, const QString& label, double start,
    double end, double step, std::function<void()> after)
{
    ++m_open;
    const int epoch = m_epoch;
    m_console->prometheus()->queryRange(query, start, end, step, this,
        [this, chart, label, epoch, after = std::move(after)](
            const Result<ops::RangeAnswer>& answer) {
            if (epoch != m_epoch) {
                return;
            }
            --m_open;
            chart->setStale(!answer);
            if (!answer) {
                m_console->report(Source::Prometheus, &answer.error());
                return;
            }
            QList<ChartSeries> series;
            for (const ops::TimeSeries& line : answer->series) {
                const QString name = label.isEmpty() ? tr("observed") : line.labels.value(label);
                series << ChartSeries{
                    name, line.points, std::max(0, Theme::poolSeries(name)), label.isEmpty(), true};
            }
            std::sort(series.begin(), series.end(),
                [](const ChartSeries& a, const ChartSeries& b) { return a.name < b.name; });
            chart->setSeries(series);
            if (after) {
                after();
            }
        });
}

void RolloutCharts::refresh(const ops::PublishedRollout& rollout)
{
    const ops::RolloutState& state = rollout.state;
    if (m_rolloutId != state.rolloutId || m_stage != state.stage) {
        m_rolloutId = state.rolloutId;
        m_stage = state.stage;
        m_history.clear(); // each stage gathers its own
    }
    m_evidence->setRows(evidenceRows(state.readings, m_history));
    const double now = double(QDateTime::currentMSecsSinceEpoch()) / 1000;
    const double end = state.isActive() || state.atMs == 0
        ? now
        : std::min(now, double(state.atMs) / 1000 + shortest);
    const double start =
        end - std::clamp(end - double(state.startedMs) / 1000 + 60, shortest, longest);
    m_group->setLiveRange(start, end);
    QList<LimitLine> limits{{0.01, tr("rolls back at 1 %")}};
    for (const ops::PlannedGate& gate : state.plan.triggers) {
        if (gate.measure == ops::Measure::ErrorRate) {
            limits = {{gate.limit,
                gate.action == ops::GateAction::Rollback
                    ? tr("rolls back at %1").arg(format::percent(gate.limit))
                    : tr("limit %1").arg(format::percent(gate.limit))}};
        }
    }
    m_errors->setLimits(limits);
    m_errors->setLeastTop(limits.first().value * 1.2);
    m_share->setLimits({{state.canaryBasisPoints() / 10000.0,
        tr("asked %1").arg(format::percent(state.canaryBasisPoints() / 10000.0))}});
    m_share->setLeastTop(std::max(0.1, 1.3 * state.canaryBasisPoints() / 10000.0));
    for (const ops::GateReading& reading : state.readings) {
        const double stable = reading.counts[QLatin1StringView("stable_p95_ms")].toDouble() / 1000;
        if (stable > 0) {
            m_latency->setLimits(
                {{stable * reading.limit, tr("%1× %2").arg(reading.limit).arg(state.stable)}});
            m_latency->setBands({{0, stable * reading.limit}});
            m_latency->setLeastTop(1.15 * stable * reading.limit);
        }
    }
    if (m_open > 0 || m_console->environment().prometheus.isEmpty() || !m_console->isLive()) {
        return;
    }
    const double step = ops::PrometheusClient::stepFor(end - start, 300);
    const double window = std::max(15.0, queries::rateWindow(1, step));
    ask(m_errors, queries::balancerErrorShare(window), QStringLiteral("proxy"), start, end, step);
    ask(m_latency, queries::latencyByPool(0.95, window), QStringLiteral("pool"), start, end, step);
    ask(m_share, shareOf(state.canary, window), {}, start, end, step);
}

} // namespace sluice::ui
