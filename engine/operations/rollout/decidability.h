#pragma once

#include <QString>
#include <optional>

namespace sluice::ops {

/// What a stage will see, as far as it is known before it starts.
struct StageTraffic
{
    double canaryPerSecond = 0; ///< requests
    double baselinePerSecond = 0;
    double errorShare = 0; ///< of the stable pool, 0..1
    double dispersion = 1; ///< of its errors a scrape (dispersionOf())
    double soakSeconds = 7200;
    double scrapeSeconds = 15;
};

/// What such traffic can decide within the soak.
struct Decidability
{
    /// Share of healthy soaks (same error share in both pools) in which RateProof ("errors less
    /// than twice as frequent, or under 0.1 %") succeeds, and the time in which half of all soaks
    /// prove it; empty where fewer do.
    double provenShare = 0;
    std::optional<double> provenSeconds;
    /// The same of a fault that makes errors ten times as frequent (1 % where there are none) from
    /// the start on.
    double foundShare = 0;
    std::optional<double> foundSeconds;
    /// Canary requests that a 5 min window holds: under 200 the owners' error trigger judges
    /// nothing.
    double requestsPerWindow = 0;

    /// Whether at least nine of ten healthy soaks will prove it.
    bool canDecide() const { return provenShare >= 0.9; }
    /// One or two sentences for the lead: "at 1 req/s this gate can't decide in 2 h ...".
    QString text(const StageTraffic& traffic) const;
};

/// Simulates `runs` soaks of Poisson errors with the tests that the gates use (worseRate(),
/// RateProof), always with the same random numbers: the same traffic gives the same answer.
/// Under 0.1 s for 200 soaks of 2 h. Limits: alpha 0.001 to fail, 0.05 to prove.
Decidability decidability(const StageTraffic& traffic, int runs = 200);

} // namespace sluice::ops
