#include "engine/service/http/connection.h"

#include "engine/service/http/inflate.h"
#include "engine/service/http/serverstate.h"

#include <boost/beast/core/string.hpp>
#include <utility>

namespace sluice::service {

namespace {

using Clock = std::chrono::steady_clock;

/// What a client may still send after our end, before the connection is cut.
constexpr std::size_t lingerBytes = std::size_t(4) << 20;
/// Answers to pipelined requests are written together up to here.
constexpr std::size_t outputBytes = 65536;

const Response& overloaded()
{
    static const Response response = [] {
        Response made = problem(503, "Service Unavailable",
            "this worker has all the requests it can answer in time; try again");
        made.headers.emplace_back("Retry-After", "1");
        return made;
    }();
    return response;
}

} // namespace

Connection::Connection(
    int descriptor, const std::array<std::uint8_t, 16>& peer, std::shared_ptr<Server::State> server)
    : m_transport(descriptor, server->tls)
    , m_peer(peer)
    , m_server(std::move(server))
{ }

void Connection::onReady(bool readable, bool writable, bool ended)
{
    m_ended = m_ended || ended;
    // TLS may have to write before it can read on, and the other way round.
    m_readable = m_readable || readable || (writable && m_transport.isTls());
    if (!m_output.empty()) {
        flush();
    }
    resume();
}

/// Takes what is there as far as it can be, and says what is waited for then.
void Connection::resume()
{
    if (m_closed) {
        return;
    }
    if (!m_input.empty() && !isBusy()) {
        consume({});
    }
    read();
    settle();
}

bool Connection::isBusy() const
{
    return m_inHandler || !m_output.empty() || m_closed;
}

void Connection::read()
{
    while (m_readable && !isBusy()) {
        const auto got = m_transport.read(m_server->input.data(), m_server->input.size());
        if (got.state == Transport::State::Blocked) {
            m_readable = false;
            return;
        }
        if (got.state == Transport::State::Ended) {
            close(); // half a request, if any, is of no use
            return;
        }
        // Less than there was room for: all that was there. What comes later is told anew.
        if (got.bytes < m_server->input.size() && !m_ended && !m_transport.isTls()) {
            m_readable = false;
        }
        if (m_waiting == Wait::Linger) {
            m_lingered += got.bytes;
            if (m_lingered > lingerBytes) {
                close();
            }
        } else {
            consume({m_server->input.data(), got.bytes});
        }
    }
}

void Connection::consume(std::string_view data)
{
    takeRequests(data);
    while (std::exchange(m_full, false) && !isBusy()) {
        takeRequests({});
    }
}

/// Handles the requests that are in what was read, up to one that is answered later.
void Connection::takeRequests(std::string_view data)
{
    m_working = true;
    std::string held = std::move(m_input);
    m_input.clear();
    if (!held.empty()) {
        held.append(data);
        data = held;
    }
    while (!data.empty() && !m_inHandler && !m_close && m_output.size() < outputBytes) {
        const std::size_t taken = takeRequest(data);
        data.remove_prefix(taken);
        if (m_parser && m_parser->refusal().status != 0) {
            const Refusal why = m_parser->refusal();
            refuse(why.status, why.detail);
        } else if (m_parser && m_parser->isDone()) {
            // The handler may let another connection read into the buffer that data points into.
            if (!data.empty() && held.empty()) {
                held = data;
                data = held;
            }
            handle();
        } else if (taken == 0) {
            break;
        }
    }
    if (!m_close) {
        m_input.assign(data);
    }
    m_full = m_output.size() >= outputBytes;
    m_working = false;
    flush();
}

/// Parses on; the bytes taken.
std::size_t Connection::takeRequest(std::string_view data)
{
    if (!m_parser) {
        // RFC 9112, 2.2: an empty line before a request is passed over.
        if (data.starts_with("\r\n")) {
            return 2;
        }
        if (data == "\r") {
            return 0;
        }
        m_begun = Clock::now();
        m_request = m_server->takeRequest();
        m_parser.emplace(*m_request, m_server->limits.request);
        m_continued = false;
    }
    const std::size_t taken = m_parser->put(data);
    if (m_parser->refusal().status == 0 && m_parser->isHeaderDone() && !m_parser->isDone()
        && m_parser->expectsContinue() && !m_continued) {
        m_continued = true;
        m_output += "HTTP/1.1 100 Continue\r\n\r\n";
    }
    return taken;
}

void Connection::handle()
{
    Request& request = *m_request;
    request.received = Clock::now();
    request.peer = m_peer;
    m_close = !m_parser->keepsAlive() || m_server->draining;
    m_head = m_parser->isHead();
    m_http10 = m_parser->isHttp10();
    m_parser.reset();
    nameRequest();
    ++m_number;
    m_active = true;
    if (!inflateBody()) {
        return;
    }
    // Health and metrics are answered however much there is to do: those who ask decide by it.
    if (request.target.starts_with("/v1/")
        && !m_server->gate.admits(request.received, m_server->inFlight)) {
        request.route = "refused";
        append(overloaded());
        return;
    }
    ++m_server->inFlight;
    m_inHandler = true;
    m_server->handler(m_request, Server::Respond(shared_from_this(), m_number));
    if (!m_inHandler && m_request) {
        m_server->giveRequest(std::move(m_request));
    }
}

void Connection::nameRequest()
{
    const std::string_view* given = m_request->header("X-Request-Id");
    if (given != nullptr && isValidRequestId(*given)) {
        m_request->id = *given;
    } else {
        m_request->id = makeRequestId();
    }
    if (const std::string_view* trace = m_request->header("traceparent")) {
        m_request->trace = TraceContext::parse(*trace);
    }
}

/// Whether the body is there as meant; else the request was refused.
bool Connection::inflateBody()
{
    const std::string_view* coding = m_request->header("Content-Encoding");
    const auto is = [&](const char* name) { return boost::beast::iequals(*coding, name); };
    if (coding == nullptr || is("identity")) {
        return true;
    }
    if (!is("gzip") && !is("x-gzip")) {
        m_request->route = "refused";
        Response response = problem(415, "Unsupported Media Type",
            "a body may be sent as it is or as gzip, in no other coding");
        response.headers.emplace_back("Accept-Encoding", "gzip, identity");
        append(response);
        return false;
    }
    const std::size_t limit = m_server->limits.request.bodyBytes;
    std::string inflated;
    const InflateOutcome outcome = gunzip(m_request->body, limit, inflated);
    if (outcome == InflateOutcome::Done) {
        m_request->body = std::move(inflated);
        return true;
    }
    m_request->route = "refused";
    append(outcome == InflateOutcome::TooLarge
            ? problem(413, "Content Too Large",
                "the body is larger than " + std::to_string(limit)
                    + " bytes when inflated; split the batch")
            : problem(400, "Bad Request", "the body is not valid gzip"));
    return false;
}

/// Answers what is no request that can be handled, and ends the connection.
void Connection::refuse(int status, std::string_view detail)
{
    if (!m_request) {
        m_request = m_server->takeRequest();
    }
    m_request->route = "refused";
    m_request->received = Clock::now();
    m_parser.reset();
    m_close = true;
    m_head = false;
    nameRequest();
    append(problem(status, reasonPhrase(status), detail));
}

void Connection::answer(std::uint64_t number, const Response& response)
{
    if (m_closed || !m_inHandler || number != m_number) {
        return; // the client has gone
    }
    m_inHandler = false;
    --m_server->inFlight;
    m_server->gate.answered();
    append(response);
    if (!m_working) {
        m_server->giveRequest(std::move(m_request));
        flush();
        resume();
    }
}

void Connection::append(const Response& response)
{
    m_close = m_close || m_server->draining;
    if (m_output.empty()) {
        m_output = m_server->takeBuffer();
    }
    appendResponse(m_output, response, m_request->id,
        {m_close, m_head, m_http10, m_request->trace ? m_request->trace->header() : std::string()});
    m_server->answered(*m_request, response.status);
}

void Connection::flush()
{
    while (!m_closed && m_written < m_output.size()) {
        const auto sent = m_transport.write(std::string_view(m_output).substr(m_written));
        if (sent.state == Transport::State::Blocked) {
            return;
        }
        if (sent.state == Transport::State::Ended) {
            close();
            return;
        }
        m_written += sent.bytes;
    }
    if (m_closed || m_output.empty()) {
        return;
    }
    m_written = 0;
    m_server->giveBuffer(std::move(m_output));
    m_output.clear();
    if (m_close && !m_inHandler) {
        linger();
    }
}

/// Closing with bytes unread would reset the connection and could take the answer with it: our
/// side is ended, and what the client still sends is read for a short time.
void Connection::linger()
{
    m_transport.endWriting();
    m_input.clear();
    m_server->wait(*this, Wait::Linger, Clock::now());
}

/// Waits for what comes next, with its time-out.
void Connection::settle()
{
    if (m_closed || m_waiting == Wait::Linger) {
        return;
    }
    if (!m_output.empty()) {
        if (m_waiting != Wait::Write) {
            m_server->wait(*this, Wait::Write, Clock::now());
        }
    } else if (m_inHandler) {
        m_server->wait(*this, Wait::Handler, m_begun);
    } else if (m_parser) {
        m_server->wait(*this, m_parser->isHeaderDone() ? Wait::Body : Wait::Header, m_begun);
    } else if (!m_transport.isOpen()) {
        if (m_waiting != Wait::Header) {
            m_server->wait(*this, Wait::Header, Clock::now()); // TLS begins
        }
    } else if (m_active || m_waiting != Wait::Idle || !is_linked()) {
        m_active = false;
        m_server->wait(*this, Wait::Idle, Clock::now());
    }
}

void Connection::onTimeout()
{
    if (m_waiting == Wait::Idle) {
        endIdle();
    } else if ((m_waiting == Wait::Header || m_waiting == Wait::Body) && m_parser) {
        refuse(408, "the request did not arrive in time; send it again");
        flush();
        settle();
    } else {
        close();
    }
}

void Connection::endIdle()
{
    if (m_waiting == Wait::Idle) {
        linger();
    }
}

void Connection::turnAway()
{
    refuse(503, "this worker has all the connections it takes; try again");
    flush();
    settle();
}

void Connection::close()
{
    if (m_closed) {
        return;
    }
    m_closed = true;
    if (std::exchange(m_inHandler, false)) {
        --m_server->inFlight;
    }
    m_transport.close();
    m_server->remove(*this);
}

} // namespace sluice::service
