#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// The two groups of features; each is brought to unit length by itself.
enum class NgramGroup : std::uint8_t
{
    Word, ///< words and pairs of neighbouring words
    Character ///< runs of characters within a word with its borders
};

/// An n-gram of a normalised text, known by a 64-bit hash of its bytes.
struct Ngram
{
    std::uint64_t hash = 0;
    NgramGroup group = NgramGroup::Word;
    std::uint8_t length = 0; ///< words or code points in it
    std::uint32_t token = 0; ///< index of its (first) token
    std::uint32_t begin = 0; ///< Character: its bytes in the token with a blank at either side
    std::uint32_t end = 0;
};

/// Which character n-grams are made. Part of a model: the same numbers train and score.
struct NgramSettings
{
    std::uint32_t shortest = 3; ///< code points, borders included
    std::uint32_t longest = 4;

    bool operator==(const NgramSettings&) const = default;
};

/// Cuts normalised texts into tokens and n-grams. Keeps its memory from text to text; not to be
/// shared between threads.
class NgramCutter
{
public:
    /// Tokens are runs of letters, digits and combining marks; "?", "!", "%" and currency signs
    /// each stand alone; all else separates. The views of a former call end here.
    void cut(std::string_view normalised, const NgramSettings& settings);

    const std::vector<std::string_view>& tokens() const { return m_tokens; }
    const std::vector<Ngram>& ngrams() const { return m_ngrams; }

    /// For a reader: words as they are, the borders of character n-grams as "~".
    std::string spelling(const Ngram& ngram) const;

private:
    void addCharacters(std::uint32_t token, const NgramSettings& settings);

    std::vector<std::string_view> m_tokens;
    std::vector<Ngram> m_ngrams;
    std::string m_padded;
    std::vector<std::uint32_t> m_starts;
};

/// The words of a normalised text, as NgramCutter sees them.
std::vector<std::string_view> tokenise(std::string_view normalised);

} // namespace sluice
