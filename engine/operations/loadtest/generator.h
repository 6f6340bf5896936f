#pragma once

#include "engine/base/result.h"
#include "engine/operations/loadtest/latencyhistogram.h"

#include <atomic>
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
    std::string host; ///< loopback address
    std::uint16_t port = 0;
    int users = 1;
    double requestsPerSecond = 1;
    double seconds = 1;
    std::uint64_t seed = 1;
    std::vector<std::string> queries; ///< not empty
    int maxConnections = 4000; ///< beyond, requests wait (and the waiting counts)
};

struct GeneratorSecond
{
    int second = 0;
    int scheduled = 0;
    int completed = 0;
    int errors = 0;
    int inFlight = 0;
    LatencyHistogram corrected; ///< from the intended start
};

struct GeneratorResult
{
    bool completed = false; ///< false: stopped early
    std::int64_t scheduled = 0;
    std::int64_t sent = 0;
    std::int64_t succeeded = 0;
    std::map<std::string, std::int64_t> errors; ///< by kind
    LatencyHistogram corrected; ///< from the intended start
    LatencyHistogram uncorrected; ///< from the actual send
    LatencyHistogram startLag; ///< from the intended start to the moment the generator got to it
    double elapsedSeconds = 0;
};

/// The load itself, Qt-free: one thread, one Asio event loop, keep-alive connections, an open-loop
/// schedule. Requests start at intended times that do not depend on answers: request i in the i-th
/// slot of 1/rate seconds, at a random place in it; its user is drawn so that every user comes once
/// a round, in a new order each round.
class Generator
{
public:
    using OnSecond =
        std::function<void(const GeneratorSecond&)>; ///< called on the generator's thread
    using OnEnd = std::function<void(GeneratorResult)>; ///< the last call

    explicit Generator(GeneratorPlan plan);
    ~Generator(); ///< stops and joins

    void start(OnSecond onSecond, OnEnd onEnd);
    void stop(); ///< from any thread; OnEnd follows within a second

private:
    class Loop;
    std::unique_ptr<Loop> m_loop;
    std::thread m_thread;
};

} // namespace sluice::ops
