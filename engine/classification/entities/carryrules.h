#pragma once

#include "engine/base/result.h"

#include <boost/json/fwd.hpp>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

class PatternIndex;

/// How long the entities of a conversation stay in force: the catalogue's "carry"
/// (docs/FORMATS.md). An order number, say, goes along into every turn about an order, also over a
/// change of topic; an amount only while the topic stays; and nothing into what the user opens as
/// another subject. Without "carry" in the catalogue everything goes along. Immutable; safe from
/// any thread.
class CarryRules
{
public:
    static constexpr std::size_t maxPatterns = 200;

    enum class Reach
    {
        None, ///< it is not carried
        Topic, ///< while the intent stays the one that it was named with
        Intents, ///< into turns with certain intents, see carriesInto()
        Always
    };

    CarryRules();
    ~CarryRules();
    CarryRules(CarryRules&&) noexcept;
    CarryRules& operator=(CarryRules&&) noexcept;

    /// `value` is the catalogue's "carry"; `types` are those it reports. Input error naming the
    /// member, or a pattern's position, where it is wrong; a type that `types` lacks is wrong.
    static Result<CarryRules> fromJson(const boost::json::value& value, const std::string& where,
        std::span<const std::string> types);

    Reach reachOf(std::string_view type) const;
    /// Whether an entity of a type whose reach is Intents goes into turns with this one.
    bool carriesInto(std::string_view type, std::string_view intent) const;

    /// Whether the words of `text` (valid UTF-8) turn to something else than was talked about:
    /// "on my other order". What was named before is then no longer meant.
    bool opensSubject(std::string_view text) const;

private:
    struct Rule
    {
        std::vector<std::string> types;
        std::vector<std::string> intents; ///< sorted; empty: the topic
    };
    const Rule* find(std::string_view type) const;

    bool m_stated = false;
    std::vector<Rule> m_rules;
    std::unique_ptr<PatternIndex> m_newSubject; ///< null: there are no such words
};

} // namespace sluice
