#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sluice {

/// Finds entries by a 32-bit tag: a hash table with linear probing of a fixed number of 8-byte
/// slots. It knows neither the entries nor their keys: who asks says whether a place is the one.
class EntryTable
{
public:
    struct Slot
    {
        std::uint32_t tag = 0;
        std::uint32_t place = nowhere;
    };

    /// At least one slot.
    explicit EntryTable(std::size_t slots)
        : m_slots(slots)
    { }

    std::size_t count() const { return m_count; }
    std::size_t bytes() const { return m_slots.size() * sizeof(Slot); }
    bool isFull() const { return (m_count + 1) * 10 > m_slots.size() * 9; }

    /// The slot of a place that has this tag and is the one meant, or nullptr.
    template <typename IsMeant> Slot* find(std::uint32_t tag, IsMeant isMeant)
    {
        for (std::size_t at = home(tag); m_slots[at].place != nowhere; at = after(at)) {
            if (m_slots[at].tag == tag && isMeant(m_slots[at].place)) {
                return &m_slots[at];
            }
        }
        return nullptr;
    }

    /// It must not be full.
    void insert(std::uint32_t tag, std::uint32_t place)
    {
        std::size_t at = home(tag);
        while (m_slots[at].place != nowhere) {
            at = after(at);
        }
        m_slots[at] = {tag, place};
        ++m_count;
    }

    /// Empties a slot, and moves those behind it up: no search ends too early, and no grave stays.
    void erase(const Slot* slot)
    {
        auto hole = std::size_t(slot - m_slots.data());
        for (std::size_t at = after(hole); m_slots[at].place != nowhere; at = after(at)) {
            if (distance(home(m_slots[at].tag), at) >= distance(hole, at)) {
                m_slots[hole] = m_slots[at];
                hole = at;
            }
        }
        m_slots[hole].place = nowhere;
        --m_count;
    }

private:
    static constexpr std::uint32_t nowhere = ~0U;

    std::size_t home(std::uint32_t tag) const
    {
        return std::size_t((std::uint64_t(tag) * m_slots.size()) >> 32U);
    }
    std::size_t after(std::size_t at) const { return at + 1 < m_slots.size() ? at + 1 : 0; }
    std::size_t distance(std::size_t from, std::size_t to) const
    {
        return to >= from ? to - from : to + m_slots.size() - from;
    }

    std::vector<Slot> m_slots;
    std::size_t m_count = 0;
};

} // namespace sluice
