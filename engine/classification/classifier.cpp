#include "engine/classification/classifier.h"

#include "engine/classification/context/carry.h"
#include "engine/classification/text/ngrams.h"
#include "engine/classification/text/normaliser.h"

#include <algorithm>

namespace sluice {

namespace {

using Clock = std::chrono::steady_clock;

/// How much of a short follow-up's confidence comes from the conversation's last intent, where the
/// model was not trained on conversations: "and for order A-2231?" has no word of its own intent.
constexpr double contextShare = 0.6;
constexpr std::size_t shortFollowUpWords = 5;

/// Time since the last call, in microseconds.
class StopWatch
{
public:
    double lap()
    {
        const Clock::time_point now = Clock::now();
        const double passed = std::chrono::duration<double, std::micro>(now - m_last).count();
        m_last = now;
        return passed;
    }

private:
    Clock::time_point m_last = Clock::now();
};

/// What a session and the system's words say to this turn.
struct Context
{
    DecisionContext decision;
    /// Of the last accepted turn, when the query is short enough to lean on it.
    std::string_view leanOn;
};

Context contextOf(const Session* session, const std::string& text, std::chrono::sys_seconds now)
{
    Context context;
    context.decision.at = now;
    if (session == nullptr || session->turns.empty()) {
        return context;
    }
    context.decision.followUp = true;
    context.decision.failuresInARow = session->failuresInARow;
    const Turn& last = session->turns.back();
    if (last.verdict == Verdict::Accept && tokenise(text).size() <= shortFollowUpWords) {
        context.leanOn = last.intent;
    }
    return context;
}

/// `kept` holds what the result views.
QueryContext modelContextOf(const Query& query, const Session* session, std::string& kept)
{
    QueryContext context;
    if (session != nullptr) {
        const auto& turns = session->turns;
        context.turn = session->turnCount + 1;
        context.lastIntent =
            turns.empty() ? std::string_view() : std::string_view(turns.back().predicted);
        context.intentBefore =
            turns.size() < 2 ? std::string_view() : std::string_view(turns.end()[-2].predicted);
    }
    context.acts = query.systemActs;
    if (query.systemActs.empty() && !query.system.empty()) {
        kept = normalise(query.system);
        context.system = kept;
    }
    return context;
}

/// Blends the scores with the last intent: confidence' = (1 - s u) confidence + s u [intent is the
/// last one], where u is how unsure the model is (one minus its best confidence).
void leanOn(Scores& scores, int label, std::size_t k)
{
    const double best = scores.top.empty() ? 0.0 : scores.top.front().confidence;
    const double share = contextShare * (1.0 - best);
    bool found = false;
    for (Candidate& candidate : scores.top) {
        candidate.confidence *= 1.0 - share;
        if (candidate.label == label) {
            candidate.confidence += share;
            found = true;
        }
    }
    if (!found) {
        scores.top.push_back({label, share});
    }
    std::stable_sort(scores.top.begin(), scores.top.end(),
        [](const Candidate& a, const Candidate& b) { return a.confidence > b.confidence; });
    if (scores.top.size() > k) {
        scores.top.resize(k);
    }
}

/// Adds what the conversation still holds in force.
void carryEntities(const CarryRules& rules, const Session& session, const Scores& scores,
    const std::vector<std::string>& labels, Answer& answer)
{
    std::vector<std::pair<std::string_view, double>> candidates;
    for (const Candidate& candidate : scores.top) {
        candidates.emplace_back(labels[std::size_t(candidate.label)], candidate.confidence);
    }
    auto carried = carriedEntities(rules, session, {answer.predicted, candidates}, answer.entities);
    std::move(carried.begin(), carried.end(), std::back_inserter(answer.entities));
}

} // namespace

std::string_view toString(ContextState state)
{
    switch (state) {
    case ContextState::New:
        return "new";
    case ContextState::Used:
        return "used";
    case ContextState::Unavailable:
        return "unavailable";
    case ContextState::None:
        break;
    }
    return "none";
}

struct Classifier::Data
{
    Model model;
    EntityCatalogue catalogue;
    std::unique_ptr<ResultCache> cache;

    std::uint64_t modelDigest = 0;

    Scores score(
        const std::string& normalised, std::size_t k, const QueryContext& context, bool& hit) const
    {
        if (cache == nullptr) {
            return model.score(normalised, k, context);
        }
        // The scores depend on nothing else of the request.
        const std::uint64_t digest = context.digest() ^ (std::uint64_t(k) << 56U);
        if (auto found = cache->find(normalised, digest, modelDigest)) {
            hit = true;
            return std::move(*found);
        }
        Scores scores = model.score(normalised, k, context);
        cache->insert(normalised, digest, scores, modelDigest);
        return scores;
    }
};

Classifier::Classifier(Model model, EntityCatalogue catalogue, std::size_t cacheBytes)
    : m_data(new Data{std::move(model), std::move(catalogue), nullptr})
{
    m_data->modelDigest = ResultCache::digestOf(m_data->model.hash());
    if (cacheBytes > 0) {
        m_data->cache = std::make_unique<ResultCache>(cacheBytes);
    }
}

Classifier::~Classifier() = default;
Classifier::Classifier(Classifier&&) noexcept = default;

Result<std::unique_ptr<Classifier>> Classifier::load(const std::filesystem::path& modelFile,
    const std::filesystem::path& catalogueFile, std::size_t cacheBytes)
{
    auto model = Model::load(modelFile);
    if (!model) {
        return model.error();
    }
    EntityCatalogue catalogue;
    if (!catalogueFile.empty()) {
        auto read = EntityCatalogue::fromFile(catalogueFile);
        if (!read) {
            return read.error();
        }
        catalogue = std::move(*read);
    }
    return std::make_unique<Classifier>(std::move(*model), std::move(catalogue), cacheBytes);
}

Result<std::shared_ptr<const CompiledThresholds>> Classifier::compile(const ThresholdSet& set) const
{
    auto compiled = CompiledThresholds::compile(set, m_data->model.labels(), m_data->model.hash());
    if (!compiled) {
        return compiled.error();
    }
    return std::make_shared<const CompiledThresholds>(std::move(*compiled));
}

Result<Answer> Classifier::classify(const Query& query, const CompiledThresholds& thresholds,
    const Session* session, std::chrono::sys_seconds now, const ClassifyOptions& options) const
{
    if (auto checked = checkQuery(query.text); !checked) {
        return checked.error();
    }
    const auto& labels = m_data->model.labels();
    Answer answer;
    StopWatch watch;
    const std::string normalised = normalise(query.text);
    answer.times.normalise = watch.lap();

    answer.entities = m_data->catalogue.extract(query.text, now);
    answer.times.entities = watch.lap();

    const Context context = contextOf(session, normalised, now);
    if (session != nullptr) {
        answer.context = session->turns.empty() ? ContextState::New : ContextState::Used;
        answer.turn = session->turnCount + 1;
        answer.newSubject =
            !session->turns.empty() && m_data->catalogue.carry().opensSubject(query.text);
    }
    answer.times.context = watch.lap();

    const std::size_t k = std::max<std::size_t>(options.topK, 2);
    std::string system;
    const bool knowsContext = m_data->model.hasContext();
    Scores scores = m_data->score(normalised, k,
        knowsContext ? modelContextOf(query, session, system) : QueryContext(), answer.cacheHit);
    if (!knowsContext && !context.leanOn.empty()) {
        const auto label = std::lower_bound(labels.begin(), labels.end(), context.leanOn);
        if (label != labels.end() && *label == context.leanOn) {
            leanOn(scores, int(label - labels.begin()), k);
        }
    }
    answer.times.score = watch.lap();

    answer.ruling = thresholds.decide(scores.top, context.decision);
    answer.verdict = answer.ruling.verdict;
    answer.outOfScope = scores.outOfScope;
    answer.predicted = m_data->model.predicted(scores);
    answer.thresholdSet = thresholds.set().number;
    if (answer.context == ContextState::Used && !answer.newSubject) {
        carryEntities(m_data->catalogue.carry(), *session, scores, labels, answer);
    }
    answer.candidates.reserve(std::min(scores.top.size(), options.topK));
    for (std::size_t index = 0; index < scores.top.size() && index < options.topK; ++index) {
        answer.candidates.push_back(
            {labels[std::size_t(scores.top[index].label)], scores.top[index].confidence});
    }
    if (answer.verdict == Verdict::Accept) {
        answer.intent = labels[std::size_t(scores.top.front().label)];
    }
    answer.times.decide = watch.lap();
    if (options.explain && !scores.top.empty()) {
        answer.contributions = m_data->model.explain(normalised, scores.top.front().label, 10,
            knowsContext ? modelContextOf(query, session, system) : QueryContext());
    }
    return answer;
}

std::vector<Result<Answer>> Classifier::classify(std::span<const Query> queries,
    const CompiledThresholds& thresholds, std::chrono::sys_seconds now,
    const ClassifyOptions& options) const
{
    std::vector<Result<Answer>> answers;
    answers.reserve(queries.size());
    for (const Query& query : queries) {
        answers.push_back(classify(query, thresholds, nullptr, now, options));
    }
    return answers;
}

void Classifier::remember(Session& session, const Answer& answer)
{
    std::vector<Entity> own;
    std::copy_if(answer.entities.begin(), answer.entities.end(), std::back_inserter(own),
        [](const Entity& entity) { return entity.turn == 0; });
    session.append(Turn{
        0, answer.intent, answer.verdict, std::move(own), answer.predicted, answer.newSubject});
}

const Model& Classifier::model() const
{
    return m_data->model;
}

const EntityCatalogue& Classifier::catalogue() const
{
    return m_data->catalogue;
}

CacheStatistics Classifier::cacheStatistics() const
{
    return m_data->cache == nullptr ? CacheStatistics() : m_data->cache->statistics();
}

} // namespace sluice
