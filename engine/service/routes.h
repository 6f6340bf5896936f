#pragma once

#include "engine/service/routes/routecontext.h"

namespace sluice::service {

/// The worker's HTTP routes (docs/API.md): finds, answers, counts. Runs on the event loop's
/// thread.
class Routes
{
public:
    explicit Routes(RouteContext context);

    void handle(Request request, Server::Respond respond);

private:
    struct Route;
    static const Route* find(std::string_view path);

    RouteContext m_context;
};

} // namespace sluice::service
