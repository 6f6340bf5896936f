#include "engine/operations/rollout/rediscontrol.h"

#include <QDateTime>
#include <QJsonDocument>
#include <QTimer>
#include <QUuid>

namespace sluice::ops {

namespace {

/// Who asked longer ago was told that nobody answered.
constexpr qint64 oldestCommandMs = 5000;
constexpr int askAgainMs = 50;

const QByteArray leaseKey = QByteArrayLiteral("sluice:{rollout}:lease");
const QByteArray epochKey = QByteArrayLiteral("sluice:{rollout}:epoch");
const QByteArray guardKey = QByteArrayLiteral("sluice:{thresholds}:rollout");

QByteArray auditedKey(const QString& journal)
{
    return QByteArrayLiteral("sluice:{rollout}:audited:") + journal.toUtf8();
}

/// ARGV: owner, life in ms, least epoch.
const QByteArray leaseScript = QByteArrayLiteral(R"(
local held = redis.call('GET', KEYS[1])
if held and held ~= ARGV[1] then return {0, tonumber(redis.call('GET', KEYS[2]) or '0'), held} end
local epoch = tonumber(redis.call('GET', KEYS[2]) or '0')
if not held then
    epoch = math.max(epoch, tonumber(ARGV[3])) + 1
    redis.call('SET', KEYS[2], epoch)
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return {1, epoch, ARGV[1]}
)");

/// KEYS: lease, state, events, audited. ARGV: owner, state, then number and text of each entry.
const QByteArray publishScript = QByteArrayLiteral(R"(
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
local last = tonumber(redis.call('GET', KEYS[4]) or '0')
for index = 3, #ARGV, 2 do
    local number = tonumber(ARGV[index])
    if number == 0 or number > last then
        redis.call('XADD', KEYS[3], 'MAXLEN', '~', 100000, '*', 'entry', ARGV[index + 1])
        if number > last then last = number end
    end
end
redis.call('SET', KEYS[4], last)
redis.call('SET', KEYS[2], ARGV[2])
return 1
)");

/// KEYS: the guard. ARGV: rollout or "". A publication over it has written "!<who>" there.
const QByteArray guardScript = QByteArrayLiteral(R"(
local held = redis.call('GET', KEYS[1]) or ''
if ARGV[1] == '' then
    if held ~= '' then redis.call('SET', KEYS[1], '') end
    return ''
end
if held ~= ARGV[1] then redis.call('SET', KEYS[1], ARGV[1]) end
if string.sub(held, 1, 1) == '!' then return string.sub(held, 2) end
return ''
)");

Error unexpected()
{
    return internalError("Redis answered a rollout's script with something unexpected");
}

/// The one field of a stream entry.
QJsonObject objectOf(const RedisReply& entry)
{
    return entry.items.size() == 2 && entry.items[1].items.size() >= 2
        ? QJsonDocument::fromJson(entry.items[1].items[1].text).object()
        : QJsonObject();
}

} // namespace

RedisControl::RedisControl(RedisClient* client, QObject* parent)
    : ControlPlane(parent)
    , m_client(client)
{ }

void RedisControl::renewLease(const QString& owner, qint64 lifeMs, qint64 leastEpoch,
    QObject* context, std::function<void(Result<Lease>)> answered)
{
    m_client->command(
        {QByteArrayLiteral("EVAL"), leaseScript, QByteArrayLiteral("2"), leaseKey, epochKey,
            owner.toUtf8(), QByteArray::number(lifeMs), QByteArray::number(leastEpoch)},
        context,
        [answered = std::move(answered)](const Result<RedisReply>& reply) {
            if (!reply || reply->items.size() != 3) {
                answered(reply ? unexpected() : reply.error());
                return;
            }
            answered(Lease{reply->items[0].integer == 1, reply->items[1].integer,
                QString::fromUtf8(reply->items[2].text)});
        },
        1000);
}

void RedisControl::publish(const QString& owner, const QString& journal, const QByteArray& state,
    const QList<QJsonObject>& audit, QObject* context, std::function<void(Result<void>)> answered)
{
    QList<QByteArray> words{QByteArrayLiteral("EVAL"), publishScript, QByteArrayLiteral("4"),
        leaseKey, rolloutkeys::state, rolloutkeys::events, auditedKey(journal), owner.toUtf8(),
        state};
    for (const QJsonObject& entry : audit) {
        words << QByteArray::number(entry[QStringLiteral("number")].toInteger())
              << QJsonDocument(entry).toJson(QJsonDocument::Compact);
    }
    m_client->command(
        words, context, [answered = std::move(answered)](const Result<RedisReply>& reply) {
            if (!reply) {
                // Only the script says "fenced"; what Redis itself refuses is another matter.
                answered(Error{ErrorKind::Unreachable, reply.error().message, reply.error().cause});
            } else if (reply->integer != 1) {
                answered(refusedError("another driver holds the lease"));
            } else {
                answered(Result<void>());
            }
        });
}

void RedisControl::lastAudited(
    const QString& journal, QObject* context, std::function<void(Result<qint64>)> answered)
{
    m_client->command({QByteArrayLiteral("GET"), auditedKey(journal)}, context,
        [answered = std::move(answered)](const Result<RedisReply>& reply) {
            answered(
                reply ? Result<qint64>(reply->text.toLongLong()) : Result<qint64>(reply.error()));
        });
}

void RedisControl::commands(
    QObject* context, std::function<void(Result<QList<RolloutEvent>>)> answered)
{
    if (m_lastCommand.isEmpty()) {
        m_lastCommand = QByteArray::number(QDateTime::currentMSecsSinceEpoch() - oldestCommandMs);
    }
    m_client->command(
        {QByteArrayLiteral("XREAD"), QByteArrayLiteral("COUNT"), QByteArrayLiteral("100"),
            QByteArrayLiteral("STREAMS"), rolloutkeys::commands, m_lastCommand},
        context, [this, answered = std::move(answered)](const Result<RedisReply>& reply) {
            if (!reply) {
                answered(reply.error());
                return;
            }
            QList<RolloutEvent> events;
            for (const RedisReply& stream : reply->items) {
                const QList<RedisReply> entries =
                    stream.items.size() == 2 ? stream.items[1].items : QList<RedisReply>();
                for (const RedisReply& entry : entries) {
                    const QJsonObject object = objectOf(entry);
                    m_lastCommand = entry.items.value(0).text;
                    auto event = RolloutEvent::fromJson(object);
                    if (event && event->isCommand() && !event->id.isEmpty()) {
                        events << std::move(*event);
                    }
                }
            }
            answered(std::move(events));
        });
}

void RedisControl::guardThresholds(
    const QString& rolloutId, QObject* context, std::function<void(Result<QString>)> answered)
{
    m_client->command({QByteArrayLiteral("EVAL"), guardScript, QByteArrayLiteral("1"), guardKey,
                          rolloutId.toUtf8()},
        context, [answered = std::move(answered)](const Result<RedisReply>& reply) {
            answered(reply ? Result<QString>(QString::fromUtf8(reply->text))
                           : Result<QString>(reply.error()));
        });
}

RolloutDesk::RolloutDesk(RedisClient* client, QObject* parent)
    : QObject(parent)
    , m_client(client)
{ }

void RolloutDesk::state(
    QObject* context, std::function<void(Result<std::optional<PublishedRollout>>)> answered)
{
    m_client->command({QByteArrayLiteral("GET"), rolloutkeys::state}, context,
        [answered = std::move(answered)](const Result<RedisReply>& reply) {
            if (!reply) {
                answered(reply.error());
            } else if (reply->isNil()) {
                answered(std::optional<PublishedRollout>());
            } else if (auto read = PublishedRollout::fromJson(reply->text)) {
                answered(std::optional<PublishedRollout>(std::move(*read)));
            } else {
                answered(read.error());
            }
        });
}

void RolloutDesk::events(
    int most, QObject* context, std::function<void(Result<QList<QJsonObject>>)> answered)
{
    m_client->command(
        {QByteArrayLiteral("XREVRANGE"), rolloutkeys::events, QByteArrayLiteral("+"),
            QByteArrayLiteral("-"), QByteArrayLiteral("COUNT"), QByteArray::number(most)},
        context, [answered = std::move(answered)](const Result<RedisReply>& reply) {
            if (!reply) {
                answered(reply.error());
                return;
            }
            QList<QJsonObject> found;
            for (const RedisReply& entry : reply->items) {
                found.prepend(objectOf(entry));
            }
            answered(std::move(found));
        });
}

void RolloutDesk::ask(RolloutEvent event, QObject* context,
    std::function<void(Result<QJsonObject>)> answered, int timeoutMs)
{
    event.id = QUuid::createUuid().toString(QUuid::WithoutBraces);
    event.atMs = QDateTime::currentMSecsSinceEpoch();
    const qint64 until = event.atMs + timeoutMs;
    m_client->command(
        {QByteArrayLiteral("XADD"), rolloutkeys::commands, QByteArrayLiteral("MAXLEN"),
            QByteArrayLiteral("~"), QByteArrayLiteral("1000"), QByteArrayLiteral("*"),
            QByteArrayLiteral("command"),
            QJsonDocument(event.toJson()).toJson(QJsonDocument::Compact)},
        context,
        [this, id = event.id, until, guard = QPointer<QObject>(context),
            answered = std::move(answered)](const Result<RedisReply>& reply) {
            if (!reply) {
                const bool denied = reply.error().kind == ErrorKind::Refused;
                answered(denied ? refusedError("this Redis user may not steer rollouts: a lead may",
                             reply.error().message)
                                : reply.error());
                return;
            }
            // The answer comes after the command, by Redis' own clock.
            lookFor(id, reply->text, until, guard, answered);
        });
}

void RolloutDesk::lookFor(const QString& id, const QByteArray& after, qint64 untilMs,
    const QPointer<QObject>& context, const std::function<void(Result<QJsonObject>)>& answered)
{
    if (context.isNull()) {
        return;
    }
    m_client->command(
        {QByteArrayLiteral("XREAD"), QByteArrayLiteral("COUNT"), QByteArrayLiteral("100"),
            QByteArrayLiteral("STREAMS"), rolloutkeys::events, after},
        context, [=, this](const Result<RedisReply>& reply) {
            if (!reply) {
                answered(reply.error());
                return;
            }
            QByteArray last = after;
            for (const RedisReply& stream : reply->items) {
                const QList<RedisReply> entries =
                    stream.items.size() == 2 ? stream.items[1].items : QList<RedisReply>();
                for (const RedisReply& entry : entries) {
                    last = entry.items.value(0).text;
                    const QJsonObject object = objectOf(entry);
                    if (object[QStringLiteral("id")].toString() != id) {
                        continue;
                    }
                    const QString refused = object[QStringLiteral("refused")].toString();
                    answered(refused.isEmpty()
                            ? Result<QJsonObject>(object)
                            : Result<QJsonObject>(refusedError(refused.toStdString())));
                    return;
                }
            }
            if (QDateTime::currentMSecsSinceEpoch() > untilMs) {
                answered(unreachableError("no rollout driver answered: start one beside the "
                                          "balancer with `sluicectl rollout drive`"));
                return;
            }
            QTimer::singleShot(
                askAgainMs, this, [=, this] { lookFor(id, last, untilMs, context, answered); });
        });
}

} // namespace sluice::ops
