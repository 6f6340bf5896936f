#pragma once

#include "engine/operations/environment/environment.h"
#include "engine/operations/rollout/rediscontrol.h"

#include <QDateTime>
#include <QJsonDocument>
#include <QTimer>
#include <utility>

namespace sluice::test {

inline ops::GateReading reading(const char* gate, ops::GateVerdict verdict, double value,
    double limit, const char* unit, const char* reason)
{
    ops::GateReading made;
    made.gate = QString::fromUtf8(gate);
    made.verdict = verdict;
    made.action = ops::GateAction::Rollback;
    made.value = value;
    made.limit = limit;
    made.unit = QString::fromUtf8(unit);
    made.reason = QString::fromUtf8(reason);
    made.query = QStringLiteral("haproxy_backend_http_responses_total[5m]");
    made.atMs = QDateTime::currentMSecsSinceEpoch();
    return made;
}

/// A rollout in the middle of its 25 %.
inline ops::RolloutState soakingState()
{
    ops::RolloutState state;
    ops::Release release;
    release.id = QStringLiteral("2026-11-24.1");
    release.workerVersion = QStringLiteral("1.8.0");
    release.thresholdSet = 42;
    state.plan = ops::RolloutPlan::standard(release);
    state.rolloutId = QStringLiteral("2026-11-24.1-140000");
    state.phase = ops::RolloutPhase::Soaking;
    state.stage = 3;
    state.version = 7;
    state.stable = QStringLiteral("blue");
    state.canary = QStringLiteral("green");
    state.target = {QStringLiteral("blue"), 2500};
    state.applied = true;
    state.watchedMs = 72 * 60000;
    state.startedMs = QDateTime::currentMSecsSinceEpoch() - 600000;
    state.soakFromMs = state.startedMs;
    state.by = QStringLiteral("driver");
    state.reason = QStringLiteral("every gate of \"5 %\" passed");
    state.atMs = state.startedMs;
    using V = ops::GateVerdict;
    ops::GateReading errors =
        reading("errors", V::Pass, 0.08, 1, "%", "3 of 3,600 failed on green");
    errors.counts = {{QStringLiteral("stable_value"), 0.09}};
    ops::GateReading time = reading("response time", V::Pass, 1.03, 2, "x", "p95 3.1 ms, 3.0 ms");
    time.counts = {{QStringLiteral("canary_p95_ms"), 3.1}, {QStringLiteral("stable_p95_ms"), 3.0}};
    ops::GateReading worse = reading("more errors", V::Pass, 0.9, 1, "x", "No sign of more errors");
    worse.evidence = 0.4;
    worse.evidenceLimit = 1000;
    ops::GateReading slower = reading("slower", V::Pass, 1, 2, "x", "No sign");
    slower.evidence = 2.2;
    slower.evidenceLimit = 1000;
    ops::GateReading proof = reading("no worse", V::Inconclusive, 0.9, 2, "x", "Not yet proven");
    proof.action = ops::GateAction::Hold;
    proof.evidence = 11.2;
    proof.evidenceLimit = 20;
    ops::GateReading complaints =
        reading("complaints", V::Inconclusive, 1.1, 2, "x", "2 complaints about green");
    complaints.action = ops::GateAction::Warn;
    complaints.counts = {{QStringLiteral("canary"), 2}, {QStringLiteral("stable"), 5}};
    state.readings = {errors, time, reading("memory", V::Pass, 11, 80, "%", "58 MiB of 512 MiB"),
        complaints, worse, slower, proof};
    return state;
}

/// Publishes what a test wants to be shown, as user driver, and takes commands as a driver does.
class StandIn : public QObject
{
    Q_OBJECT

public:
    StandIn(const ops::Environment& environment, const QString& password)
        : m_control(&m_client)
    {
        m_client.open(environment.redis.host, environment.redis.port, QStringLiteral("driver"),
            password, QStringLiteral("stand-in"));
        m_timer.setInterval(200);
        connect(&m_timer, &QTimer::timeout, this, &StandIn::turn);
        m_timer.start();
    }

    ops::PublishedRollout rollout;
    QList<ops::RolloutEvent> commands;
    QString refusal; ///< of the next command

    void say(const char* kind, const char* by, const char* reason, const char* mark = "")
    {
        m_audit << QJsonObject{{QStringLiteral("number"), ++m_number},
            {QStringLiteral("kind"), QString::fromLatin1(kind)},
            {QStringLiteral("by"), QString::fromLatin1(by)},
            {QStringLiteral("reason"), QString::fromUtf8(reason)},
            {QStringLiteral("mark"), QString::fromLatin1(mark)},
            {QStringLiteral("rollout"), rollout.state.rolloutId},
            {QStringLiteral("at_ms"), QDateTime::currentMSecsSinceEpoch()}};
    }
    void stop() { m_timer.stop(); }
    void goOn() { m_timer.start(); }

private:
    void turn()
    {
        if (m_client.state() != ops::RedisClient::State::Connected || m_busy) {
            return;
        }
        m_busy = true;
        m_control.renewLease(QStringLiteral("lb-1:1"), 10000, 0, this, [this](const auto& lease) {
            rollout.epoch = lease ? lease->epoch : 0;
            m_control.commands(this, [this](const Result<QList<ops::RolloutEvent>>& asked) {
                for (const ops::RolloutEvent& event : asked ? *asked : QList<ops::RolloutEvent>()) {
                    take(event);
                }
                publish();
            });
        });
    }
    void take(const ops::RolloutEvent& event)
    {
        commands << event;
        QJsonObject answer{{QStringLiteral("number"), ++m_number}, {QStringLiteral("id"), event.id},
            {QStringLiteral("by"), event.by}, {QStringLiteral("kind"), ops::eventName(event.kind)},
            {QStringLiteral("reason"), event.reason},
            {QStringLiteral("rollout"), rollout.state.rolloutId},
            {QStringLiteral("at_ms"), QDateTime::currentMSecsSinceEpoch()}};
        if (!refusal.isEmpty()) {
            answer[QStringLiteral("refused")] = std::exchange(refusal, {});
        } else {
            const ops::RolloutStep next = ops::step(rollout.state, event);
            rollout.state = next.state;
            if (next.refused) {
                answer[QStringLiteral("refused")] = QString::fromStdString(next.refused->message);
            }
        }
        m_audit << answer;
    }
    void publish()
    {
        rollout.publishedMs = QDateTime::currentMSecsSinceEpoch();
        rollout.driver = QStringLiteral("lb-1:1");
        m_control.publish(QStringLiteral("lb-1:1"), QStringLiteral("journal"),
            QJsonDocument(rollout.toJson()).toJson(), std::exchange(m_audit, {}), this,
            [this](const Result<void>& done) {
                m_busy = false;
                if (!done) {
                    qInfo("publish: %s", done.error().text().c_str());
                }
            });
    }

    ops::RedisClient m_client;
    ops::RedisControl m_control;
    QTimer m_timer;
    QList<QJsonObject> m_audit;
    qint64 m_number = 0;
    bool m_busy = false;
};

} // namespace sluice::test
