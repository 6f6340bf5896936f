#include "engine/operations/loadtest/requestbook.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace sluice::ops {

namespace json = boost::json;

namespace {

constexpr std::size_t batches = 64; ///< made ready, drawn from again and again

json::object asked(const AskedTurn& turn)
{
    json::object object{{"text", turn.text}};
    if (!turn.system.empty()) {
        object["system"] = turn.system;
    }
    if (!turn.systemActs.empty()) {
        object["system_acts"] = json::array(turn.systemActs.begin(), turn.systemActs.end());
    }
    return object;
}

std::string tailOf(const std::string& body)
{
    return "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

double uniform(std::mt19937_64& random)
{
    return double(random() >> 11U) * 0x1p-53;
}

} // namespace

const char* pathOf(Route route)
{
    constexpr std::array paths{"/v1/classify", "/v1/classify/batch", "/v1/feedback", "/v1/info"};
    return paths[std::size_t(route)];
}

RequestBook::RequestBook(
    const std::vector<Script>& scripts, RequestOptions options, int users, std::uint64_t seed)
    : m_random(seed)
    , m_sessionPrefix("X-Session-Id: " + options.sessionPrefix + '-')
    , m_users(std::size_t(users))
{
    const std::string common = " HTTP/1.1\r\nHost: " + options.host + "\r\n"
        + (options.token.empty() ? "" : "Authorization: Bearer " + options.token + "\r\n");
    double sum = 0;
    for (std::size_t route = 0; route < routeCount; ++route) {
        const bool gets = Route(route) == Route::Info;
        m_heads[route] = (gets ? "GET " : "POST ") + std::string(pathOf(Route(route))) + common
            + (gets ? "" : "Content-Type: application/json\r\n");
        sum += options.routes[route];
        m_routes[route] = sum;
        m_onlyClassifies = m_onlyClassifies && (route == 0 || options.routes[route] == 0);
    }
    for (double& route : m_routes) {
        route /= sum;
    }
    double weight = 0;
    bool alike = true;
    for (const Script& script : scripts) {
        m_tails.emplace_back();
        for (const AskedTurn& turn : script.turns) {
            m_tails.back().push_back(tailOf(json::serialize(asked(turn))));
        }
        alike = alike && script.weight == scripts.front().weight;
        m_weights.push_back(weight += script.weight);
    }
    if (alike) {
        m_weights.clear();
    }
    for (std::size_t batch = 0; options.routes[std::size_t(Route::Batch)] > 0 && batch < batches;
         ++batch) {
        json::array queries;
        for (int index = 0; index < options.batchSize; ++index) {
            queries.push_back(asked(scripts[drawScript()].turns.front()));
        }
        m_batches.push_back(tailOf(json::serialize(json::object{{"queries", queries}})));
    }
    for (User& user : m_users) {
        user.script = drawScript();
    }
}

std::uint32_t RequestBook::drawScript()
{
    if (m_weights.empty()) {
        return std::uint32_t(m_random() % m_tails.size());
    }
    const double at = uniform(m_random) * m_weights.back();
    const auto found = std::upper_bound(m_weights.begin(), m_weights.end() - 1, at);
    return std::uint32_t(found - m_weights.begin());
}

Route RequestBook::draw(const User& user)
{
    if (m_onlyClassifies) {
        return Route::Classify;
    }
    const double at = uniform(m_random);
    const auto found = std::upper_bound(m_routes.begin(), m_routes.end() - 1, at);
    const auto route = Route(found - m_routes.begin());
    // Nobody has an opinion on an answer before the first.
    return route == Route::Feedback && user.spoken == 0 ? Route::Classify : route;
}

void RequestBook::addSession(std::string& bytes, int user, const User& state) const
{
    bytes += m_sessionPrefix;
    bytes += std::to_string(user);
    bytes += '-';
    bytes += std::to_string(state.conversation);
    bytes += "\r\n";
}

void RequestBook::next(int user, Request& request)
{
    User& state = m_users[std::size_t(user)];
    request.route = draw(state);
    std::string& bytes = request.bytes;
    bytes = m_heads[std::size_t(request.route)];
    switch (request.route) {
    case Route::Classify: {
        if (state.turn >= m_tails[state.script].size()) {
            const bool talked = m_tails[state.script].size() > 1;
            state.script = drawScript();
            state.turn = 0;
            if (talked || m_tails[state.script].size() > 1) {
                ++state.conversation;
                state.spoken = 0;
            }
        }
        addSession(bytes, user, state);
        bytes += m_tails[state.script][state.turn];
        ++state.turn;
        ++state.spoken;
        break;
    }
    case Route::Batch:
        bytes += m_batches[std::size_t(m_random() % m_batches.size())];
        break;
    case Route::Feedback:
        addSession(bytes, user, state);
        bytes += tailOf(R"({"kind":"right","turn":)" + std::to_string(state.spoken) + '}');
        break;
    case Route::Info:
        bytes += "\r\n";
        break;
    }
}

} // namespace sluice::ops
