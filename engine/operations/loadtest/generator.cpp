#include "engine/operations/loadtest/generator.h"

#include "engine/operations/loadtest/generatorwires.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <deque>
#include <fstream>
#include <numeric>
#include <queue>
#include <random>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace sluice::ops {

namespace {

constexpr Nanoseconds oneSecond = 1000000000;
constexpr Nanoseconds headStart = 20000000;
constexpr Nanoseconds stopPatience = 500000000;
constexpr Nanoseconds afterFailure = 100000000;
constexpr Nanoseconds rampTick = 10000000; ///< users come and go in such steps
constexpr Nanoseconds never = INT64_MAX;
constexpr std::size_t maxWaiting = 200000; ///< requests that wait for a connection
constexpr int samplesOfKind = 5;

Nanoseconds fromSeconds(double seconds)
{
    return Nanoseconds(seconds * 1e9);
}

double toSeconds(Nanoseconds time)
{
    return double(time) / 1e9;
}

double threadCpuSeconds()
{
    rusage usage{};
    ::getrusage(RUSAGE_THREAD, &usage);
    return double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
        + double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

double residentMiB()
{
    std::ifstream statm("/proc/self/statm");
    std::int64_t size = 0;
    std::int64_t resident = 0;
    statm >> size >> resident;
    return double(resident * ::sysconf(_SC_PAGESIZE)) / (1 << 20);
}

/// A request that has its time and its user.
struct Task
{
    Nanoseconds intended = 0;
    int user = 0;
};

/// A user who thinks until then; `life` tells a user who went and came again.
struct Thinking
{
    Nanoseconds until = 0;
    int user = 0;
    int life = 0;

    bool operator>(const Thinking& other) const { return until > other.until; }
};

} // namespace

class Generator::Loop : private WireEvents
{
public:
    explicit Loop(GeneratorPlan plan)
        : m_plan(withPrefix(std::move(plan)))
        , m_random(m_plan.seed)
        , m_book(m_plan.scripts, m_plan.requests, m_plan.users, m_plan.seed)
        , m_wires(m_plan.host, m_plan.port, m_plan.open, *this)
        , m_order(std::size_t(m_plan.users))
        , m_wireOf(m_plan.open ? 0 : std::size_t(m_plan.users), nullptr)
        , m_life(m_plan.open ? 0 : std::size_t(m_plan.users), 0)
        , m_asking(m_plan.open ? 0 : std::size_t(m_plan.users), 0)
        , m_timeout(fromSeconds(m_plan.timeoutSeconds))
        , m_length(fromSeconds(m_plan.profile.seconds()))
    {
        m_plan.scripts.clear();
        std::iota(m_order.begin(), m_order.end(), 0);
        if (m_plan.open) {
            m_total = std::int64_t(m_plan.profile.areaUntil(m_plan.profile.seconds()) + 1e-6);
        }
    }

    Result<void> open() { return m_wires.open(); }
    void stop() { m_wires.wake(); }

    void run(const OnSecond& onSecond, const OnEnd& onEnd)
    {
        ::prctl(PR_SET_TIMERSLACK, 1UL);
        m_onSecond = onSecond;
        m_begin = now() + headStart;
        m_cpuBefore = threadCpuSeconds();
        m_next = {arrival(0), userOf(0)};
        while (!m_over) {
            const Nanoseconds at = now() - m_begin;
            endSeconds(at);
            m_plan.open ? startArrivals(at) : startUsers(at);
            m_wires.expire(m_begin + at - m_timeout);
            endIfDone(at);
            if (!m_over) {
                m_wires.wait(std::max<Nanoseconds>(0, m_begin + nextEvent() - now()));
            }
        }
        m_result.elapsedSeconds = toSeconds(now() - m_begin);
        m_result.cpuSeconds = m_cpuSeconds;
        onEnd(std::move(m_result));
    }

private:
    static GeneratorPlan withPrefix(GeneratorPlan plan)
    {
        plan.requests.sessionPrefix =
            "load-" + std::to_string(plan.seed % 1000000U) + '-' + std::to_string(::getpid());
        return plan;
    }

    double uniform() { return double(m_random() >> 11U) * 0x1p-53; }

    // The open model.

    Nanoseconds arrival(std::int64_t index)
    {
        return fromSeconds(m_plan.profile.timeOfArea(double(index) + uniform()));
    }

    int userOf(std::int64_t index)
    {
        const std::size_t place = std::size_t(index % m_plan.users);
        if (place == 0) {
            for (std::size_t at = m_order.size(); at > 1; --at) {
                std::swap(m_order[at - 1], m_order[std::size_t(m_random() % at)]);
            }
        }
        return m_order[place];
    }

    void startArrivals(Nanoseconds at)
    {
        while (!m_stopped && m_index < m_total && m_next.intended <= at) {
            due(m_next);
            if (++m_index < m_total) {
                m_next = {arrival(m_index), userOf(m_index)};
            }
        }
    }

    // The closed model.

    void startUsers(Nanoseconds at)
    {
        if (m_stopped || at < 0) {
            return;
        }
        const int wanted =
            std::min(m_plan.users, int(std::lround(m_plan.profile.levelAt(toSeconds(at)))));
        for (; m_active < wanted; ++m_active) {
            if (m_asking[std::size_t(m_active)] == 0) { // else goes on after the answer
                think(m_active, at + fromSeconds(uniform() * m_plan.thinkSeconds));
            }
        }
        for (; m_active > wanted; --m_active) {
            ++m_life[std::size_t(m_active - 1)];
        }
        while (!m_stopped && !m_thinking.empty() && m_thinking.top().until <= at) {
            const Thinking next = m_thinking.top();
            m_thinking.pop();
            if (next.user < m_active && next.life == m_life[std::size_t(next.user)]) {
                m_asking[std::size_t(next.user)] = 1;
                due({next.until, next.user});
            }
        }
    }

    void think(int user, Nanoseconds until)
    {
        m_thinking.push({until, user, m_life[std::size_t(user)]});
    }

    /// The user has an answer, or none, and goes on.
    void goOn(int user, Nanoseconds at, bool failed)
    {
        m_asking[std::size_t(user)] = 0;
        if (m_stopped || user >= m_active || at >= m_length) {
            return;
        }
        const double jitter = m_plan.thinkJitter * (2 * uniform() - 1);
        const Nanoseconds pause = fromSeconds(m_plan.thinkSeconds * (1 + jitter));
        think(user, at + (failed ? std::max(pause, afterFailure) : pause));
    }

    // Both.

    void due(const Task& task)
    {
        const Nanoseconds at = now() - m_begin;
        m_current.startLag.add(at - task.intended);
        ++m_result.scheduled;
        ++m_current.scheduled;
        begin(task);
        if (m_result.scheduled >= m_plan.maxRequests) {
            m_result.bounded = true;
            m_stopped = true;
            m_patience = at + m_timeout;
        }
    }

    void begin(const Task& task)
    {
        if (int(m_wires.inFlight()) >= m_plan.maxInFlight) {
            if (m_waiting.size() < maxWaiting) {
                m_waiting.push_back(task);
            } else {
                count("generator queue full", {});
            }
            return;
        }
        Wire* wire = m_plan.open ? m_wires.takeIdle() : ownWire(task.user);
        if (wire == nullptr) {
            wire = m_wires.connect();
            if (!m_plan.open) {
                m_wireOf[std::size_t(task.user)] = wire;
            }
        }
        wire->intended = m_begin + task.intended;
        wire->user = task.user;
        m_book.next(task.user, wire->request);
        m_wires.send(*wire);
    }

    Wire* ownWire(int user)
    {
        Wire* wire = m_wireOf[std::size_t(user)];
        if (wire != nullptr && !Wires::isOpen(*wire)) {
            m_wires.drop(*wire);
            wire = nullptr;
        }
        return wire;
    }

    void sent() override
    {
        ++m_result.sent;
        ++m_current.sent;
    }

    void answered(Wire& wire) override
    {
        const Nanoseconds time = now();
        m_current.corrected.add(time - wire.intended);
        m_current.uncorrected.add(time - wire.sentAt);
        ++m_current.completed;
        if (wire.reader.status() / 100 == 2) {
            ++m_result.succeeded;
        } else {
            count("status " + std::to_string(wire.reader.status()),
                std::string(pathOf(wire.request.route)) + ": " + wire.reader.sample());
        }
        if (!m_plan.open) {
            goOn(wire.user, time - m_begin, false);
        }
        startWaiting();
    }

    void failed(Wire& wire, const char* kind) override
    {
        const Nanoseconds time = now();
        // A request without an answer cost its user at least the time until it was given up.
        m_current.corrected.add(time - wire.intended);
        count(kind, pathOf(wire.request.route));
        if (!m_plan.open) {
            goOn(wire.user, time - m_begin, true);
        }
        startWaiting();
    }

    void closed(Wire& wire) override
    {
        if (!m_plan.open && m_wireOf[std::size_t(wire.user)] == &wire) {
            m_wireOf[std::size_t(wire.user)] = nullptr;
        }
    }

    void woken() override
    {
        if (!m_stopped) {
            m_stopped = true;
            m_patience = now() - m_begin + stopPatience;
        }
    }

    void startWaiting()
    {
        if (m_waiting.empty() || m_starting || (m_stopped && !m_finished)) {
            return;
        }
        m_starting = true; // a failed start is followed by the next one, not nested in it
        while (!m_waiting.empty() && int(m_wires.inFlight()) < m_plan.maxInFlight) {
            const Task task = m_waiting.front();
            m_waiting.pop_front();
            begin(task);
        }
        m_starting = false;
    }

    void count(const std::string& kind, const std::string& detail)
    {
        const std::int64_t seen = ++m_result.errors[kind];
        ++m_current.errors[kind];
        if (seen <= samplesOfKind) {
            m_result.samples.push_back({kind, toSeconds(now() - m_begin), detail});
        }
    }

    bool allScheduled(Nanoseconds at) const
    {
        return m_plan.open ? m_index >= m_total && at >= m_length : at >= m_length;
    }

    Nanoseconds nextEvent() const
    {
        if (now() < m_begin) {
            return 0;
        }
        Nanoseconds next = (m_second + 1) * oneSecond;
        if (m_stopped) {
            next = std::min(next, m_patience);
        } else if (m_plan.open) {
            next = std::min(next, m_index < m_total ? m_next.intended : m_length);
        } else {
            const double second = toSeconds(now() - m_begin);
            next = std::min(next, m_thinking.empty() ? never : m_thinking.top().until);
            next = std::min(next,
                m_plan.profile.changesAt(second)
                    ? fromSeconds(second) + rampTick
                    : fromSeconds(m_plan.profile.endOfPhase(m_plan.profile.phaseAt(second))));
        }
        const Nanoseconds oldest = m_wires.oldest();
        return oldest == never ? next : std::min(next, oldest - m_begin + m_timeout);
    }

    void endIfDone(Nanoseconds at)
    {
        if (!m_stopped && allScheduled(at)) {
            m_stopped = true;
            m_finished = true;
            // What waits for a connection is still asked, for as long as one request may take.
            m_patience = at + m_timeout + oneSecond;
        }
        if (m_stopped && !m_finished) {
            m_waiting.clear();
        }
        startWaiting();
        const bool idle = m_wires.inFlight() == 0 && m_waiting.empty();
        if (!m_stopped || (!idle && at < m_patience)) {
            return;
        }
        if (m_finished) {
            for (std::size_t left = m_waiting.size() + m_wires.inFlight(); left > 0; --left) {
                count("unanswered at the end", {});
            }
        }
        m_result.completed = m_finished;
        endSecond(std::max(0.001, toSeconds(at - m_second * oneSecond)));
        m_over = true;
    }

    void endSeconds(Nanoseconds at)
    {
        while (at >= (m_second + 1) * oneSecond) {
            endSecond(1);
        }
    }

    void endSecond(double seconds)
    {
        m_result.corrected.merge(m_current.corrected);
        m_result.uncorrected.merge(m_current.uncorrected);
        m_result.startLag.merge(m_current.startLag);
        const double cpu = threadCpuSeconds() - m_cpuBefore;
        m_current.cpuShare = (cpu - m_cpuSeconds) / seconds;
        m_cpuSeconds = cpu;
        m_current.residentMiB = residentMiB();
        m_current.second = int(m_second);
        m_current.seconds = seconds;
        m_current.inFlight = int(m_wires.inFlight() + m_waiting.size());
        m_current.connections = int(m_wires.count());
        m_current.users = m_plan.open ? m_plan.users : m_active;
        m_current.level = m_plan.profile.levelAt(double(m_second) + seconds * 0.999);
        const bool empty = seconds < 1 && m_current.scheduled == 0 && m_current.completed == 0
            && m_current.errors.empty();
        if (!empty) {
            m_onSecond(std::exchange(m_current, GeneratorSecond()));
        }
        ++m_second;
    }

    GeneratorPlan m_plan;
    std::mt19937_64 m_random;
    RequestBook m_book;
    Wires m_wires;
    OnSecond m_onSecond;
    std::vector<int> m_order; ///< users of the round
    std::vector<Wire*> m_wireOf; ///< closed: by user
    std::vector<int> m_life;
    std::vector<char> m_asking; ///< closed: by user
    std::priority_queue<Thinking, std::vector<Thinking>, std::greater<>> m_thinking;
    std::deque<Task> m_waiting;
    Nanoseconds m_timeout;
    Nanoseconds m_length;
    Nanoseconds m_begin = 0;
    Nanoseconds m_patience = 0; ///< stopped: then it ends, answered or not
    std::int64_t m_total = 0; ///< open: requests
    std::int64_t m_index = 0;
    Task m_next;
    int m_active = 0; ///< closed: users
    std::int64_t m_second = 0;
    double m_cpuBefore = 0;
    double m_cpuSeconds = 0;
    GeneratorSecond m_current;
    GeneratorResult m_result;
    bool m_starting = false;
    bool m_stopped = false; ///< nothing new starts
    bool m_finished = false; ///< because all is done
    bool m_over = false;
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

Result<void> Generator::start(OnSecond onSecond, OnEnd onEnd)
{
    if (auto opened = m_loop->open(); !opened) {
        return opened;
    }
    m_thread = std::thread([this, onSecond = std::move(onSecond), onEnd = std::move(onEnd)] {
        m_loop->run(onSecond, onEnd);
    });
    return {};
}

void Generator::stop()
{
    m_loop->stop();
}

} // namespace sluice::ops
