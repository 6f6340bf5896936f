#pragma once

#include "engine/base/result.h"
#include "engine/classification/evaluator.h"
#include "engine/classification/thresholds/decisionrow.h"
#include "engine/operations/environment/redisclient.h"

#include <QObject>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace sluice::ops {

/// What a worker wrote of a decision, as far as tuning shows it.
struct TrafficRow
{
    std::string query; ///< as the worker may log it: redacted, hashed or empty
    std::string session;
    std::int64_t set = 0;
    Verdict verdict = Verdict::Fallback; ///< as served
};

/// Decisions of one model from the stream `sluice:decisions` (docs/FORMATS.md), newest first.
struct RecordedTraffic
{
    std::vector<TrafficRow> rows;
    std::vector<RecordedRow> recorded; ///< of the same rows
    std::size_t otherModels = 0; ///< rows that were left out: another model decided them
    std::size_t damaged = 0; ///< and those that can't be read
    std::int64_t from = 0; ///< seconds since 1970 of the oldest and the newest row; 0: none
    std::int64_t to = 0;

    /// As unlabelled scored rows: what a certificate's grid is made of.
    std::vector<ScoredRow> scored() const;
    /// Takes one line of the stream.
    void add(std::string_view row, std::span<const std::string> labels, std::string_view model);
};

/// Reads the stream from its end backwards, a page at a time, so that Redis is never asked for much
/// at once. One answer; `progress` with the rows read so far.
class TrafficReader : public QObject
{
    Q_OBJECT

public:
    explicit TrafficReader(RedisClient* client, QObject* parent = nullptr);

    /// `labels` sorted, of the model `model` (its hash). At most `most` rows. A read that is under
    /// way is given up, without an answer.
    void read(std::vector<std::string> labels, std::string model, std::size_t most,
        std::function<void(std::size_t)> progress,
        std::function<void(Result<RecordedTraffic>)> answered);
    void cancel();

private:
    void next(const QByteArray& before);

    struct Reading;
    RedisClient* m_client;
    std::shared_ptr<Reading> m_reading;
};

} // namespace sluice::ops
