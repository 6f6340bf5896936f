#include "engine/service/routes.h"

#include "engine/service/routes/classify.h"
#include "engine/service/routes/feedback.h"
#include "engine/service/routes/status.h"

#include <fmt/format.h>

namespace sluice::service {

struct Routes::Route
{
    std::string_view path;
    std::string_view method;
    RouteHandler handler;
};

Routes::Routes(RouteContext context)
    : m_context(std::move(context))
{ }

const Routes::Route* Routes::find(std::string_view path)
{
    static constexpr Route routes[] = {{"/v1/classify", "POST", classifyRoute},
        {"/v1/classify/batch", "POST", batchRoute}, {"/v1/feedback", "POST", feedbackRoute},
        {"/v1/info", "GET", infoRoute}, {"/healthz", "GET", healthzRoute},
        {"/readyz", "GET", readyzRoute}, {"/metrics", "GET", metricsRoute}};
    for (const Route& route : routes) {
        if (route.path == path) {
            return &route;
        }
    }
    return nullptr;
}

void Routes::handle(Request received, Server::Respond answer)
{
    auto request = std::make_shared<const Request>(std::move(received));
    const Route* route = find(request->path());
    const std::string_view name = route == nullptr ? "other" : route->path;
    const Server::Respond respond = [this, request, name, answer = std::move(answer)](
                                        Response response) {
        const std::string* id = request->header("X-Request-Id");
        m_context.metrics->request(name, response.status, secondsSince(request->received),
            id == nullptr ? std::string_view() : *id);
        answer(std::move(response));
    };
    if (route == nullptr) {
        respond(problem(404, "Not Found", "there is no such route; docs/API.md lists them"));
        return;
    }
    const bool matches =
        request->method == route->method || (request->method == "HEAD" && route->method == "GET");
    if (!matches) {
        const std::string allow = route->method == "GET" ? "GET, HEAD, OPTIONS" : "POST, OPTIONS";
        Response response = request->method == "OPTIONS"
            ? Response{204, "text/plain", {}, {}}
            : problem(405, "Method Not Allowed", fmt::format("this route takes {}", allow));
        response.headers.emplace_back("Allow", allow);
        respond(std::move(response));
        return;
    }
    route->handler(m_context, request, respond);
}

} // namespace sluice::service
