#include "engine/classification/thresholds/thresholdset.h"

#include <cstdlib>

using namespace sluice;

/// What is read is written and read again the same, and decides.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size)
{
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto set = ThresholdSet::fromJson(text, "x");
    if (!set) {
        return 0;
    }
    const auto again = ThresholdSet::fromJson(set->toJson(), "x");
    if (!again || !(*again == *set)) {
        std::abort();
    }
    const std::vector<std::string> labels{"a", "b", "c"};
    if (const auto compiled = CompiledThresholds::compile(*set, labels, {})) {
        const Candidate candidates[] = {{0, 0.6}, {2, 0.3}};
        const Ruling ruling = compiled->decide(candidates, {true, 3});
        if (!(ruling.threshold >= 0 && ruling.threshold <= 1)
            || ruling.verdict != compiled->verdict(candidates, {true, 3})) {
            std::abort();
        }
    }
    return 0;
}
