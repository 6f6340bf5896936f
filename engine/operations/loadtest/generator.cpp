#include "engine/operations/loadtest/generator.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <deque>
#include <numeric>
#include <random>
#include <set>
#include <sys/socket.h>

namespace sluice::ops {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;
using Clock = std::chrono::steady_clock;
using tcp = asio::ip::tcp;

namespace {

constexpr std::chrono::seconds requestTimeout{10};
constexpr std::chrono::milliseconds stopPatience{500};
constexpr std::size_t maxWaiting = 200000; ///< requests that wait for a connection

std::int64_t nanoseconds(Clock::duration duration)
{
    return std::chrono::duration_cast<std::chrono::nanoseconds>(duration).count();
}

std::string errorKind(const error_code& code)
{
    if (code == beast::error::timeout) {
        return "timeout";
    }
    if (code == asio::error::connection_refused) {
        return "connection refused";
    }
    if (code == asio::error::connection_reset || code == http::error::end_of_stream
        || code == asio::error::eof || code == http::error::partial_message
        || code == asio::error::broken_pipe) {
        return "connection closed";
    }
    return code.message();
}

/// A request that has its time, its user and its text.
struct Task
{
    Clock::time_point intended;
    int user = 0;
    std::size_t query = 0;
};

} // namespace

class Generator::Loop
{
public:
    explicit Loop(GeneratorPlan plan)
        : m_plan(std::move(plan))
        , m_endpoint(asio::ip::make_address(m_plan.host), m_plan.port)
        , m_random(m_plan.seed)
        , m_schedule(m_io)
        , m_second(m_io)
        , m_patience(m_io)
    {
        m_total = std::int64_t(std::floor(m_plan.requestsPerSecond * m_plan.seconds));
        m_order.resize(std::size_t(m_plan.users));
        std::iota(m_order.begin(), m_order.end(), 0);
        m_hostHeader = m_plan.host + ":" + std::to_string(m_plan.port);
        m_prefix = "load-" + std::to_string(m_random() % 1000000U) + "-";
    }

    void run(OnSecond onSecond, const OnEnd& onEnd)
    {
        m_onSecond = std::move(onSecond);
        m_begin = Clock::now() + std::chrono::milliseconds(20);
        m_next = taskAt(0);
        waitForNext();
        waitForSecond();
        m_io.run();
        m_result.elapsedSeconds = double(nanoseconds(Clock::now() - m_begin)) / 1e9;
        onEnd(std::move(m_result));
    }

    void stop()
    {
        asio::post(m_io, [this] {
            m_stopped = true;
            m_schedule.cancel();
            m_waiting.clear();
            endWhenIdle(stopPatience);
        });
    }

private:
    /// One keep-alive connection and the request on it.
    struct Wire : std::enable_shared_from_this<Wire>
    {
        explicit Wire(asio::io_context& io)
            : stream(io)
        { }
        beast::tcp_stream stream;
        beast::flat_buffer buffer;
        http::request<http::string_body> request;
        http::response<http::string_body> response;
        Task task;
        Clock::time_point sent;
    };

    Task taskAt(std::int64_t index)
    {
        const std::size_t place = std::size_t(index % m_plan.users);
        if (place == 0) {
            for (std::size_t at = m_order.size(); at > 1; --at) {
                std::swap(m_order[at - 1], m_order[std::size_t(m_random() % at)]);
            }
        }
        const double jitter = double(m_random() >> 11U) * 0x1p-53;
        const double seconds = (double(index) + jitter) / m_plan.requestsPerSecond;
        return {m_begin
                + std::chrono::duration_cast<Clock::duration>(
                    std::chrono::duration<double>(seconds)),
            m_order[place], std::size_t(m_random() % m_plan.queries.size())};
    }

    void waitForNext()
    {
        if (m_stopped) {
            return;
        }
        if (m_index >= m_total) {
            m_allScheduled = true;
            endWhenIdle(requestTimeout + std::chrono::seconds(1));
            return;
        }
        m_schedule.expires_at(m_next.intended);
        m_schedule.async_wait([this](const error_code& code) {
            if (code) {
                return;
            }
            const Clock::time_point now = Clock::now();
            while (m_index < m_total && m_next.intended <= now) {
                m_result.startLag.add(nanoseconds(now - m_next.intended));
                ++m_result.scheduled;
                ++m_current.scheduled;
                begin(m_next);
                if (++m_index < m_total) {
                    m_next = taskAt(m_index);
                }
            }
            waitForNext();
        });
    }

    void begin(const Task& task)
    {
        while (!m_idle.empty()) {
            std::shared_ptr<Wire> wire = std::move(m_idle.back());
            m_idle.pop_back();
            if (isOpen(*wire)) {
                send(wire, task);
                return;
            }
            m_wires.erase(wire);
        }
        if (int(m_wires.size()) < m_plan.maxConnections) {
            connect(task);
        } else if (m_waiting.size() < maxWaiting) {
            m_waiting.push_back(task);
        } else {
            count("generator queue full");
        }
    }

    /// Whether the server has closed a connection that lay idle.
    static bool isOpen(Wire& wire)
    {
        char byte = 0;
        const ssize_t got =
            ::recv(wire.stream.socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
        return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    }

    void connect(const Task& task)
    {
        auto wire = std::make_shared<Wire>(m_io);
        m_wires.insert(wire);
        wire->task = task;
        ++m_inFlight;
        wire->stream.expires_after(requestTimeout);
        wire->stream.async_connect(m_endpoint, [this, wire](const error_code& code) {
            --m_inFlight;
            if (code) {
                failed(wire, errorKind(code));
                return;
            }
            error_code ignored;
            wire->stream.socket().set_option(tcp::no_delay(true), ignored);
            send(wire, wire->task);
        });
    }

    void send(const std::shared_ptr<Wire>& wire, const Task& task)
    {
        wire->task = task;
        wire->request = {};
        wire->request.method(http::verb::post);
        wire->request.target("/v1/classify");
        wire->request.version(11);
        wire->request.set(http::field::host, m_hostHeader);
        wire->request.set(http::field::content_type, "application/json");
        wire->request.set("X-Session-Id", m_prefix + std::to_string(task.user));
        wire->request.body() =
            boost::json::serialize(boost::json::object{{"text", m_plan.queries[task.query]}});
        wire->request.prepare_payload();
        wire->response = {};
        wire->sent = Clock::now();
        ++m_inFlight;
        ++m_result.sent;
        wire->stream.expires_after(requestTimeout);
        http::async_write(
            wire->stream, wire->request, [this, wire](const error_code& code, std::size_t) {
                if (code) {
                    --m_inFlight;
                    failed(wire, errorKind(code));
                    return;
                }
                http::async_read(wire->stream, wire->buffer, wire->response,
                    [this, wire](const error_code& failure, std::size_t) {
                        --m_inFlight;
                        if (failure) {
                            failed(wire, errorKind(failure));
                        } else {
                            answered(wire);
                        }
                    });
            });
    }

    void answered(const std::shared_ptr<Wire>& wire)
    {
        const Clock::time_point now = Clock::now();
        const std::int64_t corrected = nanoseconds(now - wire->task.intended);
        m_result.corrected.add(corrected);
        m_result.uncorrected.add(nanoseconds(now - wire->sent));
        m_current.corrected.add(corrected);
        ++m_current.completed;
        if (wire->response.result_int() == 200) {
            ++m_result.succeeded;
        } else {
            count("status " + std::to_string(wire->response.result_int()));
        }
        if (m_stopped || !wire->response.keep_alive()) {
            m_wires.erase(wire);
        } else if (!m_waiting.empty()) {
            const Task task = m_waiting.front();
            m_waiting.pop_front();
            send(wire, task);
            return;
        } else {
            wire->stream.expires_never();
            m_idle.push_back(wire);
        }
        endIfIdle();
    }

    void failed(const std::shared_ptr<Wire>& wire, const std::string& kind)
    {
        if (!m_cut) {
            count(kind);
            // A request without an answer cost its user at least the time until it was given up.
            const std::int64_t corrected = nanoseconds(Clock::now() - wire->task.intended);
            m_result.corrected.add(corrected);
            m_current.corrected.add(corrected);
        }
        m_wires.erase(wire);
        if (!m_waiting.empty() && !m_stopped) {
            const Task task = m_waiting.front();
            m_waiting.pop_front();
            connect(task);
            return;
        }
        endIfIdle();
    }

    void count(const std::string& kind)
    {
        ++m_result.errors[kind];
        ++m_current.errors;
    }

    void waitForSecond()
    {
        m_second.expires_at(m_begin + std::chrono::seconds(m_current.second + 1));
        m_second.async_wait([this](const error_code& code) {
            if (!code) {
                endSecond();
                waitForSecond();
            }
        });
    }

    void endSecond()
    {
        m_current.inFlight = int(m_inFlight + m_waiting.size());
        const int next = m_current.second + 1;
        m_onSecond(std::exchange(m_current, GeneratorSecond()));
        m_current.second = next;
    }

    void endWhenIdle(Clock::duration patience)
    {
        if (endIfIdle()) {
            return;
        }
        m_patience.expires_after(patience);
        m_patience.async_wait([this](const error_code& code) {
            if (!code) {
                m_cut = true;
                end();
            }
        });
    }

    bool endIfIdle()
    {
        const bool over = (m_allScheduled || m_stopped) && m_inFlight == 0 && m_waiting.empty();
        if (over) {
            end();
        }
        return over;
    }

    void end()
    {
        m_result.completed = m_allScheduled && !m_stopped;
        if (m_current.scheduled > 0 || m_current.completed > 0 || m_current.errors > 0) {
            endSecond();
        }
        m_io.stop();
    }

    GeneratorPlan m_plan;
    asio::io_context m_io{1};
    tcp::endpoint m_endpoint;
    std::mt19937_64 m_random;
    asio::steady_timer m_schedule;
    asio::steady_timer m_second;
    asio::steady_timer m_patience;
    OnSecond m_onSecond;
    std::string m_hostHeader;
    std::string m_prefix;
    std::vector<int> m_order;
    Clock::time_point m_begin;
    std::int64_t m_total = 0;
    std::int64_t m_index = 0;
    Task m_next;
    std::set<std::shared_ptr<Wire>> m_wires;
    std::vector<std::shared_ptr<Wire>> m_idle; ///< last in, first out: few connections stay warm
    std::deque<Task> m_waiting;
    std::size_t m_inFlight = 0;
    GeneratorSecond m_current;
    GeneratorResult m_result;
    bool m_allScheduled = false;
    bool m_stopped = false;
    bool m_cut = false;
};

Generator::Generator(GeneratorPlan plan)
    : m_loop(std::make_unique<Loop>(std::move(plan)))
{ }

Generator::~Generator()
{
    stop();
    if (m_thread.joinable()) {
        m_thread.join();
    }
}

void Generator::start(OnSecond onSecond, OnEnd onEnd)
{
    m_thread =
        std::thread([this, onSecond = std::move(onSecond), onEnd = std::move(onEnd)]() mutable {
            m_loop->run(std::move(onSecond), onEnd);
        });
}

void Generator::stop()
{
    m_loop->stop();
}

} // namespace sluice::ops
