#pragma once

#include "engine/base/result.h"

#include <string>
#include <string_view>

namespace sluice {

/// Longest query that is classified, in Unicode code points; longer ones are refused.
inline constexpr std::size_t maxQueryCodePoints = 4096;

/// Checks a query as it came from outside: valid UTF-8 (RFC 3629), not blank, at most `most` code
/// points. Input error with the byte offset of the first invalid sequence.
Result<void> checkQuery(std::string_view query, std::size_t most = maxQueryCodePoints);

/// NFKC with case folding (Unicode 15, UAX #15 toNFKC_Casefold), white space and control
/// characters collapsed to single blanks, trimmed. `query` must be valid UTF-8. ASCII takes a fast
/// path.
std::string normalise(std::string_view query);

} // namespace sluice
