#include "engine/service/service.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <cstdlib>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

using namespace sluice::service;

namespace {

/// A worker with the bundled model and sessions in memory, on a thread of its own.
std::uint16_t portOfWorker()
{
    static const std::uint16_t port = [] {
        Configuration configuration;
        configuration.model.file = SLUICE_BINARY_DIR "/share/sluice/helpdesk.model";
        configuration.model.catalogue = SLUICE_BINARY_DIR "/share/sluice/entities.json";
        configuration.sessions.inMemory = 1000;
        auto made = Service::make(configuration, "fuzz");
        if (!made) {
            std::abort();
        }
        Service* service = made->release(); // until the process ends
        std::thread([service] { service->run(); }).detach();
        return service->port();
    }();
    return port;
}

} // namespace

/// Any bytes on a connection to all of the worker's routes, then its end: each request is answered
/// or the connection closed, within 5 s, and nothing but HTTP comes back.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size)
{
    const int client = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(portOfWorker());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval patience{5, 0};
    ::setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (::connect(client, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        std::abort();
    }
    // Many pipelined requests whose answers nobody takes would stop both: part by part.
    std::string answer;
    char buffer[65536];
    for (std::size_t at = 0; at < size;) {
        const ssize_t sent =
            ::send(client, data + at, std::min<std::size_t>(size - at, 4096), MSG_NOSIGNAL);
        if (sent <= 0) {
            break;
        }
        at += std::size_t(sent);
        ssize_t got = 0;
        while ((got = ::recv(client, buffer, sizeof buffer, MSG_DONTWAIT)) > 0) {
            answer.append(buffer, std::size_t(got));
        }
    }
    ::shutdown(client, SHUT_WR);
    ssize_t got = 0;
    while ((got = ::recv(client, buffer, sizeof buffer, 0)) > 0) {
        answer.append(buffer, std::size_t(got));
    }
    if (got < 0 && errno == EAGAIN) {
        std::abort(); // neither an answer nor an end
    }
    ::close(client);
    if (!answer.empty() && !answer.starts_with("HTTP/1.1 ")) {
        std::abort();
    }
    return 0;
}
