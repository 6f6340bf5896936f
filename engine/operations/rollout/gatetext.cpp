#include "engine/operations/rollout/gatetext.h"

#include <algorithm>
#include <cmath>

namespace sluice::ops::gatetext {

namespace {

QString bucketName(const QString& pool, double bound)
{
    return pool + QStringLiteral(" le ") + QString::number(bound, 'g', 12);
}

QString allName(const QString& pool)
{
    return pool + QStringLiteral(" le inf");
}

} // namespace

QString percent(double share)
{
    return QString::number(share * 100, 'g', 3) + QStringLiteral(" %");
}

QString milliseconds(double seconds)
{
    return QString::number(seconds * 1000, 'g', 3) + QStringLiteral(" ms");
}

QString count(double number)
{
    return QString::number(number, 'f', 0);
}

double bounded(double logEvidence)
{
    return std::exp(std::min(logEvidence, 700.0)); // a double ends at e^709
}

QString shedName(const QString& pool)
{
    return pool + QStringLiteral(" shed");
}

void takeLatencies(
    CounterStore& store, const QList<TimeSeries>& all, double seenUntil, std::set<double>& bounds)
{
    for (const TimeSeries& series : all) {
        const QString pool = series.labels.value(QStringLiteral("pool"));
        bool isNumber = false;
        const QString le = series.labels.value(QStringLiteral("le"));
        const double bound = le.toDouble(&isNumber);
        if (le == QLatin1StringView("+Inf")) {
            store.take(allName(pool), series, seenUntil);
        } else if (isNumber && std::isfinite(bound)) {
            bounds.insert(bound);
            store.take(bucketName(pool, bound), series, seenUntil);
        }
    }
}

LatencyCounts countsIn(const CounterStore& store, const QString& pool,
    const std::set<double>& bounds, double from, double to)
{
    LatencyCounts counts;
    counts.requests = store.growth(allName(pool), from, to);
    for (const double bound : bounds) {
        counts.atMost.push_back(store.growth(bucketName(pool, bound), from, to));
    }
    return counts;
}

} // namespace sluice::ops::gatetext
