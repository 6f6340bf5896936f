#pragma once

#include "engine/operations/loadtest/latencyhistogram.h"
#include "engine/operations/loadtest/scenario.h"

#include <QDateTime>
#include <QHash>
#include <QJsonObject>
#include <QList>
#include <QString>
#include <QUrl>
#include <optional>
#include <vector>

namespace sluice::ops {

/// Answers of a second by latency: buckets of half an octave of microseconds (heatEdgeMs()).
struct HeatCell
{
    int bucket = 0;
    qint64 count = 0;
};
double heatEdgeMs(int bucket); ///< lower edge, 2^(bucket/2) us; 0 for the first
QList<HeatCell> heatOf(const LatencyHistogram& histogram);

/// The service as Prometheus saw it at that second; none: not known.
struct ServerSample
{
    std::optional<double> workerMiB; ///< resident, the largest worker
    std::optional<double> workerCpuShare; ///< 1: one core, the busiest worker
    std::optional<double> cacheHitShare; ///< 0..1
};

/// One second of a run, from any generator. Latencies count from the intended start where the
/// generator knows it (LoadResult::latencyCorrected); 0 without answers.
struct LoadSecond
{
    int second = 0; ///< from 0
    int scheduled = 0; ///< whose time came
    int completed = 0; ///< answered, whatever the status
    int errors = 0;
    double p50Ms = 0;
    double p95Ms = 0;
    double p99Ms = 0;
    double maxMs = 0;
    int inFlight = 0; ///< at its end, with those that wait for a connection
    int sent = 0;
    double users = 0; ///< at its end; sessions of an open model
    double plannedRate = 0; ///< open: at its end
    int connections = 0;
    double uncorrectedP99Ms = 0; ///< from the actual send
    double lagP99Ms = 0; ///< how late the generator started
    double generatorCpu = 0; ///< share of a core
    double generatorMiB = 0;
    QHash<QString, qint64> errorsByKind = {};
    QList<HeatCell> heat = {};
    ServerSample server = {};

    QJsonObject toJson() const; ///< one line of seconds.jsonl
    static LoadSecond fromJson(const QJsonObject& object); ///< what is missing is 0
};

/// Answers of `seconds` seconds from `second` on: what a bootstrap draws from.
struct LatencyBlock
{
    int second = 0;
    double seconds = 10;
    qint64 scheduled = 0;
    qint64 errors = 0;
    std::vector<HistogramBucket> corrected; ///< from the intended start
    std::vector<HistogramBucket> uncorrected; ///< from the actual send
    std::vector<HistogramBucket> lag; ///< of the generator's own starts
    qint64 maxNs = 0; ///< of the corrected ones

    /// What another one counted, exactly; its seconds are not added.
    void addCounts(const LatencyBlock& other);
    /// The one that follows it: counts and seconds.
    void add(const LatencyBlock& next)
    {
        addCounts(next);
        seconds += next.seconds;
    }

    QJsonObject toJson() const; ///< one line of histograms.jsonl
    static LatencyBlock fromJson(const QJsonObject& object);
};

enum class CheckState
{
    Passed,
    Failed,
    NoData, ///< a target that could have been measured and was not: the run does not pass
    NotMeasured ///< the run had no source for it (no Prometheus): left out of the verdict
};

/// One target against its limit.
struct LoadCheck
{
    QString name; ///< "p95"
    QString value; ///< "3.1 ms"
    QString limit; ///< "200 ms"
    bool passed = false;
    CheckState state = CheckState::Failed;
    bool atLeast = false; ///< the limit is a lower one
    QString unit; ///< "ms", "share", "MiB", "1/s"
    double number = 0;
    double bound = 0;
    std::optional<double> low = {}; ///< 95 % interval
    std::optional<double> high = {};

    /// How far inside the limit, as a share of it: 0.9 is a tenth of the limit; negative: missed.
    double margin() const;
};

struct ErrorSample
{
    QString kind;
    double second = 0;
    QString detail; ///< route, and the beginning of the answer
};

/// A run, from any generator. While it lasts `state` is "running".
struct LoadResult
{
    QString id; ///< the run folder's name
    QString generator = QStringLiteral("native"); ///< or "locust"
    bool latencyCorrected = true; ///< false: such rows never give a pass by themselves
    Scenario scenario;
    QUrl target;
    QString environment;
    quint64 seed = 1;
    QDateTime startedAt; ///< UTC
    QDateTime endedAt;
    QJsonObject versions; ///< "sluicectl", "worker", "model", "kernel", "cpus"...
    qint64 pid = 0; ///< of the generator

    QString state; ///< "running", "completed", "stopped", "breached" (stop rule), "bounded" (total)
    bool completed = false; ///< ran to its end
    qint64 scheduled = 0;
    qint64 sent = 0;
    qint64 succeeded = 0; ///< status 2xx
    /// By kind: "connection refused", "connection closed", "timeout", "status 503".
    QHash<QString, qint64> errors;
    QList<ErrorSample> errorSamples;
    double p50Ms = 0, p95Ms = 0, p99Ms = 0, maxMs = 0; ///< from the intended start
    double uncorrectedP95Ms = 0, uncorrectedP99Ms = 0; ///< from the actual send
    double startLagP99Ms = 0; ///< how late the generator itself started requests
    double achievedRate = 0; ///< succeeded requests a second
    double elapsedSeconds = 0;
    double generatorCpu = 0; ///< mean share of a core
    double generatorPeakMiB = 0;
    bool hasPrometheus = false; ///< the server's side was asked for
    QStringList notes; ///< what a reader must know: shortened, a worker lost, a limit met

    QList<LoadSecond> seconds; ///< kept apart (seconds.jsonl)
    std::vector<LatencyBlock> blocks; ///< kept apart (histograms.jsonl)

    QList<LoadCheck> checks; ///< by judge()
    bool generatorLimited = false; ///< then there is no verdict
    bool passed = false;

    qint64 failures() const; ///< all kinds of error
    double errorShare() const; ///< of what was scheduled
    /// "passed", "failed", "no verdict" or "running".
    QString verdict() const;

    QJsonObject toJson() const; ///< result.json: all but seconds and blocks
    static Result<LoadResult> fromJson(const QJsonObject& object, const QString& where);
};

/// The latencies of a run, block after block, exactly.
class LatencySum
{
public:
    void add(const LatencyBlock& block);
    /// Writes the run's figures: p50, p95, p99, longest, uncorrected ones, start lag.
    void tell(LoadResult& result) const;

private:
    LatencyHistogram m_corrected;
    LatencyHistogram m_uncorrected;
    LatencyHistogram m_lag;
};

} // namespace sluice::ops
