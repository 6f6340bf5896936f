#include "engine/operations/monitoring/targets.h"

#include <cmath>

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

} // namespace sluice::ops
