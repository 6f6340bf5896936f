#pragma once

#include "engine/classification/model/byterows.h"
#include "engine/classification/model/modelfile.h"
#include "engine/classification/model/trainingdata.h"
#include "engine/classification/model/wordvectors.h"

#include <vector>

namespace sluice {

/// The words that the accurate tier knows: first those that training has at least twice, each with
/// a row in the CNNs' tables, then others that have a vector, more frequent ones first.
class WordVocabulary
{
public:
    /// Without vectors (nullptr) the words of the training data alone, starting from random ones.
    WordVocabulary(const TrainingData& data, const WordVectors* vectors, std::uint64_t seed);

    std::size_t dimension() const { return m_dimension; }
    std::size_t tableRows() const { return m_tableRows; }
    const WordPart& part() const { return m_part; }
    /// Rounded as the file will be; of the dense features words without a vector are no part.
    const WordView& view() const { return m_view; }
    bool hasVectors() const { return m_hasVectors; }

private:
    void add(std::uint64_t hash, const float* vector, float weight);

    std::size_t m_dimension = 0;
    std::size_t m_tableRows = 0;
    bool m_hasVectors = false;
    WordPart m_part;
    HashTable m_index;
    ByteRows m_rows;
    WordView m_view;
};

/// The words of the training texts.
std::vector<std::string> wordsOf(const TrainingData& data);

} // namespace sluice
