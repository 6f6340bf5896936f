#include "engine/classification/context/redissentinel.h"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <charconv>
#include <optional>

namespace sluice {

namespace {

constexpr std::chrono::milliseconds pollInterval{1000};
constexpr std::chrono::milliseconds askTimeout{500};
constexpr const char* switchChannel = "+switch-master";

std::optional<RedisAddress> addressOf(std::string_view host, std::string_view port)
{
    RedisAddress address;
    address.host = host;
    const auto [end, code] = std::from_chars(port.data(), port.data() + port.size(), address.port);
    if (host.empty() || code != std::errc() || end != port.data() + port.size()) {
        return {};
    }
    return address;
}

/// "<name> <old host> <old port> <new host> <new port>": the new one, if it is of that name.
std::optional<RedisAddress> switchedTo(std::string_view payload, std::string_view name)
{
    std::vector<std::string_view> words;
    while (!payload.empty()) {
        const std::size_t end = std::min(payload.find(' '), payload.size());
        words.push_back(payload.substr(0, end));
        payload.remove_prefix(std::min(end + 1, payload.size()));
    }
    if (words.size() != 5 || words[0] != name) {
        return {};
    }
    return addressOf(words[3], words[4]);
}

} // namespace

class RedisSentinel::State : public std::enable_shared_from_this<State>
{
public:
    State(boost::asio::io_context& loop, const Settings& settings, Moved moved)
        : m_loop(loop)
        , m_name(settings.master)
        , m_moved(std::move(moved))
        , m_questions(loop, settings.sentinels)
        , m_messages(loop, settings.sentinels)
        , m_server(loop, settings.servers)
        , m_timer(loop)
    { }

    void start()
    {
        m_questions.start();
        m_messages.subscribe(switchChannel,
            [weak = weak_from_this()](const std::string&, const std::string& payload) {
                const auto self = weak.lock();
                const auto address = self ? switchedTo(payload, self->m_name) : std::nullopt;
                if (address) {
                    self->follow(*address);
                }
            });
        m_messages.start();
        tick();
    }

    void close()
    {
        m_closed = true;
        m_timer.cancel();
    }

    bool isConnected() const { return m_server.isConnected(); }
    CircuitBreaker::State circuit() const { return m_server.circuit(); }

    void command(const std::vector<std::string>& arguments, std::chrono::milliseconds timeout,
        Replied replied)
    {
        if (!m_master) {
            replied(unreachableError(
                "no sentinel has named the master " + m_name + " yet", m_questions.lastError()));
            return;
        }
        m_server.command(arguments, timeout,
            [weak = weak_from_this(), replied = std::move(replied)](Result<RedisValue> reply) {
                const auto self = weak.lock();
                if (self && !reply && reply.error().message.starts_with("READONLY")) {
                    self->ask(); // a master that has become a replica
                }
                replied(std::move(reply));
            });
    }

private:
    void tick()
    {
        ask();
        m_timer.expires_after(m_master ? pollInterval : pollInterval / 10);
        m_timer.async_wait([weak = weak_from_this()](const boost::system::error_code& code) {
            const auto self = weak.lock();
            if (!code && self && !self->m_closed) {
                self->tick();
            }
        });
    }

    void ask()
    {
        if (m_asking || m_closed || !m_questions.isConnected()) {
            return;
        }
        m_asking = true;
        m_questions.command({"SENTINEL", "GET-MASTER-ADDR-BY-NAME", m_name}, askTimeout,
            [weak = weak_from_this()](const Result<RedisValue>& reply) {
                const auto self = weak.lock();
                if (!self) {
                    return;
                }
                self->m_asking = false;
                if (reply && reply->items.size() == 2) {
                    if (const auto address =
                            addressOf(reply->items[0].text, reply->items[1].text)) {
                        self->follow(*address);
                    }
                }
            });
    }

    /// Later, as what asks may be a callback of the very connection that is to move.
    void follow(const RedisAddress& address)
    {
        boost::asio::post(m_loop, [weak = weak_from_this(), address] {
            const auto self = weak.lock();
            if (!self || self->m_closed || self->m_master == address) {
                return;
            }
            self->m_master = address;
            self->m_server.moveTo(address);
            self->m_server.start();
            if (self->m_moved) {
                self->m_moved(address);
            }
        });
    }

    boost::asio::io_context& m_loop;
    std::string m_name;
    Moved m_moved;
    RedisConnection m_questions;
    RedisConnection m_messages;
    RedisConnection m_server;
    boost::asio::steady_timer m_timer;
    std::optional<RedisAddress> m_master;
    bool m_asking = false;
    bool m_closed = false;
};

RedisSentinel::RedisSentinel(boost::asio::io_context& loop, const Settings& settings, Moved moved)
    : m_state(std::make_shared<State>(loop, settings, std::move(moved)))
{ }

RedisSentinel::~RedisSentinel()
{
    m_state->close();
}

void RedisSentinel::start()
{
    m_state->start();
}

bool RedisSentinel::isConnected() const
{
    return m_state->isConnected();
}

CircuitBreaker::State RedisSentinel::circuit() const
{
    return m_state->circuit();
}

void RedisSentinel::command(
    const std::vector<std::string>& arguments, std::chrono::milliseconds timeout, Replied replied)
{
    m_state->command(arguments, timeout, std::move(replied));
}

} // namespace sluice
