#include "engine/operations/rollout/gatesource.h"

#include "engine/operations/rollout/rolloutstate.h"

#include <algorithm>

namespace sluice::ops {

namespace {

constexpr double leastSeconds = 10; ///< holds some scrapes, however much a plan is scaled

} // namespace

GateContext GateContext::of(const RolloutState& state, qint64 nowMs)
{
    GateContext what;
    what.rolloutId = state.rolloutId;
    what.canary = state.canary;
    what.stable = state.stable;
    what.stage = state.stage;
    what.shareBasisPoints = state.canaryBasisPoints();
    what.gates = state.plan.triggers;
    what.timeScale = state.plan.timeScale;
    what.soakFromMs = state.soakFromMs;
    what.soakMs = state.currentStage() ? state.plan.scaled(state.currentStage()->soakMs) : 0;
    what.nowMs = nowMs;
    return what;
}

double GateContext::gaugeSeconds(const PlannedGate& gate) const
{
    return std::max(leastSeconds, double(gate.windowMs) * timeScale / 1000);
}

double GateContext::stableHourSeconds() const
{
    return std::max(leastSeconds, 3600 * timeScale);
}

double GateContext::stableHourEnd() const
{
    return double(soakFromMs > 0 ? soakFromMs : nowMs) / 1000;
}

} // namespace sluice::ops
