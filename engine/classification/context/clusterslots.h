#pragma once

#include "engine/classification/context/rediscommands.h"

#include <optional>

// What the Redis Cluster specification says of slots and redirections (redis.io/docs/reference/
// cluster-spec), apart from any connection.
namespace sluice {

inline constexpr std::size_t clusterSlotCount = 16384;

/// CRC16 (XMODEM) of the key modulo 16384; of what stands between its first `{` and the next `}`
/// when that is not empty (the hash tag).
std::size_t clusterSlotOf(std::string_view key);

/// Slots first to last, both included, and the master that serves them.
struct ClusterRange
{
    std::size_t first = 0;
    std::size_t last = 0;
    RedisAddress master;

    bool operator==(const ClusterRange&) const = default;
};

/// The reply to CLUSTER SLOTS. A node that does not say its host is reached where `asked` was.
/// Input error when it is not such a reply.
Result<std::vector<ClusterRange>> clusterRangesOf(
    const RedisValue& reply, const RedisAddress& asked);

struct ClusterRedirection
{
    bool ask = false; ///< for this command only, behind ASKING; else MOVED: from now on
    std::size_t slot = 0;
    RedisAddress target;
};

/// What an error reply of the node at `asked` redirects to; nothing when it is no redirection.
std::optional<ClusterRedirection> clusterRedirectionOf(
    std::string_view error, const RedisAddress& asked);

} // namespace sluice
