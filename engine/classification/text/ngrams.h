#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

enum class NgramGroup : std::uint8_t
{
    Word,
    Pair, ///< two words in a row
    Character, ///< n-gram of characters within a word
    Context, ///< what came before the text (model/contextfeatures.h)
};

/// A feature of a text, as the 64-bit hash that stands for it.
struct Ngram
{
    std::uint64_t hash = 0;
    NgramGroup group = NgramGroup::Character;
};

/// The tokens of a normalised text: runs of letters and digits (any code point from 0x80 on counts
/// as a letter), and "?", "!", "$", "%" each alone.
std::vector<std::string_view> tokenise(std::string_view normalised);
void tokenise(std::string_view normalised, std::vector<std::string_view>& out); ///< replaces `out`

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

/// Hash of a text that is no word of the query, in a name space of its own (`kind`, not 0); and of
/// two hashes in that order.
std::uint64_t namedHash(std::uint64_t kind, std::string_view text);
std::uint64_t pairHash(std::uint64_t first, std::uint64_t second);

} // namespace sluice
