#include "engine/classification/context/rediscluster.h"

#include "engine/classification/context/clusterslots.h"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <map>

namespace sluice {

namespace {

using Clock = std::chrono::steady_clock;
using boost::system::error_code;
using std::chrono::milliseconds;

constexpr milliseconds learnInterval{100};
constexpr milliseconds learnTimeout{250};
constexpr milliseconds shortestPause{2};
constexpr milliseconds longestPause{50};
constexpr int redirectionsAtOnce = 3; ///< more come only while the cluster makes up its mind
constexpr std::size_t mostWaiting = 4096;
constexpr std::size_t mostNodes = 1000;
constexpr std::chrono::seconds idleLife{60}; ///< a node that serves nothing is kept so long

milliseconds until(Clock::time_point deadline)
{
    return std::chrono::duration_cast<milliseconds>(deadline - Clock::now());
}

const std::string* keyOf(const std::vector<std::string>& arguments)
{
    const bool isScript =
        !arguments.empty() && (arguments[0] == "EVAL" || arguments[0] == "EVALSHA");
    const std::size_t index = isScript ? 3 : 1;
    return index < arguments.size() ? &arguments[index] : nullptr;
}

} // namespace

class RedisCluster::State : public std::enable_shared_from_this<State>
{
public:
    State(boost::asio::io_context& loop, const RedisSettings& settings)
        : m_loop(loop)
        , m_settings(settings)
        , m_seeds(settings.others)
        , m_learnTimer(loop)
        , m_waitTimer(loop)
    {
        m_seeds.insert(m_seeds.begin(), settings.address);
        m_settings.others.clear();
    }

    void close()
    {
        m_closed = true;
        m_learnTimer.cancel();
        m_waitTimer.cancel();
        for (const auto& [when, request] : std::exchange(m_waiting, {})) {
            giveUp(*request, "the connection to the Redis Cluster was closed");
        }
        m_slots.clear();
        std::exchange(m_nodes, {}).clear(); // which answers what they were asked
    }

    bool isConnected() const
    {
        return !m_slots.empty()
            && std::any_of(m_nodes.begin(), m_nodes.end(),
                [](const auto& node) { return node.second->connection.isConnected(); });
    }

    CircuitBreaker::State circuit() const
    {
        auto worst = CircuitBreaker::State::Closed;
        for (const Node* node : m_slots) {
            if (node != nullptr) {
                worst = std::max({worst, node->connection.circuit(), node->absence.state()});
            }
        }
        return worst;
    }

    void command(const std::vector<std::string>& arguments, milliseconds timeout, Replied replied)
    {
        const std::string* key = keyOf(arguments);
        if (key == nullptr) {
            replied(internalError("a command without a key belongs to no node of a cluster"));
            return;
        }
        dispatch(std::make_shared<Request>(
            Request{arguments, clusterSlotOf(*key), Clock::now() + timeout, std::move(replied)}));
    }

    /// Has the map learnt, now or when it may be again; several wishes are one.
    void learnSoon()
    {
        if (m_learning || m_closed) {
            return;
        }
        m_learning = true;
        m_learnTimer.expires_at(m_learnt + learnInterval);
        m_learnTimer.async_wait([weak = weak_from_this()](const error_code& code) {
            const auto self = weak.lock();
            if (!code && self && !self->m_closed) {
                self->learn();
            }
        });
    }

private:
    struct Node
    {
        Node(boost::asio::io_context& loop, const RedisSettings& settings)
            : address(settings.address)
            , connection(loop, settings)
            , absence(settings.breaker)
        { }
        RedisAddress address;
        RedisConnection connection;
        CircuitBreaker absence; ///< commands that waited in vain for it to be connected
        Clock::time_point needed; ///< last time that the map or a redirection named it
    };

    struct Request
    {
        std::vector<std::string> arguments;
        std::size_t slot;
        Clock::time_point deadline;
        Replied replied;
        int redirections = 0;
        milliseconds pause = shortestPause;
        std::string reason{}; ///< why it has not been served yet
    };
    using RequestPointer = std::shared_ptr<Request>;

    /// The node there, connecting where it is new; nullptr where there are too many.
    Node* nodeAt(const RedisAddress& address)
    {
        auto found = m_nodes.find(address);
        if (found == m_nodes.end()) {
            if (m_nodes.size() >= mostNodes) {
                return nullptr;
            }
            RedisSettings settings = m_settings;
            settings.address = address;
            found = m_nodes.emplace(address, std::make_unique<Node>(m_loop, settings)).first;
            found->second->connection.start();
        }
        found->second->needed = Clock::now();
        return found->second.get();
    }

    void dispatch(const RequestPointer& request)
    {
        if (m_closed) {
            giveUp(*request, "the connection to the Redis Cluster was closed");
            return;
        }
        Node* node = m_slots.empty() ? nullptr : m_slots[request->slot];
        if (node != nullptr && node->connection.isConnected()) {
            node->absence.reset();
            send(*node, request, false);
            return;
        }
        learnSoon();
        if (node != nullptr && request->reason.empty() && !node->absence.isClosed()
            && !node->absence.takeProbe(Clock::now())) {
            giveUp(*request, node->address.text() + " is not connected");
            return;
        }
        later(request,
            node != nullptr       ? node->connection.lastError()
                : m_slots.empty() ? "its slots could not be learnt: " + m_lastError
                                  : "nobody serves the key's slot");
    }

    void send(Node& node, const RequestPointer& request, bool asking)
    {
        const auto left = until(request->deadline);
        if (asking) {
            node.connection.command({"ASKING"}, left, [](const Result<RedisValue>&) {});
        }
        node.connection.command(request->arguments, left,
            [weak = weak_from_this(), request, address = node.address](Result<RedisValue> reply) {
                if (const auto self = weak.lock()) {
                    self->onReply(request, address, std::move(reply));
                }
            });
    }

    void onReply(const RequestPointer& request, const RedisAddress& from, Result<RedisValue> reply)
    {
        if (reply || m_closed) {
            request->replied(std::move(reply));
            return;
        }
        const std::string& message = reply.error().message;
        if (reply.error().kind == ErrorKind::Unreachable) {
            learnSoon();
            request->replied(std::move(reply));
        } else if (const auto redirection = clusterRedirectionOf(message, from)) {
            redirect(request, *redirection, message);
        } else if (message.starts_with("CLUSTERDOWN") || message.starts_with("TRYAGAIN")
            || message.starts_with("LOADING")) {
            learnSoon();
            later(request, message);
        } else {
            request->replied(std::move(reply));
        }
    }

    void redirect(const RequestPointer& request, const ClusterRedirection& redirection,
        const std::string& message)
    {
        Node* target = nodeAt(redirection.target);
        if (!redirection.ask) {
            if (target != nullptr && !m_slots.empty()) {
                m_slots[redirection.slot] = target;
            }
            learnSoon();
        }
        const bool ready = target != nullptr && target->connection.isConnected();
        if (ready && ++request->redirections <= redirectionsAtOnce) {
            send(*target, request, redirection.ask);
        } else {
            later(request, message);
        }
    }

    /// Dispatches it again after a pause, while it has time.
    void later(const RequestPointer& request, std::string reason)
    {
        request->reason = std::move(reason);
        request->redirections = 0;
        if (m_waiting.size() >= mostWaiting) {
            giveUp(*request, "too many commands wait for the Redis Cluster");
            return;
        }
        const Clock::time_point next = Clock::now() + request->pause;
        request->pause = std::min(request->pause * 2, longestPause);
        m_waiting.emplace(std::min(next, request->deadline), request);
        armWait();
    }

    static void giveUp(const Request& request, std::string message)
    {
        request.replied(unreachableError(std::move(message), request.reason));
    }

    void armWait()
    {
        if (m_waiting.empty() || (m_armedFor && *m_armedFor <= m_waiting.begin()->first)) {
            return;
        }
        m_armedFor = m_waiting.begin()->first;
        m_waitTimer.expires_at(*m_armedFor);
        m_waitTimer.async_wait([weak = weak_from_this()](const error_code& code) {
            const auto self = weak.lock();
            if (!code && self && !self->m_closed) {
                self->m_armedFor.reset();
                self->onWaited();
            }
        });
    }

    void onWaited()
    {
        const Clock::time_point now = Clock::now();
        while (!m_waiting.empty() && m_waiting.begin()->first <= now) {
            const RequestPointer request = m_waiting.begin()->second;
            m_waiting.erase(m_waiting.begin());
            if (now >= request->deadline) {
                if (Node* node = m_slots.empty() ? nullptr : m_slots[request->slot]) {
                    node->absence.failed(now);
                }
                giveUp(*request, "the Redis Cluster did not answer in time");
            } else {
                dispatch(request);
            }
        }
        armWait();
    }

    /// Asks the connected nodes for the map in turn: one that hangs delays it by its time-out only.
    void learn()
    {
        m_learnt = Clock::now();
        m_learning = false;
        auto node = m_nodes.upper_bound(m_lastAsked);
        for (std::size_t tried = 0; tried < m_nodes.size(); ++tried, ++node) {
            node = node == m_nodes.end() ? m_nodes.begin() : node;
            if (node->second->connection.isConnected()) {
                break;
            }
        }
        if (node == m_nodes.end() || !node->second->connection.isConnected()) {
            for (const RedisAddress& seed : m_seeds) {
                if (const Node* asked = nodeAt(seed)) {
                    m_lastError = asked->address.text() + ": " + asked->connection.lastError();
                }
            }
            learnSoon();
            return;
        }
        m_learning = true;
        m_lastAsked = node->first;
        node->second->connection.command({"CLUSTER", "SLOTS"}, learnTimeout,
            [weak = weak_from_this(), asked = node->first](const Result<RedisValue>& reply) {
                const auto self = weak.lock();
                if (self && !self->m_closed) {
                    self->onMap(reply, asked);
                }
            });
    }

    void onMap(const Result<RedisValue>& reply, const RedisAddress& asked)
    {
        m_learning = false;
        auto ranges = reply ? clusterRangesOf(*reply, asked)
                            : Result<std::vector<ClusterRange>>(reply.error());
        if (ranges && ranges->empty()) {
            ranges = inputError(asked.text() + " knows of no slots");
        }
        if (!ranges) {
            m_lastError = ranges.error().text();
            learnSoon();
            return;
        }
        m_slots.assign(clusterSlotCount, nullptr);
        for (const ClusterRange& range : *ranges) {
            Node* node = nodeAt(range.master);
            std::fill(m_slots.begin() + std::ptrdiff_t(range.first),
                m_slots.begin() + std::ptrdiff_t(range.last) + 1, node);
        }
        const Clock::time_point now = Clock::now();
        std::erase_if(m_nodes, [&](const auto& node) {
            return now - node.second->needed > idleLife
                && std::find(m_slots.begin(), m_slots.end(), node.second.get()) == m_slots.end();
        });
    }

    boost::asio::io_context& m_loop;
    RedisSettings m_settings; ///< of every node but for the address
    std::vector<RedisAddress> m_seeds;
    std::map<RedisAddress, std::unique_ptr<Node>> m_nodes;
    std::vector<Node*> m_slots; ///< who serves each; empty until the map is known
    std::multimap<Clock::time_point, RequestPointer> m_waiting; ///< by the time of the next try
    boost::asio::steady_timer m_learnTimer;
    boost::asio::steady_timer m_waitTimer;
    std::optional<Clock::time_point> m_armedFor; ///< when m_waitTimer fires
    Clock::time_point m_learnt{}; ///< when the map was last asked for
    RedisAddress m_lastAsked;
    std::string m_lastError = "no node has been asked yet";
    bool m_learning = false; ///< or going to
    bool m_closed = false;
};

RedisCluster::RedisCluster(boost::asio::io_context& loop, const RedisSettings& settings)
    : m_state(std::make_shared<State>(loop, settings))
{ }

RedisCluster::~RedisCluster()
{
    m_state->close();
}

void RedisCluster::start()
{
    m_state->learnSoon();
}

bool RedisCluster::isConnected() const
{
    return m_state->isConnected();
}

CircuitBreaker::State RedisCluster::circuit() const
{
    return m_state->circuit();
}

void RedisCluster::command(
    const std::vector<std::string>& arguments, std::chrono::milliseconds timeout, Replied replied)
{
    m_state->command(arguments, timeout, std::move(replied));
}

} // namespace sluice
