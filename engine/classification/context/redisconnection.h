#pragma once

#include "engine/base/result.h"

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace sluice {

struct RedisSettings
{
    std::string host = "127.0.0.1"; ///< an address; a name is looked up with the loop waiting
    std::uint16_t port = 0;
    std::string user; ///< ACL user; empty: no AUTH
    std::string password;
    std::string clientName = "sluiced"; ///< CLIENT SETNAME
};

/// A reply of Redis (RESP2), flat enough for what the worker asks.
struct RedisValue
{
    enum class Type
    {
        Nil,
        String, ///< also status replies
        Integer,
        Array
    };
    Type type = Type::Nil;
    std::string text;
    std::int64_t integer = 0;
    std::vector<RedisValue> items;

    bool isNil() const { return type == Type::Nil; }
};

/// One asynchronous, pipelined connection to Redis on an Asio event loop (hiredis). Not
/// thread-safe: everything happens on the thread that runs the loop. Reconnects by itself with
/// growing, jittered pauses (50 ms to 2 s). Works with hiredis 0.14 and 1.x.
class RedisConnection
{
public:
    using Replied = std::function<void(Result<RedisValue>)>;
    using Message = std::function<void(const std::string& channel, const std::string& payload)>;

    RedisConnection(boost::asio::io_context& loop, RedisSettings settings);
    /// Answers everything that is still open with Unreachable.
    ~RedisConnection();
    RedisConnection(const RedisConnection&) = delete;
    RedisConnection& operator=(const RedisConnection&) = delete;

    /// Begins to connect, and goes on until destroyed.
    void start();
    bool isConnected() const; ///< and authenticated
    const std::string& lastError() const; ///< why it is not

    /// Sends a command; `replied` is called exactly once: with the reply, with Refused (an error
    /// reply, its text the message), or with Unreachable after `timeout`, when the connection is
    /// lost, or, before command() returns, when there is none. Redis may have run a command that
    /// was answered with Unreachable.
    void command(const std::vector<std::string>& arguments, std::chrono::milliseconds timeout,
        Replied replied);

    /// Subscribes, now and after every reconnect; what is published in between is missed. A
    /// connection that subscribes takes no further commands.
    void subscribe(std::string channel, Message message);

    class State; ///< what hiredis' callbacks share with it

private:
    std::shared_ptr<State> m_state;
};

} // namespace sluice
