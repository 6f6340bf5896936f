#pragma once

#include "engine/operations/rollout/rediscontrol.h"

#include <QJsonObject>
#include <QObject>
#include <QTimer>
#include <functional>
#include <optional>

namespace sluice::ui {

class Console;

/// What the driver publishes, kept up to date once a second while somebody looks, every five
/// seconds else, the audit trail with it. Every console sees the same; commands carry the version
/// of the state they were given for.
class RolloutFeed : public QObject
{
    Q_OBJECT

public:
    explicit RolloutFeed(Console* console, QObject* parent = nullptr);
    ~RolloutFeed() override;

    void start();
    void stop();
    void refresh();

    /// Empty: no rollout was ever driven here, or it is not yet read.
    const std::optional<ops::PublishedRollout>& rollout() const { return m_rollout; }
    const QList<QJsonObject>& events() const { return m_events; } ///< oldest first
    /// Why the last question had no answer; empty when it had one.
    const std::optional<Error>& error() const { return m_error; }
    bool isRead() const { return m_read; } ///< since this environment was connected
    /// Whether a driver stands behind what is shown, by its lease.
    bool hasDriver() const;
    double ageSeconds() const; ///< of what is shown

    /// Sends a command; the answer is the driver's.
    void ask(ops::RolloutEvent::Kind kind, const QString& reason,
        std::function<void(Result<QJsonObject>)> answered);
    void start(const ops::RolloutPlan& plan, const QString& live,
        std::function<void(Result<QJsonObject>)> answered);

Q_SIGNALS:
    void changed();
    void failed(); ///< see error()

private:
    Console* m_console;
    ops::RolloutDesk* m_desk;
    QTimer m_timer;
    std::optional<ops::PublishedRollout> m_rollout;
    QList<QJsonObject> m_events;
    std::optional<Error> m_error;
    bool m_read = false;
    bool m_asking = false;
    int m_epoch = 0; ///< of the environment: late answers of the last one are dropped
};

} // namespace sluice::ui
