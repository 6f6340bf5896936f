#include "engine/classification/entities/entitycatalogue.h"
#include "engine/classification/entities/values.h"

#include <cstdlib>

using namespace sluice;

namespace {

const std::chrono::sys_seconds now =
    std::chrono::sys_days(std::chrono::year(2026) / 3 / 11) + std::chrono::hours(10);

void require(bool holds)
{
    if (!holds) {
        std::abort();
    }
}

/// What is found lies in the query, in order, without overlaps, in both units.
void check(const EntityCatalogue& catalogue, std::string_view query)
{
    std::size_t end = 0;
    std::size_t codePointEnd = 0;
    for (const Entity& entity : catalogue.extract(query, now)) {
        const TextSpan& span = entity.span;
        require(span.byteBegin >= end && span.byteBegin < span.byteEnd);
        require(span.byteEnd <= query.size());
        require(query.substr(span.byteBegin, span.byteEnd - span.byteBegin) == entity.text);
        require(span.codePointBegin >= codePointEnd && span.codePointEnd <= span.byteEnd);
        end = span.byteEnd;
        codePointEnd = span.codePointEnd;
    }
}

void normaliseAll(std::string_view text)
{
    for (int normaliser = 0; normaliser <= int(Normaliser::Duration); ++normaliser) {
        (void)normaliseValue(Normaliser(normaliser), text, Moment{now, Zone()});
    }
}

} // namespace

/// The first line is a catalogue, the rest a query, which every normaliser is given as well.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size)
{
    const std::string_view all(reinterpret_cast<const char*>(data), size);
    const auto newline = all.find('\n');
    const auto catalogue = EntityCatalogue::fromJson(all.substr(0, newline), "x");
    if (newline == std::string_view::npos) {
        return 0;
    }
    const std::string_view query = all.substr(newline + 1);
    if (catalogue) {
        check(*catalogue, query);
    }
    normaliseAll(query);
    return 0;
}
