#pragma once

#include "engine/operations/environment/redisclient.h"

#include <QByteArray>
#include <QObject>
#include <functional>

namespace sluice::ops {

/// What of a stream is read.
struct StreamRange
{
    QByteArray stream;
    QByteArray from = "-"; ///< ids, both inclusive; ms since 1970 will do
    QByteArray to = "+";
    qsizetype most = 100000; ///< entries, the newest
};

/// Hands the field `row` of each entry, and when it was written, to `take`, from the newest on, a
/// page of 1,000 at a time, then says how many there were. Each question has a time-out of
/// `timeoutMs`. `context` gone: no further call, and no further question. Errors are RedisClient's.
void readRows(RedisClient* redis, const StreamRange& range, QObject* context,
    std::function<void(const QByteArray&, qint64 atMs)> take,
    std::function<void(const Result<qsizetype>&)> done, int timeoutMs = 5000);

} // namespace sluice::ops
