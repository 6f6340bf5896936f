#include "engine/classification/context/session.h"

#include <cstdlib>

using namespace sluice;

/// A stored session of any bytes is refused, or written and read again the same, and takes a turn.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size)
{
    const auto session =
        Session::fromJson(std::string_view(reinterpret_cast<const char*>(data), size));
    if (session) {
        const auto again = Session::fromJson(session->toJson());
        if (!again || !(*again == *session) || session->turns.size() > Session::maxTurns) {
            std::abort();
        }
        const Session merged = session->mergedOnto(*session);
        if (merged.turns.size() > Session::maxTurns
            || merged.turnCount != session->turnCount + (session->turns.empty() ? 0 : 1)) {
            std::abort();
        }
    }
    return 0;
}
