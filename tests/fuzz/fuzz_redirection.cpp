#include "engine/classification/context/clusterslots.h"

#include <cstdlib>

using namespace sluice;

/// An error reply of any bytes is no redirection, or one to a slot and an address that there can
/// be.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size)
{
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto found = clusterRedirectionOf(text, {"127.0.0.1", 6379});
    if (found) {
        const auto again = RedisAddress::parse(found->target.text());
        if (found->slot >= clusterSlotCount || !again || !(*again == found->target)) {
            std::abort();
        }
    }
    if (clusterSlotOf(text) >= clusterSlotCount) {
        std::abort();
    }
    return 0;
}
