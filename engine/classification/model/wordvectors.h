#pragma once

#include "engine/base/result.h"

#include <atomic>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace sluice {

/// Word vectors, the more frequent word first.
struct WordVectors
{
    std::size_t dimension = 0;
    std::vector<std::string> words; ///< normalised
    std::vector<float> values; ///< words x dimension
    std::vector<std::size_t> ranks; ///< place in the file, from 0

    std::size_t size() const { return words.size(); }
};

/// Reads word vectors: GloVe text (a word and its values a line), word2vec text and fastText .vec
/// (the same after a line "count dimension"), or wink-embeddings JSON. Kept are the words of
/// `needed` and the first `general` words that are one token of a query (tokenise(), ngrams.h);
/// words are normalised, the first spelling wins. Input error with line and reason where the file
/// is none of these, or rows differ in length; Cancelled error when `cancel` becomes true.
Result<WordVectors> readWordVectors(const std::filesystem::path& file,
    const std::unordered_set<std::string_view>& needed, std::size_t general,
    const std::atomic<bool>* cancel = nullptr);

/// Takes the mean of all vectors off, then their two first principal components, and brings each
/// to unit length (all-but-the-top, Mu and Viswanath 2018, arXiv 1702.01417).
void postProcess(WordVectors& vectors);

} // namespace sluice
