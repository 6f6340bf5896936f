#pragma once

#include "engine/service/routes/routecontext.h"

namespace sluice::service {

/// POST /v1/feedback: what a client says of an answer.
void feedbackRoute(
    const RouteContext& context, const RequestPointer& request, const Server::Respond& respond);

} // namespace sluice::service
