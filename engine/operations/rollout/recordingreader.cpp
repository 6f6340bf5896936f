#include "engine/operations/rollout/abreader.h"
#include "engine/operations/rollout/dryrun.h"
#include "engine/operations/rollout/gates.h"
#include "engine/operations/rollout/prometheussource.h"
#include "engine/operations/rollout/sequentialtest.h"
#include "engine/operations/rollout/streamrows.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

namespace sluice::ops {

namespace {

constexpr double chunkSeconds = 600;
constexpr int timeoutMs = 15000;

/// Adds a later chunk's samples; the one at the seam is in both.
qsizetype append(
    QList<TimeSeries>& all, QHash<QString, qsizetype>& places, const QList<TimeSeries>& chunk)
{
    qsizetype added = 0;
    for (const TimeSeries& series : chunk) {
        QString key;
        for (auto label = series.labels.begin(); label != series.labels.end(); ++label) {
            key += label.key() + u'=' + label.value() + u'\n';
        }
        auto place = places.constFind(key);
        if (place == places.constEnd()) {
            place = places.insert(key, all.size());
            all << TimeSeries{series.labels, {}};
        }
        QList<QPointF>& points = all[*place].points;
        for (const QPointF& point : series.points) {
            if (points.isEmpty() || point.x() > points.last().x()) {
                points << point;
                ++added;
            }
        }
    }
    return added;
}

} // namespace

struct RecordingReader::Reading
{
    std::shared_ptr<Recording> made = std::make_shared<Recording>();
    RolloutPlan plan;
    double at = 0; ///< end of the last chunk, seconds since 1970
    double start = 0;
    std::size_t what = 0; ///< of the four kinds
    qsizetype samples = 0;
    qsizetype query = 0; ///< index in plan.triggers
    std::array<QHash<QString, qsizetype>, 4> places;
    std::function<void(double)> progress;
    std::function<void(Result<std::shared_ptr<Recording>>)> answered;
};

RecordingReader::RecordingReader(PrometheusClient* prometheus, RedisClient* redis, QObject* parent)
    : QObject(parent)
    , m_prometheus(prometheus)
    , m_redis(redis)
{ }

RecordingReader::~RecordingReader() = default;

void RecordingReader::cancel()
{
    m_reading.reset();
}

void RecordingReader::read(const RolloutPlan& plan, const QString& canary, const QString& stable,
    qint64 fromMs, qint64 toMs, std::function<void(double)> progress,
    std::function<void(Result<std::shared_ptr<Recording>>)> answered)
{
    auto reading = std::make_shared<Reading>();
    m_reading = reading;
    reading->plan = plan;
    reading->progress = std::move(progress);
    reading->answered = std::move(answered);
    Recording& made = *reading->made;
    made.canary = canary;
    made.stable = stable;
    made.fromMs = fromMs;
    made.toMs = toMs;
    if (toMs <= fromMs || toMs - fromMs > longestMs) {
        QMetaObject::invokeMethod(
            this,
            [this, reading] {
                end(reading,
                    inputError("a dry run takes a time of up to 24 h, that begins before "
                               "it ends"));
            },
            Qt::QueuedConnection);
        return;
    }
    double before = 60;
    for (const PlannedGate& gate : plan.triggers) {
        before = std::max(before, double(gate.windowMs) * plan.timeScale / 1000 + 60);
    }
    reading->start = double(fromMs) / 1000 - before;
    reading->at = reading->start;
    next(reading);
}

void RecordingReader::next(const std::shared_ptr<Reading>& reading)
{
    const double until = double(reading->made->toMs) / 1000;
    if (reading->at >= until) {
        readRest(reading);
        return;
    }
    const double to = std::min(until, reading->at + chunkSeconds);
    const double seconds = to - reading->at;
    const std::array queries{gatequeries::balancerCounters(seconds),
        gatequeries::workerLatencies(seconds), gatequeries::workerRefusals(seconds),
        gatequeries::workerMemory(reading->made->canary, seconds)};
    m_prometheus->querySamples(
        queries[reading->what] + QStringLiteral(" @ ") + QString::number(to, 'f', 3), this,
        [this, reading, to](const Result<QList<TimeSeries>>& chunk) {
            if (reading != m_reading) {
                return;
            }
            if (!chunk) {
                end(reading, chunk.error());
                return;
            }
            Recording& made = *reading->made;
            const std::array into{&made.balancer, &made.latencies, &made.refusals, &made.memory};
            reading->samples +=
                append(*into[reading->what], reading->places[reading->what], *chunk);
            if (reading->samples > mostSamples) {
                end(reading,
                    refusedError("there are over 20 million samples in that time: choose a "
                                 "shorter one"));
                return;
            }
            reading->what = (reading->what + 1) % into.size();
            if (reading->what == 0) {
                reading->at = to;
                if (reading->progress) {
                    reading->progress(
                        (to - reading->start) / (double(made.toMs) / 1000 - reading->start));
                }
            }
            if (reading == m_reading) { // progress() may have cancelled
                next(reading);
            }
        },
        timeoutMs);
}

/// The plan's own queries one after the other, then the dispersion, then the complaints.
void RecordingReader::readRest(const std::shared_ptr<Reading>& reading)
{
    Recording& made = *reading->made;
    const QList<PlannedGate>& gates = reading->plan.triggers;
    while (reading->query < gates.size() && gates[reading->query].measure != Measure::Query) {
        ++reading->query;
    }
    const double from = double(made.fromMs) / 1000;
    const double to = double(made.toMs) / 1000;
    if (reading->query < gates.size()) {
        const PlannedGate& gate = gates[reading->query++];
        const double step = PrometheusClient::stepFor(to - from, 5000);
        m_prometheus->queryRange(
            gatequeries::own(gate, made.canary, made.stable, reading->plan.timeScale), from, to,
            step, this,
            [this, reading, name = gate.name](const Result<RangeAnswer>& answer) {
                if (reading != m_reading) {
                    return;
                }
                if (!answer) {
                    end(reading, answer.error());
                    return;
                }
                std::map<double, double> largest;
                for (const TimeSeries& series : answer->series) {
                    for (const QPointF& point : series.points) {
                        const auto found = largest.try_emplace(point.x(), point.y()).first;
                        found->second = std::max(found->second, point.y());
                    }
                }
                for (const auto& [time, value] : largest) {
                    reading->made->queries[name] << QPointF(time, value);
                }
                readRest(reading);
            },
            timeoutMs);
        return;
    }
    const auto [first, last, step] = gatequeries::historyBefore(from, reading->plan.timeScale);
    m_prometheus->queryRange(
        gatequeries::failures(made.stable), first, last, step, this,
        [this, reading, step = step](const Result<RangeAnswer>& day) {
            if (reading != m_reading) {
                return;
            }
            if (day && !day->series.isEmpty()) {
                reading->made->dispersion = dispersionOf(stepsOf(day->series[0].points, step));
            }
            readComplaints(reading);
        },
        timeoutMs);
}

void RecordingReader::readComplaints(const std::shared_ptr<Reading>& reading)
{
    Recording& made = *reading->made;
    if (m_redis == nullptr || m_redis->state() != RedisClient::State::Connected) {
        made.complaintsError = unreachableError("no Redis is connected");
        end(reading);
        return;
    }
    readRows(
        m_redis,
        {"sluice:feedback", QByteArray::number(made.fromMs), QByteArray::number(made.toMs),
            mostAbRows},
        this,
        [reading](const QByteArray& row, qint64 atMs) {
            const auto said = feedbackFromRow(row);
            if (said && said->kind == QLatin1StringView("complaint")) {
                reading->made->complaints.emplace_back(atMs, said->pool);
            }
        },
        [this, reading](const Result<qsizetype>& read) {
            if (!read) {
                reading->made->complaintsError = read.error();
            }
            if (reading == m_reading) {
                end(reading);
            }
        });
}

void RecordingReader::end(
    const std::shared_ptr<Reading>& reading, const std::optional<Error>& error)
{
    if (reading != m_reading) {
        return;
    }
    m_reading.reset();
    reading->answered(error ? Result<std::shared_ptr<Recording>>(*error)
                            : Result<std::shared_ptr<Recording>>(reading->made));
}

} // namespace sluice::ops
