#include "app/sluicectl/command.h"

#include "engine/operations/environment/secretstore.h"
#include "engine/operations/record/history.h"
#include "engine/reporting/clientreporting.h"

#include <QDateTime>
#include <atomic>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

namespace sluice::ctl {

void Output::object(const boost::json::object& value) const
{
    if (json) {
        fmt::print("{}\n", boost::json::serialize(value));
        std::fflush(stdout);
    }
}

void Output::line(std::string_view text) const
{
    if (!json) {
        fmt::print("{}\n", text);
        std::fflush(stdout);
    }
}

void Output::progress(std::string_view text) const
{
    fmt::print(stderr, "{}\n", text);
}

namespace {

std::string_view kindName(ErrorKind kind)
{
    switch (kind) {
    case ErrorKind::Input:
        return "input";
    case ErrorKind::Unreachable:
        return "unreachable";
    case ErrorKind::Refused:
        return "refused";
    case ErrorKind::Cancelled:
        return "cancelled";
    case ErrorKind::Internal:
        break;
    }
    return "internal";
}

} // namespace

int Output::fail(const Error& error) const
{
    if (json) {
        object({{"error",
            boost::json::object{{"kind", kindName(error.kind)}, {"message", error.message},
                {"cause", error.cause}}}});
    }
    fmt::print(stderr, "sluicectl: {}\n", error.text());
    reportInternal(error);
    return exitCode(error.kind);
}

CLI::App* Commands::add(
    CLI::App& parent, const std::string& name, const std::string& what, Body body)
{
    CLI::App* sub = parent.add_subcommand(name, what);
    sub->add_flag("--json", output.json, "print JSON, one object a line (fields: docs/CLI.md)");
    sub->callback([this, body = std::move(body)] { chosen = body; });
    return sub;
}

void EnvironmentOptions::addTo(CLI::App& app)
{
    app.add_option("--environment", name,
           "which environment: \"local\" is the running local stack, others are those set up in "
           "the console")
        ->capture_default_str();
    app.add_option("--state", state, "state folder of the local stack (default: the user's own)");
}

Result<ChosenEnvironment> chooseEnvironment(const std::string& name, const std::string& stateFolder)
{
    const QString wanted = QString::fromStdString(name);
    if (wanted == QLatin1StringView("local")) {
        auto status = ops::LocalStack::status(QString::fromStdString(stateFolder));
        if (!status) {
            return status.error();
        }
        if (!status->running) {
            return unreachableError("the local stack is not running in "
                + status->stateFolder.toStdString() + ": start it with `sluicectl stack up`");
        }
        return ChosenEnvironment{status->environment, status->passwords, status->statsSocket};
    }
    const auto known = ops::EnvironmentStore(ops::EnvironmentStore::defaultFolder()).load();
    if (!known) {
        return known.error();
    }
    QStringList names{QStringLiteral("local")};
    for (const ops::Environment& environment : *known) {
        if (environment.name == wanted) {
            return ChosenEnvironment{environment, {}, environment.balancerSocket};
        }
        names << environment.name;
    }
    return inputError("there is no environment \"" + name
        + "\"; known are: " + names.join(QStringLiteral(", ")).toStdString());
}

Result<std::unique_ptr<ops::RedisClient>> openRedis(
    const ChosenEnvironment& chosen, const QString& user)
{
    const ops::RedisEndpoint& redis = chosen.environment.redis;
    if (redis.port == 0) {
        return inputError(
            "the environment \"" + chosen.environment.name.toStdString() + "\" names no Redis");
    }
    QString password = chosen.passwords.value(user);
    if (password.isEmpty()) {
        ops::SecretStore secrets;
        const QString name = chosen.environment.name % QLatin1StringView("/redis/") % user;
        auto found = await<QString>(4000, "the keychain",
            [&](QObject* context, auto answered) { secrets.find(name, context, answered); });
        if (!found) {
            return found.error();
        }
        password = *found;
    }
    auto client = std::make_unique<ops::RedisClient>();
    client->open(redis.host, redis.port, user, password, QStringLiteral("sluicectl"));
    return client;
}

Result<std::unique_ptr<ops::RedisClient>> connectRedis(
    const ChosenEnvironment& chosen, const QString& user)
{
    auto opened = openRedis(chosen, user);
    if (!opened) {
        return opened;
    }
    std::unique_ptr<ops::RedisClient> client = std::move(*opened);
    const ops::RedisEndpoint& redis = chosen.environment.redis;
    QEventLoop loop;
    QObject::connect(client.get(), &ops::RedisClient::stateChanged, &loop,
        [&loop](ops::RedisClient::State state) {
            if (state == ops::RedisClient::State::Connected
                || state == ops::RedisClient::State::Lost) {
                loop.quit();
            }
        });
    QTimer::singleShot(3000, &loop, &QEventLoop::quit);
    if (client->state() != ops::RedisClient::State::Connected) {
        loop.exec();
    }
    if (client->state() != ops::RedisClient::State::Connected) {
        return unreachableError(fmt::format("Redis at {}:{} could not be reached as {}",
                                    redis.host.toStdString(), redis.port, user.toStdString()),
            client->lastError().toStdString());
    }
    return client;
}

std::atomic<bool>& interrupted()
{
    static std::atomic<bool> flag{false};
    return flag;
}

QString localUser()
{
    const passwd* entry = ::getpwuid(::geteuid());
    return entry == nullptr ? QString::number(::geteuid()) : QString::fromLocal8Bit(entry->pw_name);
}

void record(const Output& output, const QString& actor, const QString& environment,
    const QString& kind, const QString& subject, const QString& outcome, const QJsonObject& details)
{
    ops::History history;
    auto opened = history.open(ops::History::defaultFile());
    if (opened) {
        ops::HistoryEntry entry;
        entry.at = QDateTime::currentDateTimeUtc();
        entry.actor = actor;
        entry.environment = environment;
        entry.kind = kind;
        entry.subject = subject;
        entry.outcome = outcome;
        entry.details = details;
        const auto added = history.add(entry);
        if (added) {
            return;
        }
        output.progress("sluicectl: not recorded in the history: " + added.error().text());
        return;
    }
    output.progress("sluicectl: not recorded in the history: " + opened.error().text());
}

std::string iso8601Now()
{
    return QDateTime::currentDateTimeUtc().toString(Qt::ISODate).toStdString();
}

} // namespace sluice::ctl
