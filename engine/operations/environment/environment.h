#pragma once

#include "engine/base/result.h"

#include <QList>
#include <QString>
#include <QUrl>

namespace sluice::ops {

struct WorkerEndpoint
{
    QString pool; ///< "blue" or "green"
    QUrl url; ///< http://127.0.0.1:PORT

    bool operator==(const WorkerEndpoint&) const = default;
};

struct RedisEndpoint
{
    QString host;
    quint16 port = 0; ///< 0: not configured
    QString user; ///< ACL user; empty: "default"

    bool operator==(const RedisEndpoint&) const = default;
};

/// What an operator connects to. Secrets are not in it (see SecretStore).
struct Environment
{
    QString name; ///< unique; "local" is the local stack
    bool production = false; ///< colours the frame, asks for names in confirmations
    bool readOnly = false;
    bool loadTarget = false; ///< load runs may be aimed at it without typing its name
    QUrl prometheus; ///< base URL; empty: not configured
    RedisEndpoint redis;
    QUrl balancer; ///< where clients send queries
    QString balancerSocket; ///< HAProxy runtime API: path of the unix socket, or host:port
    QList<WorkerEndpoint> workers;
    QString modelFile; ///< empty: the bundled model

    bool operator==(const Environment&) const = default;
    bool isValid() const { return !name.isEmpty(); }
};

/// The environments a person has set up: environments.json in `folder`, written atomically.
class EnvironmentStore
{
public:
    explicit EnvironmentStore(QString folder);

    /// The user's own folder: $SLUICE_CONFIG, else $XDG_CONFIG_HOME/sluice.
    static QString defaultFolder();

    Result<QList<Environment>> load() const; ///< empty when there is no file yet
    Result<void> save(const QList<Environment>& environments) const;
    Result<void> upsert(const Environment& environment) const; ///< by name
    Result<void> remove(const QString& name) const;

private:
    QString m_folder;
};

} // namespace sluice::ops
