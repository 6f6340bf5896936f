#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace sluice {

/// Rows by 64-bit hash: open addressing over two arrays as they lie in a model file. The number of
/// places is a power of two, at least one of them is empty (key 0).
struct HashIndex
{
    static constexpr std::uint32_t none = 0xFFFFFFFFU;

    std::span<const std::uint64_t> keys;
    std::span<const std::uint32_t> rows; ///< row of the key in the same place

    std::uint32_t find(std::uint64_t hash) const
    {
        if (keys.empty()) {
            return none;
        }
        const std::size_t mask = keys.size() - 1;
        const std::uint64_t key = keyOf(hash);
        for (std::size_t place = std::size_t(key) & mask;; place = (place + 1) & mask) {
            if (keys[place] == key) {
                return rows[place];
            }
            if (keys[place] == 0) {
                return none;
            }
        }
    }

    /// Has the place where find() begins brought near.
    void prefetch(std::uint64_t hash) const
    {
        if (!keys.empty()) {
            const std::size_t place = std::size_t(hash) & (keys.size() - 1);
            __builtin_prefetch(&keys[place]);
            __builtin_prefetch(&rows[place]);
        }
    }

    static std::uint64_t keyOf(std::uint64_t hash) { return hash == 0 ? 1 : hash; }
};

/// The arrays of an index over `hashes`, the row of each being its place there.
struct HashTable
{
    std::vector<std::uint64_t> keys;
    std::vector<std::uint32_t> rows;

    explicit HashTable(std::span<const std::uint64_t> hashes);
    HashIndex index() const { return {keys, rows}; }
};

} // namespace sluice
