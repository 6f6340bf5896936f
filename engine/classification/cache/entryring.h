#pragma once

#include <cstddef>
#include <memory>

namespace sluice {

/// A first-in-first-out queue of blocks of bytes in one piece of memory: no allocation a block, no
/// pointers between them. A block is not split: what it does not need at the end is passed over.
/// Sizes are multiples of 8.
class EntryRing
{
public:
    explicit EntryRing(std::size_t bytes)
        : m_bytes(std::make_unique_for_overwrite<std::byte[]>(bytes / 8 * 8))
        , m_size(bytes / 8 * 8)
        , m_end(m_size)
    { }

    std::size_t size() const { return m_size; }
    bool isEmpty() const { return m_used == 0; }
    std::size_t used() const { return m_used; } ///< bytes of the blocks in it

    std::byte* at(std::size_t position) { return m_bytes.get() + position; }

    /// Whether push(bytes) has room now.
    bool fits(std::size_t bytes) const
    {
        return isEmpty() || m_first < m_behind ? bytes <= m_size - m_behind || bytes < m_first
                                               : bytes < m_first - m_behind;
    }

    /// Position of a new last block; it must fit.
    std::size_t push(std::size_t bytes)
    {
        if (m_first <= m_behind && bytes > m_size - m_behind) {
            m_end = m_behind;
            m_behind = 0;
        }
        const std::size_t position = m_behind;
        m_behind += bytes;
        m_used += bytes;
        return position;
    }

    std::size_t front() const { return m_first; } ///< position of the oldest; it must not be empty

    /// Removes the oldest, which has so many bytes; they stay readable until the next push().
    void pop(std::size_t bytes)
    {
        m_used -= bytes;
        m_first += bytes;
        if (m_used == 0) {
            m_first = m_behind = 0;
            m_end = m_size;
        } else if (m_first == m_end) {
            m_first = 0;
            m_end = m_size;
        }
    }

private:
    std::unique_ptr<std::byte[]> m_bytes;
    std::size_t m_size;
    std::size_t m_first = 0; ///< position of the oldest block
    std::size_t m_behind = 0; ///< position behind the newest block
    std::size_t m_end; ///< where the blocks before the turn end
    std::size_t m_used = 0;
};

} // namespace sluice
