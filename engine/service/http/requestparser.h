#pragma once

#include "engine/service/http/message.h"

#include <boost/beast/http/basic_parser.hpp>
#include <functional>

namespace sluice::service {

/// Bounds of one request.
struct RequestLimits
{
    std::size_t headerBytes = 8 * 1024; ///< beyond: 431
    std::size_t bodyBytes = 1024 * 1024; ///< beyond: 413
    /// Asked once the header of a request to /v1/admin/ is there: what its body may be instead.
    std::function<std::size_t(const Request&)> adminBodyBytes;
};

/// What is wrong with a request.
struct Refusal
{
    int status = 0; ///< 0: nothing
    std::string detail;
};

/// Fills one Request from bytes as they come. Beast's parser below it is strict: two lengths, or a
/// length and chunks, are refused.
class RequestParser final : private boost::beast::http::basic_parser<true>
{
    using Base = boost::beast::http::basic_parser<true>;

public:
    /// Both outlive it.
    RequestParser(Request& request, const RequestLimits& limits);

    /// Takes what it can of `data`, which must begin where the last call's ended; the number of
    /// bytes taken. With none taken more are needed, unless refusal() says otherwise.
    std::size_t put(std::string_view data);

    bool isHeaderDone() const { return Base::is_header_done(); }
    bool isDone() const { return Base::is_done(); }
    const Refusal& refusal() const { return m_refusal; }

    // Once the header is there:
    bool keepsAlive() const { return Base::keep_alive(); }
    bool isHttp10() const { return m_version < 11; }
    bool isHead() const { return m_request.method == "HEAD"; }
    bool expectsContinue() const { return m_expectsContinue; }

private:
    using field = boost::beast::http::field;
    using verb = boost::beast::http::verb;
    using string_view = boost::beast::string_view;
    using error_code = boost::beast::error_code;

    std::string_view keep(string_view text);
    void refuse(int status, std::string_view detail, error_code& code);
    void refuse(const error_code& code);

    void on_request_impl(
        verb method, string_view name, string_view target, int version, error_code& code) override;
    void on_response_impl(int, string_view, int, error_code&) override { }
    void on_field_impl(field id, string_view name, string_view value, error_code& code) override;
    void on_header_impl(error_code& code) override;
    void on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code& code) override;
    std::size_t on_body_impl(string_view body, error_code& code) override;
    void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override { }
    std::size_t on_chunk_body_impl(
        std::uint64_t remain, string_view body, error_code& code) override;
    void on_finish_impl(error_code&) override { }

    Request& m_request;
    const RequestLimits& m_limits;
    std::size_t m_bodyBytes = 0; ///< what this request's body may be
    Refusal m_refusal;
    std::size_t m_offered = 0; ///< bytes of the buffer that holds the header
    int m_version = 11;
    int m_hosts = 0;
    bool m_expectsContinue = false;
};

} // namespace sluice::service
