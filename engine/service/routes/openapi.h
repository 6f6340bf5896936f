#pragma once

#include "engine/service/routes/routecontext.h"

namespace sluice::service {

/// GET /openapi.json: docs/openapi.json, compiled in.
void openApiRoute(
    const RouteContext& context, const RequestPointer& request, const Server::Respond& respond);

} // namespace sluice::service
