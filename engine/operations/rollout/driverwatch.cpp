// What the driver does again and again: its lease, the balancers, the gates, Redis.

#include "engine/operations/rollout/driver.h"

#include <QDateTime>
#include <QJsonDocument>
#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

namespace sluice::ops {

namespace {

using Kind = RolloutEvent::Kind;

constexpr qsizetype mostCounts = 20000;
constexpr int pollsToBelieve = 2;
constexpr qint64 startPatienceMs = 2000;

} // namespace

void RolloutDriver::renewLease()
{
    if (m_renewing) {
        return;
    }
    m_renewing = true;
    // What the balancers are given is reckoned from before the lease was asked for, so that it ends
    // no later than the lease does.
    const qint64 asked = wall();
    m_parts.control->renewLease(m_options.owner, m_state.plan.leaseMs, m_epoch, this,
        [this, asked](const Result<Lease>& lease) {
            m_renewing = false;
            if (!lease) {
                if (m_redis) {
                    Q_EMIT said(QString::fromStdString(lease.error().text()));
                }
                m_redis = false;
                // A lease that was held without a gap is still ours: while Redis is silent nobody
                // else can get it. One that slept longer is not.
                if (!isLeader()) {
                    m_leader = false;
                    return;
                }
            } else {
                m_redis = true;
                if (m_leader != lease->held) {
                    Q_EMIT said(lease->held
                            ? QStringLiteral("leads, epoch %1").arg(lease->epoch)
                            : QStringLiteral("stands by: %1 leads").arg(lease->holder));
                }
                m_leader = lease->held;
                if (!m_leader) {
                    return;
                }
                m_epoch = lease->epoch;
            }
            m_renewedMs = asked;
            m_leaseUntilMs = asked + m_state.plan.leaseMs;
            renewBalancers();
        });
}

void RolloutDriver::renewBalancers()
{
    if (!m_state.hasTraffic() || !m_state.applied || m_state.target.nextBasisPoints == 0) {
        return;
    }
    for (Balancer* balancer : m_parts.balancers) {
        // One that can't be reached is found by poll().
        balancer->renew(m_leaseUntilMs, this, [](const Result<TrafficSplit>&) {});
    }
}

void RolloutDriver::poll()
{
    if (m_polling) {
        return;
    }
    m_polling = true;
    struct Round
    {
        QList<Result<TrafficSplit>> answers;
        qsizetype open = 0;
    };
    auto round = std::make_shared<Round>();
    round->open = m_parts.balancers.size();
    for (qsizetype index = 0; index < m_parts.balancers.size(); ++index) {
        round->answers << Result<TrafficSplit>(internalError("not asked"));
    }
    const qint64 generation = m_generation;
    for (qsizetype index = 0; index < m_parts.balancers.size(); ++index) {
        m_parts.balancers[index]->read(
            this, [this, round, index, generation](const Result<TrafficSplit>& split) {
                round->answers[index] = split;
                if (--round->open > 0) {
                    return;
                }
                m_polling = false;
                if (generation == m_generation) { // else it was read before the last order
                    polled(round->answers);
                }
            });
    }
}

/// Keeps what each balancer says; what is wrong with those that say nothing.
QString RolloutDriver::report(const QList<Result<TrafficSplit>>& answers)
{
    QStringList errors;
    m_reports.clear();
    for (qsizetype index = 0; index < answers.size(); ++index) {
        BalancerReport one;
        one.name = m_parts.balancers[index]->name();
        one.reachable = answers[index].ok();
        if (answers[index]) {
            one.configured = {answers[index]->live, answers[index]->nextShareBasisPoints};
            one.leaseUntilMs = answers[index]->leaseUntilMs;
            one.liveServersUp = answers[index]->liveServersUp;
            one.nextServersUp = answers[index]->nextServersUp;
        } else {
            one.error = QString::fromStdString(answers[index].error().text());
            errors << one.name % QStringLiteral(": ") % one.error;
        }
        m_reports << one;
    }
    return errors.join(QStringLiteral("; "));
}

void RolloutDriver::polled(const QList<Result<TrafficSplit>>& answers)
{
    m_pollError = report(answers);
    compare(answers);
    count(answers);
    guardServers();
    verify();
}

/// A canary that crashed reports nothing, and the balancers send its sessions elsewhere: none of
/// its gates would ever fail.
void RolloutDriver::guardServers()
{
    QString empty;
    for (const BalancerReport& one : m_reports) {
        const bool lives = one.configured.live == m_state.canary;
        const int canaryUp = lives ? one.liveServersUp : one.nextServersUp;
        const int stableUp = lives ? one.nextServersUp : one.liveServersUp;
        if (one.reachable && canaryUp == 0 && stableUp > 0) {
            empty = one.name;
        }
    }
    const bool matters = isLeader() && m_state.hasTraffic() && m_state.applied;
    m_pollsWithoutCanary = matters && !empty.isEmpty() ? m_pollsWithoutCanary + 1 : 0;
    if (m_pollsWithoutCanary >= pollsToBelieve) {
        m_pollsWithoutCanary = 0;
        event(Kind::Rollback,
            QStringLiteral("no server of %1 is healthy, says %2").arg(m_state.canary, empty));
    }
}

/// What the balancers have against what was asked.
void RolloutDriver::compare(const QList<Result<TrafficSplit>>& answers)
{
    if (!isLeader() || !m_state.hasTraffic() || !m_state.applied || m_state.foreign || m_applying) {
        return;
    }
    for (int index = 0; index < int(answers.size()); ++index) {
        if (!answers[index]) {
            continue;
        }
        const TrafficSplit& split = *answers[index];
        if (TrafficTarget{split.live, split.nextShareBasisPoints} == m_state.target) {
            continue;
        }
        const auto before = m_last.constFind(index);
        const bool restarted = before != m_last.constEnd()
            && split.liveRequests + split.nextRequests
                < before->liveRequests + before->nextRequests;
        const QString what =
            QStringLiteral("%1 has %2 live and %3 % shifted instead of %4 and %5 %")
                .arg(m_parts.balancers[index]->name(), split.live)
                .arg(split.nextShareBasisPoints / 100.0)
                .arg(m_state.target.live)
                .arg(m_state.target.nextBasisPoints / 100.0);
        if (restarted) {
            event(Kind::Restarted, what % QStringLiteral(" after a restart: it is told anew"));
        } else {
            event(Kind::Foreign,
                what
                    % QStringLiteral(": somebody else changed it. Resume to put "
                                     "it back, or roll back"));
        }
        return;
    }
}

/// Adds up what went where, over restarts of balancers.
void RolloutDriver::count(const QList<Result<TrafficSplit>>& answers)
{
    for (int index = 0; index < int(answers.size()); ++index) {
        if (!answers[index]) {
            continue;
        }
        const TrafficSplit& now = *answers[index];
        const TrafficSplit before = m_last.value(index);
        const bool canaryLives = now.live == m_state.canary;
        const auto of = [](const TrafficSplit& split, bool live) {
            return live ? split.liveRequests : split.nextRequests;
        };
        const auto errorsOf = [](const TrafficSplit& split, bool live) {
            return live ? split.liveErrors : split.nextErrors;
        };
        if (m_last.contains(index)) {
            const bool lived = before.live == m_state.canary;
            const auto grown = [](quint64 old, quint64 fresh) {
                return double(fresh >= old ? fresh - old : fresh);
            };
            m_total.canary += grown(of(before, lived), of(now, canaryLives));
            m_total.stable += grown(of(before, !lived), of(now, !canaryLives));
            m_total.canaryErrors += grown(errorsOf(before, lived), errorsOf(now, canaryLives));
        }
        m_last[index] = now;
    }
    m_total.atMs = wall();
    m_counts << m_total;
    if (m_counts.size() > mostCounts) {
        m_counts.removeFirst();
    }
}

void RolloutDriver::verify()
{
    if (!isLeader() || m_state.phase != RolloutPhase::Shifting || !m_state.applied
        || m_counts.isEmpty() || !m_pollError.isEmpty()) {
        return;
    }
    const double canary = m_total.canary - m_counts.first().canary;
    const double all = canary + m_total.stable - m_counts.first().stable;
    const double asked = m_state.canaryBasisPoints() / 10000.0;
    // Sessions are few and not alike, so that only a gross difference says that the order went
    // elsewhere; the gate "split" looks closer, over the whole soak.
    if (all >= m_options.verifyRequests && canary >= 1 && canary / all >= asked / 3
        && (1 - canary / all) >= (1 - asked) / 3) {
        event(Kind::Verified,
            QStringLiteral("%1 % of %2 requests").arg(100 * canary / all, 0, 'f', 2).arg(all));
    }
}

void RolloutDriver::watch()
{
    if (m_watching) {
        return;
    }
    if (!m_state.hasTraffic()) {
        watched({});
        return;
    }
    m_watching = true;
    m_parts.gates->evaluate(GateContext::of(m_state, wall()), this,
        [this, id = m_state.rolloutId, stage = m_state.stage](QList<GateReading> readings) {
            m_watching = false;
            if (id == m_state.rolloutId && stage == m_state.stage) {
                watched(std::move(readings));
            }
        });
}

void RolloutDriver::watched(QList<GateReading> readings)
{
    const qint64 now = m_parts.steadyMs();
    const qint64 every = std::max<qint64>(200, m_state.plan.scaled(m_options.gateMs));
    RolloutEvent event;
    event.kind = Kind::Watched;
    // Time in which nobody looked does not count, however the clock went on.
    event.watchedMs = m_watchedMs < 0 ? 0 : std::clamp<qint64>(now - m_watchedMs, 0, 3 * every);
    m_watchedMs = now;
    event.reason = whatBlocks();
    if (event.reason.isEmpty() && m_state.phase == RolloutPhase::Shifting && m_state.applied) {
        event.reason = QStringLiteral("waits for traffic that shows the share");
    }
    for (GateReading& reading : readings) {
        const PlannedGate* gate = m_state.plan.gate(reading.gate);
        if (gate != nullptr && gate->measure == Measure::ErrorRate && reading.isBlind()) {
            reading = atTheBalancer(reading, *gate);
        }
    }
    event.readings = std::move(readings);
    if (const auto done = commit(std::move(event)); !done) {
        Q_EMIT said(QString::fromStdString(done.error().text()));
    }
}

/// The second source for errors: the balancers' own counters.
GateReading RolloutDriver::atTheBalancer(const GateReading& blind, const PlannedGate& gate) const
{
    const qint64 from = wall() - m_state.plan.scaled(gate.windowMs);
    // The last count at or before the window's beginning; a shorter history is taken as it is.
    auto first = std::find_if(
        m_counts.begin(), m_counts.end(), [from](const Counts& one) { return one.atMs > from; });
    if (first != m_counts.begin()) {
        --first;
    }
    GateReading reading = blind;
    if (first == m_counts.end()) {
        return reading;
    }
    const double requests = m_total.canary - first->canary;
    const double errors = m_total.canaryErrors - first->canaryErrors;
    if (requests < std::max(1.0, gate.atLeast)) {
        return reading; // stays blind: nobody looks
    }
    reading.value = errors / requests;
    reading.limit = gate.limit;
    reading.query = QStringLiteral("the balancers' counters");
    reading.counts = {{QStringLiteral("requests"), requests}, {QStringLiteral("errors"), errors}};
    reading.reason = QStringLiteral("%1 of %2 requests failed at the balancer (%3)")
                         .arg(errors)
                         .arg(requests)
                         .arg(blind.reason);
    // It sees no time-outs of the workers' own, so that it may say no, and never yes.
    if (reading.value > gate.limit) {
        reading.verdict = GateVerdict::Fail;
    }
    return reading;
}

void RolloutDriver::askForCommands()
{
    if (m_asking) {
        return;
    }
    m_asking = true;
    m_parts.control->commands(this, [this](const Result<QList<RolloutEvent>>& asked) {
        m_asking = false;
        if (!asked) {
            return; // renewLease() says it
        }
        for (const RolloutEvent& one : *asked) {
            if (isLeader()) {
                take(one);
            }
        }
    });
}

void RolloutDriver::take(RolloutEvent event)
{
    if (m_handled.contains(event.id) || (m_start && m_start->id == event.id)) {
        return;
    }
    if (event.kind == RolloutEvent::Kind::Start && !m_state.isActive() && !m_start
        && !m_parts.journal->entries().isEmpty() && !(m_auditKnown && m_audit.isEmpty())) {
        m_start = event;
        m_startSinceMs = m_parts.steadyMs();
        m_publishSoon = true;
        return;
    }
    carryOut(std::move(event));
}

void RolloutDriver::carryOut(RolloutEvent event)
{
    const RolloutEvent asked = event;
    const qsizetype before = m_audit.size();
    const auto done = command(std::move(event));
    m_handled << asked.id;
    if (done && m_audit.size() > before) {
        return; // the audit answers
    }
    m_audit << QJsonObject{{QStringLiteral("kind"), eventName(asked.kind)},
        {QStringLiteral("id"), asked.id}, {QStringLiteral("by"), asked.by},
        {QStringLiteral("at_ms"), wall()}, {QStringLiteral("rollout"), m_state.rolloutId},
        {QStringLiteral("version"), m_state.version},
        {QStringLiteral("phase"), phaseName(m_state.phase)},
        {QStringLiteral("refused"), done ? QString() : QString::fromStdString(done.error().text())},
        {QStringLiteral("reason"),
            done ? QStringLiteral("nothing to do") : QStringLiteral("refused")}};
    m_publishSoon = true;
}

/// A start that waited until the rollout before is told in Redis, so that its journal can be put
/// away; not for long.
void RolloutDriver::takeStart()
{
    const bool isTold = m_auditKnown && m_audit.isEmpty() && !m_publishing;
    if (m_start && (isTold || m_parts.steadyMs() - m_startSinceMs > startPatienceMs)) {
        const RolloutEvent event = *std::exchange(m_start, std::nullopt);
        m_startSinceMs = 0;
        carryOut(event);
    }
}

PublishedRollout RolloutDriver::published() const
{
    PublishedRollout made;
    made.state = m_state;
    made.balancers = m_reports;
    made.driver = m_options.owner;
    made.epoch = m_epoch;
    made.publishedMs = wall();
    made.journalFailing = !m_journalError.isEmpty();
    made.journalError = m_journalError;
    const qint64 from = wall() - 60000;
    for (const Counts& first : m_counts) {
        if (first.atMs >= from) {
            made.observedRequests = m_total.canary + m_total.stable - first.canary - first.stable;
            if (made.observedRequests > 0) {
                made.observedShare = (m_total.canary - first.canary) / made.observedRequests;
            }
            break;
        }
    }
    return made;
}

void RolloutDriver::publish()
{
    if (m_publishing) {
        return;
    }
    m_publishing = true;
    m_publishSoon = false;
    if (!m_auditKnown) {
        m_parts.control->lastAudited(m_journalId, this, [this](const Result<qint64>& last) {
            m_publishing = false;
            if (last) {
                m_auditKnown = true;
                m_publishSoon = true;
                m_audit.removeIf([&](const QJsonObject& line) {
                    const qint64 number = line[QStringLiteral("number")].toInteger();
                    return number > 0 && number <= *last;
                });
            }
        });
        return;
    }
    const qsizetype most = 200;
    const QList<QJsonObject> lines = m_audit.mid(0, most);
    m_parts.control->publish(m_options.owner, m_journalId,
        QJsonDocument(published().toJson()).toJson(QJsonDocument::Compact), lines, this,
        [this, count = lines.size()](const Result<void>& done) {
            m_publishing = false;
            if (done) {
                m_audit.remove(0, count);
                m_publishSoon = m_publishSoon || !m_audit.isEmpty();
            } else if (done.error().kind == ErrorKind::Refused) {
                m_leader = false; // fenced
            }
        });
}

void RolloutDriver::guard()
{
    m_parts.control->guardThresholds(m_state.isActive() ? m_state.rolloutId : QString(), this,
        [this](const Result<QString>& overridden) {
            if (overridden && !overridden->isEmpty()) {
                event(Kind::EvidenceLost,
                    QStringLiteral("thresholds were published by %1 in the middle of it")
                        .arg(*overridden));
            }
        });
}

} // namespace sluice::ops
