#include "engine/classification/thresholds/certificate.h"
#include "engine/classification/thresholds/changes.h"

#include <boost/json/serialize.hpp>
#include <cstdlib>

using namespace sluice;

namespace {

void check(bool holds)
{
    if (!holds) {
        std::abort();
    }
}

} // namespace

/// What is read is written and read again the same, differs from itself in nothing, and decides.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size)
{
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto certificate = Certificate::fromJson(text, "x")) {
        const auto again =
            Certificate::fromJson(boost::json::serialize(certificate->toJson()), "x");
        check(again && *again == *certificate && !certificate->sentences().empty());
    }
    const auto set = ThresholdSet::fromJson(text, "x");
    if (!set) {
        return 0;
    }
    const auto again = ThresholdSet::fromJson(set->toJson(), "x");
    check(again && *again == *set);
    check(diff(*set, *again).empty());
    const ThresholdMerge merged = merge(ThresholdSet(), *set, ThresholdSet());
    check(merged.conflicts.empty() && diff(merged.merged, *set).empty());
    const std::vector<std::string> labels{"a", "b", "c"};
    if (const auto compiled = CompiledThresholds::compile(*set, labels, {})) {
        const Candidate candidates[] = {{0, 0.6}, {2, 0.3}};
        const DecisionContext context{
            true, 3, std::chrono::sys_seconds(std::chrono::seconds(1772000000))};
        const Ruling ruling = compiled->decide(candidates, context);
        check(ruling.threshold >= 0 && ruling.threshold <= 1);
        check(ruling.verdict == compiled->verdict(candidates, context));
        check(compiled->timeHoldsUntil(*context.at) > *context.at);
    }
    return 0;
}
