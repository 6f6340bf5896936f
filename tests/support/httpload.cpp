#include "tests/support/httpload.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <netinet/tcp.h>
#include <string_view>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace sluice::test {

namespace {

using Clock = std::chrono::steady_clock;

struct Client
{
    int descriptor = -1;
    bool busy = false;
    Clock::time_point due;
    std::string input;
};

class Run
{
public:
    explicit Run(const HttpLoad& load)
        : m_load(load)
        , m_epoll(::epoll_create1(0))
        , m_clients(load.connections)
    {
        for (Client& client : m_clients) {
            open(client);
        }
    }
    ~Run()
    {
        for (const Client& client : m_clients) {
            ::close(client.descriptor);
        }
        ::close(m_epoll);
    }

    HttpLoadResult run()
    {
        m_begin = Clock::now();
        const auto end = m_begin
            + std::chrono::duration_cast<Clock::duration>(
                std::chrono::duration<double>(m_load.seconds));
        const auto last = end + std::chrono::seconds(1);
        while (Clock::now() < end || (m_busy > 0 && Clock::now() < last)) {
            dispatch(Clock::now() < end);
            std::array<epoll_event, 512> events;
            const int count = ::epoll_wait(m_epoll, events.data(), int(events.size()), patience());
            for (int index = 0; index < count; ++index) {
                receive(*static_cast<Client*>(events[std::size_t(index)].data.ptr));
            }
        }
        m_result.seconds = m_load.seconds;
        std::sort(m_result.latencies.begin(), m_result.latencies.end());
        return std::move(m_result);
    }

private:
    void open(Client& client)
    {
        client.descriptor = ::socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(m_load.port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        ::connect(client.descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address);
        const int on = 1;
        ::setsockopt(client.descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        epoll_event event{};
        event.events = EPOLLIN | EPOLLET;
        event.data.ptr = &client;
        ::epoll_ctl(m_epoll, EPOLL_CTL_ADD, client.descriptor, &event);
        client.busy = false;
        client.input.clear();
        m_free.push_back(&client);
    }

    void send(Client& client, Clock::time_point due)
    {
        const std::string& request = m_load.requests[m_next++ % m_load.requests.size()];
        client.busy = true;
        client.due = due;
        ++m_busy;
        if (::send(client.descriptor, request.data(), request.size(), MSG_NOSIGNAL)
            != ssize_t(request.size())) {
            lost(client);
        }
    }

    Clock::time_point dueTime() const
    {
        return m_begin
            + std::chrono::nanoseconds(
                std::int64_t(double(m_result.scheduled) * 1e9 / m_load.rate));
    }

    void dispatch(bool schedules)
    {
        while (schedules && !m_free.empty()) {
            const auto due = m_load.rate > 0 ? dueTime() : Clock::now();
            if (m_load.rate > 0 && due > Clock::now()) {
                return;
            }
            Client* client = m_free.back();
            m_free.pop_back();
            ++m_result.scheduled;
            send(*client, due);
        }
    }

    /// Milliseconds that may be slept: under one the loop spins, or the schedule would be late.
    int patience() const
    {
        if (m_load.rate <= 0 || m_free.empty()) {
            return 100;
        }
        const auto left = dueTime() - Clock::now();
        return int(std::clamp<std::int64_t>(
            std::chrono::duration_cast<std::chrono::milliseconds>(left).count(), 0, 100));
    }

    void receive(Client& client)
    {
        std::array<char, 65536> buffer;
        const ssize_t got = ::recv(client.descriptor, buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (got < 0 && errno == EAGAIN) {
            return;
        }
        if (got <= 0) {
            lost(client);
            return;
        }
        client.input.append(buffer.data(), std::size_t(got));
        const std::size_t head = client.input.find("\r\n\r\n");
        if (head == std::string::npos) {
            return;
        }
        constexpr std::string_view name = "Content-Length: ";
        std::size_t length = 0;
        if (const std::size_t at = client.input.find(name); at < head) {
            std::from_chars(
                client.input.data() + at + name.size(), client.input.data() + head, length);
        }
        if (client.input.size() < head + 4 + length) {
            return;
        }
        count(client);
        const bool ends = client.input.find("\r\nConnection: close\r\n") < head;
        client.input.clear();
        client.busy = false;
        --m_busy;
        if (ends) {
            end(client);
        } else {
            m_free.push_back(&client);
        }
    }

    void count(const Client& client)
    {
        const std::string_view status = std::string_view(client.input).substr(9, 3);
        if (status.starts_with('2')) {
            ++m_result.good;
            m_result.latencies.push_back(
                std::chrono::duration<float, std::milli>(Clock::now() - client.due).count());
        } else if (status == "503" || status == "429") {
            ++m_result.shed;
        } else {
            ++m_result.wrong;
        }
    }

    void lost(Client& client)
    {
        if (client.busy) {
            ++m_result.failed;
            --m_busy;
        } else {
            std::erase(m_free, &client);
        }
        end(client);
    }

    void end(Client& client)
    {
        ::close(client.descriptor);
        client.descriptor = -1;
        if (m_load.reopens) {
            open(client);
        }
    }

    const HttpLoad& m_load;
    int m_epoll;
    std::vector<Client> m_clients;
    std::vector<Client*> m_free;
    Clock::time_point m_begin;
    HttpLoadResult m_result;
    std::size_t m_next = 0;
    std::size_t m_busy = 0;
};

} // namespace

double HttpLoadResult::percentile(double share) const
{
    if (latencies.empty()) {
        return 0;
    }
    const auto index = std::size_t(share * double(latencies.size()));
    return double(latencies[std::min(index, latencies.size() - 1)]);
}

HttpLoadResult runHttpLoad(const HttpLoad& load)
{
    return Run(load).run();
}

std::string classifyRequest(
    const std::string& text, const std::string& session, const std::string& headers)
{
    const std::string body = "{\"text\":\"" + text + "\"}";
    return "POST /v1/classify HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
        + (session.empty() ? std::string() : "X-Session-Id: " + session + "\r\n") + headers
        + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

} // namespace sluice::test
