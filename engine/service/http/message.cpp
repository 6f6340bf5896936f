#include "engine/service/http/message.h"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <cstring>
#include <ctime>
#include <random>

namespace sluice::service {

namespace {

char lower(char letter)
{
    return letter >= 'A' && letter <= 'Z' ? char(letter + ('a' - 'A')) : letter;
}

bool sameName(std::string_view a, std::string_view b)
{
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
        return lower(x) == lower(y);
    });
}

/// "Date: ..." with its line's end; made anew once a second.
std::string_view dateLine()
{
    thread_local std::time_t made = 0;
    thread_local std::array<char, 48> line{};
    thread_local std::size_t length = 0;
    const std::time_t now = std::time(nullptr);
    if (now != made || length == 0) {
        std::tm parts{};
        ::gmtime_r(&now, &parts);
        length =
            std::strftime(line.data(), line.size(), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &parts);
        made = now;
    }
    return {line.data(), length};
}

void appendNumber(std::string& out, std::size_t number)
{
    std::array<char, 20> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    out.append(digits.data(), end);
}

void appendHeader(std::string& out, std::string_view name, std::string_view value)
{
    out.append(name).append(": ").append(value).append("\r\n");
}

} // namespace

const std::string_view* Request::header(std::string_view name) const
{
    for (const auto& [key, value] : headers) {
        if (sameName(key, name)) {
            return &value;
        }
    }
    return nullptr;
}

void Request::clear()
{
    method = {};
    target = {};
    headers.clear();
    body.clear();
    client.clear();
    id.clear();
    trace.reset();
    route = "other";
    storage.clear();
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

std::string_view reasonPhrase(int status)
{
    static constexpr std::pair<int, std::string_view> phrases[] = {{200, "OK"}, {201, "Created"},
        {202, "Accepted"}, {204, "No Content"}, {400, "Bad Request"}, {401, "Unauthorized"},
        {403, "Forbidden"}, {404, "Not Found"}, {405, "Method Not Allowed"},
        {408, "Request Timeout"}, {409, "Conflict"}, {413, "Content Too Large"},
        {415, "Unsupported Media Type"}, {417, "Expectation Failed"},
        {422, "Unprocessable Content"}, {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"}, {500, "Internal Server Error"},
        {501, "Not Implemented"}, {503, "Service Unavailable"}, {505, "HTTP Version Not Supported"},
        {507, "Insufficient Storage"}};
    for (const auto& [number, phrase] : phrases) {
        if (number == status) {
            return phrase;
        }
    }
    return "Status";
}

void appendResponse(
    std::string& out, const Response& response, std::string_view requestId, const Framing& framing)
{
    out.reserve(out.size() + 320 + response.body.size());
    out.append("HTTP/1.1 ");
    appendNumber(out, std::size_t(response.status));
    out.append(" ").append(reasonPhrase(response.status)).append("\r\n").append(dateLine());
    if (response.status != 204) { // which has no body, and says nothing of one
        appendHeader(out, "Content-Type", response.contentType);
        out.append("Content-Length: ");
        appendNumber(out, response.body.size());
        out.append("\r\n");
    }
    if (!requestId.empty()) {
        appendHeader(out, "X-Request-Id", requestId);
    }
    if (!framing.traceparent.empty()) {
        appendHeader(out, "traceparent", framing.traceparent);
    }
    for (const auto& [name, value] : response.headers) {
        appendHeader(out, name, value);
    }
    if (framing.close) {
        out.append("Connection: close\r\n");
    } else if (framing.http10) {
        out.append("Connection: keep-alive\r\n");
    }
    out.append("\r\n");
    if (!framing.headOnly && response.status != 204) {
        out.append(response.body);
    }
}

bool isValidRequestId(std::string_view id)
{
    return !id.empty() && id.size() <= 128
        && std::all_of(id.begin(), id.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

std::string makeRequestId()
{
    // Unique, not secret: seeded once a thread.
    thread_local std::mt19937_64 random = [] {
        std::random_device device;
        std::seed_seq seed{device(), device(), device(), device()};
        return std::mt19937_64(seed);
    }();
    static constexpr char digits[] = "0123456789abcdef";
    std::string id(32, '0');
    for (std::size_t at = 0; at < id.size(); at += 16) {
        std::uint64_t bits = random();
        for (std::size_t digit = 0; digit < 16; ++digit, bits >>= 4) {
            id[at + digit] = digits[bits & 15];
        }
    }
    return id;
}

} // namespace sluice::service
