#include "engine/reporting/clientreporting.h"

#include <cstdlib>
#include <spdlog/spdlog.h>

namespace sluice {

namespace {

/// The program's one reporter, for as long as main() keeps it.
struct Present
{
    std::mutex mutex;
    std::weak_ptr<ErrorReporter> reporter;
};

Present& present()
{
    static Present one;
    return one;
}

std::string variable(const char* name, const char* otherwise)
{
    const char* value = std::getenv(name);
    return value == nullptr || *value == '\0' ? otherwise : value;
}

} // namespace

Result<std::shared_ptr<ErrorReporter>> reportFromEnvironment(const std::string& program)
{
    ReporterOptions options;
    options.dsn = variable("SLUICE_SENTRY_DSN", "");
    if (options.dsn.empty()) {
        return std::shared_ptr<ErrorReporter>();
    }
    options.origin.program = program;
    options.origin.version = SLUICE_VERSION;
    options.origin.environment = variable("SLUICE_SENTRY_ENVIRONMENT", "desktop");
    auto reporter = ErrorReporter::make(options);
    if (!reporter) {
        return inputError("SLUICE_SENTRY_DSN: " + reporter.error().message);
    }
    spdlog::default_logger()->sinks().push_back(std::make_shared<ReportSink>(*reporter));
    const std::lock_guard lock(present().mutex);
    present().reporter = *reporter;
    return reporter;
}

void reportInternal(const Error& error)
{
    if (error.kind != ErrorKind::Internal) {
        return;
    }
    std::shared_ptr<ErrorReporter> reporter;
    {
        const std::lock_guard lock(present().mutex);
        reporter = present().reporter.lock();
    }
    if (reporter != nullptr) {
        ErrorReport report;
        report.message = error.text();
        reporter->report(std::move(report));
    }
}

} // namespace sluice
