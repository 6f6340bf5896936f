#include "engine/classification/classifier.h"

#include "engine/classification/context/carry.h"
#include "engine/classification/text/ngrams.h"
#include "engine/classification/text/normaliser.h"

#include <algorithm>
#include <future>
#include <unordered_map>

namespace sluice {

namespace {

using Clock = std::chrono::steady_clock;

/// How much of a short follow-up's confidence comes from the conversation's last intent, where the
/// model was not trained on conversations: "and for order A-2231?" has no word of its own intent.
constexpr double contextShare = 0.6;
constexpr std::size_t shortFollowUpWords = 5;

/// Queries of a batch that go through the stages together.
constexpr std::size_t blockSize = 64;

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
        const bool isLast = candidate.label == label;
        candidate.confidence = float(candidate.confidence * (1.0 - share) + (isLast ? share : 0.0));
        found = found || isLast;
    }
    if (!found) {
        scores.top.push_back({label, float(share)});
    }
    std::stable_sort(scores.top.begin(), scores.top.end(),
        [](const Candidate& a, const Candidate& b) { return a.confidence > b.confidence; });
    if (scores.top.size() > k) {
        scores.top.resize(k);
    }
}

/// Adds what the conversation still holds in force.
void carryEntities(const CarryRules& rules, const Session& session,
    const std::vector<std::string>& labels, Answer& answer)
{
    std::vector<std::pair<std::string_view, double>> candidates;
    for (const Candidate& candidate : answer.ranked) {
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
        const std::uint64_t digest = digestOf({normalised, context}, k);
        if (auto found = cache->find(normalised, digest, modelDigest)) {
            hit = true;
            return std::move(*found);
        }
        Scores scores = model.score(normalised, k, context);
        cache->insert(normalised, digest, scores, modelDigest);
        return scores;
    }

    /// The same for several texts, which the model scores at once.
    std::vector<Scores> score(
        std::span<const TextInContext> texts, std::size_t k, std::vector<bool>& hits) const
    {
        hits.assign(texts.size(), false);
        if (cache == nullptr) {
            return model.score(texts, k);
        }
        std::vector<Scores> all(texts.size());
        std::vector<TextInContext> missing;
        std::vector<std::size_t> places;
        for (std::size_t index = 0; index < texts.size(); ++index) {
            auto found = cache->find(texts[index].text, digestOf(texts[index], k), modelDigest);
            hits[index] = found.has_value();
            if (found) {
                all[index] = std::move(*found);
            } else {
                missing.push_back(texts[index]);
                places.push_back(index);
            }
        }
        std::vector<Scores> fresh = model.score(missing, k);
        for (std::size_t index = 0; index < missing.size(); ++index) {
            cache->insert(
                missing[index].text, digestOf(missing[index], k), fresh[index], modelDigest);
            all[places[index]] = std::move(fresh[index]);
        }
        return all;
    }

    /// What the scores depend on beside text and model.
    static std::uint64_t digestOf(const TextInContext& text, std::size_t k)
    {
        return text.context.digest() ^ (std::uint64_t(k) << 56U);
    }

    void decide(Answer& answer, Scores& scores, const CompiledThresholds& thresholds,
        const DecisionContext& context, std::size_t topK) const
    {
        const auto& labels = model.labels();
        answer.ruling = thresholds.decide(scores.top, context);
        answer.ruleContext = context;
        answer.verdict = answer.ruling.verdict;
        answer.outOfScope = scores.outOfScope;
        answer.predicted = model.predicted(scores);
        answer.thresholdSet = thresholds.set().number;
        answer.candidates.reserve(std::min(scores.top.size(), topK));
        for (std::size_t index = 0; index < scores.top.size() && index < topK; ++index) {
            answer.candidates.push_back(
                {labels[std::size_t(scores.top[index].label)], scores.top[index].confidence});
        }
        if (answer.verdict == Verdict::Accept) {
            answer.intent = labels[std::size_t(scores.top.front().label)];
        }
        answer.ranked = std::move(scores.top);
    }

    void classify(std::span<const Query> queries, std::span<const std::size_t> block,
        const CompiledThresholds& thresholds, std::chrono::sys_seconds now,
        const ClassifyOptions& options, std::vector<Result<Answer>>& answers) const;
};

/// Answers the queries whose numbers are in `block`, stage by stage: they are valid and have no
/// session.
void Classifier::Data::classify(std::span<const Query> queries, std::span<const std::size_t> block,
    const CompiledThresholds& thresholds, std::chrono::sys_seconds now,
    const ClassifyOptions& options, std::vector<Result<Answer>>& answers) const
{
    StageTimes times; // a query's share of its block's
    const auto share = 1.0 / double(block.size());
    StopWatch watch;
    std::vector<std::string> normalised;
    for (const std::size_t number : block) {
        normalised.push_back(normalise(queries[number].text));
    }
    times.normalise = watch.lap() * share;
    for (const std::size_t number : block) {
        answers[number]->entities = catalogue.extract(queries[number].text, now);
    }
    times.entities = watch.lap() * share;
    std::vector<std::string> systems(block.size());
    std::vector<TextInContext> texts;
    for (std::size_t index = 0; index < block.size(); ++index) {
        texts.push_back({normalised[index],
            model.hasContext() ? modelContextOf(queries[block[index]], nullptr, systems[index])
                               : QueryContext()});
    }
    times.context = watch.lap() * share;
    std::vector<bool> hits;
    const std::size_t k = std::max(options.topK, Answer::leastRanked);
    std::vector<Scores> scores = score(texts, k, hits);
    times.score = watch.lap() * share;
    DecisionContext context;
    context.at = now;
    for (std::size_t index = 0; index < block.size(); ++index) {
        Answer& answer = *answers[block[index]];
        answer.cacheHit = hits[index];
        decide(answer, scores[index], thresholds, context, options.topK);
    }
    times.decide = watch.lap() * share;
    for (std::size_t index = 0; index < block.size(); ++index) {
        Answer& answer = *answers[block[index]];
        answer.times = times;
        if (options.explain && !answer.ranked.empty()) {
            answer.contributions = model.explain(
                normalised[index], answer.ranked.front().label, 10, texts[index].context);
        }
    }
}

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
    auto catalogue = std::async([&catalogueFile]() -> Result<EntityCatalogue> {
        return catalogueFile.empty() ? EntityCatalogue() : EntityCatalogue::fromFile(catalogueFile);
    });
    auto model = Model::load(modelFile);
    if (!model) {
        return model.error();
    }
    auto read = catalogue.get();
    if (!read) {
        return read.error();
    }
    return std::make_unique<Classifier>(std::move(*model), std::move(*read), cacheBytes);
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
        answer.times.context = watch.lap();
    }

    const std::size_t k = std::max(options.topK, Answer::leastRanked);
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

    m_data->decide(answer, scores, thresholds, context.decision, options.topK);
    if (answer.context == ContextState::Used && !answer.newSubject) {
        carryEntities(m_data->catalogue.carry(), *session, labels, answer);
    }
    answer.times.decide = watch.lap();
    if (options.explain && !answer.ranked.empty()) {
        answer.contributions = m_data->model.explain(normalised, answer.ranked.front().label, 10,
            knowsContext ? modelContextOf(query, session, system) : QueryContext());
    }
    return answer;
}

std::vector<Result<Answer>> Classifier::classify(std::span<const Query> queries,
    const CompiledThresholds& thresholds, std::chrono::sys_seconds now,
    const ClassifyOptions& options) const
{
    std::vector<Result<Answer>> answers(queries.size(), Answer());
    std::unordered_map<std::string_view, std::size_t> firsts;
    std::vector<std::pair<std::size_t, std::size_t>> repeated; // query, the one that it repeats
    std::vector<std::size_t> block;
    for (std::size_t number = 0; number < queries.size(); ++number) {
        const Query& query = queries[number];
        if (auto checked = checkQuery(query.text); !checked) {
            answers[number] = checked.error();
            continue;
        }
        const std::size_t first = firsts.try_emplace(query.text, number).first->second;
        if (first != number && query == queries[first]) {
            repeated.emplace_back(number, first);
            continue;
        }
        block.push_back(number);
        if (block.size() == blockSize) {
            m_data->classify(queries, block, thresholds, now, options, answers);
            block.clear();
        }
    }
    if (!block.empty()) {
        m_data->classify(queries, block, thresholds, now, options, answers);
    }
    for (const auto& [number, first] : repeated) {
        answers[number] = answers[first];
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
