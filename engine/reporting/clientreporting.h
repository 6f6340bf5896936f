#pragma once

#include "engine/reporting/errorreporter.h"

namespace sluice {

/// Reports of console and command line, off unless somebody asks for them: $SLUICE_SENTRY_DSN says
/// where to, $SLUICE_SENTRY_ENVIRONMENT what to call it ("desktop"). Every line that is logged as
/// an error is reported then, and what reportInternal() gets. A null pointer where it is off; Input
/// error for a DSN that is none. The pointer is to be kept until the program ends.
Result<std::shared_ptr<ErrorReporter>> reportFromEnvironment(const std::string& program);

/// Reports an error of kind Internal (a bug, a full disk) where reports are on; others are what
/// somebody typed, or a server that is away, and go nowhere. Safe from any thread.
void reportInternal(const Error& error);

} // namespace sluice
