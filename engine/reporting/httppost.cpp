#include "engine/reporting/httppost.h"

#include <algorithm>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cctype>
#include <charconv>
#include <fmt/format.h>
#include <optional>

namespace sluice {

namespace asio = boost::asio;
using asio::use_awaitable;
using tcp = asio::ip::tcp;

namespace {

constexpr std::size_t maxHeader = 64 * 1024;

std::string written(const HttpPost& request)
{
    std::string text = fmt::format("POST {} HTTP/1.1\r\n", request.target);
    for (const auto& [name, value] : request.headers) {
        text += fmt::format("{}: {}\r\n", name, value);
    }
    text += fmt::format("Content-Length: {}\r\nConnection: close\r\n\r\n", request.body.size());
    return text + request.body;
}

/// A reply's header: "HTTP/1.1 200 OK", then "Name: value" lines.
std::optional<HttpReply> read(std::string_view text)
{
    HttpReply reply;
    if (text.size() < 12 || !text.starts_with("HTTP/1.")
        || std::from_chars(text.data() + 9, text.data() + 12, reply.status).ec != std::errc()) {
        return {};
    }
    for (auto end = text.find("\r\n"); end != std::string_view::npos; end = text.find("\r\n")) {
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(end + 2);
        const auto colon = line.find(':');
        if (colon == std::string_view::npos) {
            continue;
        }
        std::string name(line.substr(0, colon));
        std::transform(name.begin(), name.end(), name.begin(),
            [](unsigned char c) { return char(std::tolower(c)); });
        std::string_view value = line.substr(colon + 1);
        value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
        reply.headers.emplace_back(std::move(name), value);
    }
    return reply;
}

template <typename Stream>
asio::awaitable<std::string> exchange(Stream& stream, const HttpPost& request)
{
    const std::string out = written(request);
    co_await asio::async_write(stream, asio::buffer(out), use_awaitable);
    std::string in;
    const std::size_t length = co_await asio::async_read_until(
        stream, asio::dynamic_buffer(in, maxHeader), "\r\n\r\n", use_awaitable);
    in.resize(length);
    co_return in;
}

asio::awaitable<std::string> talk(const HttpPost& request)
{
    const auto executor = co_await asio::this_coro::executor;
    tcp::resolver resolver(executor);
    const auto addresses =
        co_await resolver.async_resolve(request.host, std::to_string(request.port), use_awaitable);
    tcp::socket socket(executor);
    co_await asio::async_connect(socket, addresses, use_awaitable);
    if (!request.tls) {
        co_return co_await exchange(socket, request);
    }
    asio::ssl::context context(asio::ssl::context::tls_client);
    context.set_default_verify_paths();
    context.set_verify_mode(asio::ssl::verify_peer);
    asio::ssl::stream<tcp::socket> stream(std::move(socket), context);
    stream.set_verify_callback(asio::ssl::host_name_verification(request.host));
    std::string name = request.host; // SSL_set_tlsext_host_name, without its cast
    ::SSL_ctrl(stream.native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
        name.data());
    co_await stream.async_handshake(asio::ssl::stream_base::client, use_awaitable);
    co_return co_await exchange(stream, request);
}

} // namespace

Result<HttpReply> post(const HttpPost& request, std::chrono::milliseconds timeout)
{
    const std::string where = fmt::format("{}:{}", request.host, request.port);
    std::optional<std::string> answer;
    std::string problem = "no answer in time";
    asio::io_context loop(1);
    asio::co_spawn(loop, talk(request), [&](const std::exception_ptr& failed, std::string text) {
        if (!failed) {
            answer = std::move(text);
            return;
        }
        try {
            std::rethrow_exception(failed);
        } catch (const std::exception& error) {
            problem = error.what();
        }
    });
    loop.run_for(timeout);
    if (!answer) {
        return unreachableError("cannot reach " + where, problem);
    }
    auto reply = read(*answer);
    if (!reply) {
        return unreachableError(where + " does not answer in HTTP");
    }
    return *reply;
}

} // namespace sluice
