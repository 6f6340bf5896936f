#include "app/sluicectl/load.h"

#include "engine/operations/loadtest/comparison.h"
#include "engine/operations/loadtest/loadrun.h"
#include "engine/operations/loadtest/locustrun.h"

#include <QJsonDocument>
#include <QNetworkAccessManager>
#include <QNetworkReply>
#include <QSocketNotifier>
#include <csignal>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <unistd.h>

namespace sluice::ctl {

namespace {

constexpr int infoTimeoutMs = 3000;

struct LoadArguments : LoadTarget
{
    std::string scenario = "normal";
    double seconds = 0;
    double timeScale = 1;
    std::uint64_t seed = 1;
    std::string out;
    std::string gate;
    double margin = 0.05;
    double floorMs = 1;
    bool untilStdinCloses = false;
    std::string generator = "native";
    int locustWorkers = 2;
    std::vector<std::string> locustHosts;
    std::string locustMaster = "127.0.0.1";
};

std::string millis(double value)
{
    return fmt::format("{:.{}f}", value, value < 10 ? 2 : value < 100 ? 1 : 0);
}

/// "wanted", as of a gate; the baseline's folder.
Result<QString> baselineFolder(const LoadArguments& arguments, const ops::Scenario& scenario)
{
    if (arguments.gate != "baseline") {
        return ops::findRun(QString::fromStdString(arguments.gate));
    }
    const QString known = ops::baselineOf(scenario.name);
    if (known.isEmpty()) {
        return inputError("the scenario \"" + scenario.name.toStdString()
            + "\" has no baseline: make one with `sluicectl load baseline RUN`");
    }
    return ops::findRun(known);
}

/// Ends `load` on Ctrl+C, and where it was asked for with standard input.
template <typename Load> void watchForTheEnd(Load& load, QObject& context, bool untilStdinCloses)
{
    auto* watch = new QTimer(&context);
    QObject::connect(watch, &QTimer::timeout, &context, [&load] {
        if (interrupted()) {
            load.stop();
        }
    });
    watch->start(50);
    if (untilStdinCloses) {
        ::prctl(PR_SET_PDEATHSIG, SIGTERM); // a parent that is killed closes no pipe it shared
        auto* input = new QSocketNotifier(STDIN_FILENO, QSocketNotifier::Read, &context);
        QObject::connect(input, &QSocketNotifier::activated, &context, [&load, input] {
            char bytes[256];
            if (::read(STDIN_FILENO, bytes, sizeof bytes) <= 0) {
                input->setEnabled(false);
                load.stop();
            }
        });
    }
}

int conclude(const Output& output, const LoadArguments& arguments, const ops::LoadResult& result)
{
    printVerdict(output, result);
    if (!arguments.out.empty()) {
        output.line("kept in " + arguments.out);
    }
    bool good = result.passed;
    QJsonObject last{{QStringLiteral("result"), result.toJson()}};
    if (!arguments.gate.empty()) {
        const auto folder = baselineFolder(arguments, result.scenario);
        const auto before =
            folder ? ops::readRun(*folder) : Result<ops::LoadResult>(folder.error());
        if (!before) {
            return output.fail(before.error());
        }
        const ops::Comparison comparison =
            ops::compareRuns(*before, result, arguments.margin, arguments.floorMs);
        printComparison(output, comparison);
        good = good && comparison.noWorse();
        last[QStringLiteral("comparison")] = comparison.toJson();
    }
    if (output.json) {
        printJson(last);
    }
    if (!arguments.untilStdinCloses) { // else whoever started us keeps the history
        record(output, localUser(), result.environment, QStringLiteral("load"),
            QStringLiteral("%1, %2 s")
                .arg(result.scenario.name)
                .arg(result.scenario.durationSeconds()),
            result.passed ? QStringLiteral("passed") : result.verdict(),
            {{QStringLiteral("p95_ms"), result.p95Ms}, {QStringLiteral("p99_ms"), result.p99Ms},
                {QStringLiteral("requests"), result.scheduled},
                {QStringLiteral("folder"), QString::fromStdString(arguments.out)}});
    }
    return good ? 0 : 1;
}

/// A line (or JSON object) of a run's second.
void printSecond(const Output& output, const ops::LoadSecond& second)
{
    if (output.json) {
        printJson(second.toJson());
    }
    output.line(fmt::format("{:5} s  {:6.0f} users  {:6} req  {:4} errors  p50 {}  p95 {}  p99 "
                            "{}  max {} ms",
        second.second, second.users, second.completed, second.errors, millis(second.p50Ms),
        millis(second.p95Ms), millis(second.p99Ms), millis(second.maxMs)));
}

void printStart(const Output& output, const ops::LoadOptions& options)
{
    if (output.json) {
        printJson({{QStringLiteral("started"),
            QJsonObject{{QStringLiteral("scenario"), options.scenario.name},
                {QStringLiteral("seconds"), options.scenario.durationSeconds()},
                {QStringLiteral("target"), options.target.toString()},
                {QStringLiteral("seed"), QString::number(options.seed)},
                {QStringLiteral("folder"), options.folder},
                {QStringLiteral("time_scale"), options.scenario.timeScale}}}});
    }
}

/// As runToItsEnd(), on Locust.
int runOnLocust(const Output& output, const LoadArguments& arguments,
    const ops::LoadOptions& options, const std::function<int(const ops::LoadResult&)>& conclude)
{
    ops::LocustSetup setup;
    setup.localWorkers = arguments.locustWorkers;
    setup.masterHost = QString::fromStdString(arguments.locustMaster);
    for (const std::string& host : arguments.locustHosts) {
        setup.remoteWorkers << QString::fromStdString(host);
    }
    QEventLoop loop;
    int code = 2;
    ops::LocustRun load;
    QObject::connect(&load, &ops::LocustRun::second, &loop,
        [&](const ops::LoadSecond& second) { printSecond(output, second); });
    QObject::connect(&load, &ops::LocustRun::noted, &loop, [&](const QString& note) {
        if (output.json) {
            printJson({{QStringLiteral("note"), note}});
        }
        output.line(note.toStdString());
    });
    QObject::connect(&load, &ops::LocustRun::finished, &loop, [&](const ops::LoadResult& result) {
        code = conclude(result);
        loop.quit();
    });
    QObject::connect(&load, &ops::LocustRun::failed, &loop, [&](const Error& error) {
        code = output.fail(error);
        loop.quit();
    });
    watchForTheEnd(load, loop, arguments.untilStdinCloses);
    if (auto started = load.start(setup, options); !started) {
        return output.fail(started.error());
    }
    printStart(output, options);
    loop.exec();
    return code;
}

int run(const Output& output, LoadArguments arguments)
{
    auto scenario = ops::loadScenario(QString::fromStdString(arguments.scenario));
    if (!scenario) {
        return output.fail(scenario.error());
    }
    if (arguments.seconds > 0) {
        *scenario = scenario->lasting(arguments.seconds);
    } else if (arguments.timeScale != 1) {
        *scenario = scenario->scaled(arguments.timeScale);
    }
    if (!arguments.gate.empty()) {
        if (const auto found = baselineFolder(arguments, *scenario); !found) {
            return output.fail(found.error());
        }
    }
    auto options = arguments.options(output);
    if (!options) {
        return output.fail(options.error());
    }
    options->scenario = *scenario;
    options->seed = arguments.seed;
    if (arguments.out.empty()) {
        arguments.out = ops::newRunFolder(*scenario).toStdString();
    }
    options->folder = QString::fromStdString(arguments.out);
    const auto end = [&](const ops::LoadResult& result) {
        return conclude(output, arguments, result);
    };
    return arguments.generator == "locust"
        ? runOnLocust(output, arguments, *options, end)
        : runToItsEnd(output, *options, arguments.untilStdinCloses, end);
}

} // namespace

void printJson(const QJsonObject& object)
{
    fmt::print("{}\n", QJsonDocument(object).toJson(QJsonDocument::Compact).toStdString());
    std::fflush(stdout);
}

void printVerdict(const Output& output, const ops::LoadResult& result)
{
    for (const ops::LoadCheck& check : result.checks) {
        const char* word = check.state == ops::CheckState::Passed ? "ok"
            : check.state == ops::CheckState::Failed              ? "failed"
            : check.state == ops::CheckState::NoData              ? "no data"
                                                                  : "-";
        const double factor = check.unit == QLatin1StringView("share") ? 100 : 1;
        const bool judged =
            check.state == ops::CheckState::Passed || check.state == ops::CheckState::Failed;
        output.line(fmt::format("{:8} {:14} {:>16}   {} {:14}{:14}{}", word,
            check.name.toStdString(), check.value.toStdString(),
            check.atLeast ? "at least" : "under   ", check.limit.toStdString(),
            judged ? fmt::format("margin {:.0f} %", check.margin() * 100) : std::string(),
            check.low ? fmt::format(
                "95 % interval {:.4g} to {:.4g}", *check.low * factor, *check.high * factor)
                      : std::string()));
    }
    for (const QString& note : result.notes) {
        output.line("note     " + note.toStdString());
    }
    const std::string verdict = result.verdict().toStdString();
    output.line(fmt::format("{}{}: {} of {} requests answered well, {:.1f}/s; p99 from the send {} "
                            "ms; own start lag p99 {} ms, {:.2f} of a core",
        verdict,
        result.generatorLimited ? " (the generator was the limit, not the server)"
            : result.completed  ? ""
                                : " (" + result.state.toStdString() + ")",
        result.succeeded, result.scheduled, result.achievedRate, millis(result.uncorrectedP99Ms),
        millis(result.startLagP99Ms), result.generatorCpu));
}

void printComparison(const Output& output, const ops::Comparison& comparison)
{
    for (const ops::ComparedFigure& figure : comparison.figures) {
        const auto percent = [](double share) { return fmt::format("{:+.1f} %", share * 100); };
        const double factor = figure.unit == QLatin1StringView("share") ? 100 : 1;
        output.line(fmt::format("{:9} {:9} {:>10.4g} -> {:>10.4g} {:4} {:>9}{}",
            toString(figure.verdict).toStdString(), figure.name.toStdString(),
            figure.before * factor, figure.after * factor,
            factor > 1 ? "%" : figure.unit.toStdString(), percent(figure.change),
            figure.interval ? fmt::format("  (95 % interval {} to {})",
                percent(figure.interval->low), percent(figure.interval->high))
                            : std::string("  (too few blocks of time for an interval)")));
    }
    for (const QString& note : comparison.notes) {
        output.line("note: " + note.toStdString());
    }
    output.line(comparison.noWorse() ? "no worse than the baseline"
            : comparison.comparable  ? "not shown to be no worse than the baseline"
                                     : "not comparable with the baseline");
}

void LoadTarget::addTo(CLI::App& app)
{
    environment.addTo(app);
    m_app = &app;
    app.add_option("--target", target, "URL instead of the environment's balancer");
    app.add_option("--i-mean", iMean,
        "the target's host once more: needed for a target that is not this machine, unless its "
        "environment is marked as a load target");
}

Result<ops::LoadOptions> LoadTarget::options(const Output&) const
{
    ops::LoadOptions options;
    options.target = QUrl(QString::fromStdString(target));
    options.iMean = QString::fromStdString(iMean);
    options.token = qEnvironmentVariable("SLUICE_TOKEN");
    if (target.empty() || m_app->count("--environment") > 0 || m_app->count("--state") > 0) {
        auto chosen = environment.choose();
        if (!chosen) {
            return chosen.error();
        }
        options.environment = chosen->environment.name;
        options.prometheus = chosen->environment.prometheus;
        if (target.empty()) {
            options.target = chosen->environment.balancer;
            options.loadTarget = chosen->environment.loadTarget;
        }
    }
    // Before anything is sent: may it be asked at all?
    if (const auto address = ops::loadAddress(options.target, options.iMean, options.loadTarget);
        !address) {
        return address.error();
    }
    QNetworkAccessManager network;
    QNetworkRequest request(options.target.resolved(QUrl(QStringLiteral("/v1/info"))));
    request.setTransferTimeout(infoTimeoutMs);
    if (!options.token.isEmpty()) {
        request.setRawHeader("Authorization", "Bearer " + options.token.toUtf8());
    }
    QEventLoop loop;
    const std::unique_ptr<QNetworkReply> reply(network.get(request));
    QObject::connect(reply.get(), &QNetworkReply::finished, &loop, &QEventLoop::quit);
    loop.exec();
    if (!reply->attribute(QNetworkRequest::HttpStatusCodeAttribute).isValid()) {
        return unreachableError("the target " + options.target.toString().toStdString()
                + " does not answer: nothing was sent to it",
            reply->errorString().toStdString());
    }
    const QJsonObject info = QJsonDocument::fromJson(reply->readAll()).object();
    for (const char* member : {"version", "model", "threshold_set", "pool"}) {
        const QLatin1StringView key(member);
        if (info.contains(key)) {
            options.versions[QStringLiteral("worker_") + key] = info[key];
        }
    }
    return options;
}

int runToItsEnd(const Output& output, const ops::LoadOptions& options, bool untilStdinCloses,
    const std::function<int(const ops::LoadResult&)>& conclude)
{
    QEventLoop loop;
    int code = 2;
    ops::LoadRun load;
    QObject::connect(&load, &ops::LoadRun::second, &loop,
        [&](const ops::LoadSecond& second) { printSecond(output, second); });
    QObject::connect(&load, &ops::LoadRun::finished, &loop, [&](const ops::LoadResult& result) {
        code = conclude(result);
        loop.quit();
    });
    QObject::connect(&load, &ops::LoadRun::failed, &loop,
        [&](const Error& error) { output.progress("sluicectl: " + error.text()); });
    watchForTheEnd(load, loop, untilStdinCloses);
    if (auto started = load.start(options); !started) {
        return output.fail(started.error());
    }
    printStart(output, options);
    loop.exec();
    return code;
}

void addLoad(CLI::App& app, Commands& commands)
{
    auto arguments = std::make_shared<LoadArguments>();
    CLI::App* group = app.add_subcommand("load", "Test under load and get a verdict");
    group->require_subcommand(1);
    CLI::App* sub = commands.add(*group, "run",
        "Run a scenario; exit code 1 when a target was missed or the gate did not open",
        [&commands, arguments] { return run(commands.output, *arguments); });
    arguments->addTo(*sub);
    sub->add_option("--scenario", arguments->scenario,
           "a scenario's name (smoke, normal, peak, stress, spike, ramp, endurance, or your own) "
           "or "
           "a file")
        ->capture_default_str();
    sub->add_option(
           "--seconds", arguments->seconds, "scale the scenario's times so that it lasts so long")
        ->check(CLI::Range(1.0, 86400.0));
    sub->add_option(
           "--time-scale", arguments->timeScale, "scale the scenario's times by this factor")
        ->check(CLI::Range(0.001, 1000.0))
        ->excludes("--seconds");
    sub->add_option("--seed", arguments->seed, "order of the queries, times of the requests")
        ->capture_default_str();
    sub->add_option(
        "--out", arguments->out, "run folder (default: a new one among the user's runs)");
    sub->add_option("--gate", arguments->gate,
        "hold the run against \"baseline\" (set by `load baseline`), or against a run");
    sub->add_option("--margin", arguments->margin, "of the gate: no worse by more than this share")
        ->check(CLI::Range(0.0, 10.0))
        ->capture_default_str();
    sub->add_option("--floor-ms", arguments->floorMs,
           "of the gate: a latency that changed by less is no worse, whatever the share")
        ->check(CLI::Range(0.0, 1e6))
        ->capture_default_str();
    sub->add_flag("--until-stdin-closes", arguments->untilStdinCloses,
        "end when standard input does, and leave the history to whoever started this: a generator "
        "that dies with its console");
    sub->add_option("--generator", arguments->generator,
           "native; or locust, for several machines: it never passes by itself")
        ->check(CLI::IsMember({"native", "locust"}))
        ->capture_default_str();
    sub->add_option("--locust-workers", arguments->locustWorkers, "Locust's processes here")
        ->check(CLI::Range(0, 64))
        ->capture_default_str();
    sub->add_option("--locust-host", arguments->locustHosts,
        "a Locust worker on another host, by a command that runs a shell line there "
        "(\"ssh load1\"); may be given again");
    sub->add_option("--locust-master", arguments->locustMaster,
           "this machine's name or address, as those hosts reach it")
        ->capture_default_str();
    sub->footer("Open model: requests start on a schedule whatever the server does, and latency "
                "counts from the intended\n"
                "start. Ctrl+C ends it within a second. Example: sluicectl load run --scenario "
                "normal --seconds 60");
    addLoadRuns(*group, commands);
    addLoadCapacity(*group, commands);
    addLoadExport(*group, commands);
}

} // namespace sluice::ctl
