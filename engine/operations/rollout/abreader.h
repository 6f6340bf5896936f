#pragma once

#include "engine/operations/environment/redisclient.h"
#include "engine/operations/rollout/abcomparison.h"

#include <QObject>
#include <functional>
#include <memory>

namespace sluice::ops {

/// What compareAb() is made of: rows of both streams, in a range of time.
struct AbRows
{
    std::vector<PoolDecision> decisions;
    std::vector<PoolFeedback> feedback;
    qint64 damaged = 0; ///< rows that can't be read
    bool isWhole = true; ///< false: there were more than is read; the oldest are missing
};

/// At most so many rows of each stream.
constexpr qsizetype mostAbRows = 100000;

/// A row of `sluice:decisions` (docs/FORMATS.md), the query normalised; Input error: it can't be
/// read.
Result<PoolDecision> decisionFromRow(const QByteArray& row);
/// A row of `sluice:feedback`; empty: no feedback about an answer.
std::optional<PoolFeedback> feedbackFromRow(const QByteArray& row);

/// Reads the decisions of [fromMs, toMs] and the feedback since then (users speak later) from
/// Redis, as any user who may read `sluice:*`. One answer, unless `context` is gone.
void readAbRows(RedisClient* redis, qint64 fromMs, qint64 toMs, QObject* context,
    std::function<void(Result<std::shared_ptr<AbRows>>)> answered);

} // namespace sluice::ops
