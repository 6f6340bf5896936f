#pragma once

#include "engine/classification/model/modelfile.h"
#include "engine/classification/model/scorer.h"
#include "engine/classification/model/trainingdata.h"
#include "engine/classification/model/wordvectors.h"

#include <functional>
#include <optional>
#include <random>
#include <vector>

namespace sluice {

/// The n-grams worth a row: every word, and what else occurs twice (in small data, once). Words
/// come first, then pairs, characters and context, each in order of hash.
struct Vocabulary
{
    std::vector<std::uint64_t> hashes;
    std::vector<float> idf; ///< ln((1 + N) / (1 + documents)) + 1
    std::size_t wordRows = 0;
    std::size_t pairRows = 0;
    std::size_t contextRows = 0; ///< the last ones

    static Vocabulary from(const TrainingData& data);
    std::size_t contextBegin() const { return hashes.size() - contextRows; }
};

/// What of a training run is to be told and asked, by every member's trainer.
struct TrainingWatch
{
    /// After each pass; the accuracy is that on the held rows.
    std::function<void(int epoch, double loss, std::optional<double> accuracy)> epochDone;
    std::function<bool()> cancelled; ///< asked now and then
};

/// Softmax regression by per-coordinate AdaGrad (Duchi, Hazan, Singer 2011) from zero weights, over
/// the sparse vectors and, where there are word vectors, dense features.
class LinearTrainer
{
public:
    LinearTrainer(const TrainingData& data, const Vocabulary& vocabulary, const HashTable& index,
        const WordView* words);

    /// Up to `epochs` passes; stops early and keeps the best weights where `held` says so (it may
    /// be empty). The passes that were kept; 0: cancelled.
    int train(int epochs, std::uint64_t seed, const TrainingWatch& watch);

    /// Weights, bias, dense weights and class bits, beside the vocabulary's rows.
    LinearPart part() const;
    /// Accuracy over the in-scope held rows, 0..1.
    std::optional<double> heldAccuracy();

private:
    struct Input
    {
        SparseVector sparse;
        std::vector<float> dense;
    };
    Input inputOf(const Example& example, const QueryContext& context);
    void score(const Input& input, float keep, std::mt19937_64* random);
    double step(const Input& input, int label, float rate, std::mt19937_64& random);

    const TrainingData& m_data;
    const Vocabulary& m_vocabulary;
    LinearView m_view;
    const WordView* m_words;
    ContextDraw m_contexts;
    Vectoriser m_vectoriser;
    std::vector<std::uint32_t> m_found;
    std::size_t m_stride = 0;
    std::vector<float> m_weights;
    std::vector<float> m_sums;
    std::vector<float> m_dense;
    std::vector<float> m_denseSums;
    std::vector<float> m_bias;
    std::vector<float> m_biasSums;
    std::optional<TrainingInputs<Input>> m_inputs; ///< made when all else is there
    std::vector<float> m_kept; ///< 1 or 0 a sparse feature of this step
    std::vector<float> m_logits;
};

} // namespace sluice
