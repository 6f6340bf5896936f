#include "engine/service/http/server.h"

#include <algorithm>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <optional>
#include <set>

namespace sluice::service {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;
using tcp = asio::ip::tcp;

namespace {

bool sameName(std::string_view a, std::string_view b)
{
    return beast::iequals(
        beast::string_view(a.data(), a.size()), beast::string_view(b.data(), b.size()));
}

} // namespace

const std::string* Request::header(std::string_view name) const
{
    for (const auto& [key, value] : headers) {
        if (sameName(key, name)) {
            return &value;
        }
    }
    return nullptr;
}

std::string_view Request::path() const
{
    return std::string_view(target).substr(0, target.find('?'));
}

Response problem(int status, std::string_view title, std::string_view detail)
{
    Response response;
    response.status = status;
    response.contentType = "application/problem+json";
    response.body = boost::json::serialize(boost::json::object{
        {"type", "about:blank"}, {"title", title}, {"status", status}, {"detail", detail}});
    return response;
}

class Connection;

class Server::State : public std::enable_shared_from_this<State>
{
public:
    State(asio::io_context& eventLoop, ServerLimits serverLimits, Handler requestHandler,
        Refused onRefused)
        : loop(eventLoop)
        , acceptor(eventLoop)
        , limits(serverLimits)
        , handler(std::move(requestHandler))
        , refused(std::move(onRefused))
        , drainTimer(eventLoop)
        , acceptPause(eventLoop)
    { }

    void accept();
    void closeAll(bool idleOnly);
    void remove(Connection* connection)
    {
        connections.erase(connection);
        if (draining && connections.empty() && drained) {
            drainTimer.cancel();
            std::exchange(drained, nullptr)();
        }
    }

    asio::io_context& loop;
    tcp::acceptor acceptor;
    ServerLimits limits;
    Handler handler;
    Refused refused;
    asio::steady_timer drainTimer;
    asio::steady_timer acceptPause;
    std::set<Connection*> connections;
    std::function<void()> drained;
    std::size_t inFlight = 0;
    bool draining = false;
};

/// One client's connection: reads a request, waits for its answer, writes it, reads the next.
class Connection : public std::enable_shared_from_this<Connection>
{
public:
    Connection(tcp::socket socket, std::shared_ptr<Server::State> server)
        : m_stream(std::move(socket))
        , m_server(std::move(server))
    {
        error_code ignored;
        m_stream.socket().set_option(tcp::no_delay(true), ignored);
        m_server->connections.insert(this);
    }

    ~Connection() { m_server->remove(this); }

    void read()
    {
        m_parser.emplace();
        m_parser->header_limit(std::uint32_t(m_server->limits.headerBytes));
        m_parser->body_limit(m_server->limits.bodyBytes);
        m_idle = m_buffer.size() == 0;
        if (!m_idle) {
            readHeader(); // pipelined: the next request is here already
            return;
        }
        m_stream.expires_after(m_server->limits.idleTimeout);
        m_stream.async_read_some(m_buffer.prepare(4096),
            [self = shared_from_this()](
                const error_code& code, std::size_t got) { self->onFirstBytes(code, got); });
    }

    void refuse(int status, std::string_view title, std::string_view detail)
    {
        m_server->refused(status);
        m_close = true;
        write(problem(status, title, detail));
    }

    void closeNow()
    {
        error_code ignored;
        m_stream.socket().shutdown(tcp::socket::shutdown_both, ignored);
        m_stream.close();
    }

    bool isIdle() const { return m_idle; }

private:
    void onFirstBytes(const error_code& code, std::size_t got)
    {
        if (code) {
            return; // closed or idle for too long: nothing was asked
        }
        m_buffer.commit(got);
        m_idle = false;
        m_stream.expires_after(m_server->limits.readTimeout);
        readHeader();
    }

    void readHeader()
    {
        m_stream.expires_after(m_server->limits.readTimeout);
        http::async_read_header(m_stream, m_buffer, *m_parser,
            [self = shared_from_this()](
                const error_code& code, std::size_t) { self->onHeader(code); });
    }

    void onHeader(const error_code& code)
    {
        m_received = std::chrono::steady_clock::now();
        if (code) {
            onReadError(code);
            return;
        }
        const auto length = m_parser->content_length();
        if (length && *length > m_server->limits.bodyBytes) {
            onReadError(http::error::body_limit);
            return;
        }
        const auto expect = m_parser->get()[http::field::expect];
        if (beast::iequals(expect, "100-continue")) {
            m_continue =
                std::make_unique<http::response<http::empty_body>>(http::status::continue_, 11);
            http::async_write(m_stream, *m_continue,
                [self = shared_from_this()](const error_code& failed, std::size_t) {
                    if (!failed) {
                        self->readBody();
                    }
                });
            return;
        }
        readBody();
    }

    void readBody()
    {
        if (m_parser->is_done()) {
            handle();
            return;
        }
        http::async_read(m_stream, m_buffer, *m_parser,
            [self = shared_from_this()](const error_code& code, std::size_t) {
                if (code) {
                    self->onReadError(code);
                } else {
                    self->handle();
                }
            });
    }

    void onReadError(const error_code& code)
    {
        if (code == beast::error::timeout) {
            refuse(408, "Request Timeout", "the request did not arrive in time; send it again");
        } else if (code == http::error::header_limit) {
            refuse(431, "Request Header Fields Too Large",
                "the header is larger than " + std::to_string(m_server->limits.headerBytes)
                    + " bytes");
        } else if (code == http::error::body_limit) {
            refuse(413, "Content Too Large",
                "the body is larger than " + std::to_string(m_server->limits.bodyBytes)
                    + " bytes; split the batch");
        } else if (code != http::error::end_of_stream
            && code.category() == http::make_error_code(http::error::bad_method).category()) {
            refuse(400, "Bad Request", "the request is not valid HTTP/1.1: " + code.message());
        } else {
            closeNow();
        }
    }

    void handle()
    {
        http::request<http::string_body> message = m_parser->release();
        m_close = m_close || !message.keep_alive() || m_server->draining;
        m_head = message.method() == http::verb::head;
        m_version = message.version();
        Request request;
        request.method = std::string(message.method_string());
        request.target = std::string(message.target());
        for (const auto& field : message) {
            request.headers.emplace_back(
                std::string(field.name_string()), std::string(field.value()));
        }
        request.body = std::move(message.body());
        request.received = m_received;
        m_stream.expires_never(); // the handler has time-outs of its own
        ++m_server->inFlight;
        m_server->handler(std::move(request), [self = shared_from_this()](Response response) {
            --self->m_server->inFlight;
            self->write(std::move(response));
        });
    }

    void write(Response response)
    {
        m_close = m_close || m_server->draining;
        m_response = std::make_unique<http::response<http::string_body>>(
            http::status(response.status), m_version);
        m_response->set(http::field::content_type, response.contentType);
        for (const auto& [name, value] : response.headers) {
            m_response->set(name, value);
        }
        m_response->keep_alive(!m_close);
        const std::size_t length = response.body.size();
        if (!m_head) {
            m_response->body() = std::move(response.body);
        }
        m_response->content_length(length);
        m_stream.expires_after(m_server->limits.writeTimeout);
        if (m_head) {
            // The length of what GET would send, and no body.
            m_serializer =
                std::make_unique<http::response_serializer<http::string_body>>(*m_response);
            http::async_write_header(m_stream, *m_serializer,
                [self = shared_from_this()](
                    const error_code& code, std::size_t) { self->onWritten(code); });
            return;
        }
        http::async_write(m_stream, *m_response,
            [self = shared_from_this()](
                const error_code& code, std::size_t) { self->onWritten(code); });
    }

    void onWritten(const error_code& code)
    {
        m_serializer.reset();
        m_response.reset();
        if (code) {
            closeNow();
            return;
        }
        if (m_close) {
            lingeringClose();
            return;
        }
        read();
    }

    /// Closing with bytes unread would reset the connection and could take the answer with it: our
    /// side is closed, and what the client still sends is read for a short time.
    void lingeringClose()
    {
        error_code ignored;
        m_stream.socket().shutdown(tcp::socket::shutdown_send, ignored);
        m_stream.expires_after(std::chrono::seconds(1));
        drainInput(0);
    }

    void drainInput(std::size_t soFar)
    {
        m_buffer.clear();
        m_stream.async_read_some(m_buffer.prepare(16384),
            [self = shared_from_this(), soFar](const error_code& code, std::size_t got) {
                if (code || soFar + got > std::size_t(4) << 20) {
                    self->closeNow();
                } else {
                    self->drainInput(soFar + got);
                }
            });
    }

    beast::tcp_stream m_stream;
    std::shared_ptr<Server::State> m_server;
    beast::flat_buffer m_buffer;
    std::optional<http::request_parser<http::string_body>> m_parser;
    std::unique_ptr<http::response<http::string_body>> m_response;
    std::unique_ptr<http::response_serializer<http::string_body>> m_serializer;
    std::unique_ptr<http::response<http::empty_body>> m_continue;
    std::chrono::steady_clock::time_point m_received;
    unsigned m_version = 11;
    bool m_close = false;
    bool m_head = false;
    bool m_idle = true;
};

void Server::State::accept()
{
    acceptor.async_accept([weak = weak_from_this()](const error_code& code, tcp::socket socket) {
        const auto self = weak.lock();
        if (!self || self->draining || code == asio::error::operation_aborted) {
            return;
        }
        if (code) {
            // Out of descriptors, say: try again soon, without spinning.
            self->acceptPause.expires_after(std::chrono::milliseconds(50));
            self->acceptPause.async_wait([weak](const error_code& stopped) {
                const auto again = weak.lock();
                if (!stopped && again && !again->draining) {
                    again->accept();
                }
            });
            return;
        }
        const bool full = self->connections.size() >= self->limits.connections;
        const auto connection = std::make_shared<Connection>(std::move(socket), self);
        if (full) {
            connection->refuse(503, "Service Unavailable",
                "this worker has all the connections it takes; try again");
        } else {
            connection->read();
        }
        self->accept();
    });
}

void Server::State::closeAll(bool idleOnly)
{
    const std::vector<Connection*> all(connections.begin(), connections.end());
    for (Connection* connection : all) {
        if (!idleOnly || connection->isIdle()) {
            connection->closeNow();
        }
    }
}

Server::Server(asio::io_context& loop, ServerLimits limits, Handler handler, Refused refused)
    : m_state(std::make_shared<State>(loop, limits, std::move(handler), std::move(refused)))
{ }

Server::~Server()
{
    m_state->draining = true;
    m_state->drained = nullptr;
    error_code ignored;
    m_state->acceptor.close(ignored);
    m_state->closeAll(false);
}

Result<std::uint16_t> Server::listen(const std::string& host, std::uint16_t port)
{
    const auto failed = [&](const char* what, const error_code& code) -> Error {
        const std::string where = host + ":" + std::to_string(port);
        if (code == asio::error::address_in_use) {
            return inputError(
                "the port " + where + " is in use: choose another one, or 0 for any that is free");
        }
        return inputError(std::string("cannot ") + what + " " + where, code.message());
    };
    error_code code;
    const auto address = asio::ip::make_address(host, code);
    if (code) {
        return inputError(
            "\"" + host + "\" is not an IP address to listen on: give 127.0.0.1, say");
    }
    const tcp::endpoint endpoint(address, port);
    tcp::acceptor& acceptor = m_state->acceptor;
    acceptor.open(endpoint.protocol(), code);
    if (!code) {
        acceptor.set_option(asio::socket_base::reuse_address(true), code);
    }
    if (!code) {
        acceptor.bind(endpoint, code);
    }
    if (code) {
        return failed("listen on", code);
    }
    acceptor.listen(4096, code);
    if (code) {
        return failed("listen on", code);
    }
    m_state->accept();
    return acceptor.local_endpoint().port();
}

void Server::drain(std::chrono::milliseconds patience, std::function<void()> drained)
{
    m_state->draining = true;
    error_code ignored;
    m_state->acceptor.close(ignored);
    m_state->drained = std::move(drained);
    m_state->drainTimer.expires_after(patience);
    m_state->drainTimer.async_wait([weak = std::weak_ptr<State>(m_state)](const error_code& code) {
        const auto state = weak.lock();
        if (!code && state) {
            state->closeAll(false);
            if (state->drained) {
                std::exchange(state->drained, nullptr)();
            }
        }
    });
    asio::post(m_state->loop, [state = m_state] {
        state->closeAll(true);
        if (state->connections.empty() && state->drained) {
            state->drainTimer.cancel();
            std::exchange(state->drained, nullptr)();
        }
    });
}

std::size_t Server::connections() const
{
    return m_state->connections.size();
}

std::size_t Server::inFlight() const
{
    return m_state->inFlight;
}

} // namespace sluice::service
