#include "app/sluicectl/command.h"

#include "engine/operations/environment/stackextras.h"
#include "engine/operations/environment/stacksupervisor.h"

#include <QEventLoop>
#include <QTimer>
#include <fmt/format.h>

namespace sluice::ctl {

namespace {

struct StackArguments
{
    std::string state;
    std::string model;
    std::string catalogue;
    std::string worker;
    std::string with;
    qint64 owner = 0;
    int workers = 2;
    int timeoutSeconds = 30;
};

std::string_view toString(ops::PartState state)
{
    switch (state) {
    case ops::PartState::Waiting:
        return "waiting";
    case ops::PartState::Starting:
        return "starting";
    case ops::PartState::Healthy:
        return "healthy";
    case ops::PartState::Failed:
        return "failed";
    case ops::PartState::Stopped:
        return "stopped";
    }
    return "";
}

boost::json::object toJson(const ops::StackStatus& status)
{
    boost::json::array parts;
    for (const ops::StackPart& part : status.parts) {
        parts.push_back(boost::json::object{{"name", part.name.toStdString()},
            {"pool", part.pool.toStdString()}, {"pid", part.pid}, {"port", part.port},
            {"url", part.url.toString().toStdString()}, {"state", toString(part.state)},
            {"log", part.logFile.toStdString()}, {"detail", part.detail.toStdString()}});
    }
    return {{"running", status.running}, {"state_folder", status.stateFolder.toStdString()},
        {"started_at", status.startedAt.toUTC().toString(Qt::ISODate).toStdString()},
        {"balancer", status.environment.balancer.toString().toStdString()},
        {"prometheus", status.environment.prometheus.toString().toStdString()},
        {"redis",
            fmt::format("{}:{}", status.environment.redis.host.toStdString(),
                status.environment.redis.port)},
        {"haproxy_socket", status.statsSocket.toStdString()}, {"parts", std::move(parts)}};
}

void print(const Output& output, const ops::StackStatus& status)
{
    output.object(toJson(status));
    if (!status.running) {
        output.line("the local stack is not running (" + status.stateFolder.toStdString() + ")");
        return;
    }
    for (const ops::StackPart& part : status.parts) {
        output.line(fmt::format("{:12} {:9} pid {:<8} {}  {}", part.name.toStdString(),
            toString(part.state), part.pid, part.url.toString().toStdString(),
            part.detail.toStdString()));
    }
    output.line(
        fmt::format("queries go to {}", status.environment.balancer.toString().toStdString()));
    output.line(fmt::format("state, logs and configuration: {}", status.stateFolder.toStdString()));
}

int up(const Output& output, const StackArguments& arguments)
{
    ops::LocalStack stack;
    QEventLoop loop;
    int code = 3;
    QObject::connect(&stack, &ops::LocalStack::partChanged, &loop, [&](const ops::StackPart& part) {
        output.progress(fmt::format("{:12} {} {}", part.name.toStdString(), toString(part.state),
            part.detail.toStdString()));
    });
    QObject::connect(&stack, &ops::LocalStack::ready, &loop, [&](const ops::StackStatus& status) {
        print(output, status);
        code = 0;
        loop.quit();
    });
    QObject::connect(&stack, &ops::LocalStack::failed, &loop, [&](const Error& error) {
        code = output.fail(error);
        loop.quit();
    });
    ops::StackOptions options;
    options.stateFolder = QString::fromStdString(arguments.state);
    options.modelFile = QString::fromStdString(arguments.model);
    options.catalogueFile = QString::fromStdString(arguments.catalogue);
    options.workersPerPool = arguments.workers;
    options.startTimeoutMs = arguments.timeoutSeconds * 1000;
    const auto with = ops::stackExtrasFromString(QString::fromStdString(arguments.with));
    if (!with) {
        return output.fail(with.error());
    }
    options.with = *with;
    stack.up(options);
    loop.exec();
    return code;
}

/// The process that owns the stack; started by `stack up` and by the console.
int supervise(const Output& output, const StackArguments& arguments)
{
    ops::StackOptions options;
    options.stateFolder = QString::fromStdString(arguments.state);
    options.modelFile = QString::fromStdString(arguments.model);
    options.catalogueFile = QString::fromStdString(arguments.catalogue);
    options.workerProgram = QString::fromStdString(arguments.worker);
    options.workersPerPool = arguments.workers;
    options.startTimeoutMs = arguments.timeoutSeconds * 1000;
    options.with = QString::fromStdString(arguments.with).split(u',', Qt::SkipEmptyParts);
    ops::StackSupervisor supervisor(options, ops::ProcessMark::of(arguments.owner));
    QEventLoop loop;
    int code = 0;
    QObject::connect(&supervisor, &ops::StackSupervisor::finished, &loop, [&](int ended) {
        code = ended;
        loop.quit();
    });
    QTimer watch;
    QObject::connect(&watch, &QTimer::timeout, &supervisor, [&] {
        if (interrupted()) {
            supervisor.stop();
        }
    });
    watch.start(50);
    if (auto started = supervisor.start(); !started) {
        return output.fail(started.error());
    }
    loop.exec();
    return code;
}

int status(const Output& output, const StackArguments& arguments)
{
    const auto status = ops::LocalStack::status(QString::fromStdString(arguments.state));
    if (!status) {
        return output.fail(status.error());
    }
    print(output, *status);
    return status->running ? 0 : 1;
}

int down(const Output& output, const StackArguments& arguments)
{
    ops::LocalStack stack;
    QEventLoop loop;
    int code = 3;
    QObject::connect(&stack, &ops::LocalStack::stopped, &loop, [&] {
        output.object({{"running", false}});
        output.line("the local stack is down");
        code = 0;
        loop.quit();
    });
    QObject::connect(&stack, &ops::LocalStack::failed, &loop, [&](const Error& error) {
        code = output.fail(error);
        loop.quit();
    });
    stack.down(QString::fromStdString(arguments.state));
    loop.exec();
    return code;
}

} // namespace

void addStack(CLI::App& app, Commands& commands)
{
    auto arguments = std::make_shared<StackArguments>();
    CLI::App* group = app.add_subcommand(
        "stack", "The local stack: Redis, Prometheus, HAProxy and workers on this machine");
    group->require_subcommand(1);
    group->footer("Loopback only, on ports that are free; nothing of the system's own servers is "
                  "used or disturbed.");

    CLI::App* sub = commands.add(*group, "up",
        "Start it and wait until every part is healthy; joins the one that runs",
        [&commands, arguments] { return up(commands.output, *arguments); });
    sub->add_option("--state", arguments->state,
        "state folder: configuration, logs, data (default: the user's own)");
    sub->add_option(
        "--model", arguments->model, "model the workers serve (default: the bundled one)");
    sub->add_option(
        "--catalogue", arguments->catalogue, "entity catalogue (default: the bundled one)");
    sub->add_option("--workers", arguments->workers, "workers a pool")
        ->capture_default_str()
        ->check(CLI::Range(1, 16));
    sub->add_option("--timeout", arguments->timeoutSeconds, "seconds until all must be healthy")
        ->capture_default_str()
        ->check(CLI::Range(1, 600));
    sub->add_option("--with", arguments->with,
        "more servers, apart by commas: alertmanager, redis-exporter, blackbox-exporter");
    sub->footer("It stays up until `sluicectl stack down`. Example: sluicectl stack up --json");

    sub = commands.add(*group, "supervise",
        "Own the stack's processes until SIGTERM (what `up` runs in the background)",
        [&commands, arguments] { return supervise(commands.output, *arguments); });
    sub->add_option("--state", arguments->state, "state folder")->required();
    sub->add_option("--model", arguments->model, "model the workers serve");
    sub->add_option("--catalogue", arguments->catalogue, "entity catalogue");
    sub->add_option(
        "--worker", arguments->worker, "worker program (default: sluiced beside this program)");
    sub->add_option("--workers", arguments->workers, "workers a pool")->check(CLI::Range(1, 16));
    sub->add_option("--timeout", arguments->timeoutSeconds, "seconds until all must be healthy")
        ->check(CLI::Range(1, 600));
    sub->add_option("--with", arguments->with, "more servers");
    sub->add_option("--owner", arguments->owner, "process with which the stack ends");

    sub = commands.add(*group, "status", "What runs, where; exit code 1 when nothing does",
        [&commands, arguments] { return status(commands.output, *arguments); });
    sub->add_option("--state", arguments->state, "state folder");
    sub = commands.add(*group, "down", "End every process of it; logs are kept",
        [&commands, arguments] { return down(commands.output, *arguments); });
    sub->add_option("--state", arguments->state, "state folder");
}

} // namespace sluice::ctl
