#pragma once

#include "engine/operations/environment/redisclient.h"
#include "engine/operations/rollout/driverports.h"

#include <QPointer>
#include <optional>

namespace sluice::ops {

/// The rollout's keys in Redis (docs/FORMATS.md):
/// `sluice:{rollout}:state` what a driver publishes, `:events` the audit trail (a stream),
/// `:commands` what people ask for (a stream), `:lease` and `:epoch` who drives,
/// `:audited:<journal>` how far the trail goes.
namespace rolloutkeys {
inline const QByteArray state = QByteArrayLiteral("sluice:{rollout}:state");
inline const QByteArray events = QByteArrayLiteral("sluice:{rollout}:events");
inline const QByteArray commands = QByteArrayLiteral("sluice:{rollout}:commands");
} // namespace rolloutkeys

/// The driver's side, as ACL user driver.
class RedisControl : public ControlPlane
{
    Q_OBJECT

public:
    explicit RedisControl(RedisClient* client, QObject* parent = nullptr);

    void renewLease(const QString& owner, qint64 lifeMs, qint64 leastEpoch, QObject* context,
        std::function<void(Result<Lease>)> answered) override;
    void publish(const QString& owner, const QString& journal, const QByteArray& state,
        const QList<QJsonObject>& audit, QObject* context,
        std::function<void(Result<void>)> answered) override;
    void lastAudited(const QString& journal, QObject* context,
        std::function<void(Result<qint64>)> answered) override;
    void commands(
        QObject* context, std::function<void(Result<QList<RolloutEvent>>)> answered) override;
    void guardThresholds(const QString& rolloutId, QObject* context,
        std::function<void(Result<QString>)> answered) override;

private:
    RedisClient* m_client;
    QByteArray m_lastCommand; ///< id in the stream; empty: not yet asked
};

/// A person's side, as ACL user lead (commands) or viewer (looking): asks the driver, and reads
/// what it says.
class RolloutDesk : public QObject
{
    Q_OBJECT

public:
    explicit RolloutDesk(RedisClient* client, QObject* parent = nullptr);

    /// What the driver published last; nullopt: no driver ever did here.
    void state(
        QObject* context, std::function<void(Result<std::optional<PublishedRollout>>)> answered);
    /// The newest `most` audit entries, oldest first.
    void events(
        int most, QObject* context, std::function<void(Result<QList<QJsonObject>>)> answered);
    /// Sends a command and waits for the driver's answer: the audit entry. Refused: with the
    /// driver's reason. Unreachable: no driver answered within `timeoutMs`; the command then counts
    /// for nothing, since a driver takes none older than 5 s when it begins.
    void ask(RolloutEvent event, QObject* context,
        std::function<void(Result<QJsonObject>)> answered, int timeoutMs = 5000);

private:
    void lookFor(const QString& id, const QByteArray& after, qint64 untilMs,
        const QPointer<QObject>& context, const std::function<void(Result<QJsonObject>)>& answered);

    RedisClient* m_client;
};

} // namespace sluice::ops
