#include "engine/classification/entities/literalscanner.h"

#include <algorithm>
#include <bit>
#include <numeric>

namespace sluice {

namespace {

constexpr std::uint32_t endsLiteral = 1U << 31U;
constexpr std::size_t longestLooked = 16; ///< more of a literal tells hardly more

} // namespace

LiteralScanner::LiteralScanner(const std::vector<std::string>& literals)
    : m_size(literals.size())
{
    std::size_t classes = 1;
    for (const std::string& literal : literals) {
        for (const char c : literal) {
            auto& slot = m_classOf[static_cast<unsigned char>(c)];
            if (slot == 0) {
                slot = std::uint8_t(classes++); // UTF-8 has fewer than 255 kinds of bytes
            }
        }
    }
    for (int c = 'A'; c <= 'Z'; ++c) {
        m_classOf[c] = m_classOf[c - 'A' + 'a'];
    }
    m_shift = unsigned(std::bit_width(classes - 1));
    std::vector<std::uint32_t> order(literals.size());
    std::iota(order.begin(), order.end(), 0U);
    std::sort(order.begin(), order.end(),
        [&](std::uint32_t a, std::uint32_t b) { return literals[a] < literals[b]; });
    const std::size_t depth = depthFor(literals, order);

    m_states.resize(1);
    m_next.assign(std::size_t(1) << m_shift, 0);
    std::vector<std::vector<std::uint32_t>> ending(1);
    for (const std::uint32_t index : order) {
        const std::uint32_t state = insert(std::string_view(literals[index]).substr(0, depth));
        ending.resize(m_states.size());
        ending[state].push_back(index);
    }
    for (std::size_t state = 0; state < ending.size(); ++state) {
        m_states[state].firstLiteral = std::uint32_t(m_literals.size());
        m_states[state].literals = std::uint32_t(ending[state].size());
        m_literals.insert(m_literals.end(), ending[state].begin(), ending[state].end());
    }
    link();
}

std::size_t LiteralScanner::depthFor(
    const std::vector<std::string>& literals, const std::vector<std::uint32_t>& order) const
{
    std::size_t depth = longestLooked;
    for (; depth > 1; depth /= 2) {
        // In this order a literal adds the states beyond what it shares with the one before.
        std::size_t states = 1;
        std::string_view last;
        for (const std::uint32_t index : order) {
            const std::string_view now = std::string_view(literals[index]).substr(0, depth);
            const auto shared = std::mismatch(now.begin(), now.end(), last.begin(), last.end());
            states += std::size_t(now.end() - shared.first);
            last = now;
        }
        if ((states << m_shift) * sizeof(std::uint32_t) <= maxTableBytes) {
            break;
        }
    }
    return depth;
}

std::uint32_t LiteralScanner::insert(std::string_view literal)
{
    std::uint32_t row = 0;
    for (const char c : literal) {
        const std::size_t place = row + m_classOf[static_cast<unsigned char>(c)];
        if (m_next[place] == 0) {
            m_next[place] = std::uint32_t(m_next.size());
            m_states.emplace_back();
            m_next.resize(m_states.size() << m_shift, 0);
        }
        row = m_next[place];
    }
    return row >> m_shift;
}

void LiteralScanner::link()
{
    const std::size_t classes = std::size_t(1) << m_shift;
    // Breadth first, so that the state of the longest proper suffix is complete already.
    std::vector<std::uint32_t> suffix(m_states.size(), 0);
    std::vector<std::uint32_t> queue{0};
    queue.reserve(m_states.size());
    for (std::size_t at = 0; at < queue.size(); ++at) {
        const std::uint32_t row = queue[at];
        for (std::size_t c = 1; c < classes; ++c) {
            std::uint32_t& next = m_next[row + c];
            const std::uint32_t fallback = row == 0 ? 0 : m_next[suffix[row >> m_shift] + c];
            if (next == 0) {
                next = fallback;
                continue;
            }
            const std::uint32_t shorter = fallback >> m_shift;
            suffix[next >> m_shift] = fallback;
            m_states[next >> m_shift].shorter =
                m_states[shorter].literals > 0 ? shorter : m_states[shorter].shorter;
            queue.push_back(next);
        }
    }
    for (std::uint32_t& next : m_next) {
        const State& state = m_states[next >> m_shift];
        if (state.literals > 0 || state.shorter > 0) {
            next |= endsLiteral;
        }
    }
}

void LiteralScanner::scan(std::string_view text, Found& found) const
{
    if (found.m_seen.size() < m_size) {
        found.m_seen.resize(m_size, 0);
    }
    if (++found.m_round == 0) {
        std::fill(found.m_seen.begin(), found.m_seen.end(), 0U);
        found.m_round = 1;
    }
    found.m_literals.clear();
    if (m_next.empty()) {
        return;
    }
    std::uint32_t state = 0;
    for (const char c : text) {
        const std::uint32_t next = m_next[state + m_classOf[static_cast<unsigned char>(c)]];
        state = next & ~endsLiteral;
        if (next == state) {
            continue;
        }
        for (std::uint32_t end = state >> m_shift; end != 0; end = m_states[end].shorter) {
            const State& ending = m_states[end];
            for (std::uint32_t index = 0; index < ending.literals; ++index) {
                const std::uint32_t literal = m_literals[ending.firstLiteral + index];
                if (found.m_seen[literal] != found.m_round) {
                    found.m_seen[literal] = found.m_round;
                    found.m_literals.push_back(literal);
                }
            }
        }
    }
}

} // namespace sluice
