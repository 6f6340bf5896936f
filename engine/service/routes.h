#pragma once

#include "engine/classification/classifier.h"
#include "engine/classification/context/sessionstore.h"
#include "engine/service/http/server.h"
#include "engine/service/metrics.h"

#include <functional>
#include <memory>
#include <string>

namespace sluice::service {

/// What the routes answer from. Everything is owned by the service and outlives them.
struct RouteContext
{
    const Classifier* classifier = nullptr;
    SessionStore* sessions = nullptr;
    Metrics* metrics = nullptr;
    std::function<std::shared_ptr<const CompiledThresholds>()> thresholds;
    std::function<bool()> ready;
    std::function<std::string()> metricsText;
    std::string pool;
    std::string version;
    std::string modelFile;
    std::string startedAt; ///< RFC 3339
};

/// The worker's HTTP routes (docs/API.md): decides, answers, counts. Runs on the event loop's
/// thread.
class Routes
{
public:
    static constexpr std::size_t maxBatch = 1000;

    explicit Routes(RouteContext context);

    void handle(Request request, Server::Respond respond);

private:
    struct Route;
    static const Route* find(std::string_view path);

    void classify(const std::shared_ptr<Request>& request, const Server::Respond& respond);
    /// Stores the turn; `send` is called when it is stored if that is asked for, else at once.
    void save(const Session& session, Answer answer, bool durable,
        const std::function<void(const Answer&, bool stored)>& send);
    void batch(const std::shared_ptr<Request>& request, const Server::Respond& respond);
    void info(const std::shared_ptr<Request>& request, const Server::Respond& respond);
    void healthz(const std::shared_ptr<Request>& request, const Server::Respond& respond);
    void readyz(const std::shared_ptr<Request>& request, const Server::Respond& respond);
    void metrics(const std::shared_ptr<Request>& request, const Server::Respond& respond);

    RouteContext m_context;
};

} // namespace sluice::service
