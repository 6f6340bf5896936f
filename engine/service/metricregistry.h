#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace sluice::service {

/// How metrics are written out: Prometheus' text format 0.0.4, or OpenMetrics 1.0.0, which alone
/// carries units and exemplars.
enum class MetricsFormat
{
    Text,
    OpenMetrics
};
/// The one of both that a scraper's `Accept` prefers; Text where it says nothing of either.
MetricsFormat metricsFormat(std::string_view accept);
std::string_view contentType(MetricsFormat format);

/// A number that only rises. Lock-free.
class Counter
{
public:
    Counter& operator++() { return *this += 1; }
    Counter& operator+=(std::uint64_t more)
    {
        m_value.fetch_add(more, std::memory_order_relaxed);
        return *this;
    }
    std::uint64_t value() const { return m_value.load(std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> m_value = 0;
};

/// A number that is set. Lock-free.
class Gauge
{
public:
    template <class Number>
    requires std::is_arithmetic_v<Number> Gauge& operator=(Number value)
    {
        m_value.store(double(value), std::memory_order_relaxed);
        return *this;
    }
    double value() const { return m_value.load(std::memory_order_relaxed); }

private:
    std::atomic<double> m_value = 0;
};

/// Values by size. Counting is lock-free; a bucket keeps the name of one request that fell into
/// it as its exemplar, renewed once a second at most.
class Histogram
{
public:
    /// `bounds` are upper bounds, rising; they outlive the histogram.
    explicit Histogram(std::span<const double> bounds);

    void observe(double value, std::string_view requestId = {});

private:
    friend class HistogramFamily;
    struct Bucket
    {
        std::atomic<std::uint64_t> count = 0; ///< not cumulative
        std::atomic<std::int64_t> due = 0; ///< next exemplar, monotonic milliseconds
    };
    struct Exemplar
    {
        std::string requestId;
        double value = 0;
        double time = 0; ///< seconds since 1970
    };
    void keepExemplar(std::size_t bucket, double value, std::string_view requestId);

    std::span<const double> m_bounds;
    std::vector<Bucket> m_buckets; ///< one more than bounds: +Inf
    std::atomic<double> m_sum = 0;
    mutable std::mutex m_mutex; ///< for the exemplars alone
    std::map<std::size_t, Exemplar> m_exemplars;
};

/// What a metric is; a row of docs/METRICS.md.
struct MetricDescription
{
    std::string name; ///< a counter's ends in _total
    std::string help;
    std::string unit; ///< "seconds", "bytes" (the name ends in it), or empty
    std::vector<std::string> labels; ///< beside the common ones
};

/// All series of one name.
class MetricFamily
{
public:
    MetricFamily(MetricDescription description, std::string_view type);
    virtual ~MetricFamily() = default;

    /// `common` are labels written out: pool="blue".
    void write(std::string& out, std::string_view common, MetricsFormat format) const;
    const MetricDescription& description() const { return m_description; }

protected:
    virtual void writeSeries(
        std::string& out, std::string_view common, MetricsFormat format) const = 0;
    /// "common,label="value",..." of a series.
    std::string labels(std::string_view common, std::span<const std::string> values) const;

private:
    MetricDescription m_description;
    std::string m_type;
};

/// The series of one name by the values of its labels, made when first asked for. Their number is
/// bounded: beyond `maxSeries` all values become "other".
template <class Value> class Series : public MetricFamily
{
public:
    static constexpr std::size_t maxSeries = 2000;

    using MetricFamily::MetricFamily;

    /// Stays valid; takes a lock, so that a hot path keeps the reference.
    Value& at(std::vector<std::string> values)
    {
        const std::lock_guard lock(m_mutex);
        if (m_series.size() >= maxSeries && !m_series.contains(values)) {
            values.assign(values.size(), "other");
        }
        auto& found = m_series[std::move(values)];
        if (found == nullptr) {
            found = make();
        }
        return *found;
    }

protected:
    virtual std::unique_ptr<Value> make() const = 0;

    mutable std::mutex m_mutex; ///< for the map alone
    std::map<std::vector<std::string>, std::unique_ptr<Value>> m_series;
};

/// Series of a counter or a gauge.
template <class Value> class ScalarFamily : public Series<Value>
{
public:
    using Series<Value>::Series;

protected:
    std::unique_ptr<Value> make() const override { return std::make_unique<Value>(); }
    void writeSeries(
        std::string& out, std::string_view common, MetricsFormat format) const override;
};

class HistogramFamily : public Series<Histogram>
{
public:
    HistogramFamily(MetricDescription description, std::span<const double> bounds);

protected:
    std::unique_ptr<Histogram> make() const override;
    void writeSeries(
        std::string& out, std::string_view common, MetricsFormat format) const override;

private:
    std::span<const double> m_bounds;
};

/// One series that is always 1; its labels are what it tells.
class InfoFamily : public MetricFamily
{
public:
    explicit InfoFamily(MetricDescription description);

    void set(std::vector<std::string> values); ///< one a label

protected:
    void writeSeries(
        std::string& out, std::string_view common, MetricsFormat format) const override;

private:
    mutable std::mutex m_mutex;
    std::vector<std::string> m_values;
};

/// All metrics of a process, in the order in which they were declared. Families are declared
/// before threads begin; counting and writing are safe from any thread.
class MetricRegistry
{
public:
    /// `common`: labels that every series carries.
    explicit MetricRegistry(const std::vector<std::pair<std::string, std::string>>& common);

    Counter& counter(std::string name, std::string help);
    Gauge& gauge(std::string name, std::string help, std::string unit = {});
    /// A counter whose total somebody else keeps: set before it is written.
    Gauge& total(std::string name, std::string help, std::string unit = {});
    ScalarFamily<Counter>& counters(MetricDescription description);
    ScalarFamily<Gauge>& gauges(MetricDescription description);
    HistogramFamily& histograms(MetricDescription description, std::span<const double> bounds);
    InfoFamily& info(MetricDescription description);

    std::string text(MetricsFormat format = MetricsFormat::Text) const;

private:
    template <class Family, class... Arguments> Family& add(Arguments&&... arguments);

    std::string m_common;
    std::vector<std::unique_ptr<MetricFamily>> m_families;
};

} // namespace sluice::service
