#pragma once

#include "engine/operations/environment/redisclient.h"
#include "engine/operations/monitoring/prometheusclient.h"
#include "engine/operations/rollout/rolloutstate.h"

#include <QHash>
#include <QJsonObject>
#include <QList>
#include <QObject>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>

namespace sluice::ops {

/// What two pools did in a range of time, as raw samples.
struct Recording
{
    QString canary; ///< the pool that takes the release's part
    QString stable;
    qint64 fromMs = 0; ///< ms since 1970
    qint64 toMs = 0;
    QList<TimeSeries> balancer; ///< from a gate window before fromMs on
    QList<TimeSeries> latencies;
    QList<TimeSeries> refusals;
    QList<TimeSeries> memory; ///< of the canary's workers
    std::optional<double> dispersion; ///< of the stable pool's errors in the day before
    QList<std::pair<qint64, QString>> complaints; ///< when, pool
    std::optional<Error> complaintsError;
    QHash<QString, QList<QPointF>> queries; ///< of the plan's own gates: time, largest value
};

struct DryRunStage
{
    enum class Outcome
    {
        NotReached,
        UnderWay, ///< the recording ends within it
        Passed,
        RolledBack
    };
    QString name;
    Outcome outcome = Outcome::NotReached;
    double reachedMinute = 0; ///< since the beginning
    double leftMinute = 0; ///< when it was passed or rolled back
    double waitedMinutes = 0; ///< after its soak, for gates
    QString gate; ///< that rolled back, or was waited for
    QString reason; ///< one sentence
};

struct DryRunResult
{
    struct Event
    {
        double minute = 0;
        QString text;
    };
    QList<DryRunStage> stages;
    QList<Event> events; ///< oldest first
    QList<GateReading> readings; ///< the last ones
    RolloutPhase end = RolloutPhase::Idle;
    QStringList notes; ///< what it can't tell
    double minutes = 0; ///< the recording's length

    bool rolledBack() const { return end == RolloutPhase::RolledBack; }
    QJsonObject toJson() const;
    /// "Rolled back at 25 % after 43 min by errors: ...".
    QString text() const;
};

/// The plan on what was recorded, at the driver's pace on a virtual clock, by the state machine and
/// the gates that a rollout has (step(), GateJudge): when each stage would have been passed or
/// rolled back, and by which gate. Deployment and staging count as done at once; a share counts as
/// verified at once; where a person promotes, it is promoted when the soak is over; freezes are
/// left out. The pools had the shares they had, so that split gates are recorded, and decide
/// nothing. Evidence is tempered by the dispersion of the day before the recording in all stages.
DryRunResult dryRun(const RolloutPlan& plan, const Recording& recording,
    const std::atomic<bool>* cancelled = nullptr);

QString outcomeName(DryRunStage::Outcome outcome); ///< "passed" "rolled_back" ...

/// Reads a recording from Prometheus, ten minutes at a time, and the complaints from Redis.
class RecordingReader : public QObject
{
    Q_OBJECT

public:
    static constexpr qint64 longestMs = 24LL * 3600000;
    static constexpr qsizetype mostSamples = 20000000;

    /// `redis` may be null: complaints are then not known. Both must outlive this.
    RecordingReader(PrometheusClient* prometheus, RedisClient* redis, QObject* parent = nullptr);
    ~RecordingReader() override;

    /// One answer, unless it is cancelled or another read begins; `progress` with 0 to 1. Errors:
    /// Input (over a day, or no time at all), Refused (too many samples: a shorter time), what
    /// Prometheus says.
    void read(const RolloutPlan& plan, const QString& canary, const QString& stable, qint64 fromMs,
        qint64 toMs, std::function<void(double)> progress,
        std::function<void(Result<std::shared_ptr<Recording>>)> answered);
    void cancel();

private:
    struct Reading;
    void next(const std::shared_ptr<Reading>& reading);
    void readRest(const std::shared_ptr<Reading>& reading);
    void readComplaints(const std::shared_ptr<Reading>& reading);
    void end(const std::shared_ptr<Reading>& reading, const std::optional<Error>& error = {});

    PrometheusClient* m_prometheus;
    RedisClient* m_redis;
    std::shared_ptr<Reading> m_reading;
};

} // namespace sluice::ops
