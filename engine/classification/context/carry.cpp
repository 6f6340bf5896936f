#include "engine/classification/context/carry.h"

#include <algorithm>

namespace sluice {

namespace {

bool hasType(std::span<const Entity> entities, std::string_view type)
{
    return std::any_of(entities.begin(), entities.end(),
        [&](const Entity& entity) { return entity.type == type; });
}

bool isMostlyInto(const CarryRules& rules, std::string_view type, const TurnIntent& intent)
{
    double into = 0;
    double all = 0;
    for (const auto& [name, confidence] : intent.candidates) {
        all += confidence;
        into += rules.carriesInto(type, name) ? confidence : 0.0;
    }
    return into > all / 2;
}

} // namespace

std::vector<Entity> carriedEntities(const CarryRules& rules, const Session& session,
    const TurnIntent& intent, std::span<const Entity> own)
{
    std::vector<Entity> carried;
    std::vector<std::string_view> seen;
    bool sameTopic = !intent.predicted.empty();
    for (auto turn = session.turns.rbegin(); turn != session.turns.rend(); ++turn) {
        sameTopic = sameTopic && turn->predicted == intent.predicted;
        for (auto entity = turn->entities.rbegin(); entity != turn->entities.rend(); ++entity) {
            if (hasType(own, entity->type)
                || std::find(seen.begin(), seen.end(), entity->type) != seen.end()) {
                continue;
            }
            seen.push_back(entity->type);
            const CarryRules::Reach reach = rules.reachOf(entity->type);
            if (reach == CarryRules::Reach::Always
                || (reach == CarryRules::Reach::Topic && sameTopic)
                || (reach == CarryRules::Reach::Intents && !intent.predicted.empty()
                    && isMostlyInto(rules, entity->type, intent))) {
                carried.push_back(*entity);
                carried.back().span = {};
                carried.back().turn = turn->number;
            }
        }
        if (turn->newSubject) {
            break;
        }
    }
    return carried;
}

} // namespace sluice
