#include "app/sluicectl/command.h"
#include "engine/reporting/clientreporting.h"

#include <QCoreApplication>
#include <csignal>
#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

namespace {

extern "C" void onSignal(int)
{
    if (sluice::ctl::interrupted().exchange(true)) {
        _exit(130);
    }
}

} // namespace

int main(int argc, char** argv)
{
    QCoreApplication application(argc, argv);
    QCoreApplication::setApplicationName(QStringLiteral("sluicectl"));
    QCoreApplication::setApplicationVersion(QStringLiteral(SLUICE_VERSION));
    spdlog::set_default_logger(spdlog::stderr_logger_mt("sluicectl"));
    spdlog::set_level(spdlog::level::warn);
    const auto reporter = sluice::reportFromEnvironment("sluicectl");
    if (!reporter) {
        fmt::print(stderr, "sluicectl: {}\n", reporter.error().text());
        return 2;
    }
    std::signal(SIGINT, onSignal);
    std::signal(SIGTERM, onSignal);
    std::signal(SIGPIPE, SIG_IGN);

    CLI::App app("Runs a query-classification service: train and judge models, classify, publish "
                 "thresholds, "
                 "test under load, shift traffic. What the console does, without a window.");
    app.set_version_flag("--version", std::string("sluicectl ") + SLUICE_VERSION);
    app.require_subcommand(1);
    app.footer("Exit codes: 0 done, 1 the answer is no (a gate or a target failed, somebody "
               "refused), 2 bad usage or "
               "input,\n3 a server could not be reached. Every command has --help and --json.");

    sluice::ctl::Commands commands;
    sluice::ctl::addData(app, commands);
    sluice::ctl::addTrain(app, commands);
    sluice::ctl::addEvaluate(app, commands);
    sluice::ctl::addBench(app, commands);
    sluice::ctl::addClassify(app, commands);
    sluice::ctl::addThresholds(app, commands);
    sluice::ctl::addLoad(app, commands);
    sluice::ctl::addRollout(app, commands);
    sluice::ctl::addHistory(app, commands);
    sluice::ctl::addStack(app, commands);
    sluice::ctl::addCerts(app, commands);
    sluice::ctl::addToken(app, commands);
    sluice::ctl::addDoctor(app, commands);

    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& done) {
        return app.exit(done);
    } catch (const CLI::ParseError& error) {
        app.exit(error);
        return 2;
    }
    return commands.chosen ? commands.chosen() : 2;
}
