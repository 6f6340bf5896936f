#pragma once

#include "engine/classification/model/model.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace sluice {

struct CacheStatistics
{
    std::uint64_t hits = 0;
    std::uint64_t misses = 0;
    std::uint64_t evictions = 0; ///< results that had to go
    std::size_t entries = 0;
    std::size_t bytes = 0; ///< of the results, and of the tables that find them
};

/// A sharded, byte-bounded cache of scores by model, context digest and normalised text. Scores,
/// not decisions: thresholds are applied after it, so publishing a set empties nothing. A hit has
/// compared the whole text. Safe from any thread; a lock a shard.
///
/// What stays is decided by S3-FIFO (Yang, Zhang, Qiu, Yue, Vinayak: "FIFO queues are all you need
/// for cache eviction", SOSP 2023): a new result goes into a small queue, a tenth of the room, and
/// reaches the main queue only when it is asked for again meanwhile, or soon after it has left. A
/// scan flushes the small queue alone. Measured against LRU by tests/bench/bench_cache.cpp.
class ResultCache
{
public:
    /// Below 1 KiB nothing is kept.
    explicit ResultCache(std::size_t maxBytes);
    ~ResultCache();

    /// `contextDigest` stands for everything beside model and text on which the scores depend,
    /// `modelDigest` for the model: digestOf(model.hash()), or 0 where a cache serves one model.
    std::optional<Scores> find(
        std::string_view normalised, std::uint64_t contextDigest, std::uint64_t modelDigest = 0);
    /// Passed over when it is there already, or larger than the small queue of a shard (some 9 % of
    /// `maxBytes` / 16, but at least 5 KiB where there are 64 KiB).
    void insert(std::string_view normalised, std::uint64_t contextDigest, const Scores& scores,
        std::uint64_t modelDigest = 0);
    CacheStatistics statistics() const;

    /// 64 bits that stand for a text in this process: of a model's hash, of a context.
    static std::uint64_t digestOf(std::string_view text);

private:
    class Shard;
    struct Key;
    Shard& shardOf(const Key& key) const;

    std::vector<std::unique_ptr<Shard>> m_shards; ///< none, or a power of two
};

} // namespace sluice
