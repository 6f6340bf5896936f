// Looking back: old against new, and a plan on what was recorded.

#include "app/sluicectl/rolloutdrive.h"

#include "engine/base/file.h"
#include "engine/operations/rollout/abreader.h"
#include "engine/operations/rollout/abreport.h"
#include "engine/operations/rollout/dryrun.h"
#include "engine/operations/rollout/rediscontrol.h"

#include <QDateTime>
#include <QRegularExpression>
#include <fmt/format.h>

namespace sluice::ctl {

namespace {

constexpr int readMs = 120000;
constexpr qint64 dayMs = 86400000;

struct StudyArguments
{
    EnvironmentOptions environment;
    std::string from;
    std::string to;
    std::string canary;
    std::string html;
    std::string plan;
};

/// "2h", "30m", "1d" before now, or ISO 8601 with a zone; empty: `otherwise`.
Result<qint64> timeOf(const std::string& text, qint64 otherwise)
{
    if (text.empty()) {
        return otherwise;
    }
    const QString given = QString::fromStdString(text);
    static const QRegularExpression ago(QStringLiteral("^([0-9]{1,6})([smhd])$"));
    if (const auto match = ago.match(given); match.hasMatch()) {
        const QChar unit = match.captured(2)[0];
        const qint64 seconds = unit == u's' ? 1 : unit == u'm' ? 60 : unit == u'h' ? 3600 : 86400;
        return QDateTime::currentMSecsSinceEpoch()
            - match.captured(1).toLongLong() * seconds * 1000;
    }
    const QDateTime at = QDateTime::fromString(given, Qt::ISODateWithMs);
    if (!at.isValid() || at.timeSpec() == Qt::LocalTime) {
        return inputError(
            "\"" + text + "\" is no time: give 2h, 30m, 1d (before now), or 2026-11-24T14:00:00Z");
    }
    return at.toMSecsSinceEpoch();
}

QString otherPool(const QString& pool)
{
    return pool == QLatin1StringView("blue") ? QStringLiteral("green") : QStringLiteral("blue");
}

/// Which time and pools: as given, else those of the rollout that was published last.
struct Studied
{
    QString canary;
    qint64 fromMs = 0;
    qint64 toMs = 0;
};

Result<Studied> studied(const StudyArguments& arguments, ops::RedisClient* redis)
{
    Studied made;
    const qint64 now = QDateTime::currentMSecsSinceEpoch();
    made.canary = QString::fromStdString(arguments.canary);
    made.fromMs = now - dayMs;
    made.toMs = now;
    ops::RolloutDesk desk(redis);
    const auto published = await<std::optional<ops::PublishedRollout>>(
        3000, "Redis", [&](QObject* context, auto answered) { desk.state(context, answered); });
    if (published && *published && (*published)->state.startedMs > 0) {
        const ops::RolloutState& state = (*published)->state;
        made.canary = made.canary.isEmpty() ? state.canary : made.canary;
        made.fromMs = state.startedMs;
        made.toMs = state.endMs(now);
    } else if (made.canary.isEmpty()) {
        return published ? inputError("no rollout was ever driven here: say --canary blue or green")
                         : published.error();
    }
    const auto from = timeOf(arguments.from, made.fromMs);
    const auto to = timeOf(arguments.to, made.toMs);
    if (!from || !to) {
        return from ? to.error() : from.error();
    }
    made.fromMs = *from;
    made.toMs = *to;
    if (made.fromMs >= made.toMs) {
        return inputError("--from is not before --to");
    }
    return made;
}

int compare(const Output& output, const StudyArguments& arguments)
{
    auto chosen = arguments.environment.choose();
    if (!chosen) {
        return output.fail(chosen.error());
    }
    auto redis = connectRedis(*chosen, QStringLiteral("viewer"));
    if (!redis) {
        return output.fail(redis.error());
    }
    const auto what = studied(arguments, redis->get());
    if (!what) {
        return output.fail(what.error());
    }
    const auto rows =
        await<std::shared_ptr<ops::AbRows>>(readMs, "Redis", [&](QObject* context, auto answered) {
            ops::readAbRows(redis->get(), what->fromMs, what->toMs, context, answered);
        });
    if (!rows) {
        return output.fail(rows.error());
    }
    const ops::AbComparison made = ops::compareAb((*rows)->decisions, (*rows)->feedback,
        what->canary, otherPool(what->canary), what->fromMs, what->toMs, nullptr);
    if (!arguments.html.empty()) {
        const auto written = writeFileAtomically(
            arguments.html, ops::abDocument(made, chosen->environment.name).toStdString());
        if (!written) {
            return output.fail(written.error());
        }
    }
    boost::json::object object = jsonOf(made.toJson()).as_object();
    object["whole"] = (*rows)->isWhole;
    object["damaged"] = (*rows)->damaged;
    output.object(object);
    output.line(fmt::format("{} against {}: {} and {} sessions", made.canary.toStdString(),
        made.stable.toStdString(), made.canarySessions, made.stableSessions));
    for (const ops::ComparedMeasure& measure : made.measures) {
        output.line(fmt::format("{:27} {:>28} {:>28}  {}", measure.name.toStdString(),
            ops::estimateText(measure.canary, measure.unit).toStdString(),
            ops::estimateText(measure.stable, measure.unit).toStdString(),
            ops::differenceText(measure, made.canary).toStdString()));
    }
    output.line(fmt::format("{:27} {:>28} {:>28}  {} queries asked of both", "decided alike",
        ops::estimateText(made.agreement, QStringLiteral("%")).toStdString(),
        ops::estimateText(made.selfAgreement, QStringLiteral("%")).toStdString(),
        made.sharedQueries));
    if (!(*rows)->isWhole) {
        output.line("There are more rows than are read: the oldest are missing.");
    }
    if (made.isEmpty()) {
        output.line("There is no time in which both pools had sessions in the decision log.");
    }
    return made.isEmpty() ? 1 : 0;
}

int dryRun(const Output& output, const StudyArguments& arguments)
{
    const auto plan = readPlan(arguments.plan);
    if (!plan) {
        return output.fail(plan.error());
    }
    auto chosen = arguments.environment.choose();
    if (!chosen) {
        return output.fail(chosen.error());
    }
    if (chosen->environment.prometheus.isEmpty()) {
        return output.fail(inputError("the environment \"" + chosen->environment.name.toStdString()
            + "\" names no Prometheus"));
    }
    const qint64 now = QDateTime::currentMSecsSinceEpoch();
    const auto from = timeOf(arguments.from, now - dayMs / 3);
    const auto to = timeOf(arguments.to, now);
    if (!from || !to) {
        return output.fail(from ? to.error() : from.error());
    }
    auto redis = connectRedis(*chosen, QStringLiteral("viewer")); // complaints; without is said
    ops::PrometheusClient prometheus;
    prometheus.setBaseUrl(chosen->environment.prometheus);
    ops::RecordingReader reader(&prometheus, redis ? redis->get() : nullptr);
    const QString canary = arguments.canary.empty() ? QStringLiteral("green")
                                                    : QString::fromStdString(arguments.canary);
    const auto recording =
        await<std::shared_ptr<ops::Recording>>(readMs, "Prometheus", [&](QObject*, auto answered) {
            reader.read(*plan, canary, otherPool(canary), *from, *to, {}, answered);
        });
    if (!recording) {
        return output.fail(recording.error());
    }
    const ops::DryRunResult made = ops::dryRun(*plan, **recording, &interrupted());
    output.object(jsonOf(made.toJson()).as_object());
    for (const ops::DryRunStage& stage : made.stages) {
        output.line(fmt::format("{:12} {:12} {:>8} {:>8}  {}", stage.name.toStdString(),
            ops::outcomeName(stage.outcome).toStdString(),
            stage.outcome == ops::DryRunStage::Outcome::NotReached
                ? std::string()
                : fmt::format("{:.1f}", stage.reachedMinute),
            stage.outcome == ops::DryRunStage::Outcome::NotReached
                ? std::string()
                : fmt::format("{:.1f} min", stage.leftMinute),
            stage.reason.toStdString()));
    }
    output.line(made.text().toStdString());
    for (const QString& note : made.notes) {
        output.line(note.toStdString());
    }
    return made.rolledBack() ? 1 : 0;
}

} // namespace

void addRolloutStudies(CLI::App& group, Commands& commands)
{
    auto arguments = std::make_shared<StudyArguments>();
    const auto range = [arguments](CLI::App* sub) {
        arguments->environment.addTo(*sub);
        sub->add_option(
            "--from", arguments->from, "2h, 30m, 1d (before now), or 2026-11-24T14:00:00Z");
        sub->add_option("--to", arguments->to, "the same (default: now, or the rollout's end)");
        sub->add_option("--canary", arguments->canary, "the pool with the release")
            ->check(CLI::IsMember({"blue", "green"}));
    };
    CLI::App* sub = commands.add(group, "compare",
        "Old against new: what both pools decided, how fast, and what users said of it",
        [&commands, arguments] { return compare(commands.output, *arguments); });
    range(sub);
    sub->add_option("--html", arguments->html, "a report for a browser");
    sub->footer("Reads the decision log; time and pool are those of the last rollout unless given."
                "\nExample: sluicectl rollout compare --from 2h --html compare.html");

    sub = commands.add(group, "dry-run",
        "A plan on recorded metrics: when each stage would have passed or been rolled back",
        [&commands, arguments] { return dryRun(commands.output, *arguments); });
    range(sub);
    sub->add_option("--plan", arguments->plan, "rollout plan, JSON (docs/FORMATS.md)")->required();
    sub->footer("Exit code 1: it would have been rolled back. The default time is the last eight "
                "hours.\nExample: sluicectl rollout dry-run --plan p.json --from 10h --to 2h");
}

} // namespace sluice::ctl
