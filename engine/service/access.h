#pragma once

#include "engine/service/configuration.h"
#include "engine/service/http/message.h"

#include <chrono>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sluice::service {

/// What a route asks of who calls it.
enum class Access
{
    Open, ///< nothing: health, metrics, what the worker is
    Query, ///< classify, feedback: a token of client, tester, admin or lead, where not open
    Admin ///< a token of admin or lead, whatever the configuration says
};

/// A token bucket a client: so many requests a second, and so many at once. Holds a bounded number
/// of clients; the one longest silent makes room, and begins anew if it comes back.
class ClientRates
{
public:
    using Clock = std::chrono::steady_clock;
    static constexpr std::size_t mostClients = 65536;

    /// `rate` 0: no limit. `burst` 0: one second's worth, one at least.
    ClientRates(double rate, double burst);
    ClientRates(ClientRates&&) = default;
    ClientRates& operator=(ClientRates&&) = default;

    /// 0 when `client` may ask now (and has); else the seconds until it may, rounded up.
    int take(std::string_view client, Clock::time_point now);
    std::size_t clients() const { return m_order.size(); }

private:
    struct Bucket
    {
        std::string client;
        double tokens = 0;
        Clock::time_point filled;
    };
    double m_rate;
    double m_burst;
    std::list<Bucket> m_order; ///< who asked last comes first
    std::unordered_map<std::string_view, std::list<Bucket>::iterator> m_buckets;
};

/// The one place where it is decided who may ask what, and how often. Tokens are compared by their
/// SHA-256, each in constant time.
class AccessControl
{
public:
    AccessControl(const AuthSettings& auth, const LimitSettings& limits);

    /// The refusal (401, 403, 429), or none: the request may go on. Sets `request.client` to the
    /// token's name.
    std::optional<Response> check(
        Request& request, Access access, std::chrono::steady_clock::time_point now);

    /// Whether it came with a token that may administer.
    bool isAdmin(const Request& request) const;

private:
    const TokenSettings* find(std::string_view token) const;
    std::string clientOf(const Request& request) const;

    AuthSettings m_auth;
    bool m_forwarded;
    bool m_limited;
    ClientRates m_rates;
};

} // namespace sluice::service
