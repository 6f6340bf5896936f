#include "app/sluicectl/load.h"

#include "engine/base/file.h"
#include "engine/operations/loadtest/capacity.h"

#include <QJsonArray>
#include <fmt/format.h>

namespace sluice::ctl {

namespace {

struct CapacityArguments : LoadTarget
{
    std::vector<int> users{1, 2, 4, 8, 16, 32, 64, 128};
    double stepSeconds = 10;
    std::string run;
    std::string out;
    std::string settings;
    std::uint64_t seed = 1;
    ops::CapacityQuestion question{100, 500, 0, 0.7};
};

QJsonObject json(const char* low, const char* high, const Interval& interval)
{
    return {{QLatin1StringView(low), interval.low}, {QLatin1StringView(high), interval.high}};
}

void add(QJsonObject& object, const QJsonObject& more)
{
    for (auto member = more.begin(); member != more.end(); ++member) {
        object[member.key()] = member.value();
    }
}

QJsonObject toJson(const std::vector<ops::CapacityStep>& steps, const ops::ScalabilityFit& fit)
{
    QJsonArray list;
    for (const ops::CapacityStep& step : steps) {
        list << QJsonObject{{QStringLiteral("concurrency"), step.concurrency},
            {QStringLiteral("rate"), step.rate}, {QStringLiteral("p99_ms"), step.p99Ms},
            {QStringLiteral("fitted_rate"), fit.rateAt(step.concurrency)}};
    }
    QJsonObject object{{QStringLiteral("steps"), list}, {QStringLiteral("lambda"), fit.lambda},
        {QStringLiteral("sigma"), fit.sigma}, {QStringLiteral("kappa"), fit.kappa},
        {QStringLiteral("relative_error"), fit.relativeError}};
    add(object, json("lambda_low", "lambda_high", fit.lambdaInterval));
    add(object, json("sigma_low", "sigma_high", fit.sigmaInterval));
    add(object, json("kappa_low", "kappa_high", fit.kappaInterval));
    if (const auto peak = fit.peakConcurrency()) {
        object[QStringLiteral("peak_concurrency")] = *peak;
        object[QStringLiteral("peak_rate")] = fit.rateAt(*peak);
    }
    return object;
}

Result<void> writeSettings(const std::string& folder, const ops::CapacityQuestion& question,
    const ops::CapacityAnswer& answer)
{
    if (auto writable = ensureWritableFolder(folder); !writable) {
        return writable;
    }
    if (auto written = writeFileAtomically(folder + "/sluice-workers.target",
            ops::systemdSettings(question, answer).toStdString());
        !written) {
        return written;
    }
    return writeFileAtomically(
        folder + "/hpa.yaml", ops::autoscalerSettings(question, answer).toStdString());
}

int conclude(const Output& output, const CapacityArguments& arguments, const ops::LoadResult& run)
{
    const auto steps = ops::stepsOf(run);
    const auto fit =
        steps ? ops::fitScalability(*steps) : Result<ops::ScalabilityFit>(steps.error());
    if (!fit) {
        return output.fail(fit.error());
    }
    for (const ops::CapacityStep& step : *steps) {
        output.line(fmt::format("{:6.0f} in flight  {:9.0f}/s (fitted {:9.0f}/s)  p99 {:.2f} ms",
            step.concurrency, step.rate, fit->rateAt(step.concurrency), step.p99Ms));
    }
    output.line(
        fmt::format("one at a time {:.0f}/s ({:.0f} to {:.0f}); contention {:.4f} ({:.4f} to "
                    "{:.4f}); coherency {:.3g} ({:.3g} to {:.3g}); off by {:.1f} % (RMS)",
            fit->lambda, fit->lambdaInterval.low, fit->lambdaInterval.high, fit->sigma,
            fit->sigmaInterval.low, fit->sigmaInterval.high, fit->kappa, fit->kappaInterval.low,
            fit->kappaInterval.high, fit->relativeError * 100));
    const ops::CapacityQuestion& question = arguments.question;
    const auto answer = ops::workersFor(question, *steps, *fit);
    if (!answer) {
        return output.fail(answer.error());
    }
    output.line(fmt::format(
        "{} worker{} for {:.0f} requests/s at p99 under {} ms ({} to {} by the 95 % interval): {} "
        "{:.0f}/s a worker there, planned with {:.0f} % of it",
        answer->workers, answer->workers == 1 ? "" : "s", question.rate, question.p99Ms,
        answer->workersLow, answer->workersHigh, answer->reached ? "" : "at least",
        answer->ratePerWorker, question.busy * 100));
    if (!arguments.settings.empty()) {
        if (auto written = writeSettings(arguments.settings, question, *answer); !written) {
            return output.fail(written.error());
        }
        output.line("settings written to " + arguments.settings);
    }
    QJsonObject object = toJson(*steps, *fit);
    add(object,
        {{QStringLiteral("run"), run.id}, {QStringLiteral("measured_workers"), question.workers},
            {QStringLiteral("concurrency"), answer->concurrency},
            {QStringLiteral("limit_reached"), answer->reached},
            {QStringLiteral("rate"), answer->rate},
            {QStringLiteral("rate_per_worker"), answer->ratePerWorker},
            {QStringLiteral("workers"), answer->workers},
            {QStringLiteral("workers_low"), answer->workersLow},
            {QStringLiteral("workers_high"), answer->workersHigh}});
    add(object, json("rate_low", "rate_high", answer->rateInterval));
    if (output.json) {
        printJson({{QStringLiteral("capacity"), object}});
    }
    return 0;
}

/// Workers of the pool that serves: those of the other one get no traffic.
int workersOf(const CapacityArguments& arguments)
{
    if (!arguments.target.empty()) {
        return 1;
    }
    const auto chosen = arguments.environment.choose();
    if (!chosen || chosen->environment.workers.isEmpty()) {
        return 1;
    }
    const QList<ops::WorkerEndpoint>& workers = chosen->environment.workers;
    return int(std::count_if(workers.begin(), workers.end(),
        [&](const ops::WorkerEndpoint& one) { return one.pool == workers.first().pool; }));
}

int run(const Output& output, CapacityArguments arguments)
{
    if (arguments.question.workers == 0) {
        arguments.question.workers = workersOf(arguments);
    }
    if (!arguments.run.empty()) {
        const auto folder = ops::findRun(QString::fromStdString(arguments.run));
        const auto known = folder ? ops::readRun(*folder) : Result<ops::LoadResult>(folder.error());
        return known ? conclude(output, arguments, *known) : output.fail(known.error());
    }
    auto options = arguments.options(output);
    if (!options) {
        return output.fail(options.error());
    }
    options->scenario = ops::stepScenario(arguments.users, arguments.stepSeconds);
    options->seed = arguments.seed;
    options->folder = arguments.out.empty() ? ops::newRunFolder(options->scenario)
                                            : QString::fromStdString(arguments.out);
    return runToItsEnd(output, *options, false, [&](const ops::LoadResult& result) {
        record(output, localUser(), result.environment, QStringLiteral("load"),
            QStringLiteral("capacity, %1 steps").arg(arguments.users.size()), result.state,
            {{QStringLiteral("folder"), options->folder}});
        return conclude(output, arguments, result);
    });
}

} // namespace

void addLoadCapacity(CLI::App& group, Commands& commands)
{
    auto arguments = std::make_shared<CapacityArguments>();
    CLI::App* sub = commands.add(group, "capacity",
        "How many workers for a rate at a p99: steps of load, a fit of the Universal Scalability "
        "Law; exit code 1: no number of workers holds it",
        [&commands, arguments] { return run(commands.output, *arguments); });
    arguments->addTo(*sub);
    sub->add_option("--users", arguments->users, "requests in flight, step by step")
        ->delimiter(',')
        ->check(CLI::Range(1, ops::Scenario::maxUsers))
        ->capture_default_str();
    sub->add_option("--step-seconds", arguments->stepSeconds, "how long a step lasts")
        ->check(CLI::Range(3.0, 3600.0))
        ->capture_default_str();
    sub->add_option("--run", arguments->run, "take this run's steps instead of a new one");
    sub->add_option("--out", arguments->out, "run folder");
    sub->add_option("--seed", arguments->seed, "order of the queries")->capture_default_str();
    sub->add_option("--rate", arguments->question.rate, "requests a second that must be carried")
        ->check(CLI::Range(0.001, 1e7))
        ->capture_default_str();
    sub->add_option("--p99-ms", arguments->question.p99Ms, "within this p99")
        ->check(CLI::Range(0.001, 1e6))
        ->capture_default_str();
    sub->add_option("--workers", arguments->question.workers,
           "how many shared the load (default: those of the environment's serving pool; with "
           "--target 1)")
        ->check(CLI::Range(1, 10000));
    sub->add_option("--busy", arguments->question.busy, "plan with this share of what they can do")
        ->check(CLI::Range(0.05, 1.0))
        ->capture_default_str();
    sub->add_option("--settings", arguments->settings,
        "folder for a systemd target and a HorizontalPodAutoscaler with the answer");
}

} // namespace sluice::ctl
