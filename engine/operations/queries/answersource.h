#pragma once

#include "engine/base/result.h"
#include "engine/classification/classifier.h"

#include <QByteArray>
#include <QString>
#include <QUrl>
#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace sluice::ops {

/// Who answers: the engine in this program, with a model and a threshold set, or a worker.
struct QueryTarget
{
    QString name; ///< "Embedded engine", "blue 127.0.0.1:41201"
    std::shared_ptr<const Classifier> classifier; ///< null: a worker
    std::shared_ptr<const CompiledThresholds> thresholds; ///< with a classifier
    QUrl worker; ///< base URL: http://127.0.0.1:41201
    QString token; ///< sent as "Authorization: Bearer"; empty: none

    bool isWorker() const { return classifier == nullptr; }
    bool isValid() const { return classifier != nullptr || worker.isValid(); }
};

/// What a query does with its session.
enum class ContextUse
{
    None, ///< classified as if there were none
    Use, ///< becomes a turn of it
    ReadOnly ///< classified in it, and leaves it as it is
};

struct Reply
{
    Answer answer;
    QByteArray json; ///< as the worker sent it, or would send it
    double roundTripMs = 0; ///< 0: the engine in this program
};

struct TargetFacts
{
    QString version; ///< of the program
    QString model; ///< SHA-256 of the model file
    qint64 thresholdSet = 0;
    double threshold = 0; ///< the global one
    qint64 labels = 0; ///< how many intents it knows
};

/// One way to ask, whoever answers. Blocks until the answer is there (a worker: 5 s at most), so it
/// belongs on a job's thread, or where the engine is this program's own; used from the thread that
/// opened it alone.
class AnswerSource
{
public:
    virtual ~AnswerSource() = default;

    /// Classifies with explanation and five candidates. `session` is the conversation as far as
    /// this program knows it: in Use the answered turn is added to it. A worker keeps its own under
    /// session.id, and has stored the turn when this returns.
    virtual Result<Reply> ask(const Query& query, Session& session, ContextUse use) = 0;
    /// Each as a query of its own, without explanation; one answer a query, in order.
    virtual Result<std::vector<Result<Answer>>> askAll(std::span<const Query> queries) = 0;
    virtual Result<TargetFacts> facts() = 0;
};

std::unique_ptr<AnswerSource> openSource(const QueryTarget& target);

} // namespace sluice::ops
