#include "engine/service/requestlog.h"

#include <algorithm>
#include <fmt/format.h>

namespace sluice::service {

LogFields logFields(const Request& request)
{
    LogFields fields;
    fields.requestId = request.id;
    if (const std::string_view* session = request.header("X-Session-Id")) {
        fields.session = *session;
    }
    if (request.trace) {
        fields.traceId = request.trace->traceId;
        fields.spanId = request.trace->spanId;
    }
    return fields;
}

void logAnswered(const Request& request, int status, double seconds)
{
    // A method is a token (RFC 9110), which may hold a quote's neighbours but no quote.
    const std::string more = fmt::format(R"("method":"{}","route":"{}","status":{},"ms":{:.3f})",
        request.method, request.route, status, seconds * 1000);
    LogFields fields = logFields(request);
    fields.more = more;
    logAccess(fmt::format("{} {} {}", request.method, request.route, status), fields);
}

} // namespace sluice::service
