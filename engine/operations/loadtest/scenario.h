#pragma once

#include "engine/base/result.h"
#include "engine/operations/loadtest/loadprofile.h"

#include <QJsonObject>
#include <QList>
#include <QString>
#include <QStringList>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace sluice::ops {

/// Open: requests start on a schedule, whatever the server does. Closed: every user waits for the
/// answer, thinks, and asks again.
enum class LoadModel
{
    Open,
    Closed
};
std::string_view toString(LoadModel model); ///< "open", "closed"

/// Seconds between an answer and the user's next request: uniform in mean * (1 -+ jitter).
struct ThinkTime
{
    double meanSeconds = 10;
    double jitter = 0.5; ///< 0..1
};

struct ScriptTurn
{
    QString text;
    QString system; ///< what the system said just before; may be empty
    QStringList systemActs;
};

/// What one user says to the service, turn after turn, in a session of its own.
struct Conversation
{
    QList<ScriptTurn> turns; ///< not empty
    double weight = 1; ///< how often it is drawn against the others
};

enum class QuerySource
{
    Bundled, ///< the bundled test queries, one by one
    Conversations, ///< the bundled conversations
    File, ///< labelled data (docs/FORMATS.md), its dialogues as conversations
    Traffic, ///< recorded traffic: JSON Lines with "query" or "text" and perhaps "session"
    Texts ///< those in the scenario
};
std::string_view toString(QuerySource source); ///< "bundled", "conversations", "file", ...

struct QueryChoice
{
    QuerySource source = QuerySource::Bundled;
    QString file; ///< of File and Traffic
    QString split = {}; ///< of File: "test"...; empty: all rows
    QStringList texts = {}; ///< of Texts
    /// Repeats: the k-th of the queries (in seeded order) is drawn in proportion to 1 / k^zipf; 0:
    /// all alike.
    double zipf = 0;
    int distinct = 0; ///< so many distinct queries, made by numbering them; 0: as they are
};

/// Shares of the requests; they need not add up to 1.
struct RouteMix
{
    double classify = 1;
    double batch = 0; ///< POST /v1/classify/batch with `batchSize` queries
    double feedback = 0; ///< POST /v1/feedback on the user's last answer
    double info = 0; ///< GET /v1/info
    int batchSize = 10;
};

/// What a run must hold. Those of the server are read from Prometheus.
struct LoadTargets
{
    double p95Ms = 200; ///< exclusive upper limits
    double p99Ms = 500;
    double errorShare = 0.001; ///< 0..1
    std::optional<double> leastRate = {}; ///< answered requests a second
    std::optional<double> workerMiB = {}; ///< resident, the largest worker
    std::optional<double> workerCpuShare = {}; ///< 1: one core; the busiest worker, mean
    std::optional<double> cacheHitShare = {}; ///< 0..1, at least
    std::optional<double> workerGrowth = {}; ///< MiB an hour, the largest worker
};

struct CurvePoint
{
    double seconds = 0;
    double users = 0;
    double rate =
        0; ///< planned requests a second; closed: users over the think time, 0 without one
};

/// A load scenario (resources/scenarios/*.json; docs/FORMATS.md, schema
/// resources/schema/scenario.schema.json).
struct Scenario
{
    QString name;
    QString description;
    LoadModel model = LoadModel::Open;
    std::vector<LoadPhase> phases{LoadPhase{600, 50}}; ///< level: rate (open), users (closed)
    int sessions = 500; ///< open: so many users take turns, each once a round
    ThinkTime think; ///< closed
    QueryChoice queries;
    QList<Conversation> conversations; ///< instead of `queries`
    RouteMix routes;
    LoadTargets targets;
    double stopAfterBreachedSeconds = 0; ///< so long in a row, each second judged; 0: never
    int maxInFlight = 4000; ///< beyond, requests wait, and the waiting counts
    double timeoutSeconds = 10;
    double timeScale = 1; ///< what its phases were multiplied with

    static constexpr int maxUsers = 10000;
    static constexpr double maxRate = 20000;
    static constexpr double maxSeconds = 86400;
    static constexpr double maxRequests = 5e8;

    /// `users` sessions that ask `rate` times a second together, on a schedule, for `seconds`.
    static Scenario constant(const QString& name, int users, double rate, double seconds);

    LoadProfile profile() const { return LoadProfile(phases); }
    double durationSeconds() const { return profile().seconds(); }
    double peakUsers() const; ///< sessions of an open model
    double peakRate() const; ///< of a closed model: users over think time, 0 without one
    /// Users and planned rate at `points` times from start to end, both included (at least 2).
    QList<CurvePoint> curve(int points = 200) const;
    /// Phases so many times as long (0.001..1000); levels, think times and targets stay.
    Scenario scaled(double factor) const;
    /// Scaled so that it lasts `seconds`.
    Scenario lasting(double seconds) const { return scaled(seconds / durationSeconds()); }

    /// Input error naming the member; unknown members are errors.
    static Result<Scenario> fromJson(const QByteArray& text, const QString& where);
    QJsonObject toJson() const;
    /// The hard bounds above on time, users, rate and total.
    Result<void> check() const;
};

/// The conversations that a scenario asks (single queries are conversations of one turn), read from
/// where it says. Weights are those of the scenario, or of Zipf's law over an order drawn from
/// `seed`. Input error where a file is missing, broken or empty.
Result<QList<Conversation>> resolveConversations(const Scenario& scenario, quint64 seed);

/// A bundled scenario by name, else a user's own (scenarioFolder()), else a file. Input error that
/// lists the names.
Result<Scenario> loadScenario(const QString& nameOrFile);
/// Where a user's own copies lie: $SLUICE_CONFIG, else $XDG_CONFIG_HOME/sluice, then "scenarios".
QString scenarioFolder();
/// The names of bundled and own scenarios, bundled first.
QStringList scenarioNames();

} // namespace sluice::ops
