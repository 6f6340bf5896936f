#include "app/sluicectl/command.h"

#include "engine/base/file.h"
#include "engine/base/resources.h"
#include "engine/operations/loadtest/loadrun.h"

#include <QEventLoop>
#include <QJsonDocument>
#include <QTimer>
#include <fmt/format.h>

namespace sluice::ctl {

namespace {

struct LoadArguments
{
    EnvironmentOptions environment;
    std::string scenario = "normal";
    std::string target;
    double seconds = 0;
    std::uint64_t seed = 1;
    std::string out;
};

Result<ops::Scenario> scenarioOf(const LoadArguments& arguments)
{
    std::filesystem::path file = arguments.scenario;
    if (arguments.scenario.find('/') == std::string::npos && !std::filesystem::exists(file)) {
        file = resourceFile("scenarios/" + arguments.scenario + ".json");
    }
    auto text = readFile(file, std::size_t(64) << 20);
    if (!text) {
        return inputError("there is no scenario \"" + arguments.scenario
                + "\": give a bundled one's name or a file",
            text.error().text());
    }
    auto scenario = ops::Scenario::fromJson(
        QByteArray::fromStdString(*text), QString::fromStdString(file.string()));
    if (scenario && arguments.seconds > 0) {
        scenario = scenario->lasting(arguments.seconds);
    }
    return scenario;
}

void printJson(const QJsonObject& object)
{
    fmt::print("{}\n", QJsonDocument(object).toJson(QJsonDocument::Compact).toStdString());
    std::fflush(stdout);
}

int finished(const Output& output, const LoadArguments& arguments, const QString& environment,
    const ops::LoadResult& result)
{
    for (const ops::LoadCheck& check : result.checks) {
        output.line(fmt::format("{} {:12} {:>12}   limit {}", check.passed ? "ok    " : "failed",
            check.name.toStdString(), check.value.toStdString(), check.limit.toStdString()));
    }
    const std::string verdict = !result.completed ? "stopped early: no verdict"
        : result.generatorLimited ? "the generator was the limit, not the server: no verdict"
        : result.passed           ? "passed"
                                  : "failed";
    output.line(fmt::format("{}: {} of {} requests answered, {:.1f}/s", verdict, result.succeeded,
        result.scheduled, result.achievedRate));
    if (output.json) {
        printJson(result.toJson());
    }
    if (!arguments.out.empty()) {
        if (auto saved = ops::saveRun(QString::fromStdString(arguments.out), result); !saved) {
            return output.fail(saved.error());
        }
    }
    record(output, localUser(), environment, QStringLiteral("load"),
        QStringLiteral("%1, %2 s").arg(result.scenario.name).arg(result.scenario.durationSeconds()),
        result.passed ? QStringLiteral("passed") : QStringLiteral("failed"));
    return result.passed ? 0 : 1;
}

int run(const Output& output, const LoadArguments& arguments)
{
    auto scenario = scenarioOf(arguments);
    if (!scenario) {
        return output.fail(scenario.error());
    }
    QString environment;
    QUrl target(QString::fromStdString(arguments.target));
    if (arguments.target.empty()) {
        auto chosen = arguments.environment.choose();
        if (!chosen) {
            return output.fail(chosen.error());
        }
        target = chosen->environment.balancer;
        environment = chosen->environment.name;
    }
    if (!arguments.out.empty()) {
        if (auto writable = ensureWritableFolder(arguments.out); !writable) {
            return output.fail(writable.error());
        }
    }
    QEventLoop loop;
    int code = 2;
    ops::LoadRun load;
    QObject::connect(&load, &ops::LoadRun::second, &loop, [&](const ops::LoadSecond& second) {
        if (output.json) {
            output.object({{"second", second.second}, {"scheduled", second.scheduled},
                {"completed", second.completed}, {"errors", second.errors},
                {"p50_ms", second.p50Ms}, {"p95_ms", second.p95Ms}, {"p99_ms", second.p99Ms},
                {"max_ms", second.maxMs}, {"in_flight", second.inFlight}});
        }
        output.line(fmt::format(
            "{:5} s  {:6} req  {:4} errors  p50 {:.2f}  p95 {:.2f}  p99 {:.2f}  max {:.1f} ms",
            second.second, second.completed, second.errors, second.p50Ms, second.p95Ms,
            second.p99Ms, second.maxMs));
    });
    QObject::connect(&load, &ops::LoadRun::finished, &loop, [&](const ops::LoadResult& result) {
        code = finished(output, arguments, environment, result);
        loop.quit();
    });
    QObject::connect(&load, &ops::LoadRun::failed, &loop, [&](const Error& error) {
        code = output.fail(error);
        loop.quit();
    });
    QTimer watch;
    QObject::connect(&watch, &QTimer::timeout, &loop, [&] {
        if (interrupted()) {
            load.stop();
        }
    });
    watch.start(100);
    if (auto started = load.start(*scenario, target, arguments.seed); !started) {
        return output.fail(started.error());
    }
    loop.exec();
    return code;
}

} // namespace

void addLoad(CLI::App& app, Commands& commands)
{
    auto arguments = std::make_shared<LoadArguments>();
    CLI::App* group = app.add_subcommand("load", "Test under load and get a verdict");
    group->require_subcommand(1);
    CLI::App* sub =
        commands.add(*group, "run", "Run a scenario; exit code 1 when a target was missed",
            [&commands, arguments] { return run(commands.output, *arguments); });
    arguments->environment.addTo(*sub);
    sub->add_option("--scenario", arguments->scenario,
           "a bundled scenario's name (normal, peak, smoke) or a file")
        ->capture_default_str();
    sub->add_option(
        "--target", arguments->target, "URL instead of the environment's balancer; loopback only");
    sub->add_option(
           "--seconds", arguments->seconds, "run so long instead of the scenario's own time")
        ->check(CLI::Range(1.0, 86400.0));
    sub->add_option("--seed", arguments->seed, "order of the queries")->capture_default_str();
    sub->add_option("--out", arguments->out, "folder for result.json and seconds.csv");
    sub->footer("Open model: requests start on a schedule whatever the server does, and latency "
                "counts from the intended\n"
                "start. Ctrl+C ends it within a second. Example: sluicectl load run --scenario "
                "normal --seconds 60");
}

} // namespace sluice::ctl
