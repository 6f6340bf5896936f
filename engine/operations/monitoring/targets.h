#pragma once

#include <QHash>
#include <QList>
#include <QString>
#include <optional>

namespace sluice::ops {

enum class Quantity
{
    LatencyP95, ///< seconds
    LatencyP99, ///< seconds
    RequestRate, ///< requests a second
    Memory, ///< bytes, the largest worker
    Cpu, ///< 1 = one core busy, the busiest worker
    ErrorShare, ///< 0..1
    CacheHitRatio ///< 0..1
};

enum class Judgement
{
    Ok,
    Breach,
    NoData
};

/// What the owners ask of the service in one quantity.
struct Target
{
    Quantity quantity = Quantity::LatencyP95;
    QString name; ///< "p95"
    QString limitText; ///< "< 200 ms"
    double limit = 0; ///< in the quantity's unit
    bool below = true; ///< the value must stay below the limit; else above it

    /// Missing and NaN are NoData; the limit itself is a breach.
    Judgement judge(std::optional<double> value) const;
};

/// One target for each quantity, in the order of the enumeration.
const QList<Target>& ownersTargets();
const Target& targetOf(Quantity quantity);

/// How far a mix of shares (of intents, say) lies from another, as the population stability index:
/// sum of (a - b) ln(a / b). Under 0.1 they are alike, over 0.25 they are not. A share of 0 counts
/// as 0.0001. Both are scaled to add up to 1; an empty one gives none.
std::optional<double> mixShift(
    const QHash<QString, double>& now, const QHash<QString, double>& reference);

} // namespace sluice::ops
