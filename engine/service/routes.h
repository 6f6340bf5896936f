#pragma once

#include "engine/service/access.h"
#include "engine/service/routes/routecontext.h"

namespace sluice::service {

/// The worker's HTTP routes (docs/API.md): finds, answers, counts. Runs on the event loop's
/// thread.
class Routes
{
public:
    Routes(RouteContext context, AccessControl access);

    void handle(const std::shared_ptr<Request>& request, const Server::Respond& respond);
    /// Who may ask what from now on.
    void setAccess(AccessControl access, const LimitSettings& limits);

private:
    struct Route;
    static const Route* find(std::string_view path);

    RouteContext m_context;
    AccessControl m_access;
};

} // namespace sluice::service
