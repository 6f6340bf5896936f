#pragma once

#include "engine/service/metricregistry.h"

namespace sluice::service {

/// Upper bounds of the latency buckets in seconds: powers of two from 2^-14 to 2^4, and 0.1, 0.2,
/// 0.25, 0.5, 1.
const std::vector<double>& latencyBounds();
/// Upper bounds of the buckets of confidence: 0.05 to 1 in steps of 0.05.
const std::vector<double>& confidenceBounds();

/// What the worker counts; docs/METRICS.md has a row for each, which a test compares. Counting is
/// lock-free once a series exists; safe from any thread. Every series carries pool and version. A
/// gauge or total is set by whoever knows it, at the latest when somebody reads
/// (Service::metricsText).
class Metrics
{
public:
    Metrics(const std::string& pool, const std::string& version);
    ~Metrics();

    /// One answered request. `route` is from a fixed list, so that series stay few; `requestId`
    /// (may be empty) can become the exemplar of its bucket.
    void request(
        std::string_view route, int status, double seconds, std::string_view requestId = {});
    /// One decision: "accept" (then `intent` is the accepted one), "clarify" or "fallback".
    void decision(std::string_view verdict, std::string_view intent, double confidence);
    /// The intents that are counted by name; others count as "other". Called at start and when the
    /// model changes, from one thread.
    void setIntents(const std::vector<std::string>& names);
    /// Reads what the system says of this process: memory, processor time, descriptors.
    void readProcess();

    std::string text(MetricsFormat format = MetricsFormat::Text) const
    {
        return m_registry.text(format);
    }

private:
    MetricRegistry m_registry;
    ScalarFamily<Counter>& m_requests;
    HistogramFamily& m_durations;
    ScalarFamily<Counter>& m_decisions;
    HistogramFamily& m_confidences;
    ScalarFamily<Counter>& m_intents;

public:
    Gauge& inFlight = m_registry.gauge("sluice_in_flight", "Requests being worked on.");
    Gauge& connections = m_registry.gauge("sluice_connections", "Open client connections.");

    Gauge& cacheHits =
        m_registry.total("sluice_cache_hits_total", "Scores found in the result cache.");
    Gauge& cacheMisses =
        m_registry.total("sluice_cache_misses_total", "Scores not found in the result cache.");
    Gauge& cacheBytes =
        m_registry.gauge("sluice_cache_bytes", "Memory of the result cache.", "bytes");

    Counter& contextUnavailable = m_registry.counter("sluice_context_unavailable_total",
        "Queries answered without context because the store did not answer in time.");
    Counter& sessionsNotSaved =
        m_registry.counter("sluice_session_save_failed_total", "Turns that could not be stored.");
    Gauge& redisUp = m_registry.gauge("sluice_sessions_redis_up", "1 while Redis is connected.");
    Gauge& redisBreaker = m_registry.gauge("sluice_redis_breaker_state",
        "Circuit breaker before Redis: 0 closed (all is well), 1 half open, 2 open.");
    HistogramFamily& redisDuration = m_registry.histograms(
        {"sluice_redis_duration_seconds",
            "Time until Redis answered a request's load or save, or was given up.", "seconds",
            {"operation"}},
        latencyBounds());
    Histogram& sessionLoad = redisDuration.at({"load"});
    Histogram& sessionSave = redisDuration.at({"save"});

    Gauge& decisionLogWritten = m_registry.total(
        "sluice_decision_log_written_total", "Decisions written to the decision log.");
    Gauge& decisionLogDropped = m_registry.total("sluice_decision_log_dropped_total",
        "Sampled decisions that could not be written to the decision log.");
    Gauge& feedbackAdded =
        m_registry.total("sluice_feedback_added_total", "Feedback written to the stream.");
    Gauge& feedbackRefused = m_registry.total("sluice_feedback_refused_total",
        "Feedback that could neither be written to the stream nor to the disk.");
    Gauge& feedbackBuffered =
        m_registry.gauge("sluice_feedback_buffered", "Feedback on disk that waits for Redis.");

    Gauge& thresholdSet = m_registry.gauge(
        "sluice_threshold_set", "Number of the threshold set served; 0: the model's own.");
    Counter& thresholdsRefused = m_registry.counter(
        "sluice_threshold_refused_total", "Published threshold sets that could not be served.");
    Counter& thresholdRollbacks = m_registry.counter("sluice_threshold_rollbacks_total",
        "Threshold sets taken with a number below the one served before.");
    Gauge& modelSwaps =
        m_registry.total("sluice_model_swaps_total", "Models served in place of another.");
    Gauge& modelsRefused =
        m_registry.total("sluice_model_refused_total", "Models offered that could not be served.");

    Gauge& certificateExpiry = m_registry.gauge("sluice_certificate_expiry_timestamp_seconds",
        "End of the TLS certificate's validity, seconds since 1970; 0 without TLS.", "seconds");

    InfoFamily& model = m_registry.info(
        {"sluice_model_info", "The model served, by its hash; always 1.", {}, {"model"}});
    InfoFamily& build = m_registry.info(
        {"sluice_build_info", "What runs: the model's hash, compiler and build type; always 1.", {},
            {"model", "compiler", "build_type"}});
    Gauge& logLinesDropped = m_registry.total("sluice_log_lines_dropped_total",
        "Log lines that could not be written, on a full disk say.");
    Gauge& startTime =
        m_registry.gauge("process_start_time_seconds", "Start, seconds since 1970.", "seconds");

private:
    Gauge& m_resident =
        m_registry.gauge("process_resident_memory_bytes", "Resident memory.", "bytes");
    Gauge& m_memoryLimit = m_registry.gauge("sluice_memory_limit_bytes",
        "What the worker's memory is limited to: its control group, else the machine.", "bytes");
    Gauge& m_cpu = m_registry.total(
        "process_cpu_seconds_total", "Processor time, user and system.", "seconds");
    Gauge& m_openFiles = m_registry.gauge("process_open_fds", "Open file descriptors.");
    Gauge& m_maxFiles =
        m_registry.gauge("process_max_fds", "Most file descriptors that may be open.");

    struct StatusSeries;
    struct RouteSeries;
    struct IntentTable;
    static constexpr std::size_t maxRoutes = 32;

    const StatusSeries& series(std::string_view route, int status);
    const StatusSeries& makeSeries(std::string_view route, int status);
    Counter& intent(std::string_view name) const;

    std::array<std::atomic<RouteSeries*>, maxRoutes> m_routes{}; ///< filled from the front
    std::atomic<const IntentTable*> m_intentTable = nullptr;
    std::mutex m_mutex; ///< for what is made, below
    std::vector<std::unique_ptr<RouteSeries>> m_ownedRoutes;
    std::vector<std::unique_ptr<const StatusSeries>> m_ownedSeries;
    std::vector<std::unique_ptr<IntentTable>> m_ownedTables; ///< a reader may still hold an old one

    struct VerdictSeries;
    std::vector<VerdictSeries> m_verdicts;
};

} // namespace sluice::service
