#pragma once

#include <atomic>
#include <cstdint>
#include <sys/types.h>
#include <vector>

namespace sluice::bench {

/// When a server stood still; seconds of the monotonic clock.
struct Stall
{
    double begin = 0;
    double end = 0;
};

/// A process with one epoll loop that answers every HTTP request with the same 110 bytes, counts
/// them, and, where it is told to, stands still for a second in every ten and keeps a log of it.
/// The truth that generators are held against.
class EchoProcess
{
public:
    explicit EchoProcess(bool stalls);
    ~EchoProcess(); ///< ends it
    EchoProcess(const EchoProcess&) = delete;
    EchoProcess& operator=(const EchoProcess&) = delete;

    std::uint16_t port() const { return m_port; } ///< 0: it could not be started
    std::uint64_t requests() const;
    std::vector<Stall> stalls() const;

private:
    static constexpr int mostStalls = 100;
    struct Shared
    {
        std::atomic<std::uint64_t> requests;
        std::atomic<int> stalls;
        Stall log[mostStalls];
    };
    void serve(int listener, bool stalls);

    Shared* m_shared = nullptr;
    std::uint16_t m_port = 0;
    pid_t m_child = -1;
};

double monotonicSeconds();

} // namespace sluice::bench
