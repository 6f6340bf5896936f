#pragma once

#include "engine/classification/model/lineartrainer.h"
#include "engine/classification/model/modelfile.h"
#include "engine/classification/model/scorer.h"
#include "engine/classification/model/trainingdata.h"
#include "engine/classification/model/wordvocabulary.h"

#include <random>
#include <vector>

namespace sluice {

/// One CNN over words (Kim 2014): filters of widths 1 to 3, max-pooled, and the sum of the word
/// vectors, dropout, softmax; what was said before a query adds to the logits by weights of its
/// own. Each step is repeated on word vectors moved a little way up the loss (fast gradient method,
/// Miyato, Dai, Goodfellow 2017); on CLINC150's validation part that is worth 0.6 points.
class CnnTrainer
{
public:
    CnnTrainer(const TrainingData& data, const WordVocabulary& words, const Vocabulary& vocabulary,
        const HashTable& index, std::uint64_t seed);

    static CnnShape shapeFor(std::size_t dimension);

    /// `epochs` passes, the best kept where the held rows say so. The passes that were kept; 0:
    /// cancelled.
    int train(int epochs, const TrainingWatch& watch);
    CnnPart part() const;

private:
    /// Weights with what Adam remembers of them.
    struct Weights
    {
        std::vector<float> values, gradient, first, second;

        void resize(std::size_t size);
        void step(float rate, float root, float decay);
    };
    struct Input
    {
        std::vector<std::uint32_t> words; ///< entries of the vocabulary
        SparseVector context; ///< rows from 0 on
    };

    Input inputOf(const Example& example, const QueryContext& context);
    void look(const Input& input, bool dropWords);
    void convolve();
    void score(const std::vector<float>& hidden, const SparseVector& context);
    double learn(const Input& input, int label, float share);
    double pass(const SparseVector& context, int label, float share, float weight);
    void backThroughFilters();
    void updateVectors(float share);
    void transposeKernels();
    std::optional<double> heldAccuracy();

    const TrainingData& m_data;
    const WordVocabulary& m_words;
    const Vocabulary& m_vocabulary;
    LinearView m_ngrams;
    CnnShape m_shape;
    std::size_t m_stride = 0;
    std::mt19937_64 m_random;
    ContextDraw m_contexts;
    Vectoriser m_vectoriser;

    std::vector<float> m_vectors; ///< of all words; those with table rows are trained
    std::vector<float> m_vectorSums;
    Weights m_kernels; ///< columns x dimension
    std::vector<float> m_transposed; ///< dimension x columns
    Weights m_bias;
    Weights m_outputs; ///< hidden x stride
    Weights m_outputBias;
    std::vector<float> m_contextWeights; ///< context rows x stride
    std::vector<float> m_contextSums;

    std::optional<TrainingInputs<Input>> m_inputs; ///< made when all else is there
    // Of one step:
    std::vector<std::uint32_t> m_shown;
    std::vector<float> m_rows; ///< shown words x row size
    std::vector<float> m_hidden;
    std::vector<std::int32_t> m_where;
    std::vector<float> m_mask;
    std::vector<float> m_dropped;
    std::vector<float> m_logits;
    std::vector<float> m_hiddenGradient;
    std::vector<float> m_vectorGradient; ///< shown words x dimension
    std::vector<float> m_gradientSum;
};

} // namespace sluice
