#pragma once

#include "engine/operations/rollout/gatesource.h"
#include "engine/operations/rollout/latencytest.h"
#include "engine/operations/rollout/sequentialtest.h"
#include "engine/operations/rollout/splitcheck.h"

#include <QJsonObject>
#include <optional>

namespace sluice::ops {

/// What one stage has gathered since its share was verified: the tests of its gates, fed with the
/// counts of both pools between two looks. Saved into the rollout's journal (a few KiB whatever the
/// length of the soak) and restored to the bit.
class StageEvidence
{
public:
    StageEvidence(const GateContext& what, double dispersion);

    /// Whether this is the evidence of that stage of that rollout, at that soak.
    bool isOf(const GateContext& what) const;

    /// Counts of (from, to], seconds since 1970.
    void addErrors(double to, const ArmPair& counts);
    void addLatencies(double to, const std::vector<double>& bounds, const LatencyCounts& canary,
        const LatencyCounts& baseline);

    double errorsUntil() const { return m_errorsUntil; } ///< seconds since 1970
    double latenciesUntil() const { return m_latenciesUntil; }
    const ArmPair& totals() const { return m_totals; }
    double dispersion() const { return m_dispersion; }

    const RateRatioTest& worse() const { return m_worse; }
    const RateProof& proof() const { return m_proof; }
    const SplitCheck& split() const { return m_split; }
    /// Empty until the first latencies came.
    const std::optional<LatencyTest>& slower() const { return m_slower; }

    QJsonObject toJson() const;
    /// Empty when it is damaged, or of another version.
    static std::optional<StageEvidence> fromJson(const QJsonObject& saved);

private:
    StageEvidence() = default;
    void makeTests();

    QString m_rolloutId;
    int m_stage = 0;
    qint64 m_soakFromMs = 0;
    double m_soakSeconds = 0;
    double m_timeScale = 1;
    double m_share = 0;
    double m_ratioMargin = 1;
    double m_proofMargin = 2;
    double m_latencyFactor = 2;
    double m_splitTolerance = 0.2;
    double m_dispersion = 1;
    double m_errorsUntil = 0;
    double m_latenciesUntil = 0;
    ArmPair m_totals;
    std::vector<double> m_bounds;
    RateRatioTest m_worse{RateTestSettings{}};
    RateProof m_proof;
    SplitCheck m_split{SplitCheckSettings{}};
    std::optional<LatencyTest> m_slower;
};

} // namespace sluice::ops
