#include "engine/service/routes.h"

#include "engine/service/routes/admin.h"
#include "engine/service/routes/classify.h"
#include "engine/service/routes/feedback.h"
#include "engine/service/routes/status.h"

#include <fmt/format.h>

namespace sluice::service {

struct Routes::Route
{
    std::string_view path;
    std::string_view method;
    Access access;
    RouteHandler handler;
};

Routes::Routes(RouteContext context, AccessControl access)
    : m_context(std::move(context))
    , m_access(std::move(access))
{ }

void Routes::setAccess(AccessControl access, const LimitSettings& limits)
{
    m_access = std::move(access);
    m_context.limits = limits;
}

const Routes::Route* Routes::find(std::string_view path)
{
    static constexpr Route routes[] = {{"/v1/classify", "POST", Access::Query, classifyRoute},
        {"/v1/classify/batch", "POST", Access::Query, batchRoute},
        {"/v1/feedback", "POST", Access::Query, feedbackRoute},
        {"/v1/admin/model", "POST", Access::Admin, modelRoute},
        {"/v1/info", "GET", Access::Open, infoRoute},
        {"/healthz", "GET", Access::Open, healthzRoute},
        {"/readyz", "GET", Access::Open, readyzRoute},
        {"/metrics", "GET", Access::Open, metricsRoute}};
    for (const Route& route : routes) {
        if (route.path == path) {
            return &route;
        }
    }
    return nullptr;
}

void Routes::handle(const std::shared_ptr<Request>& request, const Server::Respond& respond)
{
    if (request->method == "OPTIONS" && request->target == "*") {
        Response response{204, {}, {}, {}};
        response.headers.emplace_back("Allow", "GET, HEAD, POST, OPTIONS");
        respond(response);
        return;
    }
    const Route* route = find(request->path());
    if (route == nullptr) {
        respond(problem(404, "Not Found", "there is no such route; docs/API.md lists them"));
        return;
    }
    request->route = route->path;
    const bool matches =
        request->method == route->method || (request->method == "HEAD" && route->method == "GET");
    if (!matches) {
        const std::string allow = route->method == "GET" ? "GET, HEAD, OPTIONS" : "POST, OPTIONS";
        Response response = request->method == "OPTIONS"
            ? Response{204, {}, {}, {}}
            : problem(405, "Method Not Allowed", fmt::format("this route takes {}", allow));
        response.headers.emplace_back("Allow", allow);
        respond(response);
        return;
    }
    if (const auto refused = m_access.check(*request, route->access, request->received)) {
        respond(*refused);
        return;
    }
    route->handler(m_context, request, respond);
}

} // namespace sluice::service
