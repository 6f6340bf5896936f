#pragma once

#include "engine/base/result.h"
#include "engine/classification/entities/values.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <re2/re2.h>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// One entry of a catalogue, as far as all its kinds share it.
struct CatalogueEntry
{
    std::string type;
    std::uint32_t typeNumber = 0; ///< the same of all entries of a type
    Normaliser normaliser = Normaliser::None;
    bool reported = true; ///< false: only keeps others from claiming its text
    std::string fixedValue; ///< of whatever its patterns match; empty: made of the match
};

/// An entity on its way: its place in bytes, the entry that found it, its value.
struct FoundEntity
{
    std::size_t begin = 0;
    std::size_t end = 0;
    std::uint32_t entry = 0;
    std::string value;
};

/// Makes entities out of entities that stand together: a date and a time are a moment, two amounts
/// with "to" between them a range.
class Composer
{
public:
    /// `form` has the types of the parts in braces and RE2 patterns before, between and after
    /// them: "from {date} to {date}". `value` is made of the parts' values ("{1}T{2}"); where it is
    /// empty the value is a range, "first/second". Input error that begins with `where`.
    Result<void> add(const std::string& form, const std::string& value, std::uint32_t entry,
        const std::vector<CatalogueEntry>& entries, const std::string& where);

    /// Replaces parts in `found` (in order of position) by what they make; the forms are tried in
    /// the order in which they were added, each from left to right, and see what earlier ones made.
    void compose(std::string_view text, const Moment& now,
        const std::vector<CatalogueEntry>& entries, std::vector<FoundEntity>& found) const;

    std::size_t size() const { return m_forms.size(); }

    static constexpr std::size_t maxForms = 200;
    static constexpr std::size_t maxParts = 4;

private:
    struct Form
    {
        std::vector<std::uint32_t> types; ///< of the parts, by number
        std::vector<std::unique_ptr<RE2>> gaps; ///< before, between and after; null where empty
        std::string value;
        std::uint32_t entry = 0;
    };

    static bool matches(const Form& form, std::string_view text, const FoundEntity* parts,
        const std::vector<CatalogueEntry>& entries, FoundEntity& made);

    std::vector<Form> m_forms;
};

} // namespace sluice
