#include "engine/operations/monitoring/targets.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace sluice::ops {

Judgement Target::judge(std::optional<double> value) const
{
    if (!value || std::isnan(*value)) {
        return Judgement::NoData;
    }
    return (below ? *value < limit : *value > limit) ? Judgement::Ok : Judgement::Breach;
}

const QList<Target>& ownersTargets()
{
    static const QList<Target> targets{
        {Quantity::LatencyP95, QStringLiteral("p95"), QStringLiteral("< 200 ms"), 0.2, true},
        {Quantity::LatencyP99, QStringLiteral("p99"), QStringLiteral("< 500 ms"), 0.5, true},
        {Quantity::RequestRate, QStringLiteral("requests/s"), QStringLiteral("> 100 /s"), 100,
            false},
        {Quantity::Memory, QStringLiteral("memory"), QStringLiteral("< 512 MB"), 512e6, true},
        {Quantity::Cpu, QStringLiteral("CPU"), QStringLiteral("< 70 %"), 0.7, true},
        {Quantity::ErrorShare, QStringLiteral("errors"), QStringLiteral("< 0.1 %"), 0.001, true},
        {Quantity::CacheHitRatio, QStringLiteral("cache hits"), QStringLiteral("> 60 %"), 0.6,
            false},
    };
    return targets;
}

const Target& targetOf(Quantity quantity)
{
    return ownersTargets().at(qsizetype(quantity));
}

std::optional<double> mixShift(
    const QHash<QString, double>& now, const QHash<QString, double>& reference)
{
    constexpr double least = 1e-4;
    const auto total = [](const QHash<QString, double>& mix) {
        return std::accumulate(mix.begin(), mix.end(), 0.0);
    };
    const double nowTotal = total(now);
    const double referenceTotal = total(reference);
    if (!(nowTotal > 0) || !(referenceTotal > 0)) {
        return std::nullopt;
    }
    QHash<QString, double> all = reference;
    all.insert(now);
    double shift = 0;
    for (auto intent = all.begin(); intent != all.end(); ++intent) {
        const double a = std::max(least, now.value(intent.key()) / nowTotal);
        const double b = std::max(least, reference.value(intent.key()) / referenceTotal);
        shift += (a - b) * std::log(a / b);
    }
    return shift;
}

} // namespace sluice::ops
