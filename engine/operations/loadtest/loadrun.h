#pragma once

#include "engine/base/result.h"

#include <QHash>
#include <QJsonObject>
#include <QList>
#include <QObject>
#include <QString>
#include <QUrl>
#include <memory>

namespace sluice::ops {

/// What a run must hold.
struct LoadTargets
{
    double p95Ms = 200;
    double p99Ms = 500;
    double errorShare = 0.001; ///< 0..1
};

/// A load scenario (resources/scenarios/*.json). Closed in users, open in rate: `users` sessions
/// take turns, requests start on a schedule of `requestsPerSecond`, whatever the server does.
struct Scenario
{
    QString name;
    int users = 500;
    double requestsPerSecond = 50;
    double durationSeconds = 600;
    QStringList queries; ///< asked in seeded random order; empty: the bundled test queries
    LoadTargets targets;

    static constexpr int maxUsers = 10000;
    static constexpr double maxRate = 20000;
    static constexpr double maxSeconds = 86400;

    /// Input error naming the member; unknown members are errors.
    static Result<Scenario> fromJson(const QByteArray& text, const QString& where);
    QJsonObject toJson() const;
    Result<void> check() const; ///< the hard bounds above
};

/// One second of a run.
struct LoadSecond
{
    int second = 0; ///< from 0
    int scheduled = 0;
    int completed = 0;
    int errors = 0;
    double p50Ms =
        0; ///< from the intended start (coordinated omission corrected); 0 without requests
    double p95Ms = 0;
    double p99Ms = 0;
    double maxMs = 0;
    int inFlight = 0;
};

struct LoadCheck
{
    QString name; ///< "p95"
    QString value; ///< "3.1 ms"
    QString limit; ///< "200 ms"
    bool passed = false;
};

struct LoadResult
{
    Scenario scenario;
    QUrl target;
    bool completed = false; ///< false: stopped early
    qint64 scheduled = 0;
    qint64 sent = 0;
    qint64 succeeded = 0;
    QHash<QString, qint64>
        errors; ///< by kind: "connection refused", "connection closed", "timeout", "status 503"
    double p50Ms = 0, p95Ms = 0, p99Ms = 0, maxMs = 0; ///< from the intended start
    double uncorrectedP99Ms = 0; ///< from the actual send
    double startLagP99Ms = 0; ///< how late the generator itself started requests
    double achievedRate = 0; ///< completed requests a second
    QList<LoadSecond> seconds;
    QList<LoadCheck> checks;
    bool generatorLimited = false; ///< then there is no verdict
    bool passed = false;

    QJsonObject toJson() const;
};

/// Writes result.json and seconds.csv into `folder`, which is made where missing.
Result<void> saveRun(const QString& folder, const LoadResult& result);

/// Runs a scenario against a URL with the native generator (Boost.Asio, on a thread of its own,
/// keep-alive connections, open-loop schedule). One object, one run.
class LoadRun : public QObject
{
    Q_OBJECT

public:
    explicit LoadRun(QObject* parent = nullptr);
    ~LoadRun() override; ///< stops and waits (under a second)

    /// Input error for a target that is not a loopback address, or a scenario out of bounds.
    Result<void> start(const Scenario& scenario, const QUrl& target, quint64 seed = 1);
    void stop(); ///< ends within a second; finished() follows
    bool isRunning() const;

Q_SIGNALS:
    void second(const sluice::ops::LoadSecond& second);
    void finished(const sluice::ops::LoadResult& result);
    void failed(const sluice::Error& error);

private:
    class Private;
    std::unique_ptr<Private> d;
};

} // namespace sluice::ops
