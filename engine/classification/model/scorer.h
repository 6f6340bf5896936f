#pragma once

#include "engine/classification/model/model.h"
#include "engine/classification/model/modelfile.h"
#include "engine/classification/model/vectormath.h"
#include "engine/classification/text/ngrams.h"

#include <string_view>
#include <vector>

namespace sluice {

/// A text as a sparse vector of rows of the n-gram member.
struct SparseVector
{
    std::vector<std::uint32_t> rows;
    /// (1 + ln tf) x idf; word, character and context group each brought to its length
    std::vector<float> values;
};

/// What is known of a text's words, beside the vector.
struct WordStatistics
{
    std::size_t words = 0;
    std::size_t unseen = 0; ///< that no training text has
    std::size_t pairs = 0; ///< of words in a row
    double idf = 0; ///< sum over the words of ln((1 + N) / (1 + documents))
    double seenIdf = 0; ///< that of the words that training has
    std::vector<std::uint32_t> wordRows; ///< of the seen words, repeated as they occur
    std::vector<std::uint32_t> pairRows;

    double unseenShare() const { return words == 0 ? 1.0 : double(unseen) / double(words); }
};

/// Weights of the n-gram groups. Characters count less than whole words (research on BANKING77:
/// 0.7; no difference on CLINC150).
inline constexpr float characterGroupWeight = 0.7F;
inline constexpr float contextGroupWeight = 1.0F;

/// Makes sparse vectors; keeps its buffers, so that a query allocates nothing. One a thread.
class Vectoriser
{
public:
    /// Of `view` the index, idf and row counts are read.
    const SparseVector& vectorise(
        const LinearView& view, std::string_view normalised, const QueryContext& context);

    const SparseVector& vector() const { return m_vector; } ///< of the last text
    const std::vector<std::string_view>& tokens() const { return m_tokens; } ///< of the last text
    const WordStatistics& statistics() const { return m_statistics; } ///< of the last text

private:
    struct Found
    {
        std::uint32_t row = 0;
        int count = 0;
        NgramGroup group = NgramGroup::Character;
    };

    /// Place of a row among the found ones, plus one; 0: it is new, and the place is to be set.
    std::uint32_t& placeOf(std::uint32_t row)
    {
        const std::size_t mask = m_places.size() - 1;
        std::size_t at = std::size_t(row * 0x9E3779B1U) & mask;
        while (m_places[at] != 0 && m_found[m_places[at] - 1].row != row) {
            at = (at + 1) & mask;
        }
        return m_places[at];
    }
    void finish(const LinearView& view, std::size_t size, const std::array<float, 4>& unknown);

    std::vector<std::string_view> m_tokens;
    std::vector<Ngram> m_ngrams;
    std::vector<Found> m_found; ///< each row once
    std::vector<std::uint32_t> m_places; ///< small table from row to its place there
    SparseVector m_vector;
    WordStatistics m_statistics;
};

/// Dense features of a text: the weighted mean of its words' vectors (smooth inverse frequency,
/// Arora, Liang, Ma 2017) and their element-wise maximum, each at unit length; all zero where no
/// word has a vector.
void denseFeatures(
    const WordView& view, std::span<const std::uint32_t> words, std::vector<float>& out);

/// Max-pools a convolution: `sums` has a row of shape.rowSize() values a word (what it adds to each
/// filter, then its vector); `hidden` becomes the pooled filters (ReLU) and the sum of the vectors
/// over the root of their number. `where` gets the first word of each filter's window, or noWindow
/// where the filter is silent. In floats, for training.
inline constexpr std::int32_t noWindow = INT32_MIN;
void poolFilters(const CnnShape& shape, std::span<const float> sums, std::span<const float> bias,
    std::vector<float>& hidden, std::vector<std::int32_t>& where);

/// Everything that a model says of one query, before calibration.
struct RawScores
{
    bool known = false; ///< something in the query is known to the model
    std::vector<float> logits; ///< one a label: the members' mean, each centred at unit deviation
    ScopeFeatures features{};
    double unseenShare = 1;
};

/// Scores queries on a model file; keeps its buffers. One a thread.
class Scorer
{
public:
    const RawScores& score(
        const ModelFile& file, std::string_view normalised, const QueryContext& context);
    /// Scores several texts, each with a scorer of its own: they share what is read of the model,
    /// and come out as each alone. The results are in scores().
    static void score(
        const ModelFile& file, std::span<Scorer> scorers, std::span<const TextInContext> texts);
    const RawScores& scores() const { return m_scores; } ///< of the last query
    /// Centred logits of each member on the last query, not yet brought to unit deviation; the
    /// n-grams first.
    const std::vector<std::vector<float>>& members() const { return m_members; }

    /// What spoke for staying with the last intent; all zero without one.
    const StayingFeatures& staying() const { return m_staying; }

private:
    void begin(const ModelFile& file, const TextInContext& text);
    void scoreLinear(const ModelView& view);
    void findWords(const WordView& view);
    void bringNear(const ModelView& view, std::size_t member) const;
    void lookUp(const ModelView& view, const CnnView& cnn);
    float expand(const WordView& words, const CnnView& cnn, std::uint32_t word, std::int8_t* row);
    math::Product pool(const ModelView& view, std::size_t member);
    void finish(const ModelFile& file, const TextInContext& text);
    void combine(const ModelMeta& meta);
    void stay(const ModelMeta& meta, std::string_view normalised, const QueryContext& context);
    void describe(const ModelFile& file);

    Vectoriser m_vectoriser;
    std::vector<std::uint32_t> m_words;
    std::vector<float> m_factors;
    std::vector<std::uint32_t> m_counting; ///< 0, 1, 2 ...
    std::vector<float> m_dense;
    std::vector<math::ByteRow> m_rows; ///< what each word adds to the filters
    std::vector<std::int8_t> m_expanded; ///< such rows of words that no table has
    std::vector<float> m_vector;
    std::vector<float> m_hidden;
    std::vector<std::int16_t> m_rounded;
    std::vector<std::vector<float>> m_members;
    StayingFeatures m_staying{};
    RawScores m_scores;
};

/// Highest value minus the mean of all, and the entropy (nats) of the softmax at temperature 1/2.
struct Spread
{
    double lead = 0;
    double entropy = 0;
};
Spread spreadOf(std::span<const float> logits);

/// The out-of-scope probability of these features; meaningful where calibration.hasOutOfScope.
double outOfScopeScore(const Calibration& calibration, const ScopeFeatures& features);

/// The k best candidates with confidences, and the out-of-scope score. No candidates where nothing
/// of the query is known.
Scores scoresOf(const RawScores& raw, const Calibration& calibration, std::size_t k);

} // namespace sluice
