#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sluice::service {

enum class InflateOutcome
{
    Done,
    TooLarge, ///< more than the limit comes out; no more than that was ever held
    Broken, ///< no gzip, cut off, or a wrong checksum
};

/// Inflates `packed` (gzip, RFC 1952; members behind each other are one text) into `out`, up to
/// `limit` bytes.
InflateOutcome gunzip(std::string_view packed, std::size_t limit, std::string& out);

} // namespace sluice::service
