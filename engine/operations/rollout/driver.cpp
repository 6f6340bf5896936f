#include "engine/operations/rollout/driver.h"

#include <QDateTime>
#include <QJsonArray>
#include <QJsonDocument>
#include <QUuid>
#include <algorithm>
#include <memory>

namespace sluice::ops {

namespace {

using Kind = RolloutEvent::Kind;

const QString self = QStringLiteral("driver");

bool isBackwards(const RolloutState& state)
{
    return state.phase == RolloutPhase::RollingBack || state.phase == RolloutPhase::RolledBack;
}

/// What a journal line is called: the marks of writing ahead.
QString markOf(const RolloutState& before, const RolloutState& after, Kind kind)
{
    if (!after.applied && (before.applied || !(before.target == after.target))) {
        return QStringLiteral("INTENT");
    }
    if (kind == Kind::Applied) {
        return QStringLiteral("APPLIED");
    }
    return kind == Kind::Verified ? QStringLiteral("VERIFIED") : QString();
}

/// More than time and readings.
bool differs(const RolloutState& one, const RolloutState& other)
{
    return one.version != other.version || one.applied != other.applied
        || !(one.target == other.target) || one.stageDone != other.stageDone
        || one.hold != other.hold || one.warned != other.warned;
}

} // namespace

RolloutDriver::RolloutDriver(Parts parts, Options options, QObject* parent)
    : QObject(parent)
    , m_parts(std::move(parts))
    , m_options(std::move(options))
{ }

RolloutDriver::~RolloutDriver() = default;

bool RolloutDriver::isDue(qint64& due, qint64 now, qint64 every)
{
    if (now < due && due - now <= every) { // a clock that was set back does not stop the work
        return false;
    }
    due = now + every;
    return true;
}

Result<void> RolloutDriver::resume()
{
    const QList<JournalEntry>& entries = m_parts.journal->entries();
    for (const JournalEntry& entry : entries) {
        const QJsonObject event = entry.body[QStringLiteral("event")].toObject();
        if (const QString id = event[QStringLiteral("id")].toString(); !id.isEmpty()) {
            m_handled << id;
        }
        const QJsonArray handled = entry.body[QStringLiteral("handled")].toArray();
        for (const auto& id : handled) { // of the journal before
            m_handled << id.toString();
        }
        if (event.contains(QStringLiteral("plan"))) {
            auto plan = RolloutPlan::fromJson(event[QStringLiteral("plan")].toObject(),
                QStringLiteral("the journal's plan (line %1)").arg(entry.number));
            if (!plan) {
                return plan.error();
            }
            m_state.plan = std::move(*plan);
        }
        if (m_journalId.isEmpty()) {
            m_journalId = entry.body[QStringLiteral("journal")].toString();
        }
        m_epoch = std::max(m_epoch, entry.body[QStringLiteral("epoch")].toInteger());
    }
    auditFrom(0);
    if (entries.isEmpty()) {
        m_journalId = QUuid::createUuid().toString(QUuid::WithoutBraces);
        return {};
    }
    const QJsonObject& last = entries.last().body;
    auto state = RolloutState::fromJson(last[QStringLiteral("state")].toObject(), m_state.plan);
    if (!state) {
        return state.error();
    }
    m_state = std::move(*state);
    m_parts.gates->restore(last[QStringLiteral("evidence")].toObject());
    for (const JournalEntry& entry : entries) { // taken again, not sent again
        const QJsonArray told = entry.body[QStringLiteral("notify")].toArray();
        for (const auto& one : told) {
            const QJsonObject notice = one.toObject();
            m_parts.notifier->enqueue(notice[QStringLiteral("id")].toString(),
                notice[QStringLiteral("text")].toString(), m_state);
        }
    }
    Q_EMIT said(QStringLiteral("resumes %1: %2, stage %3, %4 %")
                    .arg(m_state.rolloutId, phaseName(m_state.phase))
                    .arg(m_state.stage)
                    .arg(m_state.canaryBasisPoints() / 100.0));
    work(); // a rollback that stands open comes before everything
    return {};
}

bool RolloutDriver::isLeader() const
{
    const qint64 since = wall() - m_renewedMs;
    return m_leader && since >= 0 && since < m_state.plan.leaseMs;
}

bool RolloutDriver::isSettled() const
{
    return m_audit.isEmpty() && !m_publishSoon && !m_publishing && !m_applying;
}

bool RolloutDriver::mayGoOn() const
{
    return isLeader() && m_redis && m_journalError.isEmpty();
}

QString RolloutDriver::whatBlocks() const
{
    if (!m_journalError.isEmpty()) {
        return m_journalError;
    }
    if (!m_redis) {
        return QStringLiteral("Redis does not answer: no step goes forward");
    }
    return m_applyError.isEmpty() ? m_pollError : m_applyError;
}

void RolloutDriver::tick()
{
    const qint64 now = wall();
    if (!m_journalError.isEmpty() && isDue(m_flushDue, now, 1000) && m_parts.journal->flush()) {
        m_journalError.clear(); // where the disk is still full, the next line says it again
        auditFrom(m_audited);
    }
    work();
    if (isDue(m_leaseDue, now, std::max<qint64>(20, m_state.plan.leaseMs / 4))) {
        renewLease();
    }
    if (isDue(m_pollDue, now, m_options.pollMs)) {
        poll();
    }
    const auto scaled = [this](
                            qint64 ms) { return std::max<qint64>(200, m_state.plan.scaled(ms)); };
    if (isLeader() && m_state.isActive() && isDue(m_watchDue, now, scaled(m_options.gateMs))) {
        watch();
    }
    if (isLeader() && m_redis && isDue(m_commandDue, now, m_options.commandMs)) {
        askForCommands();
    }
    if (isLeader() && m_redis && isDue(m_guardDue, now, 2000)) {
        guard();
    }
    if (isLeader() && m_redis && (m_publishSoon || isDue(m_publishDue, now, 1000))) {
        publish();
    }
    if (isLeader()) {
        takeStart();
    }
}

Result<qint64> RolloutDriver::command(RolloutEvent event)
{
    if (!event.id.isEmpty() && m_handled.contains(event.id)) {
        return refusedError("this command was carried out already");
    }
    if (event.kind == Kind::Start && !m_state.isActive()) {
        if (!mayGoOn()) {
            return refusedError("a rollout can't be started now: "
                + (isLeader() ? whatBlocks() : QStringLiteral("another driver leads"))
                      .toStdString());
        }
        for (const BalancerReport& report : m_reports) {
            if (!report.reachable) {
                return refusedError("a rollout can't be started while " + report.name.toStdString()
                        + " does not answer",
                    report.error.toStdString());
            }
            if (report.configured.nextBasisPoints != 0
                || report.configured.live != m_reports.first().configured.live) {
                return refusedError("sessions are shifted already (" + report.name.toStdString()
                    + "): take them back with `sluicectl rollout rollback` first");
            }
        }
        if (m_reports.isEmpty()) {
            return refusedError("no balancer has answered yet: ask again in a moment");
        }
        event.live = m_reports.first().configured.live;
        event.rolloutId = event.plan ? event.plan->release.id % u'@'
                % QDateTime::fromMSecsSinceEpoch(wall(), Qt::UTC)
                      .toString(QStringLiteral("yyyyMMdd'T'HHmmss.zzz"))
                                     : QString();
    }
    return commit(std::move(event));
}

Result<qint64> RolloutDriver::commit(RolloutEvent event)
{
    event.atMs = wall();
    if (event.by.isEmpty()) {
        event.by = self;
    }
    const RolloutStep next = step(m_state, event);
    if (next.refused) {
        return *next.refused;
    }
    const bool changes = differs(m_state, next.state) || !next.effects.isEmpty();
    const qint64 every = std::max<qint64>(1000, m_state.plan.scaled(m_options.journalMs));
    const qint64 since = event.atMs - m_journalledMs;
    const bool timeAlone =
        !changes && (event.kind != Kind::Watched || (since >= 0 && since < every));
    if (timeAlone && m_journalError.isEmpty()) {
        m_unwrittenMs += next.state.watchedMs - m_state.watchedMs;
        m_state = next.state;
        return m_state.version;
    }
    const bool redundant = !changes && event.kind != Kind::Watched;
    if (!redundant) {
        if (auto written = write(next, event); !written) {
            return written.error();
        }
    }
    const bool moved = !(m_state.target == next.state.target) || m_state.stage != next.state.stage;
    m_state = next.state;
    if (moved) {
        m_applyDue = 0;
        m_applyError.clear();
        m_counts.clear();
        ++m_workNumber; // what was under way belongs to another stage
        m_working = false;
    }
    m_publishSoon = true;
    work();
    run(next.effects);
    return m_state.version;
}

Result<void> RolloutDriver::write(const RolloutStep& next, const RolloutEvent& event)
{
    QJsonArray notices;
    bool fresh = false;
    for (const RolloutEffect& effect : next.effects) {
        fresh = fresh || effect.kind == RolloutEffect::Kind::ResetEvidence;
        if (effect.kind == RolloutEffect::Kind::Notify) {
            notices << QJsonObject{{QStringLiteral("text"), effect.text},
                {QStringLiteral("id"),
                    QStringLiteral("%1/%2/%3")
                        .arg(m_journalId)
                        .arg(m_parts.journal->nextNumber() + m_parts.journal->buffered())
                        .arg(notices.size())}};
        }
    }
    // Time that got no line of its own is in the next one, so that a replay comes to the same.
    RolloutEvent whole = event;
    whole.watchedMs += m_unwrittenMs;
    QJsonObject body{{QStringLiteral("event"), whole.toJson()},
        {QStringLiteral("state"), next.state.toJson(false)}, {QStringLiteral("epoch"), m_epoch},
        {QStringLiteral("driver"), m_options.owner},
        {QStringLiteral("steady_ms"), m_parts.steadyMs()},
        {QStringLiteral("evidence"), fresh ? QJsonObject() : m_parts.gates->evidence()},
        {QStringLiteral("notify"), notices}};
    const QList<JournalEntry>& entries = m_parts.journal->entries();
    // A rollout begins a journal of its own, so that none grows for ever; the one before is put
    // away once everybody can read in Redis what stood in it.
    const bool anew = event.kind == Kind::Start && !entries.isEmpty() && m_audit.isEmpty()
        && m_auditKnown && m_parts.journal->buffered() == 0;
    if (entries.isEmpty() || anew) {
        body[QStringLiteral("journal")] = m_journalId;
    }
    if (anew) {
        QJsonArray handled; // a command of the last seconds is not carried out twice
        for (const JournalEntry& entry : entries) {
            const QString id =
                entry.body[QStringLiteral("event")].toObject()[QStringLiteral("id")].toString();
            if (!id.isEmpty()) {
                handled << id;
            }
        }
        body[QStringLiteral("handled")] = handled;
    }
    const QString mark = markOf(m_state, next.state, event.kind);
    const auto written =
        anew ? m_parts.journal->startAnew(mark, body) : m_parts.journal->append(mark, body);
    if (anew && written) {
        m_audited = 0;
    }
    auditFrom(m_audited);
    if (!written) {
        m_journalError = QString::fromStdString(written.error().text());
        Q_EMIT said(m_journalError);
        if (!isBackwards(next.state)) {
            return written;
        }
        m_parts.journal->buffer(mark, body); // the way back waits for no disk
    } else {
        m_journalError.clear();
        m_journalledMs = event.atMs;
    }
    m_unwrittenMs = 0;
    if (!event.id.isEmpty()) {
        m_handled << event.id;
    }
    for (const auto& one : notices) {
        const QJsonObject notice = one.toObject();
        m_parts.notifier->enqueue(notice[QStringLiteral("id")].toString(),
            notice[QStringLiteral("text")].toString(), next.state);
        Q_EMIT said(notice[QStringLiteral("text")].toString());
    }
    return {};
}

void RolloutDriver::run(const QList<RolloutEffect>& effects)
{
    for (const RolloutEffect& effect : effects) {
        if (effect.kind == RolloutEffect::Kind::ResetEvidence) {
            m_parts.gates->reset();
        } else if (effect.kind == RolloutEffect::Kind::Hook) {
            m_parts.works->hook(
                effect.text, m_state, this, [this, at = effect.text](const auto& done) {
                    Q_EMIT said(at % QStringLiteral(" hooks: ")
                        % (done ? *done : QString::fromStdString(done.error().text())));
                });
        }
    }
}

void RolloutDriver::auditFrom(qsizetype first)
{
    const QList<JournalEntry>& entries = m_parts.journal->entries();
    for (qsizetype index = first; index < entries.size(); ++index) {
        audit(entries[index]);
    }
    m_audited = entries.size();
}

/// What of a journal line everybody may read. Watched time alone is no event.
void RolloutDriver::audit(const JournalEntry& entry)
{
    const QJsonObject event = entry.body[QStringLiteral("event")].toObject();
    const QJsonObject state = entry.body[QStringLiteral("state")].toObject();
    QJsonObject line{{QStringLiteral("number"), entry.number}, {QStringLiteral("mark"), entry.mark},
        {QStringLiteral("buffered"), entry.buffered}};
    for (const char* key : {"kind", "by", "at_ms", "id"}) {
        line[QLatin1StringView(key)] = event[QLatin1StringView(key)];
    }
    for (const char* key : {"rollout", "phase", "stage", "version", "target", "hold"}) {
        line[QLatin1StringView(key)] = state[QLatin1StringView(key)];
    }
    const QString why = event[QStringLiteral("reason")].toString();
    line[QStringLiteral("reason")] =
        why.isEmpty() ? state[QStringLiteral("reason")].toString() : why;
    m_audit << line;
}

void RolloutDriver::event(RolloutEvent::Kind kind, const QString& reason)
{
    RolloutEvent made;
    made.kind = kind;
    made.reason = reason;
    if (const auto done = commit(std::move(made)); !done) {
        Q_EMIT said(QString::fromStdString(done.error().text()));
    }
}

void RolloutDriver::work()
{
    if (m_state.phase == RolloutPhase::RollingBack) {
        if (!m_state.applied) {
            applyTraffic();
        }
        return;
    }
    if (!mayGoOn()) {
        return;
    }
    if (m_state.hasTraffic() && !m_state.applied && !m_state.foreign) {
        applyTraffic();
    } else if ((m_state.phase == RolloutPhase::Deploying || m_state.phase == RolloutPhase::Staging)
        && !m_state.stageDone && !m_state.paused && !m_working) {
        startWork(m_state.phase);
    }
}

void RolloutDriver::startWork(RolloutPhase phase)
{
    m_working = true;
    const qint64 number = ++m_workNumber;
    const auto done = [this, number, phase](const Result<QString>& result) {
        if (number != m_workNumber) {
            return; // rolled back meanwhile
        }
        m_working = false;
        const bool deploys = phase == RolloutPhase::Deploying;
        if (result) {
            event(deploys ? Kind::Deployed : Kind::StagingPassed, *result);
        } else {
            event(deploys ? Kind::DeployFailed : Kind::StagingFailed,
                QString::fromStdString(result.error().text()));
        }
    };
    if (phase == RolloutPhase::Deploying) {
        m_parts.works->deploy(m_state, this, done);
    } else {
        m_parts.works->stage(m_state, this, done);
    }
}

void RolloutDriver::applyTraffic()
{
    const qint64 now = wall();
    if ((m_applying && m_applyingTarget == m_state.target)
        || !isDue(m_applyDue, now, m_options.pollMs)) {
        return;
    }
    m_applying = true;
    m_applyingTarget = m_state.target;
    const qint64 generation = ++m_generation;
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
    const qint64 until = m_state.target.nextBasisPoints > 0 ? m_leaseUntilMs : 0;
    const TrafficTarget target = m_state.target;
    for (qsizetype index = 0; index < m_parts.balancers.size(); ++index) {
        m_parts.balancers[index]->apply(target, until, this,
            [this, round, index, generation](const Result<TrafficSplit>& split) {
                round->answers[index] = split;
                if (--round->open == 0) {
                    applied(generation, round->answers);
                }
            });
    }
}

void RolloutDriver::applied(qint64 generation, const QList<Result<TrafficSplit>>& answers)
{
    if (generation != m_generation) {
        // An older order may have arrived after the newer one: the newer one is said again.
        if (m_state.phase == RolloutPhase::RolledBack) {
            m_applying = false;
            m_applyDue = 0;
            applyTraffic();
        }
        return;
    }
    m_applying = false;
    const QString error = report(answers);
    if (error != m_applyError && !error.isEmpty()) {
        m_publishSoon = true;
        Q_EMIT said(error);
        if (m_state.phase == RolloutPhase::RollingBack) {
            m_parts.notifier->enqueue(
                m_state.rolloutId % QStringLiteral("/rollback-blocked/") % error,
                QStringLiteral("the rollback is not everywhere yet: ") % error, m_state);
        }
    }
    m_applyError = error;
    if (!error.isEmpty() || m_state.applied) {
        return;
    }
    count(answers);
    m_counts = {m_total};
    event(Kind::Applied, {});
}

} // namespace sluice::ops
