#include "app/sluicectl/rolloutdrive.h"

#include "engine/base/file.h"
#include "engine/operations/rollout/haproxybalancer.h"
#include "engine/operations/rollout/journal.h"
#include "engine/operations/rollout/rediscontrol.h"

#include <QDateTime>
#include <QJsonDocument>
#include <boost/json/parse.hpp>
#include <fmt/format.h>

namespace sluice::ctl {

namespace {

using Kind = ops::RolloutEvent::Kind;

struct CommandArguments
{
    EnvironmentOptions environment;
    std::string file;
    std::string by;
    std::string reason;
    std::string release;
    std::string workerVersion;
    std::string model;
    std::string modelFile;
    qint64 thresholdSet = -1;
    qint64 version = -1;
    int events = 5;
};

QString whoOf(const CommandArguments& arguments)
{
    return arguments.by.empty() ? localUser() : QString::fromStdString(arguments.by);
}

int plan(const Output& output, const CommandArguments& arguments)
{
    ops::RolloutPlan made;
    if (!arguments.file.empty()) {
        auto read = readPlan(arguments.file);
        if (!read) {
            return output.fail(read.error());
        }
        made = std::move(*read);
        for (const ops::PlannedStage& stage : made.stages) {
            output.line(fmt::format("{:12} {:6.2f} %  {:8.2f} min{}", stage.name.toStdString(),
                stage.shareBasisPoints / 100.0, double(made.scaled(stage.soakMs)) / 60000,
                stage.automatic ? "" : "  a person promotes"));
        }
        for (const ops::PlannedGate& gate : made.triggers) {
            output.line(fmt::format("{:12} {:18} limit {:g}, {}", gate.name.toStdString(),
                ops::measureName(gate.measure).toStdString(), gate.limit,
                ops::actionName(gate.action).toStdString()));
        }
    } else {
        ops::Release release;
        release.id = QString::fromStdString(arguments.release);
        release.workerVersion = QString::fromStdString(arguments.workerVersion);
        release.modelHash = QString::fromStdString(arguments.model);
        release.modelFile = QString::fromStdString(arguments.modelFile);
        release.thresholdSet = arguments.thresholdSet;
        if (release.id.isEmpty()) {
            return output.fail(inputError("rollout plan: give FILE to check one, or --release ID "
                                          "to make the default plan"));
        }
        // What is printed can be read again, or is an error here already.
        auto checked = ops::RolloutPlan::fromJson(
            ops::RolloutPlan::standard(release).toJson(), QStringLiteral("the default plan"));
        if (!checked) {
            return output.fail(checked.error());
        }
        made = std::move(*checked);
        output.line(QJsonDocument(made.toJson()).toJson().trimmed().toStdString());
    }
    output.object(jsonOf(made.toJson()).as_object());
    return 0;
}

/// Sends a command to the driver through Redis, and says what it answered.
int ask(const Output& output, const CommandArguments& arguments, ops::RolloutEvent event)
{
    auto chosen = arguments.environment.choose();
    if (!chosen) {
        return output.fail(chosen.error());
    }
    event.by = whoOf(arguments);
    event.reason = QString::fromStdString(arguments.reason);
    event.expectedVersion = arguments.version;
    auto client = connectRedis(*chosen, QStringLiteral("lead"));
    if (!client) {
        return output.fail(client.error());
    }
    ops::RolloutDesk desk(client->get());
    const auto told = await<QJsonObject>(8000, "the driver",
        [&](QObject* context, auto answered) { desk.ask(event, context, answered); });
    record(output, event.by, chosen->environment.name, QStringLiteral("rollout"),
        ops::eventName(event.kind), told ? QStringLiteral("done") : QStringLiteral("refused"),
        told ? QJsonObject()
             : QJsonObject{{QStringLiteral("error"), QString::fromStdString(told.error().text())}});
    if (!told) {
        return output.fail(told.error());
    }
    output.object(jsonOf(*told).as_object());
    output.line(fmt::format("{}: {} (version {})",
        (*told)[QStringLiteral("rollout")].toString().toStdString(),
        (*told)[QStringLiteral("phase")].toString().toStdString(),
        (*told)[QStringLiteral("version")].toInteger()));
    return 0;
}

std::string inWords(const ops::PublishedRollout& published)
{
    const ops::RolloutState& state = published.state;
    if (state.phase == ops::RolloutPhase::Idle) {
        return "no rollout was started yet";
    }
    std::string text = fmt::format("{}: {}{}", state.rolloutId.toStdString(),
        ops::phaseName(state.phase).toStdString(), state.paused ? ", paused" : "");
    if (const ops::PlannedStage* stage = state.currentStage()) {
        text += fmt::format(", stage {}", stage->name.toStdString());
        if (stage->soakMs > 0) {
            text += fmt::format(
                ", {:.1f} min of watched time left", double(state.soakLeftMs()) / 60000);
        }
    }
    if (!state.hold.isEmpty()) {
        text += "\n  waits: " + state.hold.toStdString();
    }
    text += fmt::format("\n  last: {} by {} at {}", state.reason.toStdString(),
        state.by.toStdString(),
        QDateTime::fromMSecsSinceEpoch(state.atMs, Qt::UTC).toString(Qt::ISODate).toStdString());
    text += fmt::format("\n  {} has {:.2f} % asked, {:.2f} % observed", state.canary.toStdString(),
        state.canaryBasisPoints() / 100.0, 100 * published.observedShare);
    for (const ops::GateReading& reading : state.readings) {
        text += fmt::format("\n  {:14} {:13} {}", reading.gate.toStdString(),
            ops::verdictName(reading.verdict).toStdString(), reading.reason.toStdString());
    }
    if (!published.isFresh(QDateTime::currentMSecsSinceEpoch())) {
        text +=
            fmt::format("\n  nobody drives: {} spoke last {} s ago", published.driver.toStdString(),
                (QDateTime::currentMSecsSinceEpoch() - published.publishedMs) / 1000);
    }
    return text;
}

int status(const Output& output, const CommandArguments& arguments)
{
    auto chosen = arguments.environment.choose();
    if (!chosen) {
        return output.fail(chosen.error());
    }
    boost::json::object object;
    if (!chosen->socket.isEmpty()) {
        ops::TrafficRouter router(chosen->socket);
        const auto split = await<ops::TrafficSplit>(5000, "HAProxy",
            [&](QObject* context, auto answered) { router.read(context, answered); });
        if (!split) {
            return output.fail(split.error());
        }
        object = splitToJson(*split);
        output.line(splitInWords(*split));
    }
    auto client = connectRedis(*chosen, QStringLiteral("viewer"));
    if (!client) { // the split alone is worth something
        object["rollout_error"] = client.error().text();
        output.line("the rollout's state can't be read: " + client.error().text());
        output.object(object);
        return chosen->socket.isEmpty() ? 3 : 0;
    }
    ops::RolloutDesk desk(client->get());
    const auto published = await<std::optional<ops::PublishedRollout>>(
        3000, "Redis", [&](QObject* context, auto answered) { desk.state(context, answered); });
    const auto events = await<QList<QJsonObject>>(3000, "Redis",
        [&](QObject* context, auto answered) { desk.events(arguments.events, context, answered); });
    if (!published || !events) {
        return output.fail(published ? events.error() : published.error());
    }
    object["rollout"] = *published ? jsonOf((*published)->toJson()) : boost::json::value(nullptr);
    boost::json::array list;
    for (const QJsonObject& event : *events) {
        list.push_back(jsonOf(event));
    }
    object["events"] = std::move(list);
    output.line(*published ? inWords(**published) : std::string("no driver was here yet"));
    output.object(object);
    return 0;
}

/// Straight at the balancer: to the pool that was stable, where that is known.
Result<ops::TrafficSplit> rollBackDirectly(const ChosenEnvironment& chosen, const QString& stable)
{
    ops::TrafficRouter router(chosen.socket);
    return await<ops::TrafficSplit>(6000, "HAProxy", [&](QObject* context, auto answered) {
        if (stable.isEmpty()) {
            router.rollback(context, answered);
        } else {
            router.apply(stable, 0, 0, context, answered);
        }
    });
}

/// The pool to go back to, from what was published last; empty: not known, or nothing is active.
QString stablePool(const ChosenEnvironment& chosen)
{
    auto client = connectRedis(chosen, QStringLiteral("viewer"));
    if (!client) {
        return {};
    }
    ops::RolloutDesk desk(client->get());
    const auto published = await<std::optional<ops::PublishedRollout>>(
        2000, "Redis", [&](QObject* context, auto answered) { desk.state(context, answered); });
    return published && *published && (*published)->state.isActive() ? (*published)->state.stable
                                                                     : QString();
}

/// By the driver here, else by the one behind Redis, else straight at the balancer.
int rollback(const Output& output, const CommandArguments& arguments)
{
    auto chosen = arguments.environment.choose();
    if (!chosen) {
        return output.fail(chosen.error());
    }
    ops::RolloutEvent event;
    event.kind = Kind::Rollback;
    event.by = whoOf(arguments);
    event.reason = QString::fromStdString(arguments.reason);
    std::string way = "driver";
    auto byDriver = askDriverHere(DriverFolder::of(*chosen, arguments.environment), event);
    if (!byDriver && byDriver.error().kind == ErrorKind::Unreachable) {
        way = "redis";
        if (auto client = connectRedis(*chosen, QStringLiteral("lead"))) {
            ops::RolloutDesk desk(client->get());
            const auto told = await<QJsonObject>(4000, "the driver",
                [&](QObject* context, auto answered) { desk.ask(event, context, answered, 2000); });
            byDriver = told ? Result<qint64>((*told)[QStringLiteral("number")].toInteger(-1))
                            : Result<qint64>(told.error());
        }
    }
    QString stable;
    if (!byDriver || *byDriver < 0) { // no driver, or one that has nothing to roll back
        way = byDriver ? way : "balancer";
        if (chosen->socket.isEmpty()) {
            return output.fail(byDriver ? inputError("the environment names no balancer socket")
                                        : byDriver.error());
        }
        stable = byDriver ? QString() : stablePool(*chosen);
        const auto split = rollBackDirectly(*chosen, stable);
        record(output, event.by, chosen->environment.name, QStringLiteral("rollback"),
            QStringLiteral("everything to the live pool"),
            split ? QStringLiteral("done") : QStringLiteral("refused"));
        if (!split) {
            return output.fail(split.error());
        }
        auto object = splitToJson(*split);
        object["way"] = way;
        output.object(object);
        output.line(splitInWords(*split)
            + (way == "balancer" ? "; no driver answered: told the balancer itself" : ""));
        return 0;
    }
    record(output, event.by, chosen->environment.name, QStringLiteral("rollback"),
        QStringLiteral("rollout"), QStringLiteral("done"));
    ops::TrafficRouter router(chosen->socket);
    const auto split = await<ops::TrafficSplit>(
        5000, "HAProxy", [&](QObject* context, auto answered) { router.read(context, answered); });
    if (!split) {
        return output.fail(split.error());
    }
    auto object = splitToJson(*split);
    object["way"] = way;
    output.object(object);
    output.line("the driver rolls back; " + splitInWords(*split));
    return 0;
}

/// Reads a journal and makes every step again: the states have to be the same.
int replay(const Output& output, const CommandArguments& arguments)
{
    const auto entries = ops::FileJournal::read(QString::fromStdString(arguments.file));
    if (!entries) {
        return output.fail(entries.error());
    }
    ops::RolloutState state;
    boost::json::array lines;
    int different = 0;
    qint64 unread = 0;
    for (const ops::JournalEntry& entry : *entries) {
        const QJsonObject written = entry.body[QStringLiteral("event")].toObject();
        auto event = ops::RolloutEvent::fromJson(written);
        if (!event) {
            return output.fail(event.error());
        }
        if (event->plan) {
            state.plan = *event->plan;
        }
        auto kept =
            ops::RolloutState::fromJson(entry.body[QStringLiteral("state")].toObject(), state.plan);
        if (!kept) {
            return output.fail(kept.error());
        }
        const auto next = ops::step(state, *event);
        // Time and readings between two lines are not written one by one.
        const bool same = !next.refused && next.state.phase == kept->phase
            && next.state.stage == kept->stage && next.state.target == kept->target;
        different += same ? 0 : 1;
        unread += entry.buffered ? 1 : 0;
        output.line(fmt::format("{:5} {} {:8} {:18} {:12} stage {:2} {:6.2f} %  {}{}", entry.number,
            QDateTime::fromMSecsSinceEpoch(event->atMs, Qt::UTC)
                .toString(Qt::ISODateWithMs)
                .toStdString(),
            entry.mark.toStdString(), ops::eventName(event->kind).toStdString(),
            ops::phaseName(kept->phase).toStdString(), kept->stage,
            kept->canaryBasisPoints() / 100.0,
            event->reason.isEmpty() ? kept->hold.toStdString() : event->reason.toStdString(),
            same ? "" : "  DIFFERS: this version would have decided otherwise"));
        lines.push_back(boost::json::object{{"number", entry.number}, {"at_ms", event->atMs},
            {"mark", entry.mark.toStdString()},
            {"event", ops::eventName(event->kind).toStdString()}, {"by", event->by.toStdString()},
            {"phase", ops::phaseName(kept->phase).toStdString()}, {"stage", kept->stage},
            {"share_percent", kept->canaryBasisPoints() / 100.0},
            {"reason", event->reason.toStdString()}, {"buffered", entry.buffered}, {"same", same}});
        state = std::move(*kept);
    }
    output.object({{"entries", std::move(lines)}, {"different", different}, {"buffered", unread}});
    return different == 0 ? 0 : 1;
}

} // namespace

boost::json::value jsonOf(const QJsonObject& object)
{
    return boost::json::parse(QJsonDocument(object).toJson(QJsonDocument::Compact).toStdString());
}

Result<ops::RolloutPlan> readPlan(const std::string& file)
{
    const auto text = readFile(file, std::size_t(16) << 20);
    if (!text) {
        return text.error();
    }
    return ops::RolloutPlan::fromJson(
        QByteArray::fromStdString(*text), QString::fromStdString(file));
}

void addRolloutCommands(CLI::App& group, Commands& commands)
{
    auto arguments = std::make_shared<CommandArguments>();
    const auto steering = [arguments](CLI::App* sub) {
        arguments->environment.addTo(*sub);
        sub->add_option("--by", arguments->by, "who, for the audit (default: the user)");
        sub->add_option("--reason", arguments->reason, "why, for the audit");
    };
    const auto versioned = [arguments](CLI::App* sub) {
        sub->add_option("--version-seen", arguments->version,
            "version of the state that this was decided on; refused when it has moved on");
    };
    const auto simple = [&](const char* name, const char* what, Kind kind) {
        CLI::App* sub = commands.add(group, name, what, [&commands, arguments, kind] {
            ops::RolloutEvent event;
            event.kind = kind;
            return ask(commands.output, *arguments, event);
        });
        steering(sub);
        versioned(sub);
    };

    CLI::App* sub = commands.add(group, "plan", "Check a plan, or print the default one",
        [&commands, arguments] { return plan(commands.output, *arguments); });
    sub->add_option("FILE", arguments->file, "rollout plan, JSON (docs/FORMATS.md)");
    sub->add_option("--release", arguments->release, "name of the release, for the default plan");
    sub->add_option("--worker-version", arguments->workerVersion, "what /v1/info is to say");
    sub->add_option("--model", arguments->model, "SHA-256 of the model");
    sub->add_option("--model-file", arguments->modelFile, "the model, to be uploaded");
    sub->add_option("--threshold-set", arguments->thresholdSet, "number of the published set");
    sub->footer("Example: sluicectl rollout plan --release 2026-11-24 --threshold-set 7 > p.json");

    sub = commands.add(group, "start", "Start a rollout", [&commands, arguments] {
        auto read = readPlan(arguments->file);
        if (!read) {
            return commands.output.fail(read.error());
        }
        ops::RolloutEvent event;
        event.kind = Kind::Start;
        event.plan = std::move(*read);
        return ask(commands.output, *arguments, event);
    });
    steering(sub);
    sub->add_option("FILE", arguments->file, "rollout plan, JSON (docs/FORMATS.md)")->required();

    sub = commands.add(group, "status", "The rollout, and how HAProxy splits, as read back from it",
        [&commands, arguments] { return status(commands.output, *arguments); });
    arguments->environment.addTo(*sub);
    sub->add_option("--events", arguments->events, "how many of the last events to show")
        ->capture_default_str()
        ->check(CLI::Range(1, 1000));

    simple("pause", "The share stays, the soak's clock stops; triggers stay armed", Kind::Pause);
    simple("resume", "Go on after a pause, or put back what somebody else changed", Kind::Resume);
    simple(
        "promote", "The next stage now; past gates that do not pass with --reason", Kind::Promote);

    sub = commands.add(group, "rollback", "Everything back to the stable pool, at once",
        [&commands, arguments] { return rollback(commands.output, *arguments); });
    steering(sub);
    sub->footer("Asks the driver on this machine, else the one behind Redis, else tells the "
                "balancer itself.");

    sub = commands.add(group, "replay", "Make every step of a journal again, and compare",
        [&commands, arguments] { return replay(commands.output, *arguments); });
    sub->add_option("FILE", arguments->file, "rollout.journal of a driver")->required();
}

} // namespace sluice::ctl
