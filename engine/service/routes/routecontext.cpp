#include "engine/service/routes/routecontext.h"

namespace sluice::service {

Response jsonResponse(std::string body)
{
    Response response;
    response.body = std::move(body);
    return response;
}

std::chrono::sys_seconds now()
{
    return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

double secondsSince(std::chrono::steady_clock::time_point start)
{
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

} // namespace sluice::service
