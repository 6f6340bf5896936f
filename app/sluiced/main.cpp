#include "engine/base/file.h"
#include "engine/base/resources.h"
#include "engine/service/service.h"

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdlib>
#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace {

int fail(const sluice::Error& error)
{
    fmt::print(stderr, "sluiced: {}\n", error.text());
    return sluice::exitCode(error.kind);
}

} // namespace

int main(int argc, char** argv)
{
    sluice::service::ServiceOptions options;
    options.version = SLUICE_VERSION;
    std::string model;
    std::string catalogue;
    std::string portFile;
    std::string logLevel = "info";
    std::vector<std::string> redisCluster;
    int cacheMb = 32;
    int sessionLife = 1800;
    int drain = 5;

    CLI::App app("The worker: classifies queries over HTTP. Routes: POST /v1/classify, POST "
                 "/v1/classify/batch, GET /v1/info, "
                 "/healthz, /readyz, /metrics (docs/API.md).");
    app.set_version_flag("--version", std::string("sluiced ") + SLUICE_VERSION);
    app.add_option("--host", options.host, "address to listen on")->capture_default_str();
    app.add_option("--port", options.port, "port; 0 takes any that is free and prints it")
        ->capture_default_str();
    app.add_option("--port-file", portFile, "also write the port into this file");
    app.add_option("--pool", options.pool,
           "blue or green: which pointer its thresholds follow, and a label of its metrics")
        ->capture_default_str()
        ->check(CLI::IsMember({"blue", "green"}));
    app.add_option("--model", model, "model file (default: the bundled help-desk model)");
    app.add_option("--catalogue", catalogue, "entity catalogue (default: the bundled one)");
    app.add_option("--redis-host", options.redisHost, "Redis for sessions and threshold sets")
        ->capture_default_str();
    CLI::Option* port = app.add_option("--redis-port", options.redisPort,
                               "its port; 0: sessions in memory, the model's own thresholds")
                            ->capture_default_str();
    app.add_option("--redis-cluster", redisCluster,
           "HOST:PORT,... of a Redis Cluster instead: some of its nodes, the others are learnt")
        ->delimiter(',')
        ->excludes(port);
    app.add_option("--redis-user", options.redisUser,
        "ACL user; its password is read from $SLUICE_REDIS_PASSWORD");
    app.add_option("--cache-mb", cacheMb, "result cache, MiB; 0: none")
        ->capture_default_str()
        ->check(CLI::Range(0, 65536));
    app.add_option("--session-ttl", sessionLife, "seconds a session is kept after its last turn")
        ->capture_default_str()
        ->check(CLI::Range(1, 31536000));
    app.add_option("--drain-seconds", drain, "after SIGTERM, requests in flight may take so long")
        ->capture_default_str()
        ->check(CLI::Range(0, 3600));
    app.add_option("--log-level", logLevel, "debug, info, warn or error")
        ->capture_default_str()
        ->check(CLI::IsMember({"debug", "info", "warn", "error"}));
    app.footer("SIGTERM: not ready at once, requests in flight are finished, exit 0. A second one "
               "ends at once.\n"
               "Exit codes: 0 ended as asked, 2 bad usage or input (a bad model, a port in use).");
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& done) {
        return app.exit(done);
    } catch (const CLI::ParseError& error) {
        app.exit(error);
        return 2;
    }

    auto logger = spdlog::stderr_logger_mt("sluiced");
    logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e %l %v");
    spdlog::set_default_logger(logger);
    spdlog::set_level(spdlog::level::from_str(logLevel));
    std::signal(SIGPIPE, SIG_IGN);

    options.model =
        model.empty() ? sluice::resourceFile("helpdesk.model") : std::filesystem::path(model);
    options.catalogue = catalogue.empty() ? sluice::resourceFile("entities.json")
                                          : std::filesystem::path(catalogue);
    options.cacheBytes = std::size_t(cacheMb) << 20;
    options.sessionLife = std::chrono::seconds(sessionLife);
    options.drain = std::chrono::seconds(drain);
    if (const char* password = std::getenv("SLUICE_REDIS_PASSWORD")) {
        options.redisPassword = password;
    }
    for (const std::string& text : redisCluster) {
        auto address = sluice::RedisAddress::parse(text);
        if (!address) {
            return fail(address.error());
        }
        options.redisCluster.push_back(std::move(*address));
    }
    auto service = sluice::service::Service::make(options);
    if (!service) {
        return fail(service.error());
    }
    fmt::print("{}\n", (*service)->port());
    std::fflush(stdout);
    if (!portFile.empty()) {
        if (auto written =
                sluice::writeFileAtomically(portFile, std::to_string((*service)->port()) + "\n");
            !written) {
            return fail(written.error());
        }
    }
    (*service)->run();
    return 0;
}
