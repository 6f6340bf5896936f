#include "engine/operations/monitoring/servicequeries.h"

#include <algorithm>
#include <cmath>

namespace sluice::ops::queries {
namespace {

QString duration(double seconds)
{
    return QString::number(qint64(std::ceil(std::max(0.001, seconds) * 1000.0))) + u"ms";
}

/// rate(name{route, more}[window])
QString traffic(const QString& name, double window, const QString& more = {})
{
    return QStringLiteral("rate(%1{route=~\"/v1/classify.*\"%2}[%3])")
        .arg(name, more, duration(window));
}

QString requests(double window, const QString& more = {})
{
    return traffic(QStringLiteral("sluice_requests_total"), window, more);
}

QString rate(const QString& selector, double window)
{
    return QStringLiteral("rate(%1[%2])").arg(selector, duration(window));
}

/// failures / all by the given labels; a group without any failure is 0, not absent.
QString share(const QString& by, const QString& failures, const QString& all)
{
    return QStringLiteral("(sum by (%1) (%2) or 0 * sum by (%1) (%3)) / sum by (%1) (%3)")
        .arg(by, failures, all);
}

QString quantileOf(const QString& by, double quantile, double window)
{
    return QStringLiteral("histogram_quantile(%1, sum by (%2) (%3))")
        .arg(QString::number(quantile), by,
            traffic(QStringLiteral("sluice_request_duration_seconds_bucket"), window));
}

} // namespace

double rateWindow(double scrapeSeconds, double stepSeconds)
{
    return std::max(4.0 * scrapeSeconds, stepSeconds);
}

QString requestRate(double window)
{
    return QStringLiteral("sum(%1)").arg(requests(window));
}

QString requestRateByPool(double window)
{
    return QStringLiteral("sum by (pool) (%1)").arg(requests(window));
}

QString latency(double quantile, double window)
{
    return quantileOf(QStringLiteral("le"), quantile, window);
}

QString latencyByPool(double quantile, double window)
{
    return quantileOf(QStringLiteral("pool, le"), quantile, window);
}

QString errorShare(double window)
{
    return share({}, requests(window, QStringLiteral(",status=~\"5..\"")), requests(window));
}

QString errorShareByPool(double window)
{
    return share(QStringLiteral("pool"), requests(window, QStringLiteral(",status=~\"5..\"")),
        requests(window));
}

QString balancerErrorShare(double window)
{
    return share(QStringLiteral("proxy"),
        rate(QStringLiteral(
                 "haproxy_backend_http_responses_total{proxy=~\"blue|green\",code=\"5xx\"}"),
            window),
        rate(
            QStringLiteral("haproxy_backend_http_responses_total{proxy=~\"blue|green\"}"), window));
}

QString balancerRequestRate(double window)
{
    return QStringLiteral("sum by (proxy) (%1)")
        .arg(rate(
            QStringLiteral("haproxy_backend_http_requests_total{proxy=~\"blue|green\"}"), window));
}

QString residentMemory()
{
    // Prometheus and HAProxy export the same name, without a pool.
    return QStringLiteral("max by (pool) (process_resident_memory_bytes{pool!=\"\"})");
}

QString cpuShare(double window)
{
    return QStringLiteral("max by (pool) (%1)")
        .arg(rate(QStringLiteral("process_cpu_seconds_total{pool!=\"\"}"), window));
}

QString cacheHitRatio(double window)
{
    const QString hits = rate(QStringLiteral("sluice_cache_hits_total"), window);
    const QString misses = rate(QStringLiteral("sluice_cache_misses_total"), window);
    return QStringLiteral("sum(%1) / (sum(%1) + sum(%2))").arg(hits, misses);
}

QString decisionShare(double window)
{
    const QString decisions = rate(QStringLiteral("sluice_decisions_total"), window);
    return QStringLiteral("sum by (decision) (%1) / on () group_left () sum(%1)").arg(decisions);
}

QString intentShare(double window)
{
    const QString intents = rate(QStringLiteral("sluice_intents_total"), window);
    return QStringLiteral("sum by (intent) (%1) / on () group_left () sum(%1)").arg(intents);
}

QString requestRateBy(const QString& label, double window)
{
    return QStringLiteral("sum by (%1) (%2)").arg(label, requests(window));
}

QString errorShareBy(const QString& label, double window)
{
    return share(label, requests(window, QStringLiteral(",status=~\"5..\"")), requests(window));
}

QString latencyBy(const QString& label, double quantile, double window)
{
    return quantileOf(label + QStringLiteral(", le"), quantile, window);
}

QString latencyBuckets(double window)
{
    return QStringLiteral("sum by (le) (%1)")
        .arg(traffic(QStringLiteral("sluice_request_duration_seconds_bucket"), window));
}

QString cpuByInstance(double window)
{
    return QStringLiteral("sum by (instance) (%1)")
        .arg(rate(QStringLiteral("process_cpu_seconds_total{pool!=\"\"}"), window));
}

QString residentMemoryByInstance()
{
    return QStringLiteral("sum by (instance) (process_resident_memory_bytes{pool!=\"\"})");
}

QString inFlight()
{
    return QStringLiteral("sum by (instance) (sluice_in_flight)");
}

QString connections()
{
    return QStringLiteral("sum by (instance) (sluice_connections)");
}

QString largestOver(const QString& expression, double range, double step)
{
    return QStringLiteral("max_over_time((%1)[%2:%3])")
        .arg(expression, duration(range), duration(step));
}

QString smallestOver(const QString& expression, double range, double step)
{
    return QStringLiteral("min_over_time((%1)[%2:%3])")
        .arg(expression, duration(range), duration(step));
}

QString thresholdSet()
{
    return QStringLiteral("max by (pool, instance) (sluice_threshold_set)");
}

} // namespace sluice::ops::queries
