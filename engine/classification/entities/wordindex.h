#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// A text's words (runs of letters, digits, marks and underscores in any script) and signs, each
/// folded and hashed. White space stands between tokens.
struct Token
{
    std::size_t begin = 0;
    std::size_t end = 0;
    std::uint64_t hash = 0; ///< of the folded token
    bool isWord = false;
    bool blankBefore = false;
};

/// Finds the phrases of a list in a text, however many there are: a hash trie over tokens, so that
/// a text costs one look-up a token and one more for each token that a phrase goes on with.
/// Phrases stand between signs that are no part of a word, in any script.
class WordIndex
{
public:
    struct Hit
    {
        std::size_t begin = 0;
        std::size_t end = 0;
        std::uint32_t id = 0; ///< as given to add()
    };

    /// Case folding (NFKC_Casefold) of phrases and texts, or none.
    explicit WordIndex(bool folding)
        : m_folding(folding)
    { }

    /// False where the phrase is blank or of more than 16 tokens.
    bool add(std::string_view phrase, std::uint32_t id);
    bool empty() const { return m_phrases.empty(); }

    /// All phrases that occur, longer and shorter ones, in order of their beginnings.
    void find(std::string_view text, std::vector<Hit>& hits) const;

    static constexpr std::size_t maxTokens = 16; ///< of a phrase

private:
    /// A beginning of a phrase, or a whole one.
    struct Slot
    {
        std::uint64_t hash = 0; ///< 0: free
        std::uint32_t firstPhrase = none; ///< those that end here, a linked list
        bool goesOn = false;
    };
    struct Phrase
    {
        std::string text; ///< folded, blanks as one, to tell it from others of the same hash
        std::uint32_t id = 0;
        std::uint32_t next = none;
    };
    static constexpr std::uint32_t none = UINT32_MAX;

    void tokenise(std::string_view text, std::vector<Token>& tokens) const;
    std::string folded(std::string_view token) const;
    std::string phraseOf(std::string_view text, const Token* first, const Token* last) const;
    Slot& slotFor(std::uint64_t hash);
    const Slot* find(std::uint64_t hash) const;
    void grow();

    bool m_folding;
    std::vector<Slot> m_slots; ///< open addressing, a power of two
    std::size_t m_used = 0;
    std::vector<Phrase> m_phrases;
};

} // namespace sluice
