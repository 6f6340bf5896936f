#pragma once

#include <string>
#include <string_view>

namespace sluice {

/// SHA-256 (FIPS 180-4) of `bytes` as 64 lower-case hexadecimal digits.
std::string sha256Hex(std::string_view bytes);

/// SHA-1, as Redis names a script by it. Protects nothing.
std::string sha1Hex(std::string_view bytes);

/// HMAC (RFC 2104) of `bytes` with SHA-256 under `key`, likewise.
std::string hmacSha256Hex(std::string_view key, std::string_view bytes);

} // namespace sluice
