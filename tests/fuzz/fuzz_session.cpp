#include "engine/classification/context/session.h"

#include <cstdlib>

using namespace sluice;

/// A stored session of any bytes is refused, or written and read again the same.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size)
{
    const auto session =
        Session::fromJson(std::string_view(reinterpret_cast<const char*>(data), size));
    if (session) {
        const auto again = Session::fromJson(session->toJson());
        if (!again || !(*again == *session) || session->turns.size() > Session::maxTurns) {
            std::abort();
        }
    }
    return 0;
}
