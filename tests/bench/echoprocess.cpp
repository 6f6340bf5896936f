#include "tests/bench/echoprocess.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <unordered_map>

namespace sluice::bench {

namespace {

constexpr double firstStall = 3; ///< s after the start
constexpr double everySeconds = 10;
constexpr double stallSeconds = 1;

std::string answer()
{
    const std::string body =
        R"({"decision":"accept","intent":"track_parcel","confidence":0.97,"margin":0.91,"turn":1,"cache_hit":false})";
    return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
        + std::to_string(body.size()) + "\r\n\r\n" + body;
}

/// Bytes of the first request in `text`; 0: not all there yet.
std::size_t requestLength(std::string_view text)
{
    const std::size_t head = text.find("\r\n\r\n");
    if (head == std::string_view::npos) {
        return 0;
    }
    std::size_t body = 0;
    for (const std::string_view name : {"Content-Length: ", "content-length: "}) {
        if (const std::size_t at = text.find(name); at < head) {
            body = std::size_t(std::stoul(std::string(text.substr(at + name.size(), 9))));
        }
    }
    return text.size() < head + 4 + body ? 0 : head + 4 + body;
}

} // namespace

double monotonicSeconds()
{
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

EchoProcess::EchoProcess(bool stalls)
{
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    void* memory =
        ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (listener < 0 || memory == MAP_FAILED
        || ::bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0
        || ::listen(listener, 4096) != 0
        || ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
        return;
    }
    m_shared = new (memory) Shared{};
    m_child = ::fork();
    if (m_child == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        serve(listener, stalls);
        ::_exit(0);
    }
    ::close(listener);
    m_port = m_child > 0 ? ntohs(address.sin_port) : std::uint16_t(0);
}

EchoProcess::~EchoProcess()
{
    if (m_child > 0) {
        ::kill(m_child, SIGKILL);
        ::waitpid(m_child, nullptr, 0);
    }
    if (m_shared != nullptr) {
        ::munmap(m_shared, sizeof(Shared));
    }
}

std::uint64_t EchoProcess::requests() const
{
    return m_shared->requests;
}

std::vector<Stall> EchoProcess::stalls() const
{
    return {m_shared->log, m_shared->log + m_shared->stalls.load()};
}

void EchoProcess::serve(int listener, bool stalls)
{
    const std::string reply = answer();
    const int epoll = ::epoll_create1(0);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = listener;
    ::epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    std::unordered_map<int, std::string> pending; ///< of requests that came in pieces
    std::array<char, 65536> buffer;
    std::array<epoll_event, 512> events;
    const double begin = monotonicSeconds();
    double nextStall = begin + firstStall;
    for (;;) {
        const int count = ::epoll_wait(epoll, events.data(), int(events.size()), 10);
        if (stalls && monotonicSeconds() >= nextStall && m_shared->stalls < mostStalls) {
            Stall& stall = m_shared->log[m_shared->stalls];
            stall.begin = monotonicSeconds();
            std::this_thread::sleep_for(std::chrono::duration<double>(stallSeconds));
            stall.end = monotonicSeconds();
            ++m_shared->stalls;
            nextStall += everySeconds;
        }
        for (int index = 0; index < count; ++index) {
            const int descriptor = events[std::size_t(index)].data.fd;
            if (descriptor == listener) {
                for (;;) {
                    const int client = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK);
                    if (client < 0) {
                        break;
                    }
                    const int on = 1;
                    ::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                    event.events = EPOLLIN;
                    event.data.fd = client;
                    ::epoll_ctl(epoll, EPOLL_CTL_ADD, client, &event);
                }
                continue;
            }
            const ssize_t got = ::recv(descriptor, buffer.data(), buffer.size(), 0);
            if (got <= 0) {
                pending.erase(descriptor);
                ::close(descriptor);
                continue;
            }
            std::string_view text(buffer.data(), std::size_t(got));
            const auto rest = pending.find(descriptor);
            if (rest != pending.end()) {
                rest->second.append(text);
                text = rest->second;
            }
            std::size_t used = 0;
            while (const std::size_t length = requestLength(text.substr(used))) {
                used += length;
                m_shared->requests.fetch_add(1, std::memory_order_relaxed);
                [[maybe_unused]] const ssize_t sent =
                    ::send(descriptor, reply.data(), reply.size(), MSG_NOSIGNAL);
            }
            if (used < text.size()) {
                pending[descriptor] = std::string(text.substr(used));
            } else if (rest != pending.end()) {
                pending.erase(rest);
            }
        }
    }
}

} // namespace sluice::bench
