#include "engine/classification/entities/entitycatalogue.h"

#include <cstdlib>

using namespace sluice;

/// The first line is a catalogue, the rest a query; what is found lies in the query.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size)
{
    const std::string_view all(reinterpret_cast<const char*>(data), size);
    const auto newline = all.find('\n');
    const auto catalogue = EntityCatalogue::fromJson(all.substr(0, newline), "x");
    if (!catalogue || newline == std::string_view::npos) {
        return 0;
    }
    const std::string_view query = all.substr(newline + 1);
    for (const Entity& entity : catalogue->extract(query, std::chrono::sys_seconds())) {
        if (entity.span.byteBegin > entity.span.byteEnd || entity.span.byteEnd > query.size()
            || query.substr(entity.span.byteBegin, entity.span.byteEnd - entity.span.byteBegin)
                != entity.text) {
            std::abort();
        }
    }
    return 0;
}
