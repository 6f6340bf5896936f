#include "engine/classification/model/wordvocabulary.h"

#include "engine/classification/text/ngrams.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <random>
#include <unordered_map>

namespace sluice {

namespace {

constexpr int leastOccurrences = 2;
constexpr std::size_t ownDimension = 100; ///< of vectors where none are given
/// Length of a word vector in the CNNs: at unit length their gradients are too small for the rates.
constexpr float vectorLength = 5.0F;
/// Smooth inverse frequency: a / (a + p), p a word's probability by its rank (Zipf-Mandelbrot).
constexpr double frequencyScale = 1e-3;

float weightOf(std::size_t rank)
{
    const double probability = 0.1 / (double(rank) + 2.7);
    return float(frequencyScale / (frequencyScale + probability));
}

std::map<std::string, int, std::less<>> countWords(const TrainingData& data)
{
    std::map<std::string, int, std::less<>> counts;
    std::vector<std::string_view> tokens;
    for (const Example& example : data.train) {
        tokenise(example.text, tokens);
        for (const std::string_view token : tokens) {
            const auto found = counts.find(token);
            if (found == counts.end()) {
                counts.emplace(token, 1);
            } else {
                ++found->second;
            }
        }
    }
    return counts;
}

/// A normal deviate by Box and Muller, the same everywhere.
float normal(std::mt19937_64& random)
{
    const float radius = std::sqrt(-2.0F * std::log(1.0F - uniform(random)));
    return radius * std::cos(2.0F * std::numbers::pi_v<float> * uniform(random));
}

} // namespace

std::vector<std::string> wordsOf(const TrainingData& data)
{
    std::vector<std::string> words;
    for (auto& [word, count] : countWords(data)) {
        words.push_back(word);
    }
    return words;
}

void WordVocabulary::add(std::uint64_t hash, const float* vector, float weight)
{
    m_part.hashes.push_back(hash);
    for (std::size_t i = 0; i < m_dimension; ++i) {
        m_part.vectors.push_back(vector[i] * vectorLength);
    }
    m_part.weights.push_back(weight);
}

WordVocabulary::WordVocabulary(
    const TrainingData& data, const WordVectors* vectors, std::uint64_t seed)
    : m_dimension(vectors == nullptr ? ownDimension : vectors->dimension)
    , m_hasVectors(vectors != nullptr)
    , m_index(std::span<const std::uint64_t>())
{
    std::mt19937_64 random(seed);
    const WordVectors none;
    const WordVectors& given = vectors == nullptr ? none : *vectors;
    std::unordered_map<std::string_view, std::size_t> rows;
    for (std::size_t row = 0; row < given.size(); ++row) {
        rows.emplace(given.words[row], row);
    }
    std::vector<float> own(m_dimension);
    std::vector<char> used(given.size(), 0);
    for (const auto& [word, count] : countWords(data)) {
        if (count < leastOccurrences) {
            continue;
        }
        const auto found = rows.find(word);
        if (found != rows.end()) {
            used[found->second] = 1;
            add(wordHash(word), given.values.data() + found->second * m_dimension,
                weightOf(given.ranks[found->second]));
        } else {
            for (float& value : own) {
                value = normal(random) / std::sqrt(float(m_dimension));
            }
            add(wordHash(word), own.data(), 0.0F);
        }
    }
    m_tableRows = m_part.hashes.size();
    for (std::size_t row = 0; row < used.size(); ++row) {
        if (used[row] == 0) {
            add(wordHash(given.words[row]), given.values.data() + row * m_dimension,
                weightOf(given.ranks[row]));
        }
    }
    m_index = HashTable(m_part.hashes);
    m_rows = ByteRows::from(m_part.vectors, m_dimension);
    m_view.index = m_index.index();
    m_view.vectors = m_rows.bytes;
    m_view.scales = m_rows.scales;
    m_view.weights = m_part.weights;
    m_view.dimension = m_dimension;
    m_view.tableRows = m_tableRows;
}

} // namespace sluice
