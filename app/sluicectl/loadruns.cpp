#include "app/sluicectl/load.h"

#include "engine/operations/loadtest/endurance.h"
#include "engine/operations/loadtest/runfolder.h"

#include <QJsonArray>
#include <fmt/format.h>

namespace sluice::ctl {

namespace {

struct RunArguments
{
    std::vector<std::string> runs;
    int limit = 50;
    std::string out;
    double margin = 0.05;
    double floorMs = 1;
};

Result<ops::LoadResult> open(const std::string& run)
{
    const auto folder = ops::findRun(QString::fromStdString(run));
    return folder ? ops::readRun(*folder) : Result<ops::LoadResult>(folder.error());
}

int list(const Output& output, const RunArguments& arguments)
{
    const QList<ops::LoadResult> runs = ops::listRuns().mid(0, arguments.limit);
    for (const ops::LoadResult& run : runs) {
        const bool baseline = ops::baselineOf(run.scenario.name) == run.id;
        if (output.json) {
            printJson({{QStringLiteral("id"), run.id},
                {QStringLiteral("scenario"), run.scenario.name},
                {QStringLiteral("target"), run.target.toString()},
                {QStringLiteral("generator"), run.generator},
                {QStringLiteral("started_at"), run.startedAt.toString(Qt::ISODate)},
                {QStringLiteral("state"), run.state}, {QStringLiteral("verdict"), run.verdict()},
                {QStringLiteral("p95_ms"), run.p95Ms}, {QStringLiteral("p99_ms"), run.p99Ms},
                {QStringLiteral("achieved_rate"), run.achievedRate},
                {QStringLiteral("baseline"), baseline}});
        }
        output.line(fmt::format("{:40} {:10} {:9} p95 {:8.2f} ms  p99 {:8.2f} ms {:9.1f}/s{}",
            run.id.toStdString(), run.verdict().toStdString(), run.state.toStdString(), run.p95Ms,
            run.p99Ms, run.achievedRate, baseline ? "  baseline" : ""));
    }
    if (runs.isEmpty()) {
        output.line("no load run yet: sluicectl load run");
    }
    return 0;
}

int show(const Output& output, const RunArguments& arguments)
{
    auto run = open(arguments.runs.front());
    if (!run) {
        return output.fail(run.error());
    }
    // Also while it runs, and of one that was lost: what is there is judged.
    if (run->state == QLatin1StringView("running") || run->state == QLatin1StringView("lost")) {
        run->notes << ops::enduranceNotes(*run);
    }
    if (output.json) {
        QJsonArray seconds;
        for (const ops::LoadSecond& second : std::as_const(run->seconds)) {
            seconds << second.toJson();
        }
        printJson(
            {{QStringLiteral("result"), run->toJson()}, {QStringLiteral("seconds"), seconds}});
        return 0;
    }
    output.line(fmt::format("{} on {}, {} s until now, started {}",
        run->scenario.name.toStdString(), run->target.toString().toStdString(), run->seconds.size(),
        run->startedAt.toString(Qt::ISODate).toStdString()));
    for (auto error = run->errors.cbegin(); error != run->errors.cend(); ++error) {
        output.line(fmt::format("errors   {}: {}", error.key().toStdString(), error.value()));
    }
    printVerdict(output, *run);
    return 0;
}

int compare(const Output& output, const RunArguments& arguments)
{
    const auto before = open(arguments.runs[0]);
    const auto after = open(arguments.runs[1]);
    for (const auto* run : {&before, &after}) {
        if (!*run) {
            return output.fail(run->error());
        }
    }
    const ops::Comparison comparison =
        ops::compareRuns(*before, *after, arguments.margin, arguments.floorMs);
    printComparison(output, comparison);
    if (output.json) {
        printJson(comparison.toJson());
    }
    return comparison.noWorse() ? 0 : 1;
}

int baseline(const Output& output, const RunArguments& arguments)
{
    const QString run = QString::fromStdString(arguments.runs.front());
    if (const auto set = ops::setBaseline(run); !set) {
        return output.fail(set.error());
    }
    const auto opened = ops::readRunHead(*ops::findRun(run));
    if (output.json) {
        printJson({{QStringLiteral("scenario"), opened->scenario.name},
            {QStringLiteral("baseline"), opened->id}});
    }
    output.line("runs of \"" + opened->scenario.name.toStdString() + "\" are held against "
        + opened->id.toStdString() + " by --gate baseline");
    return 0;
}

int merge(const Output& output, const RunArguments& arguments)
{
    QList<ops::LoadResult> parts;
    for (const std::string& run : arguments.runs) {
        auto part = open(run);
        if (!part) {
            return output.fail(part.error());
        }
        parts << *part;
    }
    const auto merged = ops::mergeRuns(parts);
    if (!merged) {
        return output.fail(merged.error());
    }
    if (const auto saved = ops::saveRun(QString::fromStdString(arguments.out), *merged); !saved) {
        return output.fail(saved.error());
    }
    printVerdict(output, *merged);
    if (output.json) {
        printJson({{QStringLiteral("result"), merged->toJson()}});
    }
    return merged->passed ? 0 : 1;
}

} // namespace

void addLoadRuns(CLI::App& group, Commands& commands)
{
    auto arguments = std::make_shared<RunArguments>();
    const auto add = [&](const char* name, const char* what, auto body) {
        return commands.add(group, name, what,
            [&commands, arguments, body] { return body(commands.output, *arguments); });
    };
    add("list", "The runs of this user, newest first", list)
        ->add_option("--limit", arguments->limit, "at most so many")
        ->check(CLI::Range(1, 100000))
        ->capture_default_str();
    add("show", "One run: verdict, errors, notes; also while it lasts", show)
        ->add_option("run", arguments->runs, "an id of `load list`, a folder, or \"latest\"")
        ->required()
        ->expected(1);
    CLI::App* compared = add("compare",
        "What changed between two runs, with 95 % intervals; exit code 1: not shown to be no worse",
        compare);
    compared->add_option("runs", arguments->runs, "the earlier and the later run")
        ->required()
        ->expected(2);
    compared->add_option("--margin", arguments->margin, "no worse by more than this share")
        ->check(CLI::Range(0.0, 10.0))
        ->capture_default_str();
    compared
        ->add_option("--floor-ms", arguments->floorMs,
            "a latency that changed by less is no worse, whatever the share")
        ->check(CLI::Range(0.0, 1e6))
        ->capture_default_str();
    add("baseline", "Make a run the one that later runs of its scenario are held against", baseline)
        ->add_option("run", arguments->runs, "an id of `load list`, a folder, or \"latest\"")
        ->required()
        ->expected(1);
    CLI::App* merged =
        add("merge", "One run of parts that several generators ran at the same time", merge);
    merged->add_option("runs", arguments->runs, "the parts")->required()->expected(2, 100);
    merged->add_option("--out", arguments->out, "run folder")->required();
}

} // namespace sluice::ctl
