#include "engine/service/routes.h"

#include "engine/service/requestlog.h"
#include "engine/service/routes/admin.h"
#include "engine/service/routes/classify.h"
#include "engine/service/routes/feedback.h"
#include "engine/service/routes/openapi.h"
#include "engine/service/routes/status.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

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

std::span<const Routes::Route> Routes::all()
{
    static constexpr Route routes[] = {{"/v1/classify", "POST", Access::Query, classifyRoute},
        {"/v1/classify/batch", "POST", Access::Query, batchRoute},
        {"/v1/feedback", "POST", Access::Query, feedbackRoute},
        {"/v1/admin/model", "POST", Access::Admin, modelRoute},
        {"/v1/admin/profile", "POST", Access::Admin, profileRoute},
        {"/v1/info", "GET", Access::Open, infoRoute},
        {"/healthz", "GET", Access::Open, healthzRoute},
        {"/readyz", "GET", Access::Open, readyzRoute},
        {"/metrics", "GET", Access::Open, metricsRoute},
        {"/openapi.json", "GET", Access::Open, openApiRoute}};
    return routes;
}

std::size_t Routes::adminBodyBytes(const Request& request) const
{
    const bool isModel = request.path() == "/v1/admin/model" && m_access.isAdmin(request);
    return isModel ? m_context.limits.modelBytes : m_context.limits.bodyBytes;
}

const Routes::Route* Routes::find(std::string_view path)
{
    for (const Route& route : all()) {
        if (route.path == path) {
            return &route;
        }
    }
    return nullptr;
}

std::vector<std::pair<std::string_view, std::string_view>> Routes::table()
{
    std::vector<std::pair<std::string_view, std::string_view>> table;
    for (const Route& route : all()) {
        table.emplace_back(route.path, route.method);
    }
    return table;
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
        respond(problem(404, "Not Found", "there is no such route; /openapi.json lists them"));
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
    const LogFields fields = logFields(*request);
    const LogScope scope(fields);
    try {
        route->handler(m_context, request, respond);
    } catch (const std::exception& error) {
        spdlog::error("{} failed: {}", route->path, error.what());
        respond(problem(500, "Internal Server Error",
            "the worker failed at this; its log says more under the request's id"));
    }
}

} // namespace sluice::service
