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

/// Compare and set. Everything is checked before anything is written: a script denied half way
/// keeps its earlier writes. KEYS: active pointer, last number. ARGV: expected, document ("" to
/// activate), number to activate, pool, channel.
const QByteArray publishScript = QByteArrayLiteral(R"(
local active = tonumber(redis.call('GET', KEYS[1]) or '0')
if active ~= tonumber(ARGV[1]) then return {'stale', active} end
local number = tonumber(ARGV[3])
if ARGV[2] == '' then
    if number > 0 and redis.call('EXISTS', 'sluice:{thresholds}:' .. number) == 0 then return {'unknown', number} end
else
    number = tonumber(redis.call('GET', KEYS[2]) or '0') + 1
    local document = string.gsub(ARGV[2], '"number":%-?%d+', '"number":' .. number, 1)
    redis.call('SET', 'sluice:{thresholds}:' .. number, document)
    redis.call('SET', KEYS[2], number)
end
redis.call('SET', 'sluice:{thresholds}:previous:' .. ARGV[4], active)
redis.call('SET', KEYS[1], number)
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
        return refusedError(
            "this Redis user may not publish thresholds: ask somebody who is admin", text);
    }
    return error;
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
    if (word == QByteArrayLiteral("unknown")) {
        return inputError("there is no threshold set " + std::to_string(number));
    }
    return number;
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

void PublishedThresholds::publish(ThresholdSet set, const QString& pool, qint64 expected,
    QObject* context, std::function<void(Result<qint64>)> answered)
{
    set.number = 0;
    m_client->command(
        {QByteArrayLiteral("EVAL"), publishScript, QByteArrayLiteral("2"), activeKey(pool), lastKey,
            QByteArray::number(expected), QByteArray::fromStdString(set.toJson()),
            QByteArrayLiteral("0"), pool.toUtf8(), channel},
        context, [expected, answered = std::move(answered)](const Result<RedisReply>& reply) {
            answered(outcomeOf(reply, expected));
        });
}

void PublishedThresholds::activate(qint64 number, const QString& pool, qint64 expected,
    QObject* context, std::function<void(Result<qint64>)> answered)
{
    m_client->command(
        {QByteArrayLiteral("EVAL"), publishScript, QByteArrayLiteral("2"), activeKey(pool), lastKey,
            QByteArray::number(expected), QByteArrayLiteral(""), QByteArray::number(number),
            pool.toUtf8(), channel},
        context, [expected, answered = std::move(answered)](const Result<RedisReply>& reply) {
            answered(outcomeOf(reply, expected));
        });
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
