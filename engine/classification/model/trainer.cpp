#include "engine/classification/model/trainer.h"

#include "engine/base/sha256.h"
#include "engine/classification/model/calibration.h"
#include "engine/classification/model/scorer.h"
#include "engine/classification/text/normaliser.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <random>
#include <unordered_map>

namespace sluice {

namespace {

constexpr float learningRate = 0.5F;
constexpr float firstAccumulator = 0.01F;
constexpr int patience = 5; ///< epochs without a better validation before it stops
constexpr std::size_t leastOccurrences =
    2; ///< of word pairs and character n-grams; words stay always
constexpr std::size_t smallTraining = 3000; ///< rows below which every n-gram stays

struct Example
{
    std::string text; ///< normalised
    int label = -1;
};

struct Split3
{
    std::vector<Example> train;
    std::vector<Example> held; ///< validation, with out-of-scope rows as label -1
    bool heldIsTrain = false; ///< taken from the training part: trained on in the end
};

/// std::shuffle's result is the library's business; this one is the same everywhere (Fisher-Yates).
template <typename T> void shuffle(std::vector<T>& items, std::mt19937_64& random)
{
    for (std::size_t at = items.size(); at > 1; --at) {
        std::swap(items[at - 1], items[std::size_t(random() % at)]);
    }
}

Split3 divide(
    const LabelledData& data, const std::map<std::string, int>& labels, std::mt19937_64& random)
{
    Split3 parts;
    std::vector<Example> outOfScopeTrain;
    for (const LabelledQuery& query : data.queries) {
        const auto found = labels.find(query.intent);
        Example example{normalise(query.text), found == labels.end() ? -1 : found->second};
        if (query.split == Split::Train || query.split == Split::None) {
            (example.label < 0 ? outOfScopeTrain : parts.train).push_back(std::move(example));
        } else if (query.split == Split::Validation) {
            if (example.label >= 0 || query.isOutOfScope()) {
                parts.held.push_back(std::move(example));
            }
        }
    }
    if (std::none_of(
            parts.held.begin(), parts.held.end(), [](const Example& e) { return e.label >= 0; })) {
        shuffle(parts.train, random);
        const std::size_t tenth = parts.train.size() / 10;
        std::move(parts.train.end() - std::ptrdiff_t(tenth), parts.train.end(),
            std::back_inserter(parts.held));
        parts.train.resize(parts.train.size() - tenth);
        parts.heldIsTrain = true;
    }
    std::move(outOfScopeTrain.begin(), outOfScopeTrain.end(), std::back_inserter(parts.held));
    return parts;
}

/// The dictionary of n-grams worth a row, in order of hash, and their smoothed idf.
struct Vocabulary
{
    std::vector<std::uint64_t> hashes;
    std::vector<float> idf;
};

Vocabulary makeVocabulary(const std::vector<Example>& train)
{
    struct Count
    {
        std::uint32_t documents = 0;
        std::size_t last = SIZE_MAX;
        bool keep = false;
    };
    std::unordered_map<std::uint64_t, Count> counts;
    std::vector<Ngram> ngrams;
    for (std::size_t index = 0; index < train.size(); ++index) {
        const auto tokens = tokenise(train[index].text);
        extractNgrams(tokens, ngrams);
        for (const Ngram& ngram : ngrams) {
            Count& count = counts[ngram.hash];
            if (count.last != index) {
                count.last = index;
                ++count.documents;
            }
        }
        for (const std::string_view token : tokens) {
            counts[wordHash(token)].keep = true;
        }
    }
    Vocabulary vocabulary;
    for (const auto& [hash, count] : counts) {
        if (count.keep
            || count.documents >= (train.size() < smallTraining ? 1 : leastOccurrences)) {
            vocabulary.hashes.push_back(hash);
        }
    }
    std::sort(vocabulary.hashes.begin(), vocabulary.hashes.end());
    for (const std::uint64_t hash : vocabulary.hashes) {
        const double documents = counts[hash].documents;
        vocabulary.idf.push_back(
            float(std::log((1.0 + double(train.size())) / (1.0 + documents)) + 1.0));
    }
    return vocabulary;
}

/// Softmax regression by per-coordinate AdaGrad (Duchi, Hazan, Singer 2011) from zero weights.
class Learner
{
public:
    Learner(std::vector<std::string> labels, const std::vector<Example>& train)
        : m_vocabulary(makeVocabulary(train))
    {
        m_meta.labels = std::move(labels);
        m_stride = (m_meta.labels.size() + 15) / 16 * 16;
        m_weights.assign(m_vocabulary.hashes.size() * m_stride, 0.0F);
        m_sums.assign(m_weights.size(), firstAccumulator);
        m_bias.assign(m_stride, 0.0F);
        m_biasSums.assign(m_stride, firstAccumulator);
        // The dictionary alone, to look rows up while the weights still change.
        const std::vector<float> none(m_vocabulary.hashes.size() * m_stride, 0.0F);
        m_dictionary =
            ModelFile::build(m_meta, m_vocabulary.hashes, m_vocabulary.idf, none, m_bias);
        m_examples.reserve(train.size());
        for (const Example& example : train) {
            m_examples.push_back({vectorOf(example.text), example.label});
        }
    }

    bool valid() const { return m_dictionary != nullptr; }

    SparseVector vectorOf(const std::string& text)
    {
        return m_vectoriser.vectorise(m_dictionary->view(), text);
    }

    /// One pass in a new order; the mean loss.
    double epoch(float rate, std::mt19937_64& random)
    {
        std::vector<std::uint32_t> order(m_examples.size());
        std::iota(order.begin(), order.end(), 0U);
        shuffle(order, random);
        double loss = 0;
        for (const std::uint32_t index : order) {
            loss += step(m_examples[index].first, m_examples[index].second, rate);
        }
        return loss / double(m_examples.size());
    }

    ModelView view() const
    {
        ModelView view = m_dictionary->view();
        view.weights = m_weights;
        view.bias = m_bias;
        return view;
    }

    std::shared_ptr<const ModelFile> file(ModelMeta meta) const
    {
        meta.labels = m_meta.labels;
        return ModelFile::build(meta, m_vocabulary.hashes, m_vocabulary.idf, m_weights, m_bias);
    }

    struct Weights
    {
        std::vector<float> weights;
        std::vector<float> bias;
    };
    Weights weights() const { return {m_weights, m_bias}; }
    void restore(Weights weights)
    {
        m_weights = std::move(weights.weights);
        m_bias = std::move(weights.bias);
    }

private:
    double step(const SparseVector& x, int label, float rate)
    {
        computeLogits(view(), x, m_logits);
        const std::size_t labels = m_meta.labels.size();
        const float most =
            *std::max_element(m_logits.begin(), m_logits.begin() + std::ptrdiff_t(labels));
        float total = 0;
        for (std::size_t i = 0; i < labels; ++i) {
            m_logits[i] = std::exp(m_logits[i] - most);
            total += m_logits[i];
        }
        for (std::size_t i = 0; i < labels; ++i) {
            m_logits[i] /= total;
        }
        std::fill(m_logits.begin() + std::ptrdiff_t(labels), m_logits.end(), 0.0F);
        const double loss = -std::log(std::max(double(m_logits[std::size_t(label)]), 1e-12));
        m_logits[std::size_t(label)] -= 1.0F;
        for (std::size_t index = 0; index < x.rows.size(); ++index) {
            const std::size_t offset = std::size_t(x.rows[index]) * m_stride;
            update(m_weights.data() + offset, m_sums.data() + offset, x.values[index], rate);
        }
        update(m_bias.data(), m_biasSums.data(), 1.0F, rate);
        return loss;
    }

    void update(float* weights, float* sums, float value, float rate) const
    {
        const float* const gradient = m_logits.data();
        for (std::size_t i = 0; i < m_stride; ++i) {
            const float g = gradient[i] * value;
            sums[i] += g * g;
            weights[i] -= rate * g / std::sqrt(sums[i]);
        }
    }

    ModelMeta m_meta;
    Vocabulary m_vocabulary;
    std::size_t m_stride = 0;
    std::vector<float> m_weights;
    std::vector<float> m_sums;
    std::vector<float> m_bias;
    std::vector<float> m_biasSums;
    std::shared_ptr<const ModelFile> m_dictionary;
    Vectoriser m_vectoriser;
    std::vector<std::pair<SparseVector, int>> m_examples;
    std::vector<float> m_logits;
};

float rateAt(int epoch, int epochs)
{
    const float progress = epochs > 1 ? float(epoch - 1) / float(epochs - 1) : 0.0F;
    return learningRate * (1.0F - 0.9F * progress);
}

std::vector<CalibrationRow> score(
    Learner& learner, const std::vector<Example>& held, std::size_t labels)
{
    std::vector<CalibrationRow> rows;
    rows.reserve(held.size());
    for (const Example& example : held) {
        const SparseVector x = learner.vectorOf(example.text);
        CalibrationRow row;
        computeLogits(learner.view(), x, row.logits);
        row.logits.resize(labels);
        row.label = example.label;
        row.unseenShare = x.unseenShare;
        rows.push_back(std::move(row));
    }
    return rows;
}

double accuracy(
    Learner& learner, const std::vector<std::pair<SparseVector, int>>& held, std::size_t labels)
{
    std::vector<float> logits;
    std::size_t right = 0;
    for (const auto& [x, label] : held) {
        computeLogits(learner.view(), x, logits);
        const auto best = std::max_element(logits.begin(), logits.begin() + std::ptrdiff_t(labels));
        right += best - logits.begin() == label ? 1U : 0U;
    }
    return held.empty() ? 0.0 : double(right) / double(held.size());
}

std::string hashOf(const std::vector<Example>& train, const std::vector<std::string>& labels)
{
    std::string all;
    for (const Example& example : train) {
        all += labels[std::size_t(example.label)] + '\t' + example.text + '\n';
    }
    return sha256Hex(all);
}

struct Fitted
{
    int epochs = 0;
    double accuracy = 0;
};

/// Runs epochs until validation stops improving, and leaves the learner with the best weights.
Result<Fitted> fit(Learner& learner, const std::vector<Example>& held, std::size_t labels,
    const TrainingOptions& options, std::mt19937_64& random)
{
    std::vector<std::pair<SparseVector, int>> checks;
    for (const Example& example : held) {
        if (example.label >= 0) {
            checks.emplace_back(learner.vectorOf(example.text), example.label);
        }
    }
    Fitted best{0, -1};
    Learner::Weights kept;
    for (int epoch = 1; epoch <= options.epochs; ++epoch) {
        if (options.cancel != nullptr && *options.cancel) {
            return cancelledError("training was stopped; no model was written");
        }
        const double loss = learner.epoch(rateAt(epoch, options.epochs), random);
        const double now = accuracy(learner, checks, labels);
        if (options.progress) {
            options.progress({epoch, options.epochs, loss, now});
        }
        if (checks.empty() || now > best.accuracy) {
            best = {epoch, now};
            kept = learner.weights();
        } else if (epoch - best.epochs >= patience) {
            break;
        }
    }
    learner.restore(std::move(kept));
    return best;
}

} // namespace

Result<std::shared_ptr<const ModelFile>> trainModel(
    const LabelledData& data, const TrainingOptions& options)
{
    std::map<std::string, int> index;
    for (const LabelledQuery& query : data.queries) {
        if (!query.isOutOfScope() && (query.split == Split::Train || query.split == Split::None)) {
            index[query.intent] = 0;
        }
    }
    if (index.size() < 2) {
        return inputError("the training part of the data names " + std::to_string(index.size())
            + " intents; at least two are needed (rows with \"split\":\"train\" or without a "
              "split)");
    }
    std::vector<std::string> labels;
    for (auto& [name, number] : index) {
        number = int(labels.size());
        labels.push_back(name);
    }
    std::mt19937_64 random(options.seed);
    Split3 parts = divide(data, index, random);

    ModelMeta meta;
    meta.seed = options.seed;
    Learner learner(labels, parts.train);
    if (!learner.valid()) {
        return internalError("the dictionary of the training data could not be built");
    }
    auto fitted = fit(learner, parts.held, labels.size(), options, random);
    if (!fitted) {
        return fitted.error();
    }
    const auto rows = score(learner, parts.held, labels.size());
    meta.calibration = calibrate(rows);
    meta.globalThreshold = bestThreshold(rows, meta.calibration);
    meta.validationAccuracy = std::max(fitted->accuracy, 0.0);
    meta.epochs = fitted->epochs;

    std::shared_ptr<const ModelFile> file;
    if (parts.heldIsTrain) {
        // Nothing is left out in the end: again on all rows, for as many epochs as were good.
        for (Example& example : parts.held) {
            if (example.label >= 0) {
                parts.train.push_back(std::move(example));
            }
        }
        Learner whole(labels, parts.train);
        for (int epoch = 1; epoch <= fitted->epochs; ++epoch) {
            if (options.cancel != nullptr && *options.cancel) {
                return cancelledError("training was stopped; no model was written");
            }
            whole.epoch(rateAt(epoch, options.epochs), random);
        }
        meta.dataHash = hashOf(parts.train, labels);
        file = whole.file(meta);
    } else {
        meta.dataHash = hashOf(parts.train, labels);
        file = learner.file(meta);
    }
    if (file == nullptr) {
        return internalError("the trained model could not be laid out as a file");
    }
    return file;
}

} // namespace sluice
