#include "engine/classification/context/redisconnection.h"

#include "engine/classification/context/hiredisadapter.h"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <hiredis/async.h>
#include <queue>
#include <random>

namespace sluice {

namespace {

using Clock = std::chrono::steady_clock;
using boost::system::error_code;
namespace asio = boost::asio;

constexpr std::chrono::milliseconds connectTimeout{2000};
constexpr std::chrono::milliseconds shortestPause{50};
constexpr std::chrono::milliseconds longestPause{2000};
constexpr std::size_t maxUnanswered = 65536; ///< a bound on what may wait for an answer
/// A server that owes answers and sends nothing for so long is hung up on: what it owes grows.
constexpr std::chrono::milliseconds longestSilence{2000};

RedisValue valueOf(const redisReply& reply)
{
    RedisValue value;
    switch (reply.type) {
    case REDIS_REPLY_INTEGER:
        value.type = RedisValue::Type::Integer;
        value.integer = reply.integer;
        break;
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
    case REDIS_REPLY_ERROR:
        value.type = RedisValue::Type::String;
        value.text.assign(reply.str, std::size_t(reply.len));
        break;
    case REDIS_REPLY_ARRAY:
        value.type = RedisValue::Type::Array;
        for (std::size_t index = 0; index < reply.elements; ++index) {
            value.items.push_back(valueOf(*reply.element[index]));
        }
        break;
    default:
        break;
    }
    return value;
}

} // namespace

/// Lives as long as the connection or one of the waits that Asio still holds.
class RedisConnection::State : public std::enable_shared_from_this<State>
{
public:
    State(asio::io_context& loop, RedisSettings settings)
        : m_loop(loop)
        , m_settings(std::move(settings))
        , m_retry(loop)
        , m_deadline(loop)
        , m_probe(loop)
        , m_pause(shortestPause)
        , m_breaker(m_settings.breaker)
    { }

    void start()
    {
        m_started = true;
        if (!m_closed && m_context == nullptr) {
            connect();
        }
    }

    void close()
    {
        m_closed = true;
        m_retry.cancel();
        m_deadline.cancel();
        m_probe.cancel();
        drop("the connection was closed");
        failPending("the connection was closed");
    }

    void moveTo(const RedisAddress& address)
    {
        m_settings.address = address;
        m_pause = shortestPause;
        if (m_started && !m_closed) {
            drop("moved to " + address.text());
            failPending("moved to " + address.text());
            m_retry.cancel();
            connect();
        }
    }

    CircuitBreaker::State circuit() const { return m_breaker.state(); }

    bool isConnected() const { return m_ready; }
    const std::string& lastError() const { return m_lastError; }

    void command(const std::vector<std::string>& arguments, std::chrono::milliseconds timeout,
        Replied replied)
    {
        if (!m_ready) {
            replied(unreachableError(where() + " is not connected", m_lastError));
            return;
        }
        if (!m_breaker.isClosed()) {
            replied(unreachableError(where() + " is not asked: it did not answer in time lately"));
            return;
        }
        send(arguments, timeout, std::move(replied), true);
    }

    void subscribe(std::string channel, Message message)
    {
        m_channel = std::move(channel);
        m_message = std::move(message);
        if (m_ready) {
            sendSubscribe();
        }
    }

private:
    /// A command that was sent and not answered.
    struct Sent
    {
        Replied replied; ///< empty: nobody waits any more
        bool counts = false; ///< for the breaker
    };
    struct Deadline
    {
        Clock::time_point at;
        std::uint64_t id;
        bool operator<(const Deadline& other) const { return at > other.at; } ///< soonest on top
    };

    std::string where() const { return "Redis at " + m_settings.address.text(); }

    /// After a failure: the next address in turn, where there is more than one.
    void turnToNext()
    {
        if (!m_settings.others.empty()) {
            m_settings.others.push_back(
                std::exchange(m_settings.address, m_settings.others.front()));
            m_settings.others.erase(m_settings.others.begin());
        }
    }

    void connect()
    {
        m_context = redisAsyncConnect(m_settings.address.host.c_str(), m_settings.address.port);
        if (m_context == nullptr || m_context->err != 0) {
            m_lastError = m_context == nullptr ? "out of memory" : m_context->errstr;
            if (m_context != nullptr) {
                redisAsyncFree(std::exchange(m_context, nullptr));
            }
            retryLater();
            return;
        }
        HiredisAdapter::attach(m_loop, m_context);
        m_context->data = this;
        redisAsyncSetConnectCallback(m_context, [](const redisAsyncContext* context, int status) {
            static_cast<State*>(context->data)->onConnect(status);
        });
        redisAsyncSetDisconnectCallback(m_context, [](const redisAsyncContext* context, int) {
            static_cast<State*>(context->data)->onDisconnect(context->errstr);
        });
        m_connectBy = Clock::now() + connectTimeout;
        armDeadline();
    }

    void onConnect(int status)
    {
        if (status != REDIS_OK) {
            // hiredis frees the context after this callback.
            const std::string reason = m_context->errstr;
            m_context = nullptr;
            lost(reason);
            return;
        }
        const auto named = [this](const Result<RedisValue>& reply) {
            if (!reply) {
                refuseConnection(reply.error().text());
                return;
            }
            m_ready = true;
            m_connectBy = {};
            m_lastError.clear();
            m_breaker.reset();
            if (m_channel.empty()) {
                m_pause = shortestPause;
            } else {
                sendSubscribe(); // may be refused: the pause is short again once it is confirmed
            }
        };
        const auto name = [this, named] {
            send({"CLIENT", "SETNAME", m_settings.clientName}, connectTimeout, named);
        };
        if (m_settings.user.empty()) {
            name();
            return;
        }
        send({"AUTH", m_settings.user, m_settings.password}, connectTimeout,
            [this, name](const Result<RedisValue>& reply) {
                if (!reply) {
                    refuseConnection(reply.error().text());
                    return;
                }
                name();
            });
    }

    void refuseConnection(const std::string& reason)
    {
        if (m_context != nullptr && !m_closed) {
            m_lastError = reason;
            m_refused = reason;
            redisAsyncDisconnect(m_context);
        }
    }

    void onDisconnect(const char* reason)
    {
        m_context = nullptr;
        lost(m_refused.empty() ? std::string(reason == nullptr ? "" : reason) : m_refused);
        m_refused.clear();
    }

    void lost(const std::string& reason)
    {
        m_ready = false;
        m_connectBy = {};
        m_lastError = reason.empty() ? "the server closed the connection" : reason;
        failPending(m_lastError);
        retryLater();
    }

    /// Ends the connection now; hiredis answers what is open with null replies.
    void drop(const std::string& reason)
    {
        m_ready = false;
        m_connectBy = {};
        m_lastError = reason;
        if (m_context != nullptr) {
            redisAsyncContext* context = std::exchange(m_context, nullptr);
            redisAsyncSetDisconnectCallbackNone(context);
            redisAsyncFree(context);
        }
    }

    static void redisAsyncSetDisconnectCallbackNone(redisAsyncContext* context)
    {
        context->onDisconnect = nullptr;
    }

    void retryLater()
    {
        if (m_closed) {
            return;
        }
        turnToNext();
        std::uniform_real_distribution<double> jitter(0.5, 1.0);
        m_retry.expires_after(std::chrono::milliseconds(
            std::int64_t(double(m_pause.count()) * jitter(m_random)) + 1));
        m_pause = std::min(m_pause * 2, longestPause);
        m_retry.async_wait([weak = weak_from_this()](const error_code& code) {
            const auto self = weak.lock();
            if (!code && self && !self->m_closed && self->m_context == nullptr) {
                self->connect();
            }
        });
    }

    void send(const std::vector<std::string>& arguments, std::chrono::milliseconds timeout,
        Replied replied, bool counts = false)
    {
        if (m_sent.size() >= maxUnanswered) {
            replied(
                unreachableError(where() + " answers too slowly: too many commands are waiting"));
            return;
        }
        m_texts.clear();
        m_sizes.clear();
        for (const std::string& argument : arguments) {
            m_texts.push_back(argument.data());
            m_sizes.push_back(argument.size());
        }
        const int status = redisAsyncCommandArgv(
            m_context,
            [](redisAsyncContext* context, void* reply, void*) {
                static_cast<State*>(context->data)->onReply(static_cast<const redisReply*>(reply));
            },
            nullptr, int(m_texts.size()), m_texts.data(), m_sizes.data());
        if (status != REDIS_OK) {
            replied(unreachableError(where() + " could not be asked", m_context->errstr));
            return;
        }
        const Clock::time_point now = Clock::now();
        if (m_sent.empty()) {
            m_silentSince = now;
        }
        m_deadlines.push({now + timeout, m_firstSent + m_sent.size()});
        m_sent.push_back({std::move(replied), counts});
        armDeadline();
    }

    /// hiredis calls back in the order of the commands; without a reply when it frees a connection.
    void onReply(const redisReply* reply)
    {
        if (m_sent.empty()) {
            return; // of a connection that is given up
        }
        const Sent sent = std::move(m_sent.front());
        m_sent.pop_front();
        ++m_firstSent;
        if (reply == nullptr) {
            if (sent.replied) {
                sent.replied(
                    unreachableError(where() + " was lost while it was asked", m_lastError));
            }
            return;
        }
        m_silentSince = Clock::now();
        if (!sent.replied) {
            return; // it came too late
        }
        if (sent.counts) {
            m_breaker.succeeded(m_silentSince);
        }
        if (reply->type == REDIS_REPLY_ERROR) {
            sent.replied(refusedError(std::string(reply->str, std::size_t(reply->len))));
        } else {
            sent.replied(valueOf(*reply));
        }
    }

    /// Whether somebody still waits for the command.
    bool isOpen(std::uint64_t id) const
    {
        return id >= m_firstSent && bool(m_sent[std::size_t(id - m_firstSent)].replied);
    }

    void failPending(const std::string& reason)
    {
        m_deadlines = {};
        m_firstSent += m_sent.size();
        for (const Sent& sent : std::exchange(m_sent, {})) {
            if (sent.replied) {
                sent.replied(unreachableError(where() + " was lost", reason));
            }
        }
    }

    void sendSubscribe()
    {
        redisAsyncCommand(
            m_context,
            [](redisAsyncContext* context, void* raw, void*) {
                const auto* reply = static_cast<const redisReply*>(raw);
                if (reply != nullptr && reply->type == REDIS_REPLY_ARRAY) {
                    static_cast<State*>(context->data)->onPublished(valueOf(*reply));
                } else if (reply != nullptr && reply->type == REDIS_REPLY_ERROR) {
                    static_cast<State*>(context->data)
                        ->refuseConnection(std::string(reply->str, std::size_t(reply->len)));
                }
            },
            nullptr, "SUBSCRIBE %b", m_channel.data(), m_channel.size());
    }

    void onPublished(const RedisValue& event)
    {
        if (event.items.size() != 3) {
            return;
        }
        if (event.items[0].text == "subscribe") {
            m_pause = shortestPause;
        } else if (event.items[0].text == "message") {
            const Message message = m_message; // which may subscribe anew
            message(event.items[1].text, event.items[2].text);
        }
    }

    /// One timer for all deadlines: waits for the earliest.
    void armDeadline()
    {
        while (!m_deadlines.empty() && !isOpen(m_deadlines.top().id)) {
            m_deadlines.pop();
        }
        Clock::time_point next = m_connectBy;
        if (!m_deadlines.empty() && (next == Clock::time_point() || m_deadlines.top().at < next)) {
            next = m_deadlines.top().at;
        }
        if (m_closed || next == Clock::time_point()
            || (m_armedFor != Clock::time_point() && m_armedFor <= next)) {
            return;
        }
        m_armedFor = next;
        m_deadline.expires_at(next);
        m_deadline.async_wait([weak = weak_from_this()](const error_code& code) {
            const auto self = weak.lock();
            if (!code && self && !self->m_closed) {
                self->m_armedFor = {};
                self->onDeadline();
            }
        });
    }

    void onDeadline()
    {
        const Clock::time_point now = Clock::now();
        bool late = false;
        while (!m_deadlines.empty() && m_deadlines.top().at <= now) {
            const std::uint64_t id = m_deadlines.top().id;
            m_deadlines.pop();
            if (!isOpen(id)) {
                continue;
            }
            late = true;
            Sent& sent = m_sent[std::size_t(id - m_firstSent)];
            if (sent.counts) {
                failed(now);
            }
            std::exchange(sent.replied, nullptr)(
                unreachableError(where() + " did not answer in time"));
        }
        const bool silent = late && !m_sent.empty() && now - m_silentSince >= longestSilence;
        if (silent || (m_connectBy != Clock::time_point() && now >= m_connectBy)) {
            drop("it did not answer in time");
            lost("it did not answer in time");
        }
        armDeadline();
    }

    void failed(Clock::time_point now)
    {
        const bool wasOpen = m_breaker.state() == CircuitBreaker::State::Open;
        m_breaker.failed(now);
        if (!wasOpen && m_breaker.state() == CircuitBreaker::State::Open) {
            m_probe.expires_at(m_breaker.probeAt());
            m_probe.async_wait([weak = weak_from_this()](const error_code& code) {
                const auto self = weak.lock();
                if (!code && self && !self->m_closed) {
                    self->probe();
                }
            });
        }
    }

    void probe()
    {
        if (m_ready && m_breaker.takeProbe(Clock::now())) {
            send({"PING"}, m_settings.probe, [this](const Result<RedisValue>& reply) {
                if (reply) {
                    m_breaker.succeeded(Clock::now());
                } else {
                    failed(Clock::now());
                }
            });
        }
    }

    asio::io_context& m_loop;
    RedisSettings m_settings;
    asio::steady_timer m_retry;
    asio::steady_timer m_deadline;
    asio::steady_timer m_probe;
    std::chrono::milliseconds m_pause;
    CircuitBreaker m_breaker;
    std::minstd_rand m_random{std::random_device()()};
    redisAsyncContext* m_context = nullptr;
    std::deque<Sent> m_sent; ///< not answered yet, also where nobody waits any more
    std::uint64_t m_firstSent = 0; ///< number of the first of them
    std::priority_queue<Deadline> m_deadlines; ///< of m_sent, and of some that were answered
    std::vector<const char*> m_texts; ///< of the command being sent
    std::vector<std::size_t> m_sizes;
    Clock::time_point m_silentSince{}; ///< last answer, or when the first unanswered was sent
    Clock::time_point m_connectBy{};
    Clock::time_point m_armedFor{}; ///< when m_deadline fires; none: it is not armed
    std::string m_lastError = "it has not been connected yet";
    std::string m_refused;
    std::string m_channel;
    Message m_message;
    bool m_started = false;
    bool m_ready = false;
    bool m_closed = false;
};

RedisConnection::RedisConnection(asio::io_context& loop, RedisSettings settings)
    : m_state(std::make_shared<State>(loop, std::move(settings)))
{ }

RedisConnection::~RedisConnection()
{
    m_state->close();
}

void RedisConnection::start()
{
    m_state->start();
}

bool RedisConnection::isConnected() const
{
    return m_state->isConnected();
}

const std::string& RedisConnection::lastError() const
{
    return m_state->lastError();
}

void RedisConnection::command(
    const std::vector<std::string>& arguments, std::chrono::milliseconds timeout, Replied replied)
{
    m_state->command(arguments, timeout, std::move(replied));
}

CircuitBreaker::State RedisConnection::circuit() const
{
    return m_state->circuit();
}

void RedisConnection::moveTo(const RedisAddress& address)
{
    const auto kept = m_state; // those who are answered may destroy this
    kept->moveTo(address);
}

void RedisConnection::subscribe(std::string channel, Message message)
{
    m_state->subscribe(std::move(channel), std::move(message));
}

} // namespace sluice
