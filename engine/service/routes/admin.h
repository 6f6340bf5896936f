#pragma once

#include "engine/service/routes/routecontext.h"

namespace sluice::service {

/// POST /v1/admin/model: the body is a model file, the header X-Content-SHA256 its hash. Answers
/// once the model is served.
void modelRoute(
    const RouteContext& context, const RequestPointer& request, const Server::Respond& respond);

/// POST /v1/admin/profile: a CPU profile of so many seconds.
void profileRoute(
    const RouteContext& context, const RequestPointer& request, const Server::Respond& respond);

} // namespace sluice::service
