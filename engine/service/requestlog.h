#pragma once

#include "engine/reporting/logging.h"
#include "engine/service/http/message.h"

namespace sluice::service {

/// What log lines about this request carry. Views into it.
LogFields logFields(const Request& request);

/// Its line in the access log: method, route, status, milliseconds. Not the target: what stands
/// behind its question mark is the client's.
void logAnswered(const Request& request, int status, double seconds);

} // namespace sluice::service
