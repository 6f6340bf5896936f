#include "engine/operations/rollout/prometheussource.h"

#include "engine/operations/rollout/abreader.h"
#include "engine/operations/rollout/streamrows.h"

#include <QPointer>
#include <algorithm>
#include <cmath>

namespace sluice::ops {

namespace {

constexpr qsizetype mostFeedback = 10000; // a stage: enough to judge

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
            ask(gatequeries::workerMemory(what.canary, what.gaugeSeconds(gate)), &input.memoryError,
                &input.memory);
        } else if (gate.measure == Measure::LatencyRatio && what.shareBasisPoints >= 10000) {
            ask(gatequeries::workerLatencies(what.stableHourSeconds()) + QStringLiteral(" @ ")
                    + QString::number(what.stableHourEnd(), 'f', 0),
                nullptr, &input.stableHour);
        } else if (gate.measure == Measure::Query) {
            ++round->open;
            m_prometheus.query(
                gatequeries::own(gate, what.canary, what.stable, what.timeScale), this,
                [this, round, name = gate.name](const Result<QList<InstantSample>>& samples) {
                    round->input.queries.insert(name, samples);
                    finishOne(round);
                },
                m_options.timeoutMs);
        } else if (gate.measure == Measure::Complaints && m_redis != nullptr) {
            ++round->open;
            round->input.complaints = ComplaintCounts{};
            askComplaints(round);
        }
    }
    if (m_judge.needsDispersion(what)) {
        ++round->open;
        const auto [from, to, step] =
            gatequeries::historyBefore(double(what.soakFromMs) / 1000, what.timeScale);
        m_prometheus.queryRange(
            gatequeries::failures(what.stable), from, to, step, this,
            [this, round, step = step](const Result<RangeAnswer>& day) {
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
void PrometheusSource::askComplaints(const std::shared_ptr<Round>& round)
{
    const qint64 from = round->what.soakFromMs > 0 ? round->what.soakFromMs : round->what.nowMs;
    readRows(
        m_redis, {"sluice:feedback", QByteArray::number(from), "+", mostFeedback}, this,
        [round](const QByteArray& row, qint64) {
            const auto said = feedbackFromRow(row);
            if (said && said->kind == QLatin1StringView("complaint")) {
                round->input.complaints->canary += said->pool == round->what.canary ? 1 : 0;
                round->input.complaints->stable += said->pool == round->what.stable ? 1 : 0;
            }
        },
        [this, round](const Result<qsizetype>& read) {
            if (!read) {
                round->input.complaintsError = read.error();
                round->input.complaints.reset();
            }
            finishOne(round);
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
