#include "engine/base/json.h"

#include <cstdlib>

using namespace sluice;

/// Parse never crashes; an object is read member by member with every reader.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size)
{
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto value = parseJson(text, "x");
    if (!value) {
        return value.error().message.empty() ? std::abort(), 0 : 0;
    }
    JsonReader in(*value, "x");
    in.number("a", 0, 1);
    in.integer("b", -5, 5);
    in.boolean("c");
    in.string("d");
    in.optionalStrings("e");
    in.optionalValue("f");
    (void)in.finish();
    return 0;
}
