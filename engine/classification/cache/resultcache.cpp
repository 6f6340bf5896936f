#include "engine/classification/cache/resultcache.h"

#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <unordered_map>

namespace sluice {

namespace {

constexpr std::size_t shardCount = 16;
/// What list node, map node and bucket take beside the entry's own bytes.
constexpr std::size_t overhead = 128;

struct Key
{
    std::string_view text; ///< points into the entry
    std::uint64_t context = 0;

    bool operator==(const Key&) const = default;
};

struct KeyHash
{
    std::size_t operator()(const Key& key) const
    {
        return std::hash<std::string_view>()(key.text) ^ (key.context * 0x9E3779B97F4A7C15ULL);
    }
};

struct Entry
{
    std::string text;
    std::uint64_t context = 0;
    Scores scores;

    std::size_t bytes() const
    {
        return sizeof(Entry) + overhead + text.size() + scores.top.size() * sizeof(Candidate);
    }
};

} // namespace

struct ResultCache::Shard
{
    std::mutex mutex;
    std::list<Entry> entries; ///< most recently used first
    std::unordered_map<Key, std::list<Entry>::iterator, KeyHash> index;
    CacheStatistics statistics;
};

ResultCache::ResultCache(std::size_t maxBytes)
    : m_shards(std::make_unique<Shard[]>(shardCount))
    , m_maxBytesPerShard(maxBytes / shardCount)
{ }

ResultCache::~ResultCache() = default;

std::optional<Scores> ResultCache::find(std::string_view normalised, std::uint64_t contextDigest)
{
    const Key key{normalised, contextDigest};
    Shard& shard = m_shards[KeyHash()(key) % shardCount];
    const std::lock_guard lock(shard.mutex);
    const auto found = shard.index.find(key);
    if (found == shard.index.end()) {
        ++shard.statistics.misses;
        return std::nullopt;
    }
    ++shard.statistics.hits;
    shard.entries.splice(shard.entries.begin(), shard.entries, found->second);
    return found->second->scores;
}

void ResultCache::insert(
    std::string_view normalised, std::uint64_t contextDigest, const Scores& scores)
{
    const Key key{normalised, contextDigest};
    Shard& shard = m_shards[KeyHash()(key) % shardCount];
    const std::lock_guard lock(shard.mutex);
    if (shard.index.contains(key)) {
        return;
    }
    Entry entry{std::string(normalised), contextDigest, scores};
    const std::size_t bytes = entry.bytes();
    if (bytes > m_maxBytesPerShard) {
        return;
    }
    shard.entries.push_front(std::move(entry));
    const auto first = shard.entries.begin();
    shard.index.emplace(Key{first->text, first->context}, first);
    shard.statistics.bytes += bytes;
    ++shard.statistics.entries;
    while (shard.statistics.bytes > m_maxBytesPerShard) {
        const Entry& last = shard.entries.back();
        shard.statistics.bytes -= last.bytes();
        --shard.statistics.entries;
        ++shard.statistics.evictions;
        shard.index.erase(Key{last.text, last.context});
        shard.entries.pop_back();
    }
}

CacheStatistics ResultCache::statistics() const
{
    CacheStatistics sum;
    for (std::size_t index = 0; index < shardCount; ++index) {
        Shard& shard = m_shards[index];
        const std::lock_guard lock(shard.mutex);
        sum.hits += shard.statistics.hits;
        sum.misses += shard.statistics.misses;
        sum.evictions += shard.statistics.evictions;
        sum.entries += shard.statistics.entries;
        sum.bytes += shard.statistics.bytes;
    }
    return sum;
}

} // namespace sluice
