#include "engine/base/file.h"
#include "engine/reporting/crashnote.h"
#include "engine/reporting/errorreporter.h"
#include "engine/reporting/logging.h"
#include "engine/service/configuration.h"
#include "engine/service/service.h"

#include <CLI/CLI.hpp>
#include <csignal>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

using sluice::service::Setting;

namespace {

int fail(const sluice::Error& error)
{
    fmt::print(stderr, "sluiced: {}\n", error.text());
    return sluice::exitCode(error.kind);
}

struct Arguments
{
    std::string configuration;
    std::string checked;
    bool schema = false;
    std::vector<Setting> flags;

    /// Environment variables, and flags over them.
    std::vector<Setting> settings() const
    {
        std::vector<Setting> all = sluice::service::environmentSettings(::environ);
        all.insert(all.end(), flags.begin(), flags.end());
        return all;
    }
};

/// Every flag is a name for a key of the configuration file.
void addFlags(CLI::App& app, Arguments& arguments)
{
    const auto flag = [&](const char* name, const char* path, const char* what) {
        return app.add_option_function<std::string>(
            name,
            [&arguments, name, path](const std::string& text) {
                arguments.flags.push_back({path, text, name});
            },
            what);
    };
    flag("--host", "listen.host", "address to listen on (127.0.0.1)");
    flag("--port", "listen.port", "port; 0 takes any that is free and prints it");
    flag("--port-file", "listen.port_file", "also write the port into this file");
    flag("--pool", "listen.pool",
        "blue or green: which pointer its thresholds follow, and a label of its metrics");
    flag("--model", "model.file", "model file (default: the bundled help-desk model)");
    flag("--catalogue", "model.catalogue", "entity catalogue (default: the bundled one)");
    flag("--redis-host", "redis.host", "Redis for sessions and threshold sets (127.0.0.1)");
    CLI::Option* port = flag("--redis-port", "redis.port",
        "its port; 0: sessions in memory, the model's own thresholds");
    flag("--redis-cluster", "redis.cluster",
        "HOST:PORT,... of a Redis Cluster instead: some of its nodes, the others are learnt")
        ->excludes(port);
    flag(
        "--redis-user", "redis.user", "ACL user; its password is read from $SLUICE_REDIS_PASSWORD");
    flag("--cache-mb", "model.cache_mb", "result cache, MiB; 0: none (32)");
    flag("--session-ttl", "sessions.ttl_seconds",
        "seconds a session is kept after its last turn (1800)");
    flag("--drain-seconds", "listen.drain_seconds",
        "after SIGTERM, requests in flight may take so long (5)");
    flag("--log-level", "log.level", "debug, info, warn or error");
    app.add_option_function<std::vector<std::string>>(
           "--set",
           [&arguments](const std::vector<std::string>& all) {
               for (const std::string& text : all) {
                   const std::size_t equals = std::min(text.find('='), text.size());
                   arguments.flags.push_back({text.substr(0, equals),
                       text.substr(std::min(equals + 1, text.size())), "--set"});
               }
           },
           "SECTION.KEY=VALUE: any key of the configuration file")
        ->type_name("KEY=VALUE");
}

int checkConfiguration(const Arguments& arguments)
{
    const auto loaded = sluice::service::loadConfiguration(arguments.checked, arguments.settings());
    for (const std::string& problem : loaded.problems) {
        fmt::print(stderr, "{}\n", problem);
    }
    if (loaded.problems.empty()) {
        fmt::print("{}: fine\n", arguments.checked);
    }
    return loaded.problems.empty() ? 0 : 2;
}

sluice::LogOptions logOptions(const sluice::service::LogSettings& settings)
{
    sluice::LogOptions options;
    options.level = settings.level;
    options.json = settings.format == "json";
    options.file = settings.file;
    options.maxBytes = settings.maxMb << 20;
    options.keep = settings.keep;
    options.repeatInterval = settings.repeat;
    return options;
}

/// Logs, and reports of errors where there is somebody to report them to; a null pointer else.
sluice::Result<std::shared_ptr<sluice::ErrorReporter>> startReporting(
    const sluice::service::Configuration& configuration)
{
    sluice::LogOptions log = logOptions(configuration.log);
    std::shared_ptr<sluice::ErrorReporter> reporter;
    if (!configuration.sentry.dsn.empty()) {
        sluice::ReporterOptions options;
        options.dsn = configuration.sentry.dsn;
        options.origin.program = "sluiced";
        options.origin.version = SLUICE_VERSION;
        options.origin.environment = configuration.sentry.environment;
        options.origin.tags = {{"pool", configuration.listen.pool}};
        auto made = sluice::ErrorReporter::make(options);
        if (!made) {
            return made.error();
        }
        reporter = std::move(*made);
        log.also = std::make_shared<sluice::ReportSink>(reporter);
    }
    if (auto started = sluice::startLogging(log); !started) {
        return started.error();
    }
    if (const std::string& folder = configuration.sentry.crashFolder; !folder.empty()) {
        for (const sluice::ErrorReport& note : sluice::takeCrashNotes(folder)) {
            spdlog::warn("{}", note.message); // an error would be reported twice
            if (reporter != nullptr) {
                reporter->report(note);
            }
        }
        if (auto noting = sluice::noteCrashes(folder); !noting) {
            return noting.error();
        }
    }
    return reporter;
}

int serve(const Arguments& arguments)
{
    const auto loaded =
        sluice::service::loadConfiguration(arguments.configuration, arguments.settings());
    for (const std::string& problem : loaded.problems) {
        fmt::print(stderr, "sluiced: {}\n", problem);
    }
    if (!loaded.problems.empty()) {
        return 2;
    }
    const sluice::service::Configuration& configuration = loaded.configuration;
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN); // a log that may not grow further is no reason to end
    const auto reporter = startReporting(configuration);
    if (!reporter) {
        return fail(reporter.error());
    }

    auto service = sluice::service::Service::make(
        configuration, SLUICE_VERSION, sluice::service::Service::systemClock, [&arguments] {
            return sluice::service::loadConfiguration(
                arguments.configuration, arguments.settings());
        });
    if (!service) {
        return fail(service.error());
    }
    const std::string port = std::to_string((*service)->port());
    fmt::print("{}\n", port);
    std::fflush(stdout);
    if (const std::string& file = configuration.listen.portFile; !file.empty()) {
        if (auto written = sluice::writeFileAtomically(file, port + "\n"); !written) {
            return fail(written.error());
        }
    }
    (*service)->run();
    return 0;
}

} // namespace

int main(int argc, char** argv)
{
    Arguments arguments;
    CLI::App app("The worker: classifies queries over HTTP. Routes: POST /v1/classify, POST "
                 "/v1/classify/batch, GET /v1/info, "
                 "/healthz, /readyz, /metrics (docs/API.md).");
    app.set_version_flag("--version", std::string("sluiced ") + SLUICE_VERSION);
    app.add_option("--config", arguments.configuration,
        "configuration file (docs/FORMATS.md); environment variables SLUICE_SECTION_KEY go over "
        "it, flags over both");
    app.add_option("--check-config", arguments.checked,
        "only say what is wrong with this file, the variables and the flags: exit 0 or 2");
    app.add_flag("--config-schema", arguments.schema, "only print the file's JSON Schema");
    addFlags(app, arguments);
    app.footer("SIGTERM: not ready at once, requests in flight are finished, exit 0. A second one "
               "ends at once. SIGHUP: certificates, tokens, limits and log level are read again.\n"
               "Exit codes: 0 ended as asked, 2 bad usage or input (a bad model, a port in use).");
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& done) {
        return app.exit(done);
    } catch (const CLI::ParseError& error) {
        app.exit(error);
        return 2;
    }
    if (arguments.schema) {
        fmt::print("{}", sluice::service::configurationSchema());
        return 0;
    }
    return arguments.checked.empty() ? serve(arguments) : checkConfiguration(arguments);
}
