#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// A feature of a text: the 64-bit hash of a word 1-gram or 2-gram, or of a character n-gram within
/// a word.
struct Ngram
{
    std::uint64_t hash = 0;
    bool word = false; ///< word n-gram; else character n-gram
};

/// The tokens of a normalised text: runs of letters and digits (any code point from 0x80 on counts
/// as a letter), and "?", "!", "$", "%" each alone.
std::vector<std::string_view> tokenise(std::string_view normalised);

/// The n-grams of a normalised text, repeated as often as they occur: word 1-grams and 2-grams, and
/// character 3- and 4-grams (of code points) of each word with a border mark at either end. `out`
/// is replaced.
void extractNgrams(const std::vector<std::string_view>& tokens, std::vector<Ngram>& out);

/// The same with the text of each n-gram ("where is", "~whe"), for explanations.
struct NamedNgram
{
    Ngram ngram;
    std::string text;
};
std::vector<NamedNgram> namedNgrams(const std::vector<std::string_view>& tokens);

/// Hash of a single word as extractNgrams() makes it.
std::uint64_t wordHash(std::string_view word);

} // namespace sluice
