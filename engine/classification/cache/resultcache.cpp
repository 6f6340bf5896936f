#include "engine/classification/cache/resultcache.h"

#include "engine/classification/cache/entryring.h"
#include "engine/classification/cache/entrytable.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <functional>
#include <limits>
#include <mutex>

namespace sluice {

namespace {

constexpr std::size_t mostShards = 16;
constexpr std::size_t leastShardBytes = std::size_t(64) << 10;
constexpr std::size_t leastBytes = 1024;
/// A slot of the table for so many bytes: entries are a little larger, so two thirds are taken.
constexpr std::size_t bytesPerSlot = 96;
constexpr std::size_t smallShare = 10; ///< the small queue is one part in so many
constexpr std::uint8_t mostUses = 3;

std::uint64_t mixed(std::uint64_t value)
{ // the finaliser of MurmurHash3
    value ^= value >> 33U;
    value *= 0xFF51AFD7ED558CCDULL;
    value ^= value >> 33U;
    value *= 0xC4CEB9FE1A85EC53ULL;
    return value ^ (value >> 33U);
}

/// How an entry begins in its ring; its candidates and its text follow.
struct Entry
{
    double outOfScope;
    double unseenShare;
    std::uint64_t digest; ///< of context and model
    std::uint32_t textBytes;
    std::uint16_t candidates;
    std::uint8_t uses; ///< hits since it came into its queue, up to mostUses
};

/// A candidate as it is kept: without the four bytes of padding.
constexpr std::size_t candidateBytes = sizeof(int) + sizeof(double);

std::size_t sizeOf(std::size_t candidates, std::size_t textBytes)
{
    return (sizeof(Entry) + candidates * candidateBytes + textBytes + 7) / 8 * 8;
}

std::size_t sizeOf(const Entry& entry)
{
    return sizeOf(entry.candidates, entry.textBytes);
}

Entry& entryAt(std::byte* bytes)
{
    return *static_cast<Entry*>(static_cast<void*>(bytes));
}

std::string_view textOf(const std::byte* bytes, const Entry& entry)
{
    const void* text = bytes + sizeof(Entry) + entry.candidates * candidateBytes;
    return {static_cast<const char*>(text), entry.textBytes};
}

Scores scoresOf(const std::byte* bytes, const Entry& entry)
{
    Scores scores;
    scores.outOfScope = entry.outOfScope;
    scores.unseenShare = entry.unseenShare;
    scores.top.resize(entry.candidates);
    const std::byte* from = bytes + sizeof(Entry);
    for (Candidate& candidate : scores.top) {
        std::memcpy(&candidate.label, from, sizeof(int));
        std::memcpy(&candidate.confidence, from + sizeof(int), sizeof(double));
        from += candidateBytes;
    }
    return scores;
}

} // namespace

struct ResultCache::Key
{
    std::string_view text;
    std::uint64_t digest; ///< of context and model
    std::uint64_t hash; ///< of all

    Key(std::string_view normalised, std::uint64_t contextAndModel)
        : text(normalised)
        , digest(contextAndModel)
        , hash(mixed(std::hash<std::string_view>()(normalised) ^ mixed(contextAndModel)))
    { }
    std::uint32_t tag() const { return std::uint32_t(hash); }
    std::uint16_t ghost() const { return std::uint16_t((hash >> 32U) | 1U); } ///< not 0
};

class ResultCache::Shard
{
public:
    explicit Shard(std::size_t bytes)
        : m_table(bytes / bytesPerSlot)
        , m_ghosts(bytes / bytesPerSlot)
        , m_small(ringBytes(bytes) / smallShare)
        , m_main(ringBytes(bytes) - ringBytes(bytes) / smallShare)
    { }

    std::optional<Scores> find(const Key& key)
    {
        const std::lock_guard lock(m_mutex);
        const EntryTable::Slot* slot = slotOf(key);
        if (slot == nullptr) {
            ++m_misses;
            return std::nullopt;
        }
        ++m_hits;
        std::byte* bytes = bytesAt(slot->place);
        Entry& entry = entryAt(bytes);
        entry.uses = std::min<std::uint8_t>(entry.uses + 1, mostUses);
        return scoresOf(bytes, entry);
    }

    void insert(const Key& key, const Scores& scores)
    {
        const std::lock_guard lock(m_mutex);
        const std::size_t size = sizeOf(scores.top.size(), key.text.size());
        if (size > m_small.size() || scores.top.size() > std::numeric_limits<std::uint16_t>::max()
            || slotOf(key) != nullptr) {
            return;
        }
        const bool missed = takeGhost(key);
        while (m_table.isFull()) {
            m_small.isEmpty() ? evictMain() : evictSmall();
        }
        while (!(missed ? m_main : m_small).fits(size)) {
            missed ? evictMain() : evictSmall();
        }
        const std::uint32_t place = push(missed ? m_main : m_small, size);
        write(bytesAt(place), key, scores);
        m_table.insert(key.tag(), place);
    }

    void addTo(CacheStatistics& sum) const
    {
        const std::lock_guard lock(m_mutex);
        sum.hits += m_hits;
        sum.misses += m_misses;
        sum.evictions += m_evictions;
        sum.entries += m_table.count();
        sum.bytes += m_small.used() + m_main.used() + m_table.bytes()
            + m_ghosts.size() * sizeof(std::uint16_t);
    }

private:
    static std::size_t ringBytes(std::size_t bytes)
    {
        return bytes - bytes / bytesPerSlot * (sizeof(EntryTable::Slot) + sizeof(std::uint16_t));
    }

    // A place is a position in a ring, in units of 8 bytes, and which ring, in 32 bits.
    std::uint32_t placeOf(const EntryRing& ring, std::size_t position) const
    {
        return std::uint32_t(position / 8 * 2 + (&ring == &m_main ? 1U : 0U));
    }
    std::byte* bytesAt(std::uint32_t place)
    {
        return ((place & 1U) != 0 ? m_main : m_small).at(std::size_t(place / 2) * 8);
    }
    std::uint32_t push(EntryRing& ring, std::size_t size) { return placeOf(ring, ring.push(size)); }

    EntryTable::Slot* slotOf(const Key& key)
    {
        return m_table.find(key.tag(), [&](std::uint32_t place) {
            std::byte* bytes = bytesAt(place);
            const Entry& entry = entryAt(bytes);
            return entry.digest == key.digest && textOf(bytes, entry) == key.text;
        });
    }

    static void write(std::byte* bytes, const Key& key, const Scores& scores)
    {
        Entry& entry = entryAt(bytes);
        entry = {scores.outOfScope, scores.unseenShare, key.digest, std::uint32_t(key.text.size()),
            std::uint16_t(scores.top.size()), 0};
        std::byte* to = bytes + sizeof(Entry);
        for (const Candidate& candidate : scores.top) {
            std::memcpy(to, &candidate.label, sizeof(int));
            std::memcpy(to + sizeof(int), &candidate.confidence, sizeof(double));
            to += candidateBytes;
        }
        key.text.copy(static_cast<char*>(static_cast<void*>(to)), key.text.size());
    }

    /// The oldest of the small queue goes on into the main one when it was used (or while there is
    /// room anyway), else out; a ghost remembers it.
    void evictSmall()
    {
        const std::uint32_t place = placeOf(m_small, m_small.front());
        std::byte* bytes = bytesAt(place);
        Entry& entry = entryAt(bytes);
        const std::size_t size = sizeOf(entry);
        const Key key(textOf(bytes, entry), entry.digest);
        EntryTable::Slot* slot = nullptr;
        if (entry.uses > 0 || (!m_mainWasFull && m_main.fits(size))) {
            while (!m_main.fits(size)) {
                evictMain();
            }
            entry.uses = 0;
            slot = slotAt(key, place); // not before: eviction moves slots
            slot->place = push(m_main, size);
            std::memcpy(bytesAt(slot->place), bytes, size);
        } else {
            ghostOf(key) = key.ghost();
            m_table.erase(slotAt(key, place));
            ++m_evictions;
        }
        m_small.pop(size);
    }

    /// The oldest of the main queue goes to its end when it was used, else out.
    void evictMain()
    {
        m_mainWasFull = true;
        const std::uint32_t place = placeOf(m_main, m_main.front());
        std::byte* bytes = bytesAt(place);
        Entry& entry = entryAt(bytes);
        const std::size_t size = sizeOf(entry);
        EntryTable::Slot* slot = slotAt(Key(textOf(bytes, entry), entry.digest), place);
        const bool used = entry.uses > 0;
        m_main.pop(size);
        // At the ring's turn it may not fit though its own room is free: one in a round goes early.
        if (used && m_main.fits(size)) {
            --entry.uses;
            slot->place = push(m_main, size);
            std::memmove(bytesAt(slot->place), bytes, size);
        } else {
            m_table.erase(slot);
            ++m_evictions;
        }
    }

    EntryTable::Slot* slotAt(const Key& key, std::uint32_t place)
    {
        return m_table.find(
            key.tag(), [place](std::uint32_t candidate) { return candidate == place; });
    }

    std::uint16_t& ghostOf(const Key& key)
    {
        return m_ghosts[std::size_t((std::uint64_t(key.tag()) * m_ghosts.size()) >> 32U)];
    }

    /// Whether it left the small queue not long ago. That is then forgotten.
    bool takeGhost(const Key& key)
    {
        std::uint16_t& ghost = ghostOf(key);
        const bool found = ghost == key.ghost();
        ghost = found ? 0 : ghost;
        return found;
    }

    mutable std::mutex m_mutex;
    EntryTable m_table;
    std::vector<std::uint16_t> m_ghosts; ///< hashes of what left the small queue last
    EntryRing m_small;
    EntryRing m_main;
    bool m_mainWasFull = false;
    std::uint64_t m_hits = 0;
    std::uint64_t m_misses = 0;
    std::uint64_t m_evictions = 0;
};

ResultCache::ResultCache(std::size_t maxBytes)
{
    if (maxBytes < leastBytes) {
        return;
    }
    const std::size_t count =
        std::bit_floor(std::clamp<std::size_t>(maxBytes / leastShardBytes, 1, mostShards));
    for (std::size_t shard = 0; shard < count; ++shard) {
        m_shards.push_back(std::make_unique<Shard>(maxBytes / count));
    }
}

ResultCache::~ResultCache() = default;

ResultCache::Shard& ResultCache::shardOf(const Key& key) const
{
    return *m_shards[(key.hash >> 48U) & (m_shards.size() - 1)];
}

std::optional<Scores> ResultCache::find(
    std::string_view normalised, std::uint64_t contextDigest, std::uint64_t modelDigest)
{
    if (m_shards.empty()) {
        return std::nullopt;
    }
    const Key key(normalised, mixed(contextDigest) ^ modelDigest);
    return shardOf(key).find(key);
}

void ResultCache::insert(std::string_view normalised, std::uint64_t contextDigest,
    const Scores& scores, std::uint64_t modelDigest)
{
    if (!m_shards.empty()) {
        const Key key(normalised, mixed(contextDigest) ^ modelDigest);
        shardOf(key).insert(key, scores);
    }
}

CacheStatistics ResultCache::statistics() const
{
    CacheStatistics sum;
    for (const auto& shard : m_shards) {
        shard->addTo(sum);
    }
    return sum;
}

std::uint64_t ResultCache::digestOf(std::string_view text)
{
    return std::hash<std::string_view>()(text);
}

} // namespace sluice
