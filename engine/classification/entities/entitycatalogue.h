#pragma once

#include "engine/base/result.h"
#include "engine/classification/entities/carryrules.h"
#include "engine/classification/entities/entity.h"
#include "engine/classification/entities/zone.h"

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// How entities are found, read from a JSON catalogue (docs/FORMATS.md, resources/schema and
/// resources/helpdesk/entities.json): by patterns (RE2: linear time, whatever was typed), by lists
/// of words, and out of other entities. Immutable after loading; extract() may be called from any
/// thread.
class EntityCatalogue
{
public:
    /// A catalogue without entries: finds nothing.
    EntityCatalogue();
    ~EntityCatalogue();
    EntityCatalogue(EntityCatalogue&&) noexcept;
    EntityCatalogue& operator=(EntityCatalogue&&) noexcept;

    /// Input error with the entry, the position in the pattern and what to do where one is wrong.
    static Result<EntityCatalogue> fromJson(std::string_view text, std::string_view where);
    static Result<EntityCatalogue> fromFile(const std::filesystem::path& path);

    /// The entities of `text` (valid UTF-8), in order of position, without overlaps: the longest
    /// match wins, then the earlier entry of the catalogue, then the earlier place; a match that
    /// its normaliser can't read is none. Then composed entities take the place of their parts.
    /// Relative dates are resolved against `now` in the zone of the catalogue.
    std::vector<Entity> extract(std::string_view text, std::chrono::sys_seconds now) const;
    /// The same in another zone.
    std::vector<Entity> extract(
        std::string_view text, std::chrono::sys_seconds now, const Zone& zone) const;

    /// What of a conversation stays in force.
    const CarryRules& carry() const;

    /// The types that may be reported, in the order of the catalogue.
    std::vector<std::string> types() const;
    /// Patterns, lists and composed forms.
    std::size_t size() const;

private:
    struct Data;
    std::unique_ptr<const Data> m_data;
};

} // namespace sluice
