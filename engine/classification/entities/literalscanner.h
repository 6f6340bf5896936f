#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// Says which of many literals occur in a text, in one pass over it, however many they are
/// (Aho and Corasick 1975, as a table of transitions). ASCII letters match in either case.
class LiteralScanner
{
public:
    /// What a text holds, one bit a literal. Reused from text to text, so that nothing is allocated
    /// or cleared in between.
    class Found
    {
    public:
        bool contains(std::uint32_t literal) const { return m_seen[literal] == m_round; }
        /// Each literal once, in the order of their first ends.
        const std::vector<std::uint32_t>& literals() const { return m_literals; }

    private:
        friend class LiteralScanner;
        std::vector<std::uint32_t> m_seen; ///< the round in which a literal was seen last
        std::vector<std::uint32_t> m_literals;
        std::uint32_t m_round = 0;
    };

    /// Bytes of the table that must not be exceeded; literals are then looked for by their
    /// beginnings alone, which finds more texts, never fewer.
    static constexpr std::size_t maxTableBytes = std::size_t(64) << 20;

    LiteralScanner() = default;
    /// `literals` in lower case (ASCII), none empty.
    explicit LiteralScanner(const std::vector<std::string>& literals);

    /// Replaces what is in `found` by the literals of `text`.
    void scan(std::string_view text, Found& found) const;

private:
    struct State
    {
        std::uint32_t firstLiteral = 0; ///< in m_literals
        std::uint32_t literals = 0;
        std::uint32_t shorter = 0; ///< the next state that ends a literal, by suffix; 0: none
    };

    /// How much of each literal may be looked for, by the bound on the table. `order` sorts them.
    std::size_t depthFor(
        const std::vector<std::string>& literals, const std::vector<std::uint32_t>& order) const;
    /// Adds a way through the table; the state at its end.
    std::uint32_t insert(std::string_view literal);
    /// Turns the tree of literals into an automaton.
    void link();

    std::uint8_t m_classOf[256] = {}; ///< 0: a byte of no literal
    unsigned m_shift = 0; ///< a state's row of the table has 1 << m_shift places, one a class
    /// By row's begin + class: where the next state's row begins; bit 31: it ends a literal.
    std::vector<std::uint32_t> m_next;
    std::vector<State> m_states;
    std::vector<std::uint32_t> m_literals;
    std::size_t m_size = 0;
};

} // namespace sluice
