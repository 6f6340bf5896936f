#pragma once

#include "engine/classification/context/rediscommands.h"

#include <boost/asio/io_context.hpp>
#include <memory>

namespace sluice {

struct RedisSettings
{
    RedisAddress address;
    /// Tried in turn, after `address`, where a connection is refused or lost: any node of a cluster
    /// passes on what is published.
    std::vector<RedisAddress> others;
    std::string user; ///< ACL user; empty: no AUTH
    std::string password;
    std::string clientName = "sluiced"; ///< CLIENT SETNAME
    CircuitBreaker::Settings breaker;
    std::chrono::milliseconds probe{20}; ///< a PING answered so soon closes the breaker
};

/// One asynchronous, pipelined connection to Redis on an Asio event loop (hiredis): what is asked
/// in one turn of the loop goes out in one write. Reconnects by itself with growing, jittered
/// pauses (50 ms to 2 s). Commands that are not answered in time open a circuit breaker, which a
/// PING probes. Works with hiredis 0.14 and 1.x.
class RedisConnection : public RedisCommands
{
public:
    using Message = std::function<void(const std::string& channel, const std::string& payload)>;

    RedisConnection(boost::asio::io_context& loop, RedisSettings settings);
    /// Answers everything that is still open with Unreachable.
    ~RedisConnection() override;
    RedisConnection(const RedisConnection&) = delete;
    RedisConnection& operator=(const RedisConnection&) = delete;

    void start() override;
    bool isConnected() const override; ///< and authenticated
    CircuitBreaker::State circuit() const override;
    const std::string& lastError() const; ///< why it is not

    void command(const std::vector<std::string>& arguments, std::chrono::milliseconds timeout,
        Replied replied) override;

    /// Goes to another server from now on; what is open is answered with Unreachable.
    void moveTo(const RedisAddress& address);

    /// Subscribes, now and after every reconnect; what is published in between is missed. A
    /// connection that subscribes takes no further commands.
    void subscribe(std::string channel, Message message);

    class State; ///< what hiredis' callbacks share with it

private:
    std::shared_ptr<State> m_state;
};

} // namespace sluice
