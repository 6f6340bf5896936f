#pragma once

#include "engine/base/result.h"
#include "engine/classification/cache/resultcache.h"
#include "engine/classification/context/session.h"
#include "engine/classification/entities/entitycatalogue.h"
#include "engine/classification/model/model.h"
#include "engine/classification/thresholds/thresholdset.h"

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace sluice {

/// What is asked.
struct Query
{
    std::string text; ///< as typed
    std::string system; ///< what the system said before it; may be empty
    std::vector<std::string> systemActs;

    bool operator==(const Query&) const = default;
};

/// Where the context of an answer came from.
enum class ContextState
{
    None, ///< no session was given
    New, ///< the session has no turns yet
    Used, ///< the session's turns were read
    Unavailable, ///< the store did not answer in time: classified without context
};
std::string_view toString(ContextState state); ///< "none", "new", "used", "unavailable"

/// Microseconds a stage took.
struct StageTimes
{
    double normalise = 0;
    double entities = 0;
    double context = 0;
    double score = 0;
    double decide = 0;
    double total() const { return normalise + entities + context + score + decide; }
};

struct AnswerCandidate
{
    std::string intent;
    double confidence = 0;
};

/// One query's answer, with its reasons.
struct Answer
{
    Verdict verdict = Verdict::Fallback;
    std::string intent; ///< the accepted intent; empty unless verdict is Accept
    std::vector<AnswerCandidate> candidates; ///< top k, falling
    Ruling ruling;
    // What the rule read, as a decision log keeps it.
    static constexpr std::size_t leastRanked = 5;
    std::vector<Candidate> ranked; ///< the first ones, at least leastRanked where there are
    DecisionContext ruleContext;
    double outOfScope = 0;
    std::vector<Entity> entities; ///< of the query, then those carried from context
    std::vector<Contribution> contributions; ///< only when asked to explain
    ContextState context = ContextState::None;
    int turn = 0; ///< number of this turn in its session, from 1; 0 without a session
    bool newSubject = false; ///< the query turned to something else: nothing before it is carried
    bool cacheHit = false;
    std::string predicted; ///< what later turns are to know of this one (Model::predicted)
    std::int64_t thresholdSet = 0;
    StageTimes times;
};

struct ClassifyOptions
{
    std::size_t topK = 5;
    bool explain = false;
};

/// The engine: one query in, one decision out. Holds a model, a catalogue and a cache; sessions and
/// threshold sets are passed in, so that the same object serves worker, console and command line.
/// Every method is safe to call from any thread.
class Classifier
{
public:
    /// `cacheBytes` 0: no result cache.
    Classifier(Model model, EntityCatalogue catalogue, std::size_t cacheBytes = 0);
    ~Classifier();
    Classifier(Classifier&&) noexcept;

    /// Loads both files; `catalogue` may be empty (no entities).
    static Result<std::unique_ptr<Classifier>> load(const std::filesystem::path& model,
        const std::filesystem::path& catalogue, std::size_t cacheBytes = 0);

    /// Compiles a set against this model (see CompiledThresholds::compile).
    Result<std::shared_ptr<const CompiledThresholds>> compile(const ThresholdSet& set) const;

    /// Classifies one query. `session` is nullptr without one, and is not changed: pass the answer
    /// to remember() afterwards. Input error for a query that checkQuery() refuses.
    Result<Answer> classify(const Query& query, const CompiledThresholds& thresholds,
        const Session* session, std::chrono::sys_seconds now,
        const ClassifyOptions& options = {}) const;

    /// The same over a span, without sessions: each answer is exactly the one that its query gets
    /// alone, but for the times, which are shares of those of 64 queries together. A query that was
    /// asked before in the span is answered with that answer.
    std::vector<Result<Answer>> classify(std::span<const Query> queries,
        const CompiledThresholds& thresholds, std::chrono::sys_seconds now,
        const ClassifyOptions& options = {}) const;

    /// Adds the answered turn to its session.
    static void remember(Session& session, const Answer& answer);

    const Model& model() const;
    const EntityCatalogue& catalogue() const;
    CacheStatistics cacheStatistics() const;

private:
    struct Data;
    std::unique_ptr<Data> m_data;
};

/// An answer as the JSON object that the worker's API, `sluicectl classify --json` and the console
/// show (docs/FORMATS.md).
std::string toJson(const Answer& answer, std::string_view query, std::string_view sessionId);

} // namespace sluice
