#pragma once

#include "engine/classification/model/model.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace sluice {

struct CacheStatistics
{
    std::uint64_t hits = 0;
    std::uint64_t misses = 0;
    std::uint64_t evictions = 0;
    std::size_t entries = 0;
    std::size_t bytes = 0;
};

/// A sharded, byte-bounded LRU cache of scores by normalised text and context digest. Scores, not
/// decisions: thresholds are applied after it, so publishing a set empties nothing. Safe from any
/// thread.
class ResultCache
{
public:
    explicit ResultCache(std::size_t maxBytes);
    ~ResultCache();

    std::optional<Scores> find(std::string_view normalised, std::uint64_t contextDigest);
    void insert(std::string_view normalised, std::uint64_t contextDigest, const Scores& scores);
    CacheStatistics statistics() const;

private:
    struct Shard;
    std::unique_ptr<Shard[]> m_shards;
    std::size_t m_maxBytesPerShard = 0;
};

} // namespace sluice
