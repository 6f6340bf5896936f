#include "engine/service/http/server.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <cstdlib>
#include <string>

using namespace sluice::service;
namespace asio = boost::asio;

namespace {

/// The server on one loop, asked over loopback.
struct Host
{
    asio::io_context loop;
    std::uint16_t port = 0;
    Server server{loop, ServerLimits(),
        [](Request request, const Server::Respond& respond) {
            Response response;
            response.body = request.method + ' ' + std::string(request.path()) + ' '
                + std::to_string(request.body.size());
            respond(std::move(response));
        },
        [](int) {}};

    Host()
    {
        const auto bound = server.listen("127.0.0.1", 0);
        if (!bound) {
            std::abort();
        }
        port = *bound;
    }
};

Host& host()
{
    static Host one;
    return one;
}

} // namespace

/// Any bytes on a connection, then its end: the server answers or closes, and lives.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size)
{
    Host& all = host();
    asio::ip::tcp::socket client(all.loop);
    boost::system::error_code code;
    client.connect({asio::ip::make_address("127.0.0.1"), all.port}, code);
    if (code) {
        return 0;
    }
    bool closed = false;
    std::string answer;
    asio::async_write(
        client, asio::buffer(data, size), [&](const boost::system::error_code&, std::size_t) {
            boost::system::error_code ignored;
            client.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
        });
    asio::async_read(client, asio::dynamic_buffer(answer),
        [&](const boost::system::error_code&, std::size_t) { closed = true; });
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (!closed) {
        if (all.loop.stopped()) {
            all.loop.restart();
        }
        if (all.loop.run_one_until(deadline) == 0) {
            std::abort(); // neither an answer nor an end
        }
    }
    if (!answer.empty() && !answer.starts_with("HTTP/1.")) {
        std::abort();
    }
    return 0;
}
