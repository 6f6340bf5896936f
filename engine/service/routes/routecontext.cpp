#include "engine/service/routes/routecontext.h"

namespace sluice::service {

Response jsonResponse(std::string body)
{
    Response response;
    response.body = std::move(body);
    return response;
}

double secondsSince(std::chrono::steady_clock::time_point start)
{
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

} // namespace sluice::service
