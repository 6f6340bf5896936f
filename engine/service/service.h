#pragma once

#include "engine/base/result.h"
#include "engine/classification/context/rediscommands.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

namespace sluice::service {

/// What a worker runs with; sluiced's command line fills it in.
struct ServiceOptions
{
    std::string host = "127.0.0.1";
    std::uint16_t port = 0; ///< 0: any that is free
    std::string pool = "blue";
    std::filesystem::path model;
    std::filesystem::path catalogue; ///< empty: no entities
    std::string redisHost = "127.0.0.1";
    std::uint16_t redisPort = 0; ///< 0: sessions in memory, no published thresholds
    std::vector<RedisAddress> redisCluster; ///< nodes of a Redis Cluster to begin with, instead
    std::string redisUser;
    std::string redisPassword;
    std::size_t cacheBytes = std::size_t(32) << 20;
    std::chrono::seconds sessionLife{1800};
    std::chrono::milliseconds redisBudget{20}; ///< a query waits for its session so long
    std::chrono::seconds drain{5};
    std::string version;
};

/// A worker: classifier, sessions, threshold sets and HTTP on one event loop.
class Service
{
public:
    /// Loads and binds; Input error when the model is bad or the port in use.
    static Result<std::unique_ptr<Service>> make(const ServiceOptions& options);
    ~Service();

    std::uint16_t port() const;
    /// Serves until a signal (SIGTERM, SIGINT) or stop() has drained it. A second signal ends at
    /// once.
    void run();
    void stop(); ///< from any thread

private:
    class Private;
    explicit Service(std::unique_ptr<Private> d);
    std::unique_ptr<Private> d;
};

} // namespace sluice::service
