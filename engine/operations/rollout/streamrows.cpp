#include "engine/operations/rollout/streamrows.h"

#include <QPointer>
#include <algorithm>
#include <memory>

namespace sluice::ops {

namespace {

constexpr qsizetype page = 1000;

struct Reading
{
    RedisClient* redis = nullptr;
    StreamRange range;
    QPointer<QObject> context;
    std::function<void(const QByteArray&, qint64 atMs)> take;
    std::function<void(const Result<qsizetype>&)> done;
    int timeoutMs = 0;
    qsizetype seen = 0;
};

void next(const std::shared_ptr<Reading>& reading)
{
    const qsizetype wanted = std::min(page, reading->range.most - reading->seen);
    reading->redis->command(
        {"XREVRANGE", reading->range.stream, reading->range.to, reading->range.from, "COUNT",
            QByteArray::number(wanted)},
        reading->context,
        [reading, wanted](const Result<RedisReply>& reply) {
            if (!reply) {
                reading->done(reply.error());
                return;
            }
            for (const RedisReply& entry : reply->items) {
                if (entry.items.size() != 2) {
                    continue;
                }
                const QByteArray& id = entry.items[0].text;
                const qint64 atMs = id.left(id.indexOf('-')).toLongLong();
                reading->range.to = '(' + id;
                const QList<RedisReply>& fields = entry.items[1].items;
                for (qsizetype index = 0; index + 1 < fields.size(); index += 2) {
                    if (fields[index].text == "row") {
                        reading->take(fields[index + 1].text, atMs);
                    }
                }
            }
            reading->seen += reply->items.size();
            if (reply->items.size() < wanted || reading->seen >= reading->range.most) {
                reading->done(reading->seen);
            } else if (reading->context != nullptr) {
                next(reading);
            }
        },
        reading->timeoutMs);
}

} // namespace

void readRows(RedisClient* redis, const StreamRange& range, QObject* context,
    std::function<void(const QByteArray&, qint64 atMs)> take,
    std::function<void(const Result<qsizetype>&)> done, int timeoutMs)
{
    auto reading = std::make_shared<Reading>();
    reading->redis = redis;
    reading->range = range;
    reading->context = context;
    reading->take = std::move(take);
    reading->done = std::move(done);
    reading->timeoutMs = timeoutMs;
    next(reading);
}

} // namespace sluice::ops
