#pragma once

#include "engine/service/routes/routecontext.h"

namespace sluice::service {

/// POST /v1/classify: one query, in its session.
void classifyRoute(
    const RouteContext& context, const RequestPointer& request, const Server::Respond& respond);
/// POST /v1/classify/batch: many queries, without sessions.
void batchRoute(
    const RouteContext& context, const RequestPointer& request, const Server::Respond& respond);

} // namespace sluice::service
