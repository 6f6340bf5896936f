#include "engine/operations/rollout/prometheussource.h"

#include <QJsonDocument>
#include <QPointer>
#include <algorithm>
#include <cmath>

namespace sluice::ops {

namespace {

constexpr double historySeconds = 86400;
constexpr int feedbackPage = 500;
constexpr int mostPages = 20; // 10,000 rows a stage: enough to judge

QString failuresOf(const QString& pool)
{
    return QStringLiteral("sum(haproxy_backend_http_responses_total{proxy=\"%1\",code=\"5xx\"})")
        .arg(pool);
}

} // namespace

std::vector<double> stepsOf(const QList<QPointF>& samples, double stepSeconds)
{
    std::vector<double> steps;
    for (qsizetype index = 1; index < samples.size(); ++index) {
        const double grown = samples[index].y() - samples[index - 1].y();
        if (grown >= 0 && samples[index].x() - samples[index - 1].x() < 1.5 * stepSeconds) {
            steps.push_back(grown);
        }
    }
    return steps;
}

struct PrometheusSource::Round
{
    GateContext what;
    GateInput input;
    QPointer<QObject> context;
    Answered answered;
    int open = 0; ///< questions without an answer
    int pages = 0;
};

PrometheusSource::PrometheusSource(const Options& options, RedisClient* redis, QObject* parent)
    : GateSource(parent)
    , m_options(options)
    , m_redis(redis)
    , m_judge(options.memoryLimitBytes)
{
    m_prometheus.setBaseUrl(options.prometheus);
}

PrometheusSource::~PrometheusSource() = default;

void PrometheusSource::evaluate(const GateContext& what, QObject* context, Answered answered)
{
    const auto round = std::make_shared<Round>();
    round->what = what;
    round->context = context;
    round->answered = std::move(answered);
    round->open = 1; // until all are asked
    const double seconds = m_judge.secondsToRead(what);
    const auto ask = [&](const QString& query, std::optional<Error>* error,
                         QList<TimeSeries>* into) {
        ++round->open;
        m_prometheus.querySamples(
            query, this,
            [this, round, error, into](const Result<QList<TimeSeries>>& series) {
                if (series) {
                    *into = *series;
                } else if (error != nullptr) {
                    *error = series.error();
                }
                finishOne(round);
            },
            m_options.timeoutMs);
    };
    GateInput& input = round->input;
    ask(gatequeries::balancerCounters(seconds), &input.balancerError, &input.balancer);
    ask(gatequeries::workerLatencies(seconds), &input.workersError, &input.latencies);
    ask(gatequeries::workerRefusals(seconds), nullptr, &input.refusals);
    for (const PlannedGate& gate : what.gates) {
        if (gate.measure == Measure::Memory) {
            ask(gatequeries::workerMemory(
                    what.canary, std::max(10.0, double(gate.windowMs) * what.timeScale / 1000)),
                &input.memoryError, &input.memory);
        } else if (gate.measure == Measure::LatencyRatio && what.shareBasisPoints >= 10000) {
            const double hour = std::max(10.0, 3600 * what.timeScale);
            const double until = double(what.soakFromMs > 0 ? what.soakFromMs : what.nowMs) / 1000;
            ask(gatequeries::workerLatencies(hour) + QStringLiteral(" @ ")
                    + QString::number(until, 'f', 0),
                nullptr, &input.stableHour);
        } else if (gate.measure == Measure::Query) {
            ++round->open;
            QString query = gate.query;
            query.replace(QStringLiteral("{{canary}}"), what.canary)
                .replace(QStringLiteral("{{stable}}"), what.stable)
                .replace(QStringLiteral("{{window}}"),
                    QString::number(std::ceil(double(gate.windowMs) * what.timeScale / 1000))
                        + u's');
            m_prometheus.query(
                query, this,
                [this, round, name = gate.name](const Result<QList<InstantSample>>& samples) {
                    round->input.queries.insert(name, samples);
                    finishOne(round);
                },
                m_options.timeoutMs);
        } else if (gate.measure == Measure::Complaints && m_redis != nullptr) {
            ++round->open;
            round->input.complaints = ComplaintCounts{};
            askComplaints(round, "+");
        }
    }
    if (m_judge.needsDispersion(what)) {
        ++round->open;
        const double step = std::max(1.0, 15 * what.timeScale);
        const double end = double(what.soakFromMs) / 1000;
        const double start = end - std::min(historySeconds, step * 5760);
        m_prometheus.queryRange(
            failuresOf(what.stable), start, end, step, this,
            [this, round, step](const Result<RangeAnswer>& day) {
                if (day && !day->series.isEmpty()) {
                    round->input.dispersion = dispersionOf(stepsOf(day->series[0].points, step));
                }
                finishOne(round);
            },
            m_options.timeoutMs);
    }
    // Never from within this function.
    QMetaObject::invokeMethod(
        this, [this, round] { finishOne(round); }, Qt::QueuedConnection);
}

/// The stream from its end, back to the beginning of the soak.
void PrometheusSource::askComplaints(const std::shared_ptr<Round>& round, const QByteArray& before)
{
    const qint64 from = round->what.soakFromMs > 0 ? round->what.soakFromMs : round->what.nowMs;
    m_redis->command(
        {"XREVRANGE", "sluice:feedback", before, QByteArray::number(from), "COUNT",
            QByteArray::number(feedbackPage)},
        this,
        [this, round](const Result<RedisReply>& reply) {
            GateInput& input = round->input;
            if (!reply) {
                input.complaintsError = reply.error();
                input.complaints.reset();
                finishOne(round);
                return;
            }
            QByteArray last;
            for (const RedisReply& entry : reply->items) {
                if (entry.items.size() != 2) {
                    continue;
                }
                last = entry.items[0].text;
                const QList<RedisReply>& fields = entry.items[1].items;
                for (qsizetype index = 0; index + 1 < fields.size(); index += 2) {
                    if (fields[index].text != "row") {
                        continue;
                    }
                    const QJsonObject row =
                        QJsonDocument::fromJson(fields[index + 1].text).object();
                    const QString pool = row[QLatin1StringView("pool")].toString();
                    if (row[QLatin1StringView("kind")].toString()
                        != QLatin1StringView("complaint")) {
                        continue;
                    }
                    input.complaints->canary += pool == round->what.canary ? 1 : 0;
                    input.complaints->stable += pool == round->what.stable ? 1 : 0;
                }
            }
            if (reply->items.size() < feedbackPage || ++round->pages >= mostPages) {
                finishOne(round);
            } else {
                askComplaints(round, "(" + last);
            }
        },
        m_options.timeoutMs);
}

void PrometheusSource::finishOne(const std::shared_ptr<Round>& round)
{
    if (--round->open > 0) {
        return;
    }
    const QList<GateReading> readings = m_judge.judge(round->what, round->input);
    if (round->context != nullptr) {
        round->answered(readings);
    }
}

} // namespace sluice::ops
