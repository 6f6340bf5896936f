#pragma once

#include "engine/operations/rollout/driverports.h"
#include "engine/operations/rollout/gatesource.h"
#include "engine/operations/rollout/journal.h"

#include <QHash>
#include <QSet>
#include <functional>

namespace sluice::ops {

/// Runs a rollout: feeds the state machine with what happens, writes each change into the journal
/// before it is carried out, and carries it out. Nothing here waits; tick() is called every 100 ms
/// or so and does what is due.
///
/// - The journal is the authority. A driver that is started anew takes up what stands open there: a
///   rollback first, before anything is asked of anybody.
/// - Without the lease nothing is done but finishing a rollback. Without Redis, the journal or a
///   balancer no step goes forward; a rollback needs none of them, only the balancers themselves.
/// - While it lives the driver moves the time until which the balancers keep the share; it never
///   goes beyond the lease.
class RolloutDriver : public QObject
{
    Q_OBJECT

public:
    struct Parts
    {
        Journal* journal = nullptr;
        QList<Balancer*> balancers;
        ControlPlane* control = nullptr;
        GateSource* gates = nullptr;
        ReleaseWorks* works = nullptr;
        Notifier* notifier = nullptr;
        std::function<qint64()> wallMs; ///< since 1970
        std::function<qint64()> steadyMs; ///< never jumps
    };
    struct Options
    {
        QString owner; ///< "host:pid"
        qint64 pollMs = 1000; ///< balancers
        qint64 gateMs = 15000; ///< gates; shorter by the plan's time scale, at least 200
        qint64 commandMs = 200;
        qint64 journalMs = 15000; ///< watched time alone; scaled alike
        int verifyRequests = 20; ///< that have to be seen before a share counts as observed
    };

    RolloutDriver(Parts parts, Options options, QObject* parent = nullptr);
    ~RolloutDriver() override;

    /// Takes up what the journal says. Errors: it can't be understood.
    Result<void> resume();
    void tick();

    /// A command that came another way than through Redis (socket, signal): the new version of the
    /// state, or why not.
    Result<qint64> command(RolloutEvent event);

    const RolloutState& state() const { return m_state; }
    PublishedRollout published() const;
    bool isLeader() const;
    /// Everything that is decided is done and said in Redis.
    bool isSettled() const;

Q_SIGNALS:
    /// A line for the log.
    void said(const QString& line);

private:
    struct Counts ///< of all balancers, by the pools' roles
    {
        qint64 atMs = 0;
        double canary = 0;
        double stable = 0;
        double canaryErrors = 0;
    };

    qint64 wall() const { return m_parts.wallMs(); }
    Result<qint64> commit(RolloutEvent event);
    Result<void> write(const RolloutStep& next, const RolloutEvent& event);
    void run(const QList<RolloutEffect>& effects);
    void auditFrom(qsizetype first);
    void audit(const JournalEntry& entry);
    QString report(const QList<Result<TrafficSplit>>& answers);
    bool mayGoOn() const;
    QString whatBlocks() const;

    void work();
    void applyTraffic();
    void applied(qint64 generation, const QList<Result<TrafficSplit>>& answers);
    void startWork(RolloutPhase phase);

    void renewLease();
    void renewBalancers();
    void poll();
    void polled(const QList<Result<TrafficSplit>>& answers);
    void compare(const QList<Result<TrafficSplit>>& answers);
    void count(const QList<Result<TrafficSplit>>& answers);
    void verify();
    void guardServers();
    void watch();
    void watched(QList<GateReading> readings);
    GateReading atTheBalancer(const GateReading& blind, const PlannedGate& gate) const;
    void askForCommands();
    void publish();
    void guard();
    void take(RolloutEvent event);
    void takeStart();
    void carryOut(RolloutEvent event);
    void event(RolloutEvent::Kind kind, const QString& reason);

    /// Whether `due` has come; then it is moved on.
    static bool isDue(qint64& due, qint64 now, qint64 every);

    Parts m_parts;
    Options m_options;
    RolloutState m_state;
    QString m_journalId;
    QString m_journalError;
    QSet<QString> m_handled; ///< ids of commands
    std::optional<RolloutEvent> m_start; ///< waits for the audit of the rollout before
    qint64 m_startSinceMs = 0; ///< steady
    QList<QJsonObject> m_audit; ///< not yet in Redis
    qsizetype m_audited = 0; ///< lines of the journal that are in m_audit, or were
    bool m_auditKnown = false; ///< what of the journal is there already

    bool m_leader = false;
    bool m_redis = false;
    qint64 m_epoch = 0;
    qint64 m_renewedMs = 0;
    qint64 m_leaseUntilMs = 0;

    qint64 m_generation = 0; ///< of what the balancers are told
    bool m_applying = false;
    TrafficTarget m_applyingTarget;
    QString m_applyError;
    QString m_pollError;
    QList<BalancerReport> m_reports;
    QHash<int, TrafficSplit> m_last; ///< by balancer
    QList<Counts> m_counts; ///< oldest first; the first one after the target was applied
    Counts m_total;

    int m_pollsWithoutCanary = 0;
    bool m_watching = false;
    qint64 m_watchedMs = -1; ///< steady, of the last look; -1: none since the start
    bool m_working = false;
    qint64 m_workNumber = 0;
    bool m_asking = false;
    bool m_publishing = false;
    bool m_polling = false;
    bool m_renewing = false;
    bool m_publishSoon = false;

    qint64 m_leaseDue = 0;
    qint64 m_pollDue = 0;
    qint64 m_applyDue = 0;
    qint64 m_watchDue = 0;
    qint64 m_commandDue = 0;
    qint64 m_publishDue = 0;
    qint64 m_guardDue = 0;
    qint64 m_flushDue = 0;
    qint64 m_journalledMs = 0;
    qint64 m_unwrittenMs = 0; ///< watched since
};

} // namespace sluice::ops
