#include "engine/operations/loadtest/serversampler.h"

#include "engine/operations/monitoring/servicequeries.h"

#include <algorithm>
#include <cmath>

namespace sluice::ops {

namespace {

constexpr int everyMs = 1000;
constexpr int timeoutMs = 3000;
constexpr qint64 freshMs = 5000;
constexpr double rateSeconds = 10; ///< of rates; four scrapes at most 2.5 s apart

} // namespace

ServerSampler::ServerSampler(const QUrl& prometheus, QObject* parent)
    : QObject(parent)
    , m_memory{queries::residentMemory()}
    , m_cpu{queries::cpuShare(rateSeconds)}
    , m_hits{queries::cacheHitRatio(rateSeconds)}
{
    m_client.setBaseUrl(prometheus);
    connect(&m_timer, &QTimer::timeout, this, qOverload<>(&ServerSampler::ask));
    m_timer.start(everyMs);
    ask();
}

void ServerSampler::ask()
{
    ask(m_memory);
    ask(m_cpu);
    ask(m_hits);
}

void ServerSampler::ask(Series& series)
{
    if (series.asked) {
        return;
    }
    series.asked = true;
    m_client.query(
        series.query, this,
        [&series](const Result<QList<InstantSample>>& answer) {
            series.asked = false;
            std::optional<double> largest;
            for (const InstantSample& sample : answer ? *answer : QList<InstantSample>()) {
                if (std::isfinite(sample.value)) {
                    largest = std::max(largest.value_or(sample.value), sample.value);
                }
            }
            if (largest) {
                series.value = largest;
                series.age.start();
            }
        },
        timeoutMs);
}

std::optional<double> ServerSampler::fresh(const Series& series)
{
    return series.age.isValid() && series.age.elapsed() < freshMs ? series.value : std::nullopt;
}

ServerSample ServerSampler::latest() const
{
    ServerSample sample{fresh(m_memory), fresh(m_cpu), fresh(m_hits)};
    if (sample.workerMiB) {
        *sample.workerMiB /= 1 << 20;
    }
    return sample;
}

} // namespace sluice::ops
