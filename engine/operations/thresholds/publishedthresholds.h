#pragma once

#include "engine/base/result.h"
#include "engine/classification/thresholds/thresholdset.h"
#include "engine/operations/environment/environment.h"
#include "engine/operations/environment/redisclient.h"

#include <QList>
#include <QNetworkAccessManager>
#include <QObject>
#include <functional>
#include <optional>

namespace sluice::ops {

/// What /v1/info of one worker says.
struct WorkerInfo
{
    WorkerEndpoint endpoint;
    bool reachable = false;
    QString error; ///< when not reachable
    QString version;
    QString modelHash;
    qint64 thresholdSet = -1;
    std::optional<ThresholdSet> thresholds; ///< what it serves
};

/// Threshold sets in Redis: documents `sluice:{thresholds}:<n>`, pointers
/// `sluice:{thresholds}:active:<pool>`, numbers from `sluice:{thresholds}:last`, announced on the
/// channel `sluice:{thresholds}:changed` ("<pool> <n>"). Publishing is one Lua script: compare and
/// set.
class PublishedThresholds : public QObject
{
    Q_OBJECT

public:
    explicit PublishedThresholds(RedisClient* client, QObject* parent = nullptr);

    /// The set a pool points to; nullopt: none was published, workers serve their model's own.
    void active(const QString& pool, QObject* context,
        std::function<void(Result<std::optional<ThresholdSet>>)> answered);

    /// Publishes `set` to `pool` as the next number, provided that the pool still points to
    /// `expected` (0: none). Refused when somebody else published meanwhile (says the number), or
    /// when the ACL user may not. Answers the number.
    void publish(ThresholdSet set, const QString& pool, qint64 expected, QObject* context,
        std::function<void(Result<qint64>)> answered);

    /// Points the pool back to the set of an earlier number (same compare-and-set); 0: to the
    /// model's own thresholds.
    void activate(qint64 number, const QString& pool, qint64 expected, QObject* context,
        std::function<void(Result<qint64>)> answered);

    /// The number that the pool pointed to before the present one: 0 for the model's own, -1 when
    /// nothing was ever published to it.
    void previous(
        const QString& pool, QObject* context, std::function<void(Result<qint64>)> answered);

    /// Asks every worker for /v1/info (1 s time-out each).
    void workers(const QList<WorkerEndpoint>& endpoints, QObject* context,
        std::function<void(QList<WorkerInfo>)> answered);

private:
    RedisClient* m_client;
    QNetworkAccessManager m_network;
};

} // namespace sluice::ops
