#include "engine/operations/thresholds/publishedthresholds.h"

#include <QJsonDocument>
#include <QJsonObject>
#include <QNetworkReply>
#include <QPointer>
#include <memory>

namespace sluice::ops {

namespace {

constexpr int workerTimeoutMs = 1000;

QByteArray activeKey(const QString& pool)
{
    return QByteArrayLiteral("sluice:{thresholds}:active:") + pool.toUtf8();
}

QByteArray documentKey(qint64 number)
{
    return QByteArrayLiteral("sluice:{thresholds}:") + QByteArray::number(number);
}

const QByteArray lastKey = QByteArrayLiteral("sluice:{thresholds}:last");
const QByteArray channel = QByteArrayLiteral("sluice:{thresholds}:changed");

QByteArray proposalKey(const QString& pool)
{
    return QByteArrayLiteral("sluice:{thresholds}:proposal:") + pool.toUtf8();
}

QByteArray approvalKey(const QString& pool)
{
    return QByteArrayLiteral("sluice:{thresholds}:approved:") + pool.toUtf8();
}

QByteArray ruleKey(const QString& pool)
{
    return QByteArrayLiteral("sluice:{thresholds}:approval:") + pool.toUtf8();
}

const QByteArray logKey = QByteArrayLiteral("sluice:{thresholds}:log");
const QByteArray askedFor = QByteArrayLiteral("required");

/// Compare and set. Everything is checked before anything is written, and the log comes first: a
/// script denied half way keeps its earlier writes. KEYS: active pointer, last number. ARGV:
/// expected, document ("" to activate), number to activate, pool, channel, who, why, what an
/// approval must say, "refuse", "override" or "own" (an active rollout).
const QByteArray publishScript = QByteArrayLiteral(R"(
local active = tonumber(redis.call('GET', KEYS[1]) or '0')
if active ~= tonumber(ARGV[1]) then return {'stale', active} end
local rollout = redis.call('GET', 'sluice:{thresholds}:rollout') or ''
if rollout ~= '' and ARGV[9] == 'refuse' then return {'rollout ' .. rollout, 0} end
local number = tonumber(ARGV[3])
local document = ARGV[2]
if document == '' then
    if number > 0 and redis.call('EXISTS', 'sluice:{thresholds}:' .. number) == 0 then return {'unknown', number} end
else
    if redis.call('GET', 'sluice:{thresholds}:approval:' .. ARGV[4]) == 'required' then
        local approved = redis.call('GET', 'sluice:{thresholds}:approved:' .. ARGV[4]) or ''
        if string.sub(approved, 1, 64) ~= ARGV[8] then return {'unapproved', 0} end
    end
    number = tonumber(redis.call('GET', KEYS[2]) or '0') + 1
    document = string.gsub(document, '"number":%-?%d+', '"number":' .. number, 1)
end
redis.call('XADD', 'sluice:{thresholds}:log', 'MAXLEN', '~', 10000, '*', 'pool', ARGV[4], 'from', active, 'to', number,
    'by', ARGV[6], 'comment', ARGV[7])
if document ~= '' then
    redis.call('SET', 'sluice:{thresholds}:' .. number, document)
    redis.call('SET', KEYS[2], number)
end
redis.call('SET', 'sluice:{thresholds}:previous:' .. ARGV[4], active)
redis.call('SET', KEYS[1], number)
if rollout ~= '' and ARGV[9] == 'override' then redis.call('SET', 'sluice:{thresholds}:rollout', '!' .. ARGV[6]) end
redis.call('PUBLISH', ARGV[5], ARGV[4] .. ' ' .. number)
return {'done', number}
)");

/// Redis' words for "you may not", in ours.
Error inOurWords(const Error& error)
{
    const std::string& text = error.message;
    if (error.kind == ErrorKind::Refused
        && (text.find("NOPERM") != std::string::npos
            || text.find("can't run this command") != std::string::npos
            || text.find("can't") != std::string::npos
            || text.find("permissions") != std::string::npos)) {
        return refusedError("this Redis user may not do that: an admin proposes and publishes "
                            "thresholds, a lead approves them",
            text);
    }
    return error;
}

QByteArray wordOf(DuringRollout during)
{
    switch (during) {
    case DuringRollout::Override:
        return QByteArrayLiteral("override");
    case DuringRollout::Own:
        return QByteArrayLiteral("own");
    case DuringRollout::Refuse:
        break;
    }
    return QByteArrayLiteral("refuse");
}

Result<qint64> outcomeOf(const Result<RedisReply>& reply, qint64 expected)
{
    if (!reply) {
        return inOurWords(reply.error());
    }
    if (reply->items.size() != 2) {
        return internalError("Redis answered the publish script with something unexpected");
    }
    const QByteArray& word = reply->items[0].text;
    const qint64 number = reply->items[1].integer;
    if (word == QByteArrayLiteral("stale")) {
        return refusedError("somebody published set " + std::to_string(number)
            + " meanwhile (you started from " + std::to_string(expected)
            + "): look at it, then publish again");
    }
    if (word == QByteArrayLiteral("unapproved")) {
        return refusedError("this pool asks for a second person's approval, and this very set does "
                            "not have it: propose it, and let a lead approve it");
    }
    if (word.startsWith("rollout ")) {
        return refusedError("rollout " + word.mid(8).toStdString()
            + " is under way, whose evidence this would spoil: let it end (see `sluicectl rollout "
              "status`), or override it (--override-rollout), and its evidence begins anew");
    }
    if (word == QByteArrayLiteral("unknown")) {
        return inputError("there is no threshold set " + std::to_string(number));
    }
    return number;
}

/// The value after `name` in a stream entry's fields.
QByteArray field(const QList<RedisReply>& fields, const char* name)
{
    for (qsizetype index = 0; index + 1 < fields.size(); index += 2) {
        if (fields[index].text == name) {
            return fields[index + 1].text;
        }
    }
    return {};
}

QList<Publication> publicationsOf(const RedisReply& reply)
{
    QList<Publication> found;
    for (const RedisReply& entry : reply.items) {
        if (entry.items.size() != 2) {
            continue;
        }
        const QList<RedisReply>& fields = entry.items[1].items;
        const qint64 ms = entry.items[0].text.split('-').first().toLongLong();
        found << Publication{QDateTime::fromMSecsSinceEpoch(ms, Qt::UTC),
            QString::fromUtf8(field(fields, "pool")), field(fields, "from").toLongLong(),
            field(fields, "to").toLongLong(), QString::fromUtf8(field(fields, "by")),
            QString::fromUtf8(field(fields, "comment"))};
    }
    return found;
}

/// What a stale editor is told.
Error staleError(const Publication& last, qint64 expected)
{
    const std::string what =
        last.to == 0 ? "the model's own thresholds" : "set " + std::to_string(last.to);
    const std::string why =
        last.comment.isEmpty() ? std::string() : " (\"" + last.comment.toStdString() + "\")";
    return refusedError(last.by.toStdString() + " published " + what + " to "
        + last.pool.toStdString() + " at "
        + last.at.toString(QStringLiteral("yyyy-MM-dd HH:mm:ss")).toStdString() + " UTC" + why
        + ", while you worked from "
        + (expected == 0 ? std::string("the model's own") : "set " + std::to_string(expected))
        + ": look at the difference, then publish again");
}

WorkerInfo infoOf(QNetworkReply* reply, const WorkerEndpoint& endpoint)
{
    WorkerInfo info;
    info.endpoint = endpoint;
    if (reply->error() != QNetworkReply::NoError) {
        info.error = reply->errorString();
        return info;
    }
    const QJsonObject object = QJsonDocument::fromJson(reply->readAll()).object();
    if (!object.contains(QStringLiteral("threshold_set"))) {
        info.error = QStringLiteral("it does not answer as a worker does");
        return info;
    }
    info.reachable = true;
    info.version = object[QStringLiteral("version")].toString();
    info.modelHash = object[QStringLiteral("model")].toString();
    info.thresholdSet = object[QStringLiteral("threshold_set")].toInteger();
    const QByteArray set = QJsonDocument(object[QStringLiteral("thresholds")].toObject())
                               .toJson(QJsonDocument::Compact);
    if (auto read = ThresholdSet::fromJson(set.toStdString(), "/v1/info: thresholds")) {
        info.thresholds = std::move(*read);
    }
    return info;
}

} // namespace

PublishedThresholds::PublishedThresholds(RedisClient* client, QObject* parent)
    : QObject(parent)
    , m_client(client)
{ }

void PublishedThresholds::active(const QString& pool, QObject* context,
    std::function<void(Result<std::optional<ThresholdSet>>)> answered)
{
    m_client->command({QByteArrayLiteral("GET"), activeKey(pool)}, context,
        [this, context = QPointer<QObject>(context), answered = std::move(answered)](
            const Result<RedisReply>& pointer) {
            if (!pointer) {
                answered(pointer.error());
                return;
            }
            const qint64 number = pointer->text.toLongLong();
            if (number == 0) { // no pointer, or back at the model's own
                answered(std::optional<ThresholdSet>());
                return;
            }
            m_client->command({QByteArrayLiteral("GET"), documentKey(number)}, context,
                [number, answered](const Result<RedisReply>& document) {
                    if (!document) {
                        answered(document.error());
                        return;
                    }
                    auto set = ThresholdSet::fromJson(
                        document->text.toStdString(), "threshold set " + std::to_string(number));
                    if (!set) {
                        answered(set.error());
                        return;
                    }
                    answered(std::optional<ThresholdSet>(std::move(*set)));
                });
        });
}

void PublishedThresholds::change(const QList<QByteArray>& arguments, const QString& pool,
    qint64 expected, QObject* context, std::function<void(Result<qint64>)> answered)
{
    m_client->command(
        QList<QByteArray>{QByteArrayLiteral("EVAL"), publishScript, QByteArrayLiteral("2"),
            activeKey(pool), lastKey, QByteArray::number(expected)}
            + arguments,
        context,
        [this, pool, expected, context = QPointer<QObject>(context),
            answered = std::move(answered)](const Result<RedisReply>& reply) {
            auto outcome = outcomeOf(reply, expected);
            const bool stale = reply && reply->items.size() == 2
                && reply->items[0].text == QByteArrayLiteral("stale");
            if (!stale || context.isNull()) {
                answered(std::move(outcome));
                return;
            }
            publications(100, context,
                [pool, expected, outcome = std::move(outcome), answered](
                    const Result<QList<Publication>>& log) {
                    if (log) {
                        for (const Publication& last : *log) {
                            if (last.pool == pool && !last.by.isEmpty()) {
                                answered(staleError(last, expected));
                                return;
                            }
                        }
                    }
                    answered(outcome);
                });
        });
}

void PublishedThresholds::publish(ThresholdSet set, const QString& pool, qint64 expected,
    QObject* context, std::function<void(Result<qint64>)> answered, DuringRollout during)
{
    set.number = 0;
    change({QByteArray::fromStdString(set.toJson()), QByteArrayLiteral("0"), pool.toUtf8(), channel,
               QByteArray::fromStdString(set.author), QByteArray::fromStdString(set.comment),
               QByteArray::fromStdString(set.contentHash()), wordOf(during)},
        pool, expected, context, std::move(answered));
}

void PublishedThresholds::activate(qint64 number, const QString& pool, qint64 expected,
    QObject* context, std::function<void(Result<qint64>)> answered, const QString& by,
    DuringRollout during)
{
    change({QByteArrayLiteral(""), QByteArray::number(number), pool.toUtf8(), channel, by.toUtf8(),
               QByteArrayLiteral(""), QByteArrayLiteral(""), wordOf(during)},
        pool, expected, context, std::move(answered));
}

void PublishedThresholds::versions(
    int most, QObject* context, std::function<void(Result<QList<ThresholdSet>>)> answered)
{
    m_client->command({QByteArrayLiteral("GET"), lastKey}, context,
        [this, most, context = QPointer<QObject>(context), answered = std::move(answered)](
            const Result<RedisReply>& last) {
            const qint64 number = last ? last->text.toLongLong() : 0;
            if (!last || number == 0) {
                answered(last ? Result<QList<ThresholdSet>>(QList<ThresholdSet>())
                              : Result<QList<ThresholdSet>>(last.error()));
                return;
            }
            QList<QByteArray> arguments{QByteArrayLiteral("MGET")};
            for (qint64 one = number; one > 0 && one > number - most; --one) {
                arguments << documentKey(one);
            }
            m_client->command(arguments, context, [answered](const Result<RedisReply>& documents) {
                if (!documents) {
                    answered(documents.error());
                    return;
                }
                QList<ThresholdSet> sets;
                for (const RedisReply& document : documents->items) {
                    // A damaged one does not hide the others.
                    if (auto set =
                            ThresholdSet::fromJson(document.text.toStdString(), "threshold set")) {
                        sets << std::move(*set);
                    }
                }
                answered(std::move(sets));
            });
        });
}

void PublishedThresholds::publications(
    int most, QObject* context, std::function<void(Result<QList<Publication>>)> answered)
{
    m_client->command(
        {QByteArrayLiteral("XREVRANGE"), logKey, QByteArrayLiteral("+"), QByteArrayLiteral("-"),
            QByteArrayLiteral("COUNT"), QByteArray::number(most)},
        context, [answered = std::move(answered)](const Result<RedisReply>& reply) {
            answered(reply ? Result<QList<Publication>>(publicationsOf(*reply))
                           : Result<QList<Publication>>(reply.error()));
        });
}

void PublishedThresholds::proposal(
    const QString& pool, QObject* context, std::function<void(Result<Proposal>)> answered)
{
    m_client->command(
        {QByteArrayLiteral("MGET"), proposalKey(pool), approvalKey(pool), ruleKey(pool)}, context,
        [answered = std::move(answered)](const Result<RedisReply>& reply) {
            if (!reply || reply->items.size() != 3) {
                answered(reply ? internalError("Redis answered MGET with something unexpected")
                               : reply.error());
                return;
            }
            Proposal found;
            found.approvalRequired = reply->items[2].text == askedFor;
            if (!reply->items[0].isNil()) {
                auto set = ThresholdSet::fromJson(
                    reply->items[0].text.toStdString(), "the proposed threshold set");
                if (!set) {
                    answered(set.error());
                    return;
                }
                // "<content hash> <user>"
                const QString approval = QString::fromUtf8(reply->items[1].text);
                if (approval.section(u' ', 0, 0).toStdString() == set->contentHash()) {
                    found.approvedBy = approval.section(u' ', 1);
                }
                found.set = std::move(*set);
            }
            answered(std::move(found));
        });
}

void PublishedThresholds::write(const QByteArray& key, const QByteArray& value, QObject* context,
    std::function<void(Result<void>)> answered)
{
    m_client->command({QByteArrayLiteral("SET"), key, value}, context,
        [answered = std::move(answered)](const Result<RedisReply>& reply) {
            answered(reply ? Result<void>() : Result<void>(inOurWords(reply.error())));
        });
}

void PublishedThresholds::propose(const ThresholdSet& set, const QString& pool, QObject* context,
    std::function<void(Result<void>)> answered)
{
    write(proposalKey(pool), QByteArray::fromStdString(set.toJson()), context, std::move(answered));
}

void PublishedThresholds::approve(const ThresholdSet& set, const QString& pool, const QString& by,
    QObject* context, std::function<void(Result<void>)> answered)
{
    write(approvalKey(pool), QByteArray::fromStdString(set.contentHash()) + ' ' + by.toUtf8(),
        context, std::move(answered));
}

void PublishedThresholds::requireApproval(bool required, const QString& pool, QObject* context,
    std::function<void(Result<void>)> answered)
{
    write(
        ruleKey(pool), required ? askedFor : QByteArrayLiteral("no"), context, std::move(answered));
}

void PublishedThresholds::previous(
    const QString& pool, QObject* context, std::function<void(Result<qint64>)> answered)
{
    m_client->command({QByteArrayLiteral("GET"),
                          QByteArrayLiteral("sluice:{thresholds}:previous:") + pool.toUtf8()},
        context, [answered = std::move(answered)](const Result<RedisReply>& reply) {
            if (!reply) {
                answered(reply.error());
                return;
            }
            answered(reply->isNil() ? qint64(-1) : reply->text.toLongLong());
        });
}

void PublishedThresholds::workers(const QList<WorkerEndpoint>& endpoints, QObject* context,
    std::function<void(QList<WorkerInfo>)> answered)
{
    if (endpoints.isEmpty()) {
        answered({});
        return;
    }
    struct Round
    {
        QList<WorkerInfo> infos;
        qsizetype open = 0;
        std::function<void(QList<WorkerInfo>)> answered;
    };
    auto round = std::make_shared<Round>();
    round->infos.resize(endpoints.size());
    round->open = endpoints.size();
    round->answered = std::move(answered);
    for (qsizetype index = 0; index < endpoints.size(); ++index) {
        QUrl url = endpoints[index].url;
        url.setPath(QStringLiteral("/v1/info"));
        QNetworkRequest request(url);
        request.setTransferTimeout(workerTimeoutMs);
        QNetworkReply* reply = m_network.get(request);
        connect(reply, &QNetworkReply::finished, reply, &QObject::deleteLater);
        connect(reply, &QNetworkReply::finished, context,
            [round, reply, index, endpoint = endpoints[index]] {
                round->infos[index] = infoOf(reply, endpoint);
                if (--round->open == 0) {
                    round->answered(round->infos);
                }
            });
    }
}

} // namespace sluice::ops
