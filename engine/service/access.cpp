#include "engine/service/access.h"

#include "engine/base/sha256.h"

#include <algorithm>
#include <boost/beast/core/string.hpp>
#include <cmath>
#include <fmt/format.h>
#include <openssl/crypto.h>

namespace sluice::service {

namespace {

Response unauthorized(std::string_view detail, bool given)
{
    Response response = problem(401, "Unauthorized", detail);
    response.headers.emplace_back("WWW-Authenticate",
        given ? R"(Bearer realm="sluice", error="invalid_token")" : R"(Bearer realm="sluice")");
    return response;
}

Response forbidden(const TokenSettings& token)
{
    Response response = problem(403, "Forbidden",
        fmt::format(
            "the token \"{}\" is one of role {}, which may not do this", token.name, token.role));
    response.headers.emplace_back(
        "WWW-Authenticate", R"(Bearer realm="sluice", error="insufficient_scope")");
    return response;
}

bool allows(std::string_view role, Access access)
{
    const bool leads = role == "admin" || role == "lead";
    return access == Access::Admin ? leads : leads || role == "client" || role == "tester";
}

/// The token of "Authorization: Bearer TOKEN"; none where there is no such header.
std::optional<std::string_view> bearerToken(const Request& request)
{
    constexpr std::string_view scheme = "bearer ";
    const std::string_view* header = request.header("Authorization");
    if (header == nullptr) {
        return std::nullopt;
    }
    if (!boost::beast::iequals(header->substr(0, scheme.size()), scheme)) {
        return std::string_view();
    }
    return header->substr(std::min(header->find_first_not_of(' ', scheme.size()), header->size()));
}

} // namespace

ClientRates::ClientRates(double rate, double burst)
    : m_rate(rate)
    , m_burst(std::max(1.0, burst > 0 ? burst : rate))
{ }

int ClientRates::take(std::string_view client, Clock::time_point now)
{
    if (m_rate <= 0) {
        return 0;
    }
    const auto found = m_buckets.find(client);
    if (found != m_buckets.end()) {
        m_order.splice(m_order.begin(), m_order, found->second);
    } else {
        if (m_order.size() >= mostClients) {
            m_buckets.erase(m_order.back().client);
            m_order.pop_back();
        }
        m_order.push_front({std::string(client), m_burst, now});
        m_buckets.emplace(m_order.front().client, m_order.begin());
    }
    Bucket& bucket = m_order.front();
    const double seconds = std::chrono::duration<double>(now - bucket.filled).count();
    bucket.tokens = std::min(m_burst, bucket.tokens + seconds * m_rate);
    bucket.filled = now;
    if (bucket.tokens >= 1) {
        bucket.tokens -= 1;
        return 0;
    }
    return std::max(1, int(std::ceil((1 - bucket.tokens) / m_rate)));
}

AccessControl::AccessControl(const AuthSettings& auth, const LimitSettings& limits)
    : m_auth(auth)
    , m_forwarded(limits.forwardedFor)
    , m_limited(limits.ratePerClient > 0)
    , m_rates(limits.ratePerClient, limits.burstPerClient)
{ }

const TokenSettings* AccessControl::find(std::string_view token) const
{
    const std::string hash = sha256Hex(token);
    const TokenSettings* found = nullptr;
    for (const TokenSettings& known : m_auth.tokens) { // all of them: time tells nothing
        if (::CRYPTO_memcmp(known.sha256.data(), hash.data(), hash.size()) == 0) {
            found = &known;
        }
    }
    return found;
}

bool AccessControl::isAdmin(const Request& request) const
{
    const auto given = bearerToken(request);
    const TokenSettings* token = given ? find(*given) : nullptr;
    return token != nullptr && allows(token->role, Access::Admin);
}

/// The address that a balancer says it was asked from, where it is trusted; else the connection's.
std::string AccessControl::clientOf(const Request& request) const
{
    const std::string_view* forwarded = m_forwarded ? request.header("X-Forwarded-For") : nullptr;
    if (forwarded != nullptr) {
        // The last one is the balancer's own word; those before it are the client's.
        const std::size_t comma = forwarded->rfind(',');
        const std::string_view last =
            comma == std::string_view::npos ? *forwarded : forwarded->substr(comma + 1);
        return "address " + std::string(last.substr(0, 64));
    }
    return "address " + std::string(request.peer.begin(), request.peer.end());
}

std::optional<Response> AccessControl::check(
    Request& request, Access access, std::chrono::steady_clock::time_point now)
{
    if (access == Access::Open) {
        return std::nullopt;
    }
    const TokenSettings* token = nullptr;
    if (const auto given = bearerToken(request)) {
        token = find(*given);
        if (token == nullptr) {
            return unauthorized("the Authorization header holds no token that is known here; "
                                "\"Bearer TOKEN\" is expected",
                true);
        }
        request.client = token->name;
    }
    const bool needsToken = access == Access::Admin || !m_auth.classifyOpen;
    if (needsToken && token == nullptr) {
        return unauthorized("this asks for a token: send \"Authorization: Bearer TOKEN\"", false);
    }
    if (needsToken && !allows(token->role, access)) {
        return forbidden(*token);
    }
    if (!m_limited) {
        return std::nullopt;
    }
    const int wait =
        m_rates.take(token != nullptr ? "token " + token->name : clientOf(request), now);
    if (wait == 0) {
        return std::nullopt;
    }
    Response response = problem(429, "Too Many Requests",
        fmt::format("more requests a second than this client has; try again in {} s", wait));
    response.headers.emplace_back("Retry-After", std::to_string(wait));
    return response;
}

} // namespace sluice::service
