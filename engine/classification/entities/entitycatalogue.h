#pragma once

#include "engine/base/result.h"
#include "engine/classification/entities/entity.h"

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// The patterns by which entities are found, read from a JSON catalogue
/// (resources/helpdesk/entities.json shows the format). Patterns are RE2: linear time, whatever
/// was typed. Case matters where the entry says so ("case_sensitive"). Where a pattern has a
/// capturing group, the value is made of that group alone ("size (xl|l)" -> "XL"). Words are found
/// between signs that are no letters or digits in any script. Immutable after loading; extract()
/// may be called from any thread.
class EntityCatalogue
{
public:
    /// A catalogue without patterns: finds nothing.
    EntityCatalogue();
    ~EntityCatalogue();
    EntityCatalogue(EntityCatalogue&&) noexcept;
    EntityCatalogue& operator=(EntityCatalogue&&) noexcept;

    /// Input error with the entry and the position in the pattern where one does not compile.
    static Result<EntityCatalogue> fromJson(std::string_view text, std::string_view where);
    static Result<EntityCatalogue> fromFile(const std::filesystem::path& path);

    /// The entities of `text` (valid UTF-8), in order of position, without overlaps: the longest
    /// match wins, then the earlier entry of the catalogue; of one pattern at most the first 256
    /// matches. Relative dates are resolved against `now` in UTC.
    std::vector<Entity> extract(std::string_view text, std::chrono::sys_seconds now) const;

    std::vector<std::string> types() const;
    std::size_t size() const;

private:
    struct Data;
    std::unique_ptr<const Data> m_data;
};

} // namespace sluice
