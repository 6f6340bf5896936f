#include "engine/service/metricregistry.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fmt/format.h>
#include <iterator>
#include <time.h>

namespace sluice::service {

namespace {

constexpr std::string_view openMetricsType = "application/openmetrics-text";
constexpr std::size_t maxRequestId = 64; ///< an exemplar may have 128 characters in all
constexpr std::int64_t exemplarInterval = 1000; ///< milliseconds

/// A label's value: backslash, quote and newline are escaped.
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

/// A bound as OpenMetrics wants it; in both formats, so that a series keeps its name whichever a
/// scraper asks for.
std::string boundText(double bound)
{
    std::string text = fmt::format("{}", bound);
    return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
}

std::string valueText(const Counter& counter)
{
    return fmt::format("{}", counter.value());
}

std::string valueText(const Gauge& gauge)
{
    return fmt::format("{}", gauge.value());
}

/// Milliseconds of a clock that is cheap to read and never goes back.
std::int64_t coarseMilliseconds()
{
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return std::int64_t(now.tv_sec) * 1000 + now.tv_nsec / 1000000;
}

std::string_view trimmed(std::string_view text)
{
    const auto first = text.find_first_not_of(" \t");
    const auto last = text.find_last_not_of(" \t");
    return first == std::string_view::npos ? std::string_view()
                                           : text.substr(first, last - first + 1);
}

/// The q of one part of an Accept header, 1 where there is none.
double quality(std::string_view parameters)
{
    const auto at = parameters.find("q=");
    if (at == std::string_view::npos) {
        return 1;
    }
    const std::string number(trimmed(parameters.substr(at + 2)));
    return std::clamp(std::strtod(number.c_str(), nullptr), 0.0, 1.0);
}

} // namespace

MetricsFormat metricsFormat(std::string_view accept)
{
    double openMetrics = 0;
    double text = 0;
    while (!accept.empty()) {
        const auto comma = std::min(accept.find(','), accept.size());
        const std::string_view part = accept.substr(0, comma);
        accept.remove_prefix(std::min(comma + 1, accept.size()));
        const auto semicolon = std::min(part.find(';'), part.size());
        const std::string_view type = trimmed(part.substr(0, semicolon));
        const double weight = quality(part.substr(semicolon));
        if (type == openMetricsType && part.find("version=0.0.1") == std::string_view::npos) {
            openMetrics = std::max(openMetrics, weight);
        } else if (type == "text/plain" || type == "text/*" || type == "*/*") {
            text = std::max(text, weight);
        }
    }
    return openMetrics > 0 && openMetrics >= text ? MetricsFormat::OpenMetrics
                                                  : MetricsFormat::Text;
}

std::string_view contentType(MetricsFormat format)
{
    return format == MetricsFormat::OpenMetrics
        ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
        : "text/plain; version=0.0.4; charset=utf-8";
}

Histogram::Histogram(std::span<const double> bounds)
    : m_bounds(bounds)
    , m_buckets(bounds.size() + 1)
{ }

void Histogram::observe(double value, std::string_view requestId)
{
    const auto bucket =
        std::size_t(std::lower_bound(m_bounds.begin(), m_bounds.end(), value) - m_bounds.begin());
    m_buckets[bucket].count.fetch_add(1, std::memory_order_relaxed);
    m_sum.fetch_add(value, std::memory_order_relaxed);
    if (!requestId.empty()) {
        keepExemplar(bucket, value, requestId);
    }
}

void Histogram::keepExemplar(std::size_t bucket, double value, std::string_view requestId)
{
    const std::int64_t now = coarseMilliseconds();
    if (now < m_buckets[bucket].due.load(std::memory_order_relaxed)) {
        return;
    }
    const std::unique_lock lock(m_mutex, std::try_to_lock);
    if (!lock) {
        return; // being written out: the next request will do
    }
    m_buckets[bucket].due.store(now + exemplarInterval, std::memory_order_relaxed);
    const auto since1970 = std::chrono::system_clock::now().time_since_epoch();
    m_exemplars[bucket] = {std::string(requestId.substr(0, maxRequestId)), value,
        std::chrono::duration<double>(since1970).count()};
}

MetricFamily::MetricFamily(MetricDescription description, std::string_view type)
    : m_description(std::move(description))
    , m_type(type)
{ }

void MetricFamily::write(std::string& out, std::string_view common, MetricsFormat format) const
{
    const auto to = std::back_inserter(out);
    std::string_view name = m_description.name;
    std::string_view type = m_type;
    if (format == MetricsFormat::OpenMetrics) {
        // There the family has the bare name, and its samples the suffix.
        for (const std::string_view suffix : {"_total", "_info"}) {
            name =
                name.substr(0, name.ends_with(suffix) ? name.size() - suffix.size() : name.size());
        }
    } else if (type == "info") {
        type = "gauge";
    }
    fmt::format_to(to, "# HELP {} {}\n# TYPE {} {}\n", name, m_description.help, name, type);
    if (format == MetricsFormat::OpenMetrics && !m_description.unit.empty()) {
        fmt::format_to(to, "# UNIT {} {}\n", name, m_description.unit);
    }
    writeSeries(out, common, format);
}

std::string MetricFamily::labels(std::string_view common, std::span<const std::string> values) const
{
    std::string out(common);
    for (std::size_t index = 0; index < values.size(); ++index) {
        out += fmt::format("{}{}=\"{}\"", out.empty() ? "" : ",", m_description.labels[index],
            escaped(values[index]));
    }
    return out;
}

template <class Value>
void ScalarFamily<Value>::writeSeries(
    std::string& out, std::string_view common, MetricsFormat) const
{
    const std::lock_guard lock(this->m_mutex);
    for (const auto& [values, value] : this->m_series) {
        fmt::format_to(std::back_inserter(out), "{}{{{}}} {}\n", this->description().name,
            this->labels(common, values), valueText(*value));
    }
}

template class ScalarFamily<Counter>;
template class ScalarFamily<Gauge>;

HistogramFamily::HistogramFamily(MetricDescription description, std::span<const double> bounds)
    : Series(std::move(description), "histogram")
    , m_bounds(bounds)
{ }

std::unique_ptr<Histogram> HistogramFamily::make() const
{
    return std::make_unique<Histogram>(m_bounds);
}

void HistogramFamily::writeSeries(
    std::string& out, std::string_view common, MetricsFormat format) const
{
    const auto to = std::back_inserter(out);
    const std::string& name = description().name;
    const std::lock_guard lock(m_mutex);
    for (const auto& [values, histogram] : m_series) {
        const std::string all = labels(common, values);
        const std::lock_guard exemplarLock(histogram->m_mutex);
        std::uint64_t count = 0;
        for (std::size_t index = 0; index < histogram->m_buckets.size(); ++index) {
            count += histogram->m_buckets[index].count.load(std::memory_order_relaxed);
            const std::string bound =
                index < m_bounds.size() ? boundText(m_bounds[index]) : std::string("+Inf");
            fmt::format_to(to, "{}_bucket{{{},le=\"{}\"}} {}", name, all, bound, count);
            const auto exemplar = histogram->m_exemplars.find(index);
            if (format == MetricsFormat::OpenMetrics && exemplar != histogram->m_exemplars.end()) {
                const Histogram::Exemplar& one = exemplar->second;
                fmt::format_to(to, " # {{request_id=\"{}\"}} {} {:.3f}", escaped(one.requestId),
                    one.value, one.time);
            }
            out += '\n';
        }
        const double sum = histogram->m_sum.load(std::memory_order_relaxed);
        fmt::format_to(
            to, "{}_sum{{{}}} {}\n{}_count{{{}}} {}\n", name, all, sum, name, all, count);
    }
}

InfoFamily::InfoFamily(MetricDescription description)
    : MetricFamily(std::move(description), "info")
{ }

void InfoFamily::set(std::vector<std::string> values)
{
    const std::lock_guard lock(m_mutex);
    m_values = std::move(values);
}

void InfoFamily::writeSeries(std::string& out, std::string_view common, MetricsFormat) const
{
    const std::lock_guard lock(m_mutex);
    fmt::format_to(
        std::back_inserter(out), "{}{{{}}} 1\n", description().name, labels(common, m_values));
}

MetricRegistry::MetricRegistry(const std::vector<std::pair<std::string, std::string>>& common)
{
    for (const auto& [name, value] : common) {
        m_common += fmt::format("{}{}=\"{}\"", m_common.empty() ? "" : ",", name, escaped(value));
    }
}

template <class Family, class... Arguments> Family& MetricRegistry::add(Arguments&&... arguments)
{
    auto family = std::make_unique<Family>(std::forward<Arguments>(arguments)...);
    Family& added = *family;
    m_families.push_back(std::move(family));
    return added;
}

Counter& MetricRegistry::counter(std::string name, std::string help)
{
    return counters({std::move(name), std::move(help), {}, {}}).at({});
}

Gauge& MetricRegistry::gauge(std::string name, std::string help, std::string unit)
{
    return gauges({std::move(name), std::move(help), std::move(unit), {}}).at({});
}

Gauge& MetricRegistry::total(std::string name, std::string help, std::string unit)
{
    return add<ScalarFamily<Gauge>>(
        MetricDescription{std::move(name), std::move(help), std::move(unit), {}}, "counter")
        .at({});
}

ScalarFamily<Counter>& MetricRegistry::counters(MetricDescription description)
{
    return add<ScalarFamily<Counter>>(std::move(description), "counter");
}

ScalarFamily<Gauge>& MetricRegistry::gauges(MetricDescription description)
{
    return add<ScalarFamily<Gauge>>(std::move(description), "gauge");
}

HistogramFamily& MetricRegistry::histograms(
    MetricDescription description, std::span<const double> bounds)
{
    return add<HistogramFamily>(std::move(description), bounds);
}

InfoFamily& MetricRegistry::info(MetricDescription description)
{
    return add<InfoFamily>(std::move(description));
}

std::string MetricRegistry::text(MetricsFormat format) const
{
    std::string out;
    for (const auto& family : m_families) {
        family->write(out, m_common, format);
    }
    if (format == MetricsFormat::OpenMetrics) {
        out += "# EOF\n";
    }
    return out;
}

} // namespace sluice::service
