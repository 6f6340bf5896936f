#include "engine/service/metrics.h"

#include "engine/service/process.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <iterator>

namespace sluice::service {

namespace {

constexpr std::size_t maxBuckets = 32;
constexpr std::array<std::string_view, 3> verdicts{"accept", "clarify", "fallback"};

} // namespace

const std::vector<double>& latencyBounds()
{
    static const std::vector<double> bounds = [] {
        std::vector<double> all{0.1, 0.2, 0.25, 0.5, 1.0};
        for (int power = -14; power <= 4; ++power) {
            all.push_back(std::ldexp(1.0, power));
        }
        std::sort(all.begin(), all.end());
        all.erase(std::unique(all.begin(), all.end()), all.end());
        return all;
    }();
    return bounds;
}

struct Metrics::Series
{
    std::array<std::atomic<std::uint64_t>, maxBuckets>
        buckets{}; ///< not cumulative; the last one is +Inf
    std::atomic<std::uint64_t> nanoseconds = 0;
};

namespace {

/// A label's value in the text format: backslash, quote and newline are escaped.
std::string escaped(std::string_view value)
{
    std::string out;
    for (const char c : value) {
        if (c == '\n') {
            out += "\\n";
            continue;
        }
        if (c == '\\' || c == '"') {
            out += '\\';
        }
        out += c;
    }
    return out;
}

} // namespace

Metrics::Metrics(const std::string& pool, const std::string& version)
    : m_common(fmt::format("pool=\"{}\",version=\"{}\"", escaped(pool), escaped(version)))
{ }

Metrics::~Metrics() = default;

Metrics::Series& Metrics::series(std::string_view route, int status)
{
    const std::lock_guard lock(m_mutex);
    auto& found = m_series[{std::string(route), status}];
    if (found == nullptr) {
        found = std::make_unique<Series>();
    }
    return *found;
}

void Metrics::request(std::string_view route, int status, double seconds)
{
    Series& all = series(route, status);
    const auto& bounds = latencyBounds();
    const auto bucket = std::lower_bound(bounds.begin(), bounds.end(), seconds) - bounds.begin();
    all.buckets[std::size_t(bucket)].fetch_add(1, std::memory_order_relaxed);
    all.nanoseconds.fetch_add(
        std::uint64_t(std::max(seconds, 0.0) * 1e9), std::memory_order_relaxed);
}

void Metrics::decision(std::string_view verdict)
{
    const auto found = std::find(verdicts.begin(), verdicts.end(), verdict);
    if (found != verdicts.end()) {
        m_decisions[std::size_t(found - verdicts.begin())].fetch_add(1, std::memory_order_relaxed);
    }
}

std::string Metrics::text(const Gauges& gauges) const
{
    std::string out;
    const auto to = std::back_inserter(out);
    const auto head = [&](std::string_view name, std::string_view type, std::string_view help) {
        fmt::format_to(to, "# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
    };
    const auto one = [&](std::string_view name, std::string_view type, std::string_view help,
                         double value) {
        head(name, type, help);
        fmt::format_to(to, "{}{{{}}} {}\n", name, m_common, value);
    };

    const auto& bounds = latencyBounds();
    {
        const std::lock_guard lock(m_mutex);
        head("sluice_requests_total", "counter", "Requests answered.");
        for (const auto& [key, all] : m_series) {
            std::uint64_t count = 0;
            for (const auto& bucket : all->buckets) {
                count += bucket.load(std::memory_order_relaxed);
            }
            fmt::format_to(to, "sluice_requests_total{{{},route=\"{}\",status=\"{}\"}} {}\n",
                m_common, key.first, key.second, count);
        }
        head("sluice_request_duration_seconds", "histogram",
            "Time from the request's header to its answer.");
        for (const auto& [key, all] : m_series) {
            const std::string labels =
                fmt::format("{},route=\"{}\",status=\"{}\"", m_common, key.first, key.second);
            std::uint64_t count = 0;
            for (std::size_t index = 0; index < bounds.size(); ++index) {
                count += all->buckets[index].load(std::memory_order_relaxed);
                fmt::format_to(to, "sluice_request_duration_seconds_bucket{{{},le=\"{}\"}} {}\n",
                    labels, bounds[index], count);
            }
            count += all->buckets[bounds.size()].load(std::memory_order_relaxed);
            fmt::format_to(
                to, "sluice_request_duration_seconds_bucket{{{},le=\"+Inf\"}} {}\n", labels, count);
            fmt::format_to(to, "sluice_request_duration_seconds_sum{{{}}} {}\n", labels,
                double(all->nanoseconds.load(std::memory_order_relaxed)) / 1e9);
            fmt::format_to(to, "sluice_request_duration_seconds_count{{{}}} {}\n", labels, count);
        }
    }
    head("sluice_decisions_total", "counter", "Decisions made, by kind.");
    for (std::size_t index = 0; index < verdicts.size(); ++index) {
        fmt::format_to(to, "sluice_decisions_total{{{},decision=\"{}\"}} {}\n", m_common,
            verdicts[index], m_decisions[index].load(std::memory_order_relaxed));
    }
    one("sluice_cache_hits_total", "counter", "Scores found in the result cache.",
        double(gauges.cacheHits));
    one("sluice_cache_misses_total", "counter", "Scores not found in the result cache.",
        double(gauges.cacheMisses));
    one("sluice_cache_bytes", "gauge", "Memory of the result cache.", double(gauges.cacheBytes));
    one("sluice_context_unavailable_total", "counter",
        "Queries answered without context because the store did not answer in time.",
        double(contextUnavailable.load()));
    one("sluice_session_save_failed_total", "counter", "Turns that could not be stored.",
        double(sessionsNotSaved.load()));
    one("sluice_threshold_set", "gauge", "Number of the threshold set served; 0: the model's own.",
        double(thresholdSet.load()));
    one("sluice_threshold_refused_total", "counter",
        "Published threshold sets that could not be served.", double(thresholdsRefused.load()));
    one("sluice_sessions_redis_up", "gauge", "1 while Redis is connected.", redisUp.load());
    one("sluice_in_flight", "gauge", "Requests being worked on.", double(gauges.inFlight));
    one("sluice_connections", "gauge", "Open client connections.", double(gauges.connections));
    one("process_resident_memory_bytes", "gauge", "Resident memory.", double(residentBytes()));
    one("process_cpu_seconds_total", "counter", "Processor time, user and system.", cpuSeconds());
    one("process_start_time_seconds", "gauge", "Start, seconds since 1970.", gauges.startTime);
    head("sluice_build_info", "gauge", "What runs; always 1.");
    fmt::format_to(to, "sluice_build_info{{{},model=\"{}\"}} 1\n", m_common, gauges.model);
    return out;
}

} // namespace sluice::service
