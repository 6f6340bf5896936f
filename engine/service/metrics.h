#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::service {

/// Upper bounds of the latency buckets in seconds: powers of two from 2^-14 to 2^4, and 0.1, 0.2,
/// 0.25, 0.5, 1.
const std::vector<double>& latencyBounds();

/// Counts and times of the worker's requests, written out in Prometheus' text format 0.0.4.
/// Counting is lock-free once a series exists; safe from any thread. Every series carries pool and
/// version.
class Metrics
{
public:
    Metrics(const std::string& pool, const std::string& version);
    ~Metrics();

    /// One answered request. `route` is from a fixed list, so that series stay few.
    void request(std::string_view route, int status, double seconds);
    void decision(std::string_view verdict);

    std::atomic<std::uint64_t> contextUnavailable = 0;
    std::atomic<std::uint64_t> sessionsNotSaved = 0;
    std::atomic<std::uint64_t> thresholdsRefused = 0;
    std::atomic<std::int64_t> thresholdSet = 0;
    std::atomic<int> redisUp = 0;

    /// What is read when somebody asks.
    struct Gauges
    {
        std::uint64_t cacheHits = 0;
        std::uint64_t cacheMisses = 0;
        std::uint64_t cacheBytes = 0;
        std::size_t inFlight = 0;
        std::size_t connections = 0;
        std::string model; ///< hash
        double startTime = 0; ///< seconds since 1970
    };
    std::string text(const Gauges& gauges) const;

private:
    struct Series;
    Series& series(std::string_view route, int status);

    std::string m_common; ///< pool="blue",version="0.1.0"
    mutable std::mutex m_mutex; ///< for the map alone
    std::map<std::pair<std::string, int>, std::unique_ptr<Series>, std::less<>> m_series;
    std::array<std::atomic<std::uint64_t>, 3> m_decisions{};
};

} // namespace sluice::service
