#pragma once

#include "engine/classification/context/sessionstore.h"
#include "engine/service/configuration.h"
#include "engine/service/decisionlog.h"
#include "engine/service/feedback.h"
#include "engine/service/http/server.h"
#include "engine/service/metrics.h"
#include "engine/service/modelkeeper.h"
#include "engine/service/privacy.h"
#include "engine/service/profiler.h"
#include "engine/service/serving.h"

#include <functional>
#include <memory>
#include <string>

namespace sluice::service {

/// What the routes answer from. Everything is owned by the service and outlives them.
struct RouteContext
{
    std::function<ServingPointer()> serving;
    SessionStore* sessions = nullptr;
    Metrics* metrics = nullptr;
    DecisionLog* decisions = nullptr;
    Feedback* feedback = nullptr;
    ModelKeeper* models = nullptr;
    const Privacy* privacy = nullptr;
    Profiler* profiler = nullptr;
    std::function<std::chrono::sys_seconds()> now;
    std::function<bool()> ready;
    std::function<std::string(MetricsFormat)> metricsText;
    LimitSettings limits;
    std::string plainCatalogue; ///< JSON, compiled for every query (PlainSettings); empty: not
    std::string pool;
    std::string version;
    std::string startedAt; ///< RFC 3339
};

using RequestPointer = std::shared_ptr<const Request>;

/// A route's work: answers through the last argument exactly once, now or later, on the event
/// loop's thread. The context outlives it.
using RouteHandler = void (*)(
    const RouteContext& context, const RequestPointer& request, const Server::Respond& respond);

Response jsonResponse(std::string body);
double secondsSince(std::chrono::steady_clock::time_point start);

} // namespace sluice::service
