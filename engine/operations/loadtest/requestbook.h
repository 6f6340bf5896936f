#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace sluice::ops {

/// One turn as it is asked.
struct AskedTurn
{
    std::string text;
    std::string system;
    std::vector<std::string> systemActs;
};

/// A conversation and how often it is drawn against the others.
struct Script
{
    std::vector<AskedTurn> turns; ///< not empty
    double weight = 1;
};

enum class Route
{
    Classify,
    Batch,
    Feedback,
    Info
};
inline constexpr std::size_t routeCount = 4;
const char* pathOf(Route route); ///< "/v1/classify"

/// Shares of the routes, and what every request bears.
struct RequestOptions
{
    std::string host; ///< of the Host header
    std::string token; ///< bearer token; empty: none
    std::string sessionPrefix; ///< session names are PREFIX-USER-CONVERSATION
    std::array<double, routeCount> routes{1, 0, 0, 0};
    int batchSize = 10;
};

/// Requests made ready: what can be put together before a run is, so that sending one is a copy of
/// a few hundred bytes. Every user goes through conversations, a session each, drawn by weight;
/// conversations of one turn stay in the user's one session.
class RequestBook
{
public:
    RequestBook(
        const std::vector<Script>& scripts, RequestOptions options, int users, std::uint64_t seed);

    struct Request
    {
        std::string bytes;
        Route route = Route::Classify;
    };
    /// The user's next request, over what `request` held.
    void next(int user, Request& request);

private:
    struct User
    {
        std::uint32_t script = 0;
        std::uint32_t turn = 0; ///< of the script, the next one
        std::uint32_t conversation = 0;
        std::uint32_t spoken = 0; ///< turns of the session
    };
    Route draw(const User& user);
    std::uint32_t drawScript();
    void addSession(std::string& bytes, int user, const User& state) const;

    std::mt19937_64 m_random;
    std::string m_sessionPrefix;
    std::array<std::string, routeCount> m_heads; ///< request line and headers
    std::array<double, routeCount> m_routes{}; ///< cumulative, the last one is 1
    bool m_onlyClassifies = true;
    std::vector<std::vector<std::string>> m_tails; ///< by script and turn: length, body
    std::vector<std::string> m_batches; ///< tails of batches
    std::vector<double> m_weights; ///< cumulative; empty: all alike
    std::vector<User> m_users;
};

} // namespace sluice::ops
