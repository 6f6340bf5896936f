#pragma once

#include "engine/base/result.h"
#include "engine/operations/loadtest/latencyhistogram.h"
#include "engine/operations/loadtest/loadprofile.h"
#include "engine/operations/loadtest/requestbook.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace sluice::ops {

/// What the generator does; numbers checked by its caller.
struct GeneratorPlan
{
    std::string host; ///< numeric IPv4 or IPv6 address
    std::uint16_t port = 0;
    LoadProfile profile{std::vector<LoadPhase>{}};
    bool open = true; ///< the profile's level is requests a second; else users
    int users = 1; ///< sessions (open), the most users (closed)
    double thinkSeconds = 0; ///< closed; mean
    double thinkJitter = 0.5;
    std::uint64_t seed = 1;
    std::vector<Script> scripts; ///< not empty
    RequestOptions requests; ///< its session prefix is made here
    int maxInFlight = 4000; ///< beyond, requests wait (and the waiting counts)
    double timeoutSeconds = 10; ///< from the send, or from the attempt to connect
    std::int64_t maxRequests = INT64_MAX; ///< then it ends, "bounded"
};

/// One second, or a part of the last one.
struct GeneratorSecond
{
    int second = 0;
    double seconds = 1;
    int scheduled = 0;
    int sent = 0;
    int completed = 0;
    int inFlight = 0;
    int connections = 0;
    double users = 0;
    double level = 0; ///< of the profile
    double cpuShare = 0; ///< of the generator's thread
    double residentMiB = 0; ///< of the process
    std::map<std::string, std::int64_t> errors; ///< by kind
    LatencyHistogram corrected; ///< from the intended start
    LatencyHistogram uncorrected; ///< from the actual send
    LatencyHistogram startLag; ///< from the intended start to the moment the generator got to it
};

struct GeneratorError
{
    std::string kind;
    double second = 0;
    std::string detail;
};

struct GeneratorResult
{
    bool completed = false; ///< false: ended early
    bool bounded = false; ///< by maxRequests
    std::int64_t scheduled = 0;
    std::int64_t sent = 0;
    std::int64_t succeeded = 0; ///< status 2xx
    std::map<std::string, std::int64_t> errors; ///< by kind
    std::vector<GeneratorError> samples; ///< a few of each kind
    LatencyHistogram corrected;
    LatencyHistogram uncorrected;
    LatencyHistogram startLag;
    double elapsedSeconds = 0;
    double cpuSeconds = 0; ///< of the generator's thread
};

/// The load itself, Qt-free: one thread, one epoll loop, keep-alive connections.
///
/// Open: requests start at intended times that do not depend on answers: request i in the i-th
/// slot under the profile's curve, at a random place in it; its user is drawn so that every user
/// comes once a round, in a new order each round. Connections are shared, the warmest first.
///
/// Closed: as many users as the profile says, each with a connection of its own, who ask, wait for
/// the answer, think and ask again; the first time at a random place in their first think time, so
/// that those who come together don't fire in step. The intended start is the end of the thinking.
/// After a failure a user waits 100 ms at least.
class Generator
{
public:
    using OnSecond = std::function<void(GeneratorSecond)>; ///< called on the generator's thread
    using OnEnd = std::function<void(GeneratorResult)>; ///< the last call

    explicit Generator(GeneratorPlan plan);
    ~Generator(); ///< stops and joins

    /// Internal error where the system refuses an epoll descriptor.
    Result<void> start(OnSecond onSecond, OnEnd onEnd);
    void stop(); ///< from any thread; OnEnd follows within half a second

private:
    class Loop;
    std::unique_ptr<Loop> m_loop;
    std::thread m_thread;
};

} // namespace sluice::ops
