#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sluice::test {

/// What is sent to a server on 127.0.0.1.
struct HttpLoad
{
    std::uint16_t port = 0;
    std::vector<std::string> requests; ///< whole ones, sent in turn
    std::size_t connections = 64; ///< kept alive; one request at a time on each
    double rate = 0; ///< requests a second by a fixed schedule (open loop); 0: closed loop
    double seconds = 5;
    bool reopens = true; ///< connections that the server ended
};

struct HttpLoadResult
{
    std::uint64_t scheduled = 0; ///< asked for by the schedule (closed loop: sent)
    std::uint64_t good = 0; ///< 2xx
    std::uint64_t shed = 0; ///< 503 and 429
    std::uint64_t wrong = 0; ///< other answers
    std::uint64_t failed = 0; ///< connections that broke with a request on them
    double seconds = 0;
    std::vector<float> latencies; ///< of the good ones, ms, sorted; from the time they were due

    double percentile(double share) const;
    double goodRate() const { return seconds > 0 ? double(good) / seconds : 0; }
};

/// A generator on one epoll loop, cheap enough to load a worker that has a core to itself. In an
/// open loop a request that finds no connection free waits, and its time counts from when it was
/// due. Ends 1 s after the schedule at the latest; what is unanswered then is neither good nor
/// shed. Connections that the server closes are opened anew.
HttpLoadResult runHttpLoad(const HttpLoad& load);

/// POST /v1/classify of a text; `session` and `headers` may be empty.
std::string classifyRequest(
    const std::string& text, const std::string& session = {}, const std::string& headers = {});

} // namespace sluice::test
