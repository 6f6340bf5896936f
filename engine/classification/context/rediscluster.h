#pragma once

#include "engine/classification/context/redisconnection.h"

namespace sluice {

/// A Redis Cluster on an Asio event loop: one RedisConnection a node that is needed, a map of the
/// slots learnt from any node that answers (CLUSTER SLOTS, so from Redis 3 on), and the
/// redirections of the cluster specification. Not thread-safe.
///
/// - MOVED changes the map at once and has it learnt anew; ASK goes to its target behind ASKING,
///   in one round trip.
/// - TRYAGAIN, CLUSTERDOWN, LOADING, and a node that is not connected are tried again with growing
///   pauses (2 to 50 ms) within the command's time-out: a master that has failed is found to be
///   replaced when any other node says so.
/// - A node that stays away opens its circuit breaker, as one that does not answer does: commands
///   for it are then answered with Unreachable at once, but for a probe now and then.
/// - What was sent and not answered is never sent again: it may have run.
/// - The map is learnt at most ten times a second; at most 4,096 commands wait, at most 1,000 nodes
///   are known.
class RedisCluster : public RedisCommands
{
public:
    /// `settings`: user, password and name for every node; `settings.address` and `settings.others`
    /// are where the map is learnt at first.
    RedisCluster(boost::asio::io_context& loop, const RedisSettings& settings);
    /// Answers everything that is still open with Unreachable.
    ~RedisCluster() override;
    RedisCluster(const RedisCluster&) = delete;
    RedisCluster& operator=(const RedisCluster&) = delete;

    void start() override;
    /// Whether the map is known and one of its nodes is connected.
    bool isConnected() const override;
    CircuitBreaker::State circuit() const override;

    /// As RedisCommands says. The key that decides is the second argument; of EVAL and EVALSHA the
    /// fourth. Internal error where there is none.
    void command(const std::vector<std::string>& arguments, std::chrono::milliseconds timeout,
        Replied replied) override;

    class State; ///< what waits and replies share with it

private:
    std::shared_ptr<State> m_state;
};

} // namespace sluice
