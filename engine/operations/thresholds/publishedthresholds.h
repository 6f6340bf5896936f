#pragma once

#include "engine/base/result.h"
#include "engine/classification/thresholds/thresholdset.h"
#include "engine/operations/environment/environment.h"
#include "engine/operations/environment/redisclient.h"

#include <QDateTime>
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

/// A pool was pointed to another set: an entry of the stream `sluice:{thresholds}:log`.
struct Publication
{
    QDateTime at; ///< UTC, by Redis' clock
    QString pool;
    qint64 from = 0; ///< 0: the model's own
    qint64 to = 0;
    QString by; ///< ACL user, as the client said
    QString comment;
};

/// What a second person is asked to approve for a pool, and whether he did.
struct Proposal
{
    std::optional<ThresholdSet> set; ///< none: nothing is proposed
    QString approvedBy; ///< empty: not yet, or something else was approved
    bool approvalRequired = false; ///< publishing to this pool is refused without
};

/// What a publication does while a rollout is active, whose evidence it would spoil.
enum class DuringRollout
{
    Refuse, ///< names the rollout
    Override, ///< the rollout's evidence begins anew, and its audit says who did it
    Own ///< it is the rollout itself
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
    /// `expected` (0: none). Refused when somebody else published meanwhile (says who, what and
    /// when), while a rollout is active (see DuringRollout), when the ACL user may not, or when the
    /// pool asks for an approval that this very set does not have. Answers the number.
    void publish(ThresholdSet set, const QString& pool, qint64 expected, QObject* context,
        std::function<void(Result<qint64>)> answered, DuringRollout during = DuringRollout::Refuse);

    /// Points the pool back to the set of an earlier number (same compare-and-set); 0: to the
    /// model's own thresholds. `by` stands in the log. Needs no approval: the way back is short.
    void activate(qint64 number, const QString& pool, qint64 expected, QObject* context,
        std::function<void(Result<qint64>)> answered, const QString& by = {},
        DuringRollout during = DuringRollout::Refuse);

    /// The newest published sets, newest first, at most `most`.
    void versions(
        int most, QObject* context, std::function<void(Result<QList<ThresholdSet>>)> answered);
    /// Who pointed which pool to what, newest first.
    void publications(
        int most, QObject* context, std::function<void(Result<QList<Publication>>)> answered);

    // A second person's approval. Redis lets only a lead write approvals and the rule that asks for
    // them, and only an admin propose and publish.
    void proposal(
        const QString& pool, QObject* context, std::function<void(Result<Proposal>)> answered);
    void propose(const ThresholdSet& set, const QString& pool, QObject* context,
        std::function<void(Result<void>)> answered);
    /// Approves exactly this set for the pool.
    void approve(const ThresholdSet& set, const QString& pool, const QString& by, QObject* context,
        std::function<void(Result<void>)> answered);
    void requireApproval(bool required, const QString& pool, QObject* context,
        std::function<void(Result<void>)> answered);

    /// The number that the pool pointed to before the present one: 0 for the model's own, -1 when
    /// nothing was ever published to it.
    void previous(
        const QString& pool, QObject* context, std::function<void(Result<qint64>)> answered);

    /// Asks every worker for /v1/info (1 s time-out each).
    void workers(const QList<WorkerEndpoint>& endpoints, QObject* context,
        std::function<void(QList<WorkerInfo>)> answered);

private:
    void change(const QList<QByteArray>& arguments, const QString& pool, qint64 expected,
        QObject* context, std::function<void(Result<qint64>)> answered);
    void write(const QByteArray& key, const QByteArray& value, QObject* context,
        std::function<void(Result<void>)> answered);

    RedisClient* m_client;
    QNetworkAccessManager m_network;
};

} // namespace sluice::ops
