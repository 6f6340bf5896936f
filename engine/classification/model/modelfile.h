#pragma once

#include "engine/base/result.h"
#include "engine/classification/model/hashindex.h"
#include "engine/classification/model/model.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// What is read of a query's scores to tell whether it is out of scope; the names stand in the
/// model file. All are finite for every query of which something is known.
enum class ScopeFeature : std::size_t
{
    Lead, ///< highest logit minus the mean of all, logits at unit deviation
    Entropy, ///< of the softmax over them at temperature 1/2, nats
    LinearLead, ///< the same two of the n-gram member alone (accurate tier)
    LinearEntropy,
    LeastMember, ///< the least logit that a CNN gives the ensemble's winner (accurate tier)
    Agreement, ///< share of the CNNs with the same winner (accurate tier)
    UnseenShare, ///< share of the words that no training text has
    Length, ///< ln(1 + words)
    SeenWeight, ///< share of the words' idf that belongs to words seen in training
    WinnerWeight, ///< share of it that belongs to words seen with the winner
    MeanIdf, ///< of the words
    SeenPairs, ///< share of the word pairs that training has
    WinnerPairs, ///< share of them seen with the winner
};
inline constexpr std::size_t scopeFeatures = 13;
using ScopeFeatures = std::array<double, scopeFeatures>;
std::string_view toString(ScopeFeature feature); ///< "lead", "entropy" ...

/// How the logits become a confidence and an out-of-scope score.
struct Calibration
{
    double temperature = 1.0; ///< logits are divided by it before the softmax
    bool hasOutOfScope = false; ///< the weights below were fitted on real out-of-scope rows
    double bias = 0.0;
    ScopeFeatures weights{};
};

/// What speaks for a turn staying with the intent of the turn before, whatever that is: a weight
/// each, of Continuation::weights.
enum class Staying : std::size_t
{
    Bias,
    Length, ///< ln(1 + words)
    Lead, ///< of the best label, without this
    Unseen, ///< share of the words that training did not have
    Asked, ///< the system asked for something
    Told, ///< the system said something else
    Question, ///< the query has a question mark
    Late, ///< third turn or later
    Count
};
inline constexpr std::size_t stayingFeatures = std::size_t(Staying::Count);
using StayingFeatures = std::array<double, stayingFeatures>;
std::string_view toString(Staying feature); ///< "bias", "length" ...

/// Added to the logits of the last intents. One set of weights for all labels: it is learnt from a
/// hundred turns, where a weight a label and word takes tens of thousands.
struct Continuation
{
    StayingFeatures weights{}; ///< their sum goes to the last intent
    double before = 0; ///< goes to the one before it, where that is another

    bool isEmpty() const { return weights == StayingFeatures{} && before == 0; }
};

/// Size of a CNN over words: filters of every width from 1 to `widths`, max-pooled, beside the sum
/// of the word vectors.
struct CnnShape
{
    std::size_t dimension = 0; ///< of a word vector
    std::size_t filters = 0; ///< of each width; a multiple of 16
    std::size_t widths = 0;

    /// A filter of width w looks at w words: so many values a word.
    std::size_t columns() const { return filters * widths * (widths + 1) / 2; }
    /// First column of the filters of width `width` at offset `offset` (0..width-1).
    std::size_t column(std::size_t width, std::size_t offset) const
    {
        return filters * (width * (width - 1) / 2 + offset);
    }
    std::size_t pooled() const { return filters * widths; }
    std::size_t hidden() const { return pooled() + dimension; }
    /// What a word's table row holds: what it adds to each filter, then its vector.
    std::size_t rowSize() const { return columns() + dimension; }

    bool operator==(const CnnShape&) const = default;
};

/// What a model file says of itself, as JSON in its first section.
struct ModelMeta
{
    std::vector<std::string> labels;
    Tier tier = Tier::Fast;
    std::string dataHash;
    std::uint64_t seed = 0;
    int epochs = 0;
    bool hasContext = false; ///< trained on dialogues
    double validationAccuracy = 0;
    Calibration calibration;
    Continuation continuation;
    double globalThreshold = 0.5;
    double margin = 0.05;
    std::vector<double>
        memberScales; ///< one over the deviation of a member's logits; n-grams first
    std::size_t wordRows = 0; ///< n-gram rows that are words: they come first
    std::size_t pairRows = 0; ///< then those that are pairs of words
    std::size_t contextRows = 0; ///< those of the context: they come last
    std::size_t tableRows = 0; ///< words with rows in the CNNs' tables: they come first
    CnnShape shape; ///< of every CNN; all zero in the fast tier
};

/// The n-gram member: rows of weights, a byte a weight with a scale a row.
struct LinearView
{
    HashIndex index;
    std::span<const float> idf; ///< a row each
    std::span<const std::int8_t> weights; ///< rows x stride
    std::span<const float> scales; ///< a row each
    std::span<const float> bias; ///< stride
    std::span<const std::uint8_t>
        classBits; ///< (word and pair rows) x stride/8: seen with the label
    std::span<const std::int8_t> dense; ///< (2 x dimension) x stride, or empty
    std::span<const float> denseScales;
    float highestIdf = 0; ///< of an n-gram that is in no training text
    std::size_t wordRows = 0;
    std::size_t pairRows = 0;
    std::size_t contextRows = 0;
    std::size_t stride = 0; ///< labels rounded up to 16
};

/// Word vectors, a byte a value with a scale a word; words with table rows come first.
struct WordView
{
    HashIndex index;
    std::span<const std::int8_t> vectors; ///< words x dimension
    std::span<const float> scales;
    std::span<const float> weights; ///< in a weighted mean of a text's words (SIF)
    std::size_t dimension = 0;
    std::size_t tableRows = 0;
};

/// A CNN. A convolution is linear in its words, so that what each word adds stands in a table.
struct CnnView
{
    CnnShape shape;
    std::span<const std::int8_t> tables; ///< tableRows x rowSize
    std::span<const float> tableScales; ///< a row each
    std::span<const float> kernels; ///< dimension x columns, for words without a table row
    std::vector<std::int8_t> kernelBytes; ///< the same rounded, which a query reads
    std::vector<float> kernelScales; ///< a column each
    std::span<const float> bias; ///< pooled
    std::span<const std::int8_t> outputs; ///< labels x hidden
    std::span<const float> outputScales; ///< a label each
    std::span<const float> outputBias; ///< stride
    std::span<const std::int8_t> context; ///< (context rows of the n-gram member) x stride
    std::span<const float> contextScales;
};

struct ModelView
{
    LinearView linear;
    WordView words;
    std::vector<CnnView> cnns;
};

/// What training hands over, in floats; the file rounds to bytes.
struct LinearPart
{
    std::vector<std::uint64_t> hashes; ///< words, pairs, then the others
    std::vector<float> idf;
    std::vector<float> weights; ///< rows x stride
    std::vector<float> bias;
    std::vector<float> dense;
    std::vector<std::uint8_t> classBits;
};
struct WordPart
{
    std::vector<std::uint64_t> hashes;
    std::vector<float> vectors;
    std::vector<float> weights;
};
struct CnnPart
{
    std::vector<float> tables;
    std::vector<float> kernels;
    std::vector<float> bias;
    std::vector<float> outputs;
    std::vector<float> outputBias;
    std::vector<float> context;
};
struct ModelParts
{
    LinearPart linear;
    WordPart words;
    std::vector<CnnPart> cnns;
};

/// The bytes of a model file, mapped or built, checked, and the views into them. The layout is
/// documented in docs/FORMATS.md.
class ModelFile
{
public:
    static constexpr std::uint32_t version = 2;

    static Result<std::shared_ptr<const ModelFile>> map(const std::filesystem::path& file);
    static Result<std::shared_ptr<const ModelFile>> build(
        const ModelMeta& meta, const ModelParts& parts);
    /// Checks a copy of the bytes; `where` begins the message of an error.
    static Result<std::shared_ptr<const ModelFile>> fromBytes(
        std::string_view bytes, std::string_view where);
    ~ModelFile();

    const ModelMeta& meta() const { return m_meta; }
    const ModelView& view() const { return m_view; }
    std::string_view bytes() const { return {m_data, m_size}; }
    const std::string& hash() const { return m_hash; }

private:
    ModelFile() = default;
    Result<void> read(std::string_view where);
    void allocate(std::size_t size);

    char* m_data = nullptr;
    std::size_t m_size = 0;
    bool m_mapped = false;
    std::string m_hash;
    ModelMeta m_meta;
    ModelView m_view;
};

} // namespace sluice
