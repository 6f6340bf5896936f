#pragma once

#include "engine/base/result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice {

/// Where a Sentry project takes reports:
/// {PROTOCOL}://{PUBLIC_KEY}[:{SECRET}]@{HOST}[:{PORT}]{PATH}/{PROJECT_ID}.
struct SentryDsn
{
    bool tls = true;
    std::string publicKey;
    std::string secret; ///< of old projects; empty
    std::string host; ///< IPv6 without its brackets
    std::uint16_t port = 443;
    std::string path; ///< "/api/42/envelope/"

    /// Input error saying what is missing; the message does not repeat the keys.
    static Result<SentryDsn> parse(std::string_view text);

    std::string hostHeader() const;
    /// The header X-Sentry-Auth.
    std::string authorization(std::string_view client) const;
};

} // namespace sluice
