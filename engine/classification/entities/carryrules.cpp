#include "engine/classification/entities/carryrules.h"

#include "engine/base/json.h"
#include "engine/classification/entities/patternindex.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <fmt/format.h>

namespace sluice {

namespace json = boost::json;

namespace {

bool holds(std::span<const std::string> list, std::string_view wanted)
{
    return std::find(list.begin(), list.end(), wanted) != list.end();
}

} // namespace

CarryRules::CarryRules() = default;
CarryRules::~CarryRules() = default;
CarryRules::CarryRules(CarryRules&&) noexcept = default;
CarryRules& CarryRules::operator=(CarryRules&&) noexcept = default;

Result<CarryRules> CarryRules::fromJson(
    const json::value& value, const std::string& where, std::span<const std::string> types)
{
    CarryRules rules;
    rules.m_stated = true;
    JsonReader in(value, where);
    const auto add = [&](JsonReader& from, const char* key, Rule rule) {
        for (const std::string& type : rule.types) {
            if (!holds(types, type)) {
                from.fail(key, fmt::format("the catalogue reports no type \"{}\"", type));
            } else if (rules.find(type) != nullptr) {
                from.fail(key, fmt::format("\"{}\" is named twice", type));
            }
        }
        std::sort(rule.intents.begin(), rule.intents.end());
        rules.m_rules.push_back(std::move(rule));
    };
    add(in, "within_topic", {in.optionalStrings("within_topic"), {}});
    const json::value* list = in.optionalValue("into");
    const std::vector<std::string> patterns = in.optionalStrings("new_subject");
    if (list != nullptr && !list->is_array()) {
        in.fail("into", "an array of {\"types\", \"intents\"} is expected");
    }
    if (patterns.size() > maxPatterns) {
        in.fail("new_subject", fmt::format("at most {} patterns are taken", maxPatterns));
    }
    if (auto done = in.finish(); !done) {
        return done.error();
    }
    if (!patterns.empty()) {
        rules.m_newSubject = std::make_unique<PatternIndex>();
        for (const std::string& pattern : patterns) {
            if (auto added = rules.m_newSubject->add(pattern, false, 0, where + ": new_subject");
                !added) {
                return added.error();
            }
        }
        rules.m_newSubject->finish();
    }
    for (std::size_t index = 0; list != nullptr && index < list->get_array().size(); ++index) {
        JsonReader item(list->get_array()[index], fmt::format("{}: into[{}]", where, index));
        Rule rule{item.optionalStrings("types"), item.optionalStrings("intents")};
        if (!item.failed() && (rule.types.empty() || rule.intents.empty())) {
            item.fail(rule.types.empty() ? "types" : "intents", "must not be empty");
        }
        add(item, "types", std::move(rule));
        if (auto done = item.finish(); !done) {
            return done.error();
        }
    }
    return rules;
}

const CarryRules::Rule* CarryRules::find(std::string_view type) const
{
    const auto rule = std::find_if(m_rules.begin(), m_rules.end(),
        [&](const Rule& candidate) { return holds(candidate.types, type); });
    return rule == m_rules.end() ? nullptr : &*rule;
}

CarryRules::Reach CarryRules::reachOf(std::string_view type) const
{
    if (!m_stated) {
        return Reach::Always;
    }
    const Rule* rule = find(type);
    return rule == nullptr ? Reach::None : rule->intents.empty() ? Reach::Topic : Reach::Intents;
}

bool CarryRules::carriesInto(std::string_view type, std::string_view intent) const
{
    const Rule* rule = find(type);
    return rule != nullptr
        && std::binary_search(rule->intents.begin(), rule->intents.end(), intent);
}

bool CarryRules::opensSubject(std::string_view text) const
{
    if (m_newSubject == nullptr) {
        return false;
    }
    thread_local std::vector<PatternIndex::Hit> hits;
    hits.clear();
    m_newSubject->find(text, hits);
    return !hits.empty();
}

} // namespace sluice
