#include "app/sluicectl/load.h"

#include "engine/base/file.h"
#include "engine/operations/loadtest/jmeterplan.h"
#include "engine/operations/loadtest/report.h"
#include "engine/operations/loadtest/runfolder.h"

#include <fmt/format.h>

namespace sluice::ctl {

namespace {

struct ExportArguments
{
    std::string scenario = "normal";
    std::string target = "http://127.0.0.1:8080";
    double seconds = 0;
    std::uint64_t seed = 1;
    int scripts = 200;
    std::string jmx;
};

int exportPlan(const Output& output, const ExportArguments& arguments)
{
    auto scenario = ops::loadScenario(QString::fromStdString(arguments.scenario));
    if (!scenario) {
        return output.fail(scenario.error());
    }
    if (arguments.seconds > 0) {
        scenario = scenario->lasting(arguments.seconds);
    }
    const auto plan = ops::jmeterPlan(*scenario, QUrl(QString::fromStdString(arguments.target)),
        arguments.seed, arguments.scripts);
    if (!plan) {
        return output.fail(plan.error());
    }
    if (auto written = writeFileAtomically(arguments.jmx, plan->toStdString()); !written) {
        return output.fail(written.error());
    }
    output.object({{"file", arguments.jmx}});
    output.line(fmt::format("{} (jmeter -n -t {} -l results.jtl)", arguments.jmx, arguments.jmx));
    return 0;
}

struct ReportArguments
{
    std::string run = "latest";
    std::string html;
};

int report(const Output& output, const ReportArguments& arguments)
{
    const auto folder = ops::findRun(QString::fromStdString(arguments.run));
    if (!folder) {
        return output.fail(folder.error());
    }
    const auto run = ops::readRun(*folder);
    if (!run) {
        return output.fail(run.error());
    }
    if (auto written = writeFileAtomically(arguments.html, ops::reportHtml(*run).toStdString());
        !written) {
        return output.fail(written.error());
    }
    output.object({{"file", arguments.html}, {"verdict", run->verdict().toStdString()}});
    output.line(fmt::format("{}: {}", arguments.html, run->verdict().toStdString()));
    return 0;
}

} // namespace

void addLoadExport(CLI::App& load, Commands& commands)
{
    auto plan = std::make_shared<ExportArguments>();
    CLI::App* sub = commands.add(load, "export", "Write a scenario as a test plan for JMeter",
        [&commands, plan] { return exportPlan(commands.output, *plan); });
    sub->add_option("--scenario", plan->scenario, "a scenario's name or file")
        ->capture_default_str();
    sub->add_option("--target", plan->target, "what the plan is aimed at")->capture_default_str();
    sub->add_option("--seconds", plan->seconds, "stretch or shorten the scenario to this")
        ->check(CLI::Range(1.0, 86400.0));
    sub->add_option("--seed", plan->seed, "order of the queries")->capture_default_str();
    sub->add_option("--scripts", plan->scripts, "at most so many of its queries and conversations")
        ->check(CLI::Range(1, 10000))
        ->capture_default_str();
    sub->add_option("--jmx", plan->jmx, "the file")->required();
    sub->footer(
        "The format of JMeter 2.13. It has no open model: rates become even steps, paced; its "
        "times count from the\nactual send. Example: sluicectl load export --scenario peak "
        "--jmx peak.jmx");

    auto what = std::make_shared<ReportArguments>();
    CLI::App* written =
        commands.add(load, "report", "Write a run's report: one HTML file with its pictures",
            [&commands, what] { return report(commands.output, *what); });
    written->add_option("run", what->run, "a run's id or folder, or \"latest\"")
        ->capture_default_str();
    written->add_option("--html", what->html, "the file")->required();
}

} // namespace sluice::ctl
