#pragma once

#include "engine/classification/context/redisconnection.h"

namespace sluice {

/// The master that Redis Sentinel names, followed when it changes: told at once by the sentinels'
/// channel `+switch-master`, asked each second, and asked when a server says that it is a replica
/// (READONLY). Sentinels are tried in turn. Not thread-safe.
///
/// What was sent to a master that is gone is answered with Unreachable: it may have run.
class RedisSentinel : public RedisCommands
{
public:
    struct Settings
    {
        std::string master; ///< name under which the sentinels watch it
        RedisSettings sentinels; ///< where they are, and who is asked as
        RedisSettings servers; ///< user, password and name for the master; its address is learnt
    };
    using Moved = std::function<void(const RedisAddress& master)>;

    /// `moved`: called whenever the master is another one, also the first time; may be empty.
    RedisSentinel(boost::asio::io_context& loop, const Settings& settings, Moved moved = {});
    /// Answers everything that is still open with Unreachable.
    ~RedisSentinel() override;
    RedisSentinel(const RedisSentinel&) = delete;
    RedisSentinel& operator=(const RedisSentinel&) = delete;

    void start() override;
    bool isConnected() const override; ///< to the master
    CircuitBreaker::State circuit() const override;
    void command(const std::vector<std::string>& arguments, std::chrono::milliseconds timeout,
        Replied replied) override;

    class State;

private:
    std::shared_ptr<State> m_state;
};

} // namespace sluice
