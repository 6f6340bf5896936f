#include "engine/classification/model/cnntrainer.h"

#include "engine/classification/model/modelmeta.h"
#include "engine/classification/model/vectormath.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

namespace sluice {

namespace {

constexpr std::size_t filters = 192;
constexpr std::size_t widths = 3;
constexpr std::size_t batchSize = 16;
constexpr float learningRate = 1e-3F;
constexpr float weightDecay = 1e-4F;
constexpr float vectorRate = 0.03F; ///< AdaGrad's, of the word vectors
constexpr float contextRate = 0.1F;
constexpr float firstAccumulator = 0.01F;
constexpr float hiddenDropout = 0.5F;
constexpr float wordDropout = 0.1F;
/// How far the word vectors are moved, as a share of their length.
constexpr float adversarialStep = 0.15F * 5.0F;
constexpr float kernelDeviation = 0.6F;
constexpr float outputDeviation = 0.02F;

float symmetric(std::mt19937_64& random, float deviation)
{
    return (uniform(random) - 0.5F) * std::sqrt(12.0F) * deviation;
}

} // namespace

void CnnTrainer::Weights::resize(std::size_t size)
{
    values.assign(size, 0.0F);
    gradient.assign(size, 0.0F);
    first.assign(size, 0.0F);
    second.assign(size, 0.0F);
}

void CnnTrainer::Weights::step(float rate, float root, float decay)
{
    math::adam(values.data(), gradient.data(), first.data(), second.data(), values.size(), rate,
        root, decay);
}

CnnShape CnnTrainer::shapeFor(std::size_t dimension)
{
    return {dimension, filters, widths};
}

CnnTrainer::CnnTrainer(const TrainingData& data, const WordVocabulary& words,
    const Vocabulary& vocabulary, const HashTable& index, std::uint64_t seed)
    : m_data(data)
    , m_words(words)
    , m_vocabulary(vocabulary)
    , m_shape(shapeFor(words.dimension()))
    , m_stride(strideOf(data.labels.size()))
    , m_random(seed)
    , m_contexts(data, seed + 1)
    , m_vectors(words.part().vectors)
    , m_vectorSums(words.tableRows() * words.dimension(), firstAccumulator)
{
    m_ngrams.index = index.index();
    m_ngrams.idf = vocabulary.idf;
    m_kernels.resize(m_shape.columns() * m_shape.dimension);
    for (std::size_t width = 1; width <= m_shape.widths; ++width) {
        const float deviation =
            kernelDeviation / std::sqrt(float(width) * float(m_shape.dimension));
        const std::size_t begin = m_shape.column(width, 0) * m_shape.dimension;
        const std::size_t end = m_shape.column(width + 1, 0) * m_shape.dimension;
        for (std::size_t i = begin; i < end; ++i) {
            m_kernels.values[i] = symmetric(m_random, deviation);
        }
    }
    m_bias.resize(m_shape.pooled());
    m_outputs.resize(m_shape.hidden() * m_stride);
    for (std::size_t i = 0; i < m_outputs.values.size(); ++i) {
        m_outputs.values[i] =
            i % m_stride < data.labels.size() ? symmetric(m_random, outputDeviation) : 0.0F;
    }
    m_outputBias.resize(m_stride);
    m_contextWeights.assign(vocabulary.contextRows * m_stride, 0.0F);
    m_contextSums.assign(m_contextWeights.size(), firstAccumulator);
    transposeKernels();
    m_inputs.emplace(data, m_contexts, [this](const Example& example, const QueryContext& context) {
        return inputOf(example, context);
    });
}

void CnnTrainer::transposeKernels()
{
    const std::size_t columns = m_shape.columns();
    m_transposed.resize(columns * m_shape.dimension);
    for (std::size_t column = 0; column < columns; ++column) {
        for (std::size_t i = 0; i < m_shape.dimension; ++i) {
            m_transposed[i * columns + column] = m_kernels.values[column * m_shape.dimension + i];
        }
    }
}

CnnTrainer::Input CnnTrainer::inputOf(const Example& example, const QueryContext& context)
{
    Input input;
    if (context.isEmpty()) {
        std::vector<std::string_view> tokens;
        tokenise(example.text, tokens);
        for (const std::string_view token : tokens) {
            input.words.push_back(m_words.view().index.find(wordHash(token)));
        }
    } else {
        const SparseVector& x = m_vectoriser.vectorise(m_ngrams, example.text, context);
        for (const std::string_view token : m_vectoriser.tokens()) {
            input.words.push_back(m_words.view().index.find(wordHash(token)));
        }
        const std::size_t begin = m_vocabulary.contextBegin();
        for (std::size_t i = 0; i < x.rows.size(); ++i) {
            if (x.rows[i] >= begin) {
                input.context.rows.push_back(std::uint32_t(x.rows[i] - begin));
                input.context.values.push_back(x.values[i]);
            }
        }
    }
    std::erase(input.words, HashIndex::none);
    return input;
}

/// The words that are shown, each with its vector at the end of its row.
void CnnTrainer::look(const Input& input, bool dropWords)
{
    m_shown.clear();
    for (const std::uint32_t word : input.words) {
        if (!dropWords || uniform(m_random) >= wordDropout) {
            m_shown.push_back(word);
        }
    }
    m_rows.resize(m_shown.size() * m_shape.rowSize());
    for (std::size_t index = 0; index < m_shown.size(); ++index) {
        std::copy_n(m_vectors.begin() + std::ptrdiff_t(m_shown[index] * m_shape.dimension),
            m_shape.dimension,
            m_rows.begin() + std::ptrdiff_t(index * m_shape.rowSize() + m_shape.columns()));
    }
}

void CnnTrainer::convolve()
{
    const std::size_t rowSize = m_shape.rowSize();
    math::multiply(m_rows.data(), rowSize, m_rows.data() + m_shape.columns(), rowSize,
        m_transposed.data(), m_shown.size(), m_shape.dimension, m_shape.columns());
    poolFilters(m_shape, m_rows, m_bias.values, m_hidden, m_where);
}

void CnnTrainer::score(const std::vector<float>& hidden, const SparseVector& context)
{
    m_logits = m_outputBias.values;
    for (std::size_t unit = 0; unit < hidden.size(); ++unit) {
        if (hidden[unit] != 0) {
            math::addScaled(
                m_logits.data(), m_outputs.values.data() + unit * m_stride, hidden[unit], m_stride);
        }
    }
    for (std::size_t i = 0; i < context.rows.size(); ++i) {
        math::addScaled(m_logits.data(),
            m_contextWeights.data() + std::size_t(context.rows[i]) * m_stride, context.values[i],
            m_stride);
    }
}

/// Forward and back once on the rows as they stand; the loss. `share` is one over the batch,
/// `weight` this pass's part of the step.
double CnnTrainer::pass(const SparseVector& context, int label, float share, float weight)
{
    convolve();
    const std::size_t hidden = m_shape.hidden();
    const std::size_t labels = m_data.labels.size();
    m_mask.resize(hidden);
    m_dropped.resize(hidden);
    for (std::size_t unit = 0; unit < hidden; ++unit) {
        m_mask[unit] = uniform(m_random) < hiddenDropout ? 0.0F : 1.0F / (1.0F - hiddenDropout);
        m_dropped[unit] = m_hidden[unit] * m_mask[unit];
    }
    score(m_dropped, context);
    const float most =
        *std::max_element(m_logits.begin(), m_logits.begin() + std::ptrdiff_t(labels));
    const float total = math::exponentials(m_logits.data(), most, labels);
    const double loss =
        std::log(double(total)) - std::log(std::max(double(m_logits[std::size_t(label)]), 1e-30));
    for (std::size_t i = 0; i < labels; ++i) {
        m_logits[i] *= weight / total;
    }
    m_logits[std::size_t(label)] -= weight;
    std::fill(m_logits.begin() + std::ptrdiff_t(labels), m_logits.end(), 0.0F);
    for (std::size_t i = 0; i < context.rows.size(); ++i) {
        const std::size_t offset = std::size_t(context.rows[i]) * m_stride;
        math::adaGrad(m_contextWeights.data() + offset, m_contextSums.data() + offset,
            m_logits.data(), context.values[i], contextRate, m_stride);
    }
    for (float& gradient : m_logits) {
        gradient *= share;
    }
    math::addScaled(m_outputBias.gradient.data(), m_logits.data(), 1.0F, m_stride);
    m_hiddenGradient.assign(hidden, 0.0F);
    for (std::size_t unit = 0; unit < hidden; ++unit) {
        if (m_dropped[unit] != 0) {
            const std::size_t offset = unit * m_stride;
            math::addScaled(
                m_outputs.gradient.data() + offset, m_logits.data(), m_dropped[unit], m_stride);
            m_hiddenGradient[unit] = m_mask[unit]
                * math::dot(m_logits.data(), m_outputs.values.data() + offset, m_stride);
        }
    }
    backThroughFilters();
    return loss;
}

/// From the hidden units to kernels and shown vectors. Of a max-pooled filter only the window that
/// won has a gradient.
void CnnTrainer::backThroughFilters()
{
    const std::size_t dimension = m_shape.dimension;
    const auto words = std::ptrdiff_t(m_shown.size());
    m_vectorGradient.assign(m_shown.size() * dimension, 0.0F);
    const float root = words > 0 ? 1.0F / std::sqrt(float(words)) : 0.0F;
    for (std::size_t word = 0; word < m_shown.size(); ++word) {
        math::addScaled(m_vectorGradient.data() + word * dimension,
            m_hiddenGradient.data() + m_shape.pooled(), root, dimension);
    }
    for (std::size_t unit = 0; unit < m_shape.pooled(); ++unit) {
        const float gradient = m_hiddenGradient[unit];
        if (gradient == 0 || m_where[unit] == noWindow) {
            continue;
        }
        m_bias.gradient[unit] += gradient;
        const std::size_t width = unit / m_shape.filters + 1;
        const std::size_t filter = unit % m_shape.filters;
        for (std::size_t offset = 0; offset < width; ++offset) {
            const std::ptrdiff_t word = m_where[unit] + std::ptrdiff_t(offset);
            if (word < 0 || word >= words) {
                continue;
            }
            const std::size_t kernel = (m_shape.column(width, offset) + filter) * dimension;
            const std::size_t row = std::size_t(word) * m_shape.rowSize() + m_shape.columns();
            math::addScaled(
                m_kernels.gradient.data() + kernel, m_rows.data() + row, gradient, dimension);
            math::addScaled(m_vectorGradient.data() + std::size_t(word) * dimension,
                m_kernels.values.data() + kernel, gradient, dimension);
        }
    }
}

void CnnTrainer::updateVectors(float share)
{
    const std::size_t dimension = m_shape.dimension;
    for (std::size_t word = 0; word < m_shown.size(); ++word) {
        if (m_shown[word] < m_words.tableRows()) {
            const std::size_t offset = m_shown[word] * dimension;
            math::adaGrad(m_vectors.data() + offset, m_vectorSums.data() + offset,
                m_gradientSum.data() + word * dimension, 1.0F / share, vectorRate, dimension);
        }
    }
}

double CnnTrainer::learn(const Input& input, int label, float share)
{
    look(input, true);
    const double loss = pass(input.context, label, share, 0.5F);
    m_gradientSum = m_vectorGradient;
    const float length = std::sqrt(
        math::dot(m_vectorGradient.data(), m_vectorGradient.data(), m_vectorGradient.size()));
    if (length > 0) {
        const float scale = adversarialStep * std::sqrt(float(m_shown.size())) / length;
        for (std::size_t word = 0; word < m_shown.size(); ++word) {
            math::addScaled(m_rows.data() + word * m_shape.rowSize() + m_shape.columns(),
                m_vectorGradient.data() + word * m_shape.dimension, scale, m_shape.dimension);
        }
    }
    pass(input.context, label, share, 0.5F);
    math::addScaled(m_gradientSum.data(), m_vectorGradient.data(), 1.0F, m_vectorGradient.size());
    updateVectors(share);
    return loss;
}

std::optional<double> CnnTrainer::heldAccuracy()
{
    return m_inputs->accuracy([this](const Input& input) {
        look(input, false);
        convolve();
        score(m_hidden, input.context);
        return int(math::highest(m_logits.data(), m_data.labels.size()));
    });
}

int CnnTrainer::train(int epochs, const TrainingWatch& watch)
{
    std::vector<std::uint32_t> order(m_data.train.size());
    std::iota(order.begin(), order.end(), 0U);
    const std::size_t batches = (order.size() + batchSize - 1) / batchSize;
    const double steps = double(batches) * double(epochs);
    double step = 0;
    struct Best
    {
        int epoch = 0;
        double accuracy = -1;
        std::vector<float> vectors, kernels, bias, outputs, outputBias, context;
    } best;
    for (int epoch = 1; epoch <= epochs; ++epoch) {
        shuffle(order, m_random);
        double loss = 0;
        for (std::size_t begin = 0; begin < order.size(); begin += batchSize) {
            if (watch.cancelled()) {
                return 0;
            }
            const std::size_t end = std::min(order.size(), begin + batchSize);
            const float share = 1.0F / float(end - begin);
            for (std::size_t at = begin; at < end; ++at) {
                const Example& example = m_data.train[order[at]];
                loss += example.hasContext
                    ? learn(inputOf(example, m_contexts.draw(example)), example.label, share)
                    : learn(m_inputs->train[order[at]], example.label, share);
            }
            ++step;
            const double cosine = 0.5 * (1.0 + std::cos(std::numbers::pi * step / steps));
            const auto rate = float(double(learningRate) * cosine / (1.0 - std::pow(0.9, step)));
            const auto root = float(1.0 / std::sqrt(1.0 - std::pow(0.999, step)));
            m_kernels.step(rate, root, weightDecay);
            m_bias.step(rate, root, 0.0F);
            m_outputs.step(rate, root, weightDecay);
            m_outputBias.step(rate, root, 0.0F);
            transposeKernels();
        }
        const std::optional<double> accuracy = heldAccuracy();
        watch.epochDone(epoch, loss / double(order.size()), accuracy);
        if (!accuracy || *accuracy >= best.accuracy) {
            best = {epoch, accuracy.value_or(-1), m_vectors, m_kernels.values, m_bias.values,
                m_outputs.values, m_outputBias.values, m_contextWeights};
        }
    }
    m_vectors = std::move(best.vectors);
    m_kernels.values = std::move(best.kernels);
    m_bias.values = std::move(best.bias);
    m_outputs.values = std::move(best.outputs);
    m_outputBias.values = std::move(best.outputBias);
    m_contextWeights = std::move(best.context);
    transposeKernels();
    return best.epoch;
}

CnnPart CnnTrainer::part() const
{
    CnnPart part;
    part.kernels = m_transposed;
    part.bias = m_bias.values;
    part.outputBias = m_outputBias.values;
    part.context = m_contextWeights;
    const std::size_t dimension = m_shape.dimension;
    const std::size_t rowSize = m_shape.rowSize();
    part.tables.resize(m_words.tableRows() * rowSize);
    math::multiply(part.tables.data(), rowSize, m_vectors.data(), dimension, m_transposed.data(),
        m_words.tableRows(), dimension, m_shape.columns());
    for (std::size_t word = 0; word < m_words.tableRows(); ++word) {
        std::copy_n(m_vectors.data() + word * dimension, dimension,
            part.tables.data() + word * rowSize + m_shape.columns());
    }
    const std::size_t labels = m_data.labels.size();
    part.outputs.resize(labels * m_shape.hidden());
    for (std::size_t unit = 0; unit < m_shape.hidden(); ++unit) {
        for (std::size_t label = 0; label < labels; ++label) {
            part.outputs[label * m_shape.hidden() + unit] =
                m_outputs.values[unit * m_stride + label];
        }
    }
    return part;
}

} // namespace sluice
