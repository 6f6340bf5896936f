#pragma once

#include "engine/classification/context/session.h"
#include "engine/classification/entities/carryrules.h"

#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice {

/// What the scores say a turn is about.
struct TurnIntent
{
    std::string_view predicted; ///< the first candidate; empty: rather out of scope
    /// Intents with their confidences, from the highest on; some of the best are enough.
    std::span<const std::pair<std::string_view, double>> candidates;
};

/// The entities of earlier turns that are in force in this one, by the catalogue's rules: of each
/// type that the turn does not name itself (`own`) the one named last. A type that goes into
/// certain intents goes where these hold most of the candidates' confidence: two that are hard to
/// tell apart often agree in this. Nothing goes into a turn that is rather out of scope, or past
/// one that opened another subject. Each tells the turn that it was named in, and has no span.
std::vector<Entity> carriedEntities(const CarryRules& rules, const Session& session,
    const TurnIntent& intent, std::span<const Entity> own);

} // namespace sluice
