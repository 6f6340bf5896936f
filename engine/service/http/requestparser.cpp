#include "engine/service/http/requestparser.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>

namespace sluice::service {

namespace beast = boost::beast;
namespace http = boost::beast::http;

RequestParser::RequestParser(Request& request, const RequestLimits& limits)
    : m_request(request)
    , m_limits(limits)
    , m_bodyBytes(limits.bodyBytes)
{
    Base::header_limit(std::uint32_t(limits.headerBytes));
    Base::body_limit(boost::none); // it differs by request: see on_header_impl()
    Base::eager(true);
}

std::size_t RequestParser::put(std::string_view data)
{
    m_offered = data.size();
    error_code code;
    const std::size_t taken = Base::put(boost::asio::const_buffer(data.data(), data.size()), code);
    if (code && code != http::error::need_more && m_refusal.status == 0) {
        refuse(code);
    }
    return taken;
}

std::string_view RequestParser::keep(string_view text)
{
    std::string& storage = m_request.storage;
    const std::size_t at = storage.size();
    storage.append(text.data(), text.size());
    return std::string_view(storage).substr(at);
}

void RequestParser::refuse(int status, std::string_view detail, error_code& code)
{
    m_refusal = {status, std::string(detail)};
    code = http::error::bad_value; // ends the parsing
}

void RequestParser::refuse(const error_code& code)
{
    if (code == http::error::header_limit) {
        m_refusal = {
            431, "the header is larger than " + std::to_string(m_limits.headerBytes) + " bytes"};
    } else if (code == http::error::body_limit) {
        m_refusal = {413,
            "the body is larger than " + std::to_string(m_bodyBytes) + " bytes; split the batch"};
    } else if (code == http::error::bad_version) {
        m_refusal = {505, "HTTP/1.1 is spoken here"};
    } else {
        m_refusal = {400, "the request is not valid HTTP/1.1: " + code.message()};
    }
}

void RequestParser::on_request_impl(
    verb, string_view name, string_view target, int version, error_code&)
{
    // All of the header lies within what was offered, and what is kept of it is no longer: the
    // storage never moves while views are made.
    m_request.storage.reserve(std::min(m_offered, m_limits.headerBytes) + 64);
    m_request.method = keep(name);
    m_request.target = keep(target);
    m_version = version;
}

void RequestParser::on_field_impl(field id, string_view name, string_view value, error_code& code)
{
    m_request.headers.emplace_back(keep(name), keep(value));
    if (id == field::host) {
        ++m_hosts;
    } else if (id == field::expect) {
        m_expectsContinue = beast::iequals(value, "100-continue");
        if (!m_expectsContinue) {
            refuse(417, "no expectation but 100-continue is met here", code);
        }
    } else if (id == field::transfer_encoding && !beast::iequals(value, "chunked")) {
        refuse(501, "no transfer coding but chunked is understood here", code);
    }
}

void RequestParser::on_header_impl(error_code& code)
{
    if (m_limits.adminBodyBytes && m_request.target.starts_with("/v1/admin/")) {
        m_bodyBytes = m_limits.adminBodyBytes(m_request);
    }
    const auto length = Base::content_length();
    if (length && *length > m_bodyBytes) { // refused before any of it is read
        code = http::error::body_limit;
        return;
    }
    if (m_hosts > 1 || (m_hosts == 0 && m_version >= 11)) {
        refuse(400, "the request is not valid HTTP/1.1: it must name one Host", code);
    } else if (m_version < 11 && m_request.header("Transfer-Encoding") != nullptr) {
        refuse(400, "the request is not valid HTTP/1.0, which knows no chunks", code);
    }
}

void RequestParser::on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code&)
{
    if (length) {
        // What is there is reserved for, not what is announced: an announcement is cheap.
        m_request.body.reserve(std::min(std::size_t(*length), m_offered));
    }
}

std::size_t RequestParser::on_body_impl(string_view body, error_code&)
{
    m_request.body.append(body.data(), body.size());
    return body.size();
}

std::size_t RequestParser::on_chunk_body_impl(std::uint64_t, string_view body, error_code& code)
{
    if (m_request.body.size() + body.size() > m_bodyBytes) {
        code = http::error::body_limit;
        return 0;
    }
    return on_body_impl(body, code);
}

} // namespace sluice::service
