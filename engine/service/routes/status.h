#pragma once

#include "engine/service/routes/routecontext.h"

namespace sluice::service {

// GET /v1/info, /healthz, /readyz, /metrics: what the worker says of itself.
void infoRoute(
    const RouteContext& context, const RequestPointer& request, const Server::Respond& respond);
void healthzRoute(
    const RouteContext& context, const RequestPointer& request, const Server::Respond& respond);
void readyzRoute(
    const RouteContext& context, const RequestPointer& request, const Server::Respond& respond);
void metricsRoute(
    const RouteContext& context, const RequestPointer& request, const Server::Respond& respond);

} // namespace sluice::service
