#pragma once

#include "engine/service/access.h"
#include "engine/service/routes/routecontext.h"

#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::service {

/// The worker's HTTP routes (docs/API.md): finds, answers, counts. Runs on the event loop's
/// thread.
class Routes
{
public:
    /// Path and method of every route: what docs/openapi.json must hold.
    static std::vector<std::pair<std::string_view, std::string_view>> table();

    Routes(RouteContext context, AccessControl access);

    void handle(const std::shared_ptr<Request>& request, const Server::Respond& respond);
    /// Who may ask what from now on.
    void setAccess(AccessControl access, const LimitSettings& limits);
    /// What the body of a request to /v1/admin/ may be: a model is long, and only who may change it
    /// sends one.
    std::size_t adminBodyBytes(const Request& request) const;

private:
    struct Route;
    static std::span<const Route> all();
    static const Route* find(std::string_view path);

    RouteContext m_context;
    AccessControl m_access;
};

} // namespace sluice::service
