#pragma once

#include "engine/base/result.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace sluice {

struct HttpPost
{
    bool tls = false; ///< certificates are checked against the system's (or SSL_CERT_FILE)
    std::string host;
    std::uint16_t port = 80;
    std::string target; ///< "/path"
    std::vector<std::pair<std::string, std::string>> headers; ///< Content-Length is added
    std::string body;
};

struct HttpReply
{
    int status = 0;
    std::vector<std::pair<std::string, std::string>> headers; ///< names in lower case
};

/// Sends one request on a connection of its own and reads the reply's header. Waits for up to
/// `timeout`: not for an event loop. Unreachable error when there is no reply in time.
Result<HttpReply> post(const HttpPost& request, std::chrono::milliseconds timeout);

} // namespace sluice
