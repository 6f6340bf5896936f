#pragma once

#include "engine/base/result.h"
#include "engine/operations/rollout/gatereading.h"

#include <QByteArray>
#include <QDateTime>
#include <QJsonObject>
#include <QList>
#include <QString>
#include <QStringList>
#include <optional>

namespace sluice::ops {

/// What is rolled out. What is empty stays as it is; the id is the user's, never computed.
struct Release
{
    QString id;
    QString workerVersion; ///< what /v1/info is to say; a hook of stage deploy brings it about
    QString modelHash; ///< SHA-256, 64 hexadecimal digits
    QString modelFile; ///< uploaded to the workers when they have another model; empty: by a hook
    qint64 thresholdSet = -1; ///< number; 0: the model's own; -1: unchanged

    bool operator==(const Release&) const = default;
};

/// What a gate measures.
enum class Measure
{
    ErrorRate, ///< 5xx, connection and response errors and time-outs at the balancer / requests
    ErrorEvidence, ///< anytime-valid test: the canary has more errors than the stable pool
    ErrorProof, ///< its mirror: proven to have less than `limit` times as many
    LatencyRatio, ///< p95 of the canary / p95 of the stable pool in the same minutes
    LatencyEvidence, ///< anytime-valid test: slower than `limit` times the stable pool
    Memory, ///< RSS / configured limit of the worst worker of the canary
    Complaints, ///< complaints a session, canary / stable
    Split, ///< the share observed is the share asked for
    Query ///< PromQL of the user's own: its value is to be at most `limit`
};

QString measureName(Measure measure); ///< "error_rate" ...
std::optional<Measure> measureFromName(const QString& name);

struct PlannedGate
{
    QString name;
    Measure measure = Measure::ErrorRate;
    GateAction action = GateAction::Rollback;
    double limit = 0; ///< share (0.01), ratio (2), or the value of a query
    qint64 windowMs = 300000;
    double atLeast = 0; ///< requests (complaints) in the window below which nothing is said
    double alpha = 0.001; ///< of an evidence gate, a stage
    QString query; ///< with Measure::Query

    bool operator==(const PlannedGate&) const = default;
};

struct PlannedStage
{
    enum class Kind
    {
        Deploy, ///< the release is put on the idle pool
        Staging, ///< suites run against the idle pool; no users
        Share ///< a share of the sessions
    };
    QString name;
    Kind kind = Kind::Share;
    int shareBasisPoints = 0; ///< 10000: the pools change roles
    qint64 soakMs = 0; ///< watched time, from the share being verified
    QStringList gates; ///< that have to pass before the next stage; empty: all
    bool automatic = true; ///< goes on when they pass; else a person promotes
    QStringList promoters; ///< who may promote by hand; empty: every lead

    bool operator==(const PlannedStage&) const = default;
};

/// A test suite that stage staging runs (engine/operations/queries/testsuite.h).
struct PlannedSuite
{
    QString file; ///< empty: none
    qint64 timeoutMs = 300000;

    bool operator==(const PlannedSuite&) const = default;
};

/// A command or a web address that is called at a stage. It gets the release and the pool:
/// SLUICE_RELEASE, SLUICE_POOL, SLUICE_WORKER_VERSION, SLUICE_MODEL, SLUICE_THRESHOLD_SET,
/// SLUICE_ROLLOUT in the environment, or a JSON object of these.
struct PlannedHook
{
    QString at; ///< "deploy", "staging", "rolled_back", "finished"
    QStringList command;
    QString url; ///< instead of a command
    qint64 timeoutMs = 60000;

    bool operator==(const PlannedHook&) const = default;
};

/// No step forward from `from` to `to`; rolling back is always allowed.
struct FreezeWindow
{
    QDateTime from; ///< UTC
    QDateTime to;
    QString why;

    bool operator==(const FreezeWindow&) const = default;
};

struct ChecklistItem
{
    QString task;
    QString check; ///< name of an automatic check; empty: a person ticks it

    bool operator==(const ChecklistItem&) const = default;
};

struct WebhookTarget
{
    QString url;
    bool slack = false; ///< {"text": ...}; else the event as a JSON object

    bool operator==(const WebhookTarget&) const = default;
};

/// A rollout as a document (docs/FORMATS.md). Immutable once started.
struct RolloutPlan
{
    static constexpr int schema = 1;

    Release release;
    QList<PlannedStage> stages;
    QList<PlannedGate> triggers; ///< read in every stage with traffic; stages name them as gates
    PlannedSuite smoke;
    PlannedSuite system;
    QList<PlannedHook> hooks;
    QList<FreezeWindow> freezes;
    QList<ChecklistItem> checklist;
    QList<WebhookTarget> notifications;
    double timeScale = 1; ///< soaks, windows and the warm time are multiplied by it (drills: 0.001)
    qint64 leaseMs = 10000; ///< a driver that says nothing for so long loses the share; not scaled
    qint64 warmMs = 86400000; ///< after 100 %: the old pool stays ready for a way back

    bool operator==(const RolloutPlan&) const = default;

    /// deploy, staging, 5 % for 2 h, 25 % for 2 h, 50 % for 4 h, 100 %, with the owners' triggers
    /// (errors > 1 %, response time > 2x, memory > 80 %, complaints) and the evidence gates.
    static RolloutPlan standard(Release release = {});

    /// Input error that names the field and what it is to be; fields it does not know are errors
    /// too, so that a slip of the pen does not become a missing gate.
    static Result<RolloutPlan> fromJson(const QByteArray& text, const QString& where);
    static Result<RolloutPlan> fromJson(const QJsonObject& object, const QString& where);
    QJsonObject toJson() const;

    qint64 scaled(qint64 ms) const { return qint64(double(ms) * timeScale); }
    const PlannedGate* gate(const QString& name) const; ///< null: none of that name
    /// Whether the stage's end waits for this gate.
    bool waitsFor(int stage, const QString& gate) const;
    /// The freeze that holds at that time (ms since 1970); null: none.
    const FreezeWindow* freezeAt(qint64 ms) const;
};

} // namespace sluice::ops
