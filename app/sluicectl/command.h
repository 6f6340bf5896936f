#pragma once

#include "engine/base/result.h"
#include "engine/operations/environment/environment.h"
#include "engine/operations/environment/localstack.h"
#include "engine/operations/environment/redisclient.h"

#include <CLI/CLI.hpp>
#include <QEventLoop>
#include <QJsonObject>
#include <QObject>
#include <QTimer>
#include <atomic>
#include <boost/json/object.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::ctl {

/// What every command shares: how to print and how to fail. A command returns its exit code:
/// 0 done, 1 the answer is no, 2 bad usage or input, 3 a server could not be reached.
struct Output
{
    bool json = false;

    /// One JSON object on a line of standard output (--json), flushed.
    void object(const boost::json::object& value) const;
    /// A line for a person; nothing with --json.
    void line(std::string_view text) const;
    /// A line on standard error that says how far the work is.
    void progress(std::string_view text) const;
    /// Says the error (JSON: {"error":{"kind","message","cause"}} on standard output) and gives its
    /// exit code.
    int fail(const Error& error) const;
};

/// A command registers its options on `app` and its body as the callback's result.
using Body = std::function<int()>;
struct Commands
{
    Output output;
    Body chosen; ///< the body of the subcommand that was given

    /// Adds a subcommand with --json; its body runs after parsing.
    CLI::App* add(CLI::App& parent, const std::string& name, const std::string& what, Body body);
};

void addTrain(CLI::App& app, Commands& commands);
void addData(CLI::App& app, Commands& commands);
void addEvaluate(CLI::App& app, Commands& commands);
void addBench(CLI::App& app, Commands& commands);
void addClassify(CLI::App& app, Commands& commands);
void addThresholds(CLI::App& app, Commands& commands);
void addCertify(CLI::App& thresholds, Commands& commands);
void addTune(CLI::App& thresholds, Commands& commands);
void addThresholdSets(CLI::App& thresholds, Commands& commands);
void addLoad(CLI::App& app, Commands& commands);
void addRollout(CLI::App& app, Commands& commands);
void addRolloutCommands(CLI::App& rollout, Commands& commands);
void addRolloutDrive(CLI::App& rollout, Commands& commands);
void addRolloutStudies(CLI::App& rollout, Commands& commands);
void addStack(CLI::App& app, Commands& commands);
void addDoctor(CLI::App& app, Commands& commands);
void addHistory(CLI::App& app, Commands& commands);
void addCerts(CLI::App& app, Commands& commands);
void addToken(CLI::App& app, Commands& commands);

/// Runs `start(context, answered)` on the event loop until it answers or `timeoutMs` is over.
template <typename T>
Result<T> await(int timeoutMs, const std::string& what,
    const std::function<void(QObject*, std::function<void(Result<T>)>)>& start)
{
    std::optional<Result<T>> answer;
    QObject context;
    QEventLoop loop;
    start(&context, [&](Result<T> result) {
        answer.emplace(std::move(result));
        loop.quit();
    });
    if (!answer) {
        QTimer::singleShot(timeoutMs, &context, [&loop] { loop.quit(); });
        loop.exec();
    }
    if (!answer) {
        return unreachableError(
            what + " did not answer within " + std::to_string(timeoutMs) + " ms");
    }
    return std::move(*answer);
}

/// The environment of that name: "local" is the running local stack, others stand in the user's
/// list. `passwords` are the local stack's, by ACL user.
struct ChosenEnvironment
{
    ops::Environment environment;
    QHash<QString, QString> passwords;
    QString socket; ///< HAProxy's runtime API
};
Result<ChosenEnvironment> chooseEnvironment(
    const std::string& name, const std::string& stateFolder);

/// Options that say which environment a command runs against.
struct EnvironmentOptions
{
    std::string name = "local";
    std::string state;

    void addTo(CLI::App& app);
    Result<ChosenEnvironment> choose() const { return chooseEnvironment(name, state); }
};

/// Connects as the ACL user `user` within 3 s: the password comes from the local stack, else from
/// $SLUICE_SECRET_... or the secrets file.
Result<std::unique_ptr<ops::RedisClient>> connectRedis(
    const ChosenEnvironment& chosen, const QString& user);

/// The same without waiting: the client connects when it can, and again when it is cut off.
Result<std::unique_ptr<ops::RedisClient>> openRedis(
    const ChosenEnvironment& chosen, const QString& user);

/// Set by the first SIGINT or SIGTERM; the second one ends the process.
std::atomic<bool>& interrupted();

/// Writes what was done into the user's history; a failure is a line on standard error, no more.
void record(const Output& output, const QString& actor, const QString& environment,
    const QString& kind, const QString& subject, const QString& outcome,
    const QJsonObject& details = {});

/// The desktop user's name.
QString localUser();

std::string iso8601Now();

} // namespace sluice::ctl
