#include "app/sluicectl/command.h"
#include "app/sluicectl/rolloutdrive.h"

#include "engine/operations/rollout/trafficrouter.h"

#include <QDateTime>
#include <QJsonObject>
#include <cmath>
#include <fmt/format.h>

namespace sluice::ctl {

namespace {

struct RolloutArguments
{
    EnvironmentOptions environment;
    double percent = 0;
    double holdMinutes = 60;
};

using Act = std::function<void(ops::TrafficRouter&, QObject*, ops::TrafficRouter::Answered)>;

int run(const Output& output, const RolloutArguments& arguments, const QString& kind,
    const QString& subject, const Act& act)
{
    auto chosen = arguments.environment.choose();
    if (!chosen) {
        return output.fail(chosen.error());
    }
    if (chosen->socket.isEmpty()) {
        return output.fail(inputError("the environment \"" + chosen->environment.name.toStdString()
            + "\" names no balancer socket"));
    }
    ops::TrafficRouter router(chosen->socket);
    const auto split = await<ops::TrafficSplit>(
        5000, "HAProxy", [&](QObject* context, auto answered) { act(router, context, answered); });
    if (!kind.isEmpty()) {
        record(output, localUser(), chosen->environment.name, kind, subject,
            split ? QStringLiteral("done") : QStringLiteral("refused"),
            split ? QJsonObject{{QStringLiteral("share_basis_points"), split->nextShareBasisPoints}}
                  : QJsonObject{
                      {QStringLiteral("error"), QString::fromStdString(split.error().text())}});
    }
    if (!split) {
        return output.fail(split.error());
    }
    output.object(splitToJson(*split));
    output.line(splitInWords(*split));
    return 0;
}

} // namespace

boost::json::object splitToJson(const ops::TrafficSplit& split)
{
    return {{"live", split.live.toStdString()}, {"next", split.next.toStdString()},
        {"next_share_percent", split.nextShareBasisPoints / 100.0},
        {"lease_until_ms", split.leaseUntilMs}, {"live_servers_up", split.liveServersUp},
        {"next_servers_up", split.nextServersUp}, {"live_requests", split.liveRequests},
        {"next_requests", split.nextRequests}, {"live_errors", split.liveErrors},
        {"next_errors", split.nextErrors}};
}

std::string splitInWords(const ops::TrafficSplit& split)
{
    const qint64 left = split.leaseUntilMs - QDateTime::currentMSecsSinceEpoch();
    std::string text = fmt::format("{} is live ({} up); {} takes {:.2f} % of the sessions ({} up)",
        split.live.toStdString(), split.liveServersUp, split.next.toStdString(),
        split.nextShareBasisPoints / 100.0, split.nextServersUp);
    if (split.nextShareBasisPoints > 0) {
        text += left > 0
            ? fmt::format("; held for {:.0f} more minutes", std::ceil(double(left) / 60000.0))
            : std::string("; the hold has lapsed, so the balancer sends everything to ")
                + split.live.toStdString();
    }
    return text;
}

void addRollout(CLI::App& app, Commands& commands)
{
    auto arguments = std::make_shared<RolloutArguments>();
    CLI::App* group = app.add_subcommand(
        "rollout", "Roll a release out in stages, or shift traffic by hand, and back");
    group->require_subcommand(1);

    CLI::App* sub = commands.add(*group, "shift",
        "Send a share of the sessions to the pool that is not live", [&commands, arguments] {
            const int points = int(std::lround(arguments->percent * 100));
            const qint64 until =
                QDateTime::currentMSecsSinceEpoch() + qint64(arguments->holdMinutes * 60000);
            return run(commands.output, *arguments, QStringLiteral("shift"),
                QStringLiteral("%1 % to the other pool").arg(arguments->percent),
                [points, until](ops::TrafficRouter& router, QObject* context, auto answered) {
                    router.shift(points, until, context, answered);
                });
        });
    arguments->environment.addTo(*sub);
    sub->add_option("PERCENT", arguments->percent, "0 to 100, two decimals")
        ->required()
        ->check(CLI::Range(0.0, 100.0));
    sub->add_option("--hold", arguments->holdMinutes,
           "minutes after which the balancer by itself sends everything back to the live pool")
        ->capture_default_str()
        ->check(CLI::Range(0.02, 43200.0));
    sub->footer("Example: sluicectl rollout shift 5 --hold 120");

    sub = commands.add(*group, "swap", "Make the other pool the live one (what 100 % ends with)",
        [&commands, arguments] {
            return run(commands.output, *arguments, QStringLiteral("shift"),
                QStringLiteral("roles swapped"),
                [](ops::TrafficRouter& router, QObject* context, auto answered) {
                    router.swapLive(context, answered);
                });
        });
    arguments->environment.addTo(*sub);

    addRolloutCommands(*group, commands);
    addRolloutDrive(*group, commands);
    addRolloutStudies(*group, commands);
}

} // namespace sluice::ctl
