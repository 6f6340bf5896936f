#include "engine/base/sha256.h"

#include <array>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

namespace sluice {

namespace {

using Digest = std::array<unsigned char, SHA256_DIGEST_LENGTH>;

template <std::size_t size> std::string hexOf(const std::array<unsigned char, size>& digest)
{
    static constexpr char digits[] = "0123456789abcdef";
    std::string hex;
    hex.reserve(digest.size() * 2);
    for (const unsigned char byte : digest) {
        hex += digits[byte >> 4];
        hex += digits[byte & 15];
    }
    return hex;
}

const unsigned char* bytesOf(std::string_view text)
{
    return reinterpret_cast<const unsigned char*>(text.data());
}

} // namespace

std::string sha256Hex(std::string_view bytes)
{
    Digest digest{};
    SHA256(bytesOf(bytes), bytes.size(), digest.data());
    return hexOf(digest);
}

std::string sha1Hex(std::string_view bytes)
{
    std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
    SHA1(bytesOf(bytes), bytes.size(), digest.data());
    return hexOf(digest);
}

std::string hmacSha256Hex(std::string_view key, std::string_view bytes)
{
    Digest digest{};
    HMAC(EVP_sha256(), key.data(), int(key.size()), bytesOf(bytes), bytes.size(), digest.data(),
        nullptr);
    return hexOf(digest);
}

} // namespace sluice
