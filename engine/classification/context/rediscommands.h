#pragma once

#include "engine/base/result.h"
#include "engine/classification/context/circuitbreaker.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace sluice {

struct RedisAddress
{
    std::string host = "127.0.0.1"; ///< an address; a name is looked up with the loop waiting
    std::uint16_t port = 0;

    bool operator==(const RedisAddress&) const = default;
    bool operator<(const RedisAddress& other) const
    {
        return std::tie(host, port) < std::tie(other.host, other.port);
    }

    std::string text() const { return host + ":" + std::to_string(port); }
    /// "host:port"; the port is behind the last colon, so that IPv6 needs no brackets. Input error
    /// saying what was expected.
    static Result<RedisAddress> parse(std::string_view text);
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

/// Where commands go to: one server (RedisConnection), or several (RedisCluster). Asynchronous, and
/// not thread-safe: everything happens on the thread that runs the event loop.
class RedisCommands
{
public:
    using Replied = std::function<void(Result<RedisValue>)>;

    virtual ~RedisCommands() = default;

    /// Begins to connect, and goes on until destroyed.
    virtual void start() = 0;
    virtual bool isConnected() const = 0; ///< whether a command has a chance now
    /// Of several servers the worst. While it is not closed, commands are answered with Unreachable
    /// before command() returns.
    virtual CircuitBreaker::State circuit() const = 0;

    /// Sends a command; `replied` is called exactly once: with the reply, with Refused (an error
    /// reply, its text the message), or with Unreachable after `timeout`, when the connection is
    /// lost, or, before command() returns, when there is none. Redis may have run a command that
    /// was answered with Unreachable.
    virtual void command(const std::vector<std::string>& arguments,
        std::chrono::milliseconds timeout, Replied replied) = 0;
};

} // namespace sluice
