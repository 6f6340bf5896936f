#include "engine/service/routes/routecontext.h"

namespace sluice::service {

Response jsonResponse(std::string body)
{
    Response response;
    response.body = std::move(body);
    return response;
}

std::string requestIdOf(const Request& request)
{
    const std::string* given = request.header("X-Request-Id");
    return given != nullptr && isValidSessionId(*given) ? *given : makeSessionId();
}

double secondsSince(std::chrono::steady_clock::time_point start)
{
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

} // namespace sluice::service
