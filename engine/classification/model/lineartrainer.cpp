#include "engine/classification/model/lineartrainer.h"

#include "engine/classification/model/contextfeatures.h"
#include "engine/classification/model/modelmeta.h"
#include "engine/classification/model/vectormath.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_map>

namespace sluice {

namespace {

constexpr float learningRate = 0.5F;
constexpr float firstAccumulator = 0.01F;
constexpr int patience = 5; ///< epochs without a better validation before it stops
constexpr std::size_t leastOccurrences = 2; ///< words stay always
constexpr std::size_t askEvery = 1024;
constexpr std::size_t smallTraining = 3000; ///< rows below which every n-gram stays
/// Of the sparse features in a step beside dense ones: these carry words that are left out.
constexpr float featureDropout = 0.3F;

float rateAt(int epoch, int epochs)
{
    const float progress = epochs > 1 ? float(epoch - 1) / float(epochs - 1) : 0.0F;
    return learningRate * (1.0F - 0.9F * progress);
}

} // namespace

Vocabulary Vocabulary::from(const TrainingData& data)
{
    struct Count
    {
        std::uint32_t documents = 0;
        std::size_t last = SIZE_MAX;
        NgramGroup group = NgramGroup::Character;
    };
    std::unordered_map<std::uint64_t, Count> counts;
    std::vector<std::string_view> tokens;
    std::vector<Ngram> ngrams;
    const ContextDraw contexts(data, 0);
    for (std::size_t index = 0; index < data.train.size(); ++index) {
        const Example& example = data.train[index];
        tokenise(example.text, tokens);
        extractNgrams(tokens, ngrams);
        if (example.hasContext) {
            appendContextFeatures(contexts.context(example, ContextView::Full), tokens, ngrams);
        }
        for (const Ngram& ngram : ngrams) {
            Count& count = counts[ngram.hash];
            if (count.last != index) {
                count.last = index;
                count.group = ngram.group;
                ++count.documents;
            }
        }
    }
    const std::size_t least = data.train.size() < smallTraining ? 1 : leastOccurrences;
    std::vector<std::pair<NgramGroup, std::uint64_t>> rows;
    for (const auto& [hash, count] : counts) {
        if (count.group == NgramGroup::Word || count.documents >= least) {
            rows.emplace_back(count.group, hash);
        }
    }
    std::sort(rows.begin(), rows.end());
    Vocabulary vocabulary;
    for (const auto& [group, hash] : rows) {
        vocabulary.hashes.push_back(hash);
        vocabulary.wordRows += group == NgramGroup::Word ? 1U : 0U;
        vocabulary.pairRows += group == NgramGroup::Pair ? 1U : 0U;
        vocabulary.contextRows += group == NgramGroup::Context ? 1U : 0U;
        const double documents = counts[hash].documents;
        vocabulary.idf.push_back(
            float(std::log((1.0 + double(data.train.size())) / (1.0 + documents)) + 1.0));
    }
    return vocabulary;
}

LinearTrainer::LinearTrainer(const TrainingData& data, const Vocabulary& vocabulary,
    const HashTable& index, const WordView* words)
    : m_data(data)
    , m_vocabulary(vocabulary)
    , m_words(words)
    , m_contexts(data, 1)
    , m_stride(strideOf(data.labels.size()))
{
    m_view.index = index.index();
    m_view.idf = vocabulary.idf;
    m_view.highestIdf = vocabulary.idf.empty()
        ? 0.0F
        : *std::max_element(vocabulary.idf.begin(), vocabulary.idf.end());
    m_weights.assign(vocabulary.hashes.size() * m_stride, 0.0F);
    m_sums.assign(m_weights.size(), firstAccumulator);
    m_dense.assign(words == nullptr ? 0 : 2 * words->dimension * m_stride, 0.0F);
    m_denseSums.assign(m_dense.size(), firstAccumulator);
    m_bias.assign(m_stride, 0.0F);
    m_biasSums.assign(m_stride, firstAccumulator);
    m_inputs.emplace(data, m_contexts, [this](const Example& example, const QueryContext& context) {
        return inputOf(example, context);
    });
}

LinearTrainer::Input LinearTrainer::inputOf(const Example& example, const QueryContext& context)
{
    Input input;
    input.sparse = m_vectoriser.vectorise(m_view, example.text, context);
    if (m_words != nullptr) {
        m_found.clear();
        for (const std::string_view token : m_vectoriser.tokens()) {
            const std::uint32_t word = m_words->index.find(wordHash(token));
            if (word != HashIndex::none) {
                m_found.push_back(word);
            }
        }
        denseFeatures(*m_words, m_found, input.dense);
    }
    return input;
}

void LinearTrainer::score(const Input& input, float keep, std::mt19937_64* random)
{
    m_logits = m_bias;
    m_kept.assign(input.sparse.rows.size(), 1.0F);
    for (std::size_t i = 0; i < input.sparse.rows.size(); ++i) {
        if (random != nullptr && keep < 1.0F && uniform(*random) >= keep) {
            m_kept[i] = 0.0F;
            continue;
        }
        math::addScaled(m_logits.data(),
            m_weights.data() + std::size_t(input.sparse.rows[i]) * m_stride, input.sparse.values[i],
            m_stride);
    }
    for (std::size_t i = 0; i < input.dense.size(); ++i) {
        math::addScaled(m_logits.data(), m_dense.data() + i * m_stride, input.dense[i], m_stride);
    }
}

double LinearTrainer::step(const Input& input, int label, float rate, std::mt19937_64& random)
{
    score(input, m_words == nullptr ? 1.0F : 1.0F - featureDropout, &random);
    const std::size_t labels = m_data.labels.size();
    const float most =
        *std::max_element(m_logits.begin(), m_logits.begin() + std::ptrdiff_t(labels));
    const float total = math::exponentials(m_logits.data(), most, labels);
    for (std::size_t i = 0; i < labels; ++i) {
        m_logits[i] /= total;
    }
    std::fill(m_logits.begin() + std::ptrdiff_t(labels), m_logits.end(), 0.0F);
    const double loss = -std::log(std::max(double(m_logits[std::size_t(label)]), 1e-12));
    m_logits[std::size_t(label)] -= 1.0F;
    for (std::size_t i = 0; i < input.sparse.rows.size(); ++i) {
        if (m_kept[i] > 0) {
            const std::size_t offset = std::size_t(input.sparse.rows[i]) * m_stride;
            math::adaGrad(m_weights.data() + offset, m_sums.data() + offset, m_logits.data(),
                input.sparse.values[i], rate, m_stride);
        }
    }
    for (std::size_t i = 0; i < input.dense.size(); ++i) {
        math::adaGrad(m_dense.data() + i * m_stride, m_denseSums.data() + i * m_stride,
            m_logits.data(), input.dense[i], rate, m_stride);
    }
    math::adaGrad(m_bias.data(), m_biasSums.data(), m_logits.data(), 1.0F, rate, m_stride);
    return loss;
}

std::optional<double> LinearTrainer::heldAccuracy()
{
    return m_inputs->accuracy([this](const Input& input) {
        score(input, 1.0F, nullptr);
        return int(math::highest(m_logits.data(), m_data.labels.size()));
    });
}

int LinearTrainer::train(int epochs, std::uint64_t seed, const TrainingWatch& watch)
{
    std::mt19937_64 random(seed);
    std::vector<std::uint32_t> order(m_data.train.size());
    std::iota(order.begin(), order.end(), 0U);
    struct Best
    {
        int epoch = 0;
        double accuracy = -1;
        std::vector<float> weights, dense, bias;
    } best;
    for (int epoch = 1; epoch <= epochs; ++epoch) {
        shuffle(order, random);
        double loss = 0;
        for (std::size_t at = 0; at < order.size(); ++at) {
            if (at % askEvery == 0 && watch.cancelled()) {
                return 0;
            }
            const std::uint32_t index = order[at];
            const Example& example = m_data.train[index];
            loss += step(example.hasContext ? inputOf(example, m_contexts.draw(example))
                                            : m_inputs->train[index],
                example.label, rateAt(epoch, epochs), random);
        }
        const std::optional<double> accuracy = heldAccuracy();
        watch.epochDone(epoch, loss / double(order.size()), accuracy);
        if (!accuracy || *accuracy > best.accuracy) {
            best = {epoch, accuracy.value_or(-1), m_weights, m_dense, m_bias};
        } else if (epoch - best.epoch >= patience) {
            break;
        }
    }
    m_weights = std::move(best.weights);
    m_dense = std::move(best.dense);
    m_bias = std::move(best.bias);
    return best.epoch;
}

LinearPart LinearTrainer::part() const
{
    LinearPart part;
    part.hashes = m_vocabulary.hashes;
    part.idf = m_vocabulary.idf;
    part.weights = m_weights;
    part.bias = m_bias;
    part.dense = m_dense;
    part.classBits.assign(
        (m_vocabulary.wordRows + m_vocabulary.pairRows) * m_stride / 8, std::uint8_t(0));
    std::vector<std::string_view> tokens;
    std::vector<Ngram> ngrams;
    for (const Example& example : m_data.train) {
        tokenise(example.text, tokens);
        extractNgrams(tokens, ngrams);
        for (const Ngram& ngram : ngrams) {
            const bool word = ngram.group == NgramGroup::Word || ngram.group == NgramGroup::Pair;
            const std::uint32_t row = word ? m_view.index.find(ngram.hash) : HashIndex::none;
            if (row != HashIndex::none) {
                const auto label = std::size_t(example.label);
                part.classBits[row * m_stride / 8 + label / 8] |= std::uint8_t(1U << (label % 8));
            }
        }
    }
    return part;
}

} // namespace sluice
