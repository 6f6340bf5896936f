#include "engine/service/metrics.h"

#include "engine/service/process.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

namespace sluice::service {

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

const std::vector<double>& confidenceBounds()
{
    static const std::vector<double> bounds = [] {
        std::vector<double> all;
        for (int step = 1; step <= 20; ++step) {
            all.push_back(step / 20.0);
        }
        return all;
    }();
    return bounds;
}

/// What is counted of one route's answers of one status.
struct Metrics::StatusSeries
{
    Counter& count;
    Histogram& duration;
};

struct Metrics::RouteSeries
{
    std::string route;
    std::array<std::atomic<const StatusSeries*>, 600> statuses{};
};

struct Metrics::VerdictSeries
{
    std::string_view verdict;
    Counter& count;
    Histogram& confidence;
};

struct Metrics::IntentTable
{
    Counter& other;
    std::unordered_map<std::string_view, Counter*> counters;
    std::vector<std::string> names; ///< what the keys look at
};

Metrics::Metrics(const std::string& pool, const std::string& version)
    : m_registry({{"pool", pool}, {"version", version}})
    , m_requests(m_registry.counters(
          {"sluice_requests_total", "Requests answered.", {}, {"route", "status"}}))
    , m_durations(m_registry.histograms(
          {"sluice_request_duration_seconds", "Time from the request's header to its answer.",
              "seconds", {"route", "status"}},
          latencyBounds()))
    , m_decisions(m_registry.counters(
          {"sluice_decisions_total", "Decisions made, by kind.", {}, {"decision"}}))
    , m_confidences(m_registry.histograms(
          {"sluice_confidence", "Confidence of the best candidate, by kind of decision.", {},
              {"decision"}},
          confidenceBounds()))
    , m_intents(m_registry.counters({"sluice_intents_total",
          "Accepted queries by intent; \"other\" for one that the model no longer has.", {},
          {"intent"}}))
{
    for (const char* verdict : {"accept", "clarify", "fallback"}) {
        m_verdicts.push_back({verdict, m_decisions.at({verdict}), m_confidences.at({verdict})});
    }
    setIntents({});
}

Metrics::~Metrics() = default;

const Metrics::StatusSeries& Metrics::series(std::string_view route, int status)
{
    for (const auto& slot : m_routes) {
        const RouteSeries* one = slot.load(std::memory_order_acquire);
        if (one == nullptr) {
            break;
        }
        if (one->route == route) {
            const StatusSeries* found =
                one->statuses[std::size_t(status)].load(std::memory_order_acquire);
            return found != nullptr ? *found : makeSeries(route, status);
        }
    }
    return makeSeries(route, status);
}

const Metrics::StatusSeries& Metrics::makeSeries(std::string_view route, int status)
{
    const std::lock_guard lock(m_mutex);
    RouteSeries* made = nullptr;
    for (const auto& one : m_ownedRoutes) {
        made = one->route == route ? one.get() : made;
    }
    if (made == nullptr && m_ownedRoutes.size() == maxRoutes) {
        made = m_ownedRoutes.back().get();
    }
    if (made == nullptr) {
        made = m_ownedRoutes.emplace_back(std::make_unique<RouteSeries>()).get();
        // The last slot is for all that come after it.
        made->route = m_ownedRoutes.size() == maxRoutes ? "other" : std::string(route);
        m_routes[m_ownedRoutes.size() - 1].store(made, std::memory_order_release);
    }
    auto& slot = made->statuses[std::size_t(status)];
    if (slot.load(std::memory_order_relaxed) == nullptr) {
        const std::vector<std::string> labels{made->route, std::to_string(status)};
        m_ownedSeries.emplace_back(new StatusSeries{m_requests.at(labels), m_durations.at(labels)});
        slot.store(m_ownedSeries.back().get(), std::memory_order_release);
    }
    return *slot.load(std::memory_order_relaxed);
}

void Metrics::request(
    std::string_view route, int status, double seconds, std::string_view requestId)
{
    const StatusSeries& all = series(route, std::clamp(status, 0, 599));
    ++all.count;
    all.duration.observe(std::max(seconds, 0.0), requestId);
}

void Metrics::decision(std::string_view verdict, std::string_view intentName, double confidence)
{
    for (VerdictSeries& one : m_verdicts) {
        if (one.verdict == verdict) {
            ++one.count;
            one.confidence.observe(confidence);
        }
    }
    if (!intentName.empty()) {
        ++intent(intentName);
    }
}

Counter& Metrics::intent(std::string_view name) const
{
    const IntentTable* table = m_intentTable.load(std::memory_order_acquire);
    const auto found = table->counters.find(name);
    return found == table->counters.end() ? table->other : *found->second;
}

void Metrics::setIntents(const std::vector<std::string>& names)
{
    const std::lock_guard lock(m_mutex);
    IntentTable& table =
        *m_ownedTables.emplace_back(new IntentTable{m_intents.at({"other"}), {}, names});
    for (const std::string& name : table.names) {
        table.counters.emplace(name, &m_intents.at({name}));
    }
    m_intentTable.store(&table, std::memory_order_release);
}

void Metrics::readProcess()
{
    m_resident = residentBytes();
    m_memoryLimit = memoryLimitBytes();
    m_cpu = cpuSeconds();
    m_openFiles = openFiles();
    m_maxFiles = maxOpenFiles();
}

} // namespace sluice::service
