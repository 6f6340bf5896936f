#include "app/sluicectl/command.h"

#include "engine/base/file.h"
#include "engine/operations/thresholds/publishedthresholds.h"

#include <QElapsedTimer>
#include <QThread>
#include <boost/json/parse.hpp>
#include <fmt/format.h>

namespace sluice::ctl {

namespace {

struct ThresholdArguments
{
    EnvironmentOptions environment;
    std::string pool = "blue";
    std::string user = "admin";
    std::string file;
    std::string comment;
    double global = -1;
    std::int64_t number = 0;
    int waitSeconds = 5;
    bool overrideRollout = false;
};

/// A connection and what is published, for one command.
struct Access
{
    ChosenEnvironment chosen;
    std::unique_ptr<ops::RedisClient> client;
    std::unique_ptr<ops::PublishedThresholds> published;
    std::optional<ThresholdSet> active;
};

Result<Access> access(const ThresholdArguments& arguments)
{
    if (arguments.pool != "blue" && arguments.pool != "green") {
        return inputError("--pool: blue or green is expected, not \"" + arguments.pool + "\"");
    }
    auto chosen = arguments.environment.choose();
    if (!chosen) {
        return chosen.error();
    }
    auto client = connectRedis(*chosen, QString::fromStdString(arguments.user));
    if (!client) {
        return client.error();
    }
    Access all{std::move(*chosen), std::move(*client), nullptr, std::nullopt};
    all.published = std::make_unique<ops::PublishedThresholds>(all.client.get());
    auto active =
        await<std::optional<ThresholdSet>>(3000, "Redis", [&](QObject* context, auto answered) {
            all.published->active(QString::fromStdString(arguments.pool), context, answered);
        });
    if (!active) {
        return active.error();
    }
    all.active = std::move(*active);
    return all;
}

QList<ops::WorkerInfo> workersOf(Access& all, const QString& pool)
{
    QList<ops::WorkerEndpoint> endpoints;
    for (const ops::WorkerEndpoint& endpoint : all.chosen.environment.workers) {
        if (pool.isEmpty() || endpoint.pool == pool) {
            endpoints << endpoint;
        }
    }
    auto infos =
        await<QList<ops::WorkerInfo>>(3000, "the workers", [&](QObject* context, auto answered) {
            all.published->workers(endpoints, context,
                [answered](QList<ops::WorkerInfo> found) { answered(std::move(found)); });
        });
    return infos ? *infos : QList<ops::WorkerInfo>();
}

boost::json::array toJson(const QList<ops::WorkerInfo>& workers)
{
    boost::json::array array;
    for (const ops::WorkerInfo& worker : workers) {
        array.push_back(boost::json::object{{"pool", worker.endpoint.pool.toStdString()},
            {"url", worker.endpoint.url.toString().toStdString()}, {"reachable", worker.reachable},
            {"threshold_set", worker.thresholdSet}, {"model", worker.modelHash.toStdString()},
            {"version", worker.version.toStdString()}, {"error", worker.error.toStdString()}});
    }
    return array;
}

/// Waits until every reachable worker of the pool serves `number`; true when all do.
bool arrived(Access& all, const QString& pool, std::int64_t number, int seconds,
    QList<ops::WorkerInfo>& workers)
{
    QElapsedTimer timer;
    timer.start();
    do {
        workers = workersOf(all, pool);
        bool everywhere = !workers.isEmpty();
        for (const ops::WorkerInfo& worker : workers) {
            everywhere = everywhere && worker.reachable && worker.thresholdSet == number;
        }
        if (everywhere) {
            return true;
        }
        QThread::msleep(50);
    } while (timer.elapsed() < seconds * 1000 && !interrupted());
    return false;
}

int show(const Output& output, const ThresholdArguments& arguments)
{
    auto all = access(arguments);
    if (!all) {
        return output.fail(all.error());
    }
    const auto workers = workersOf(*all, {});
    boost::json::object result{
        {"pool", arguments.pool}, {"active", nullptr}, {"workers", toJson(workers)}};
    if (all->active) {
        result["active"] = boost::json::parse(all->active->toJson());
        output.line(
            fmt::format("{} points to set {}: global {:.3f}, margin {:.3f}, by {} at {}  {}",
                arguments.pool, all->active->number, all->active->global, all->active->margin,
                all->active->author, all->active->createdAt, all->active->comment));
    } else {
        output.line(
            arguments.pool + ": nothing was published; workers serve their model's own thresholds");
    }
    for (const ops::WorkerInfo& worker : workers) {
        output.line(fmt::format("  {:6} {}  {}", worker.endpoint.pool.toStdString(),
            worker.endpoint.url.toString().toStdString(),
            worker.reachable ? fmt::format("set {}", worker.thresholdSet)
                             : "not reachable: " + worker.error.toStdString()));
    }
    output.object(result);
    return 0;
}

int finish(const Output& output, const ThresholdArguments& arguments, Access& all,
    const Result<qint64>& number, const char* kind)
{
    const QString user = QString::fromStdString(arguments.user);
    const QString pool = QString::fromStdString(arguments.pool);
    if (!number) {
        record(output, user, all.chosen.environment.name, QString::fromLatin1(kind),
            QStringLiteral("set to ") + pool, QStringLiteral("refused"),
            {{QStringLiteral("error"), QString::fromStdString(number.error().text())}});
        return output.fail(number.error());
    }
    QList<ops::WorkerInfo> workers;
    const bool everywhere = arrived(all, pool, *number, arguments.waitSeconds, workers);
    record(output, user, all.chosen.environment.name, QString::fromLatin1(kind),
        QStringLiteral("set %1 to %2").arg(*number).arg(pool), QStringLiteral("done"));
    output.object({{"pool", arguments.pool}, {"number", *number}, {"arrived", everywhere},
        {"workers", toJson(workers)}});
    output.line(fmt::format("set {} is active on {}{}", *number, arguments.pool,
        everywhere
            ? fmt::format(" and served by all {} workers", workers.size())
            : std::string("; not every worker serves it yet: see `sluicectl thresholds show`")));
    return everywhere ? 0 : 1;
}

ops::DuringRollout duringOf(const ThresholdArguments& arguments)
{
    return arguments.overrideRollout ? ops::DuringRollout::Override : ops::DuringRollout::Refuse;
}

int publish(const Output& output, const ThresholdArguments& arguments)
{
    ThresholdSet set;
    if (arguments.file.empty() && arguments.global < 0) {
        return output.fail(inputError("thresholds publish: give --file or --global"));
    }
    if (!arguments.file.empty()) {
        auto text = readFile(arguments.file, std::size_t(16) << 20);
        if (!text) {
            return output.fail(text.error());
        }
        auto parsed = ThresholdSet::fromJson(*text, arguments.file);
        if (!parsed) {
            return output.fail(parsed.error());
        }
        set = std::move(*parsed);
    }
    auto all = access(arguments);
    if (!all) {
        return output.fail(all.error());
    }
    if (arguments.file.empty()) {
        // One value changes; the rest stays as it is served, be it the model's own.
        std::optional<ThresholdSet> served = all->active;
        for (const ops::WorkerInfo& worker :
            workersOf(*all, QString::fromStdString(arguments.pool))) {
            served = served ? served : worker.thresholds;
        }
        if (!served) {
            return output.fail(unreachableError("no worker of " + arguments.pool
                + " says which thresholds it serves: give the whole set with --file"));
        }
        set = *served;
    }
    if (arguments.global >= 0) {
        set.global = arguments.global;
    }
    set.comment = arguments.comment;
    set.author = arguments.user;
    set.createdAt = iso8601Now();
    const qint64 expected = all->active ? all->active->number : 0;
    const auto number = await<qint64>(3000, "Redis", [&](QObject* context, auto answered) {
        all->published->publish(set, QString::fromStdString(arguments.pool), expected, context,
            answered, duringOf(arguments));
    });
    return finish(output, arguments, *all, number, "publish");
}

int activate(const Output& output, const ThresholdArguments& arguments)
{
    auto all = access(arguments);
    if (!all) {
        return output.fail(all.error());
    }
    const qint64 expected = all->active ? all->active->number : 0;
    const auto number = await<qint64>(3000, "Redis", [&](QObject* context, auto answered) {
        all->published->activate(arguments.number, QString::fromStdString(arguments.pool), expected,
            context, answered, QString::fromStdString(arguments.user), duringOf(arguments));
    });
    return finish(output, arguments, *all, number, "activate");
}

void addCommon(CLI::App& app, ThresholdArguments& arguments)
{
    arguments.environment.addTo(app);
    app.add_option("--pool", arguments.pool, "blue or green")->capture_default_str();
    app.add_option("--user", arguments.user, "Redis ACL user; it is the one recorded as the author")
        ->capture_default_str();
}

} // namespace

void addThresholds(CLI::App& app, Commands& commands)
{
    auto arguments = std::make_shared<ThresholdArguments>();
    CLI::App* group =
        app.add_subcommand("thresholds", "See, publish, tune, certify and compare threshold sets");
    group->require_subcommand(1);

    CLI::App* sub =
        commands.add(*group, "show", "The set a pool points to, and what every worker serves",
            [&commands, arguments] { return show(commands.output, *arguments); });
    addCommon(*sub, *arguments);

    sub = commands.add(*group, "publish",
        "Publish a set to a pool and wait until its workers serve it",
        [&commands, arguments] { return publish(commands.output, *arguments); });
    addCommon(*sub, *arguments);
    sub->add_flag("--override-rollout", arguments->overrideRollout,
        "change a pool's thresholds in the middle of a rollout, whose evidence then begins anew");
    sub->add_option("--file", arguments->file,
        "threshold set, JSON (docs/FORMATS.md); without it the pool's present set is changed");
    sub->add_option("--global", arguments->global, "global threshold instead of the file's")
        ->check(CLI::Range(0.0, 1.0));
    sub->add_option("--comment", arguments->comment, "why; kept with the set");
    sub->add_option("--wait", arguments->waitSeconds, "seconds to wait for the workers")
        ->capture_default_str()
        ->check(CLI::Range(0, 600));
    sub->footer("Compare-and-set: when somebody published meanwhile it is refused (exit code 1) "
                "and nothing changes.\n"
                "Example: sluicectl thresholds publish --pool blue --global 0.47 --comment \"fewer "
                "wrong refunds\"");

    sub = commands.add(*group, "activate", "Point a pool back to an earlier set",
        [&commands, arguments] { return activate(commands.output, *arguments); });
    addCommon(*sub, *arguments);
    sub->add_flag("--override-rollout", arguments->overrideRollout,
        "change a pool's thresholds in the middle of a rollout, whose evidence then begins anew");
    sub->add_option("NUMBER", arguments->number, "number of the set; 0: the model's own thresholds")
        ->required();

    addCertify(*group, commands);
    addTune(*group, commands);
    addThresholdSets(*group, commands);
}

} // namespace sluice::ctl
