#include "engine/service/routes/feedback.h"

#include "engine/base/json.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace sluice::service {

namespace json = boost::json;

namespace {

constexpr std::size_t maxLabelBytes = 256;

/// What the header says where there is one; the body's member may say the same.
std::string sameInBoth(JsonReader& in, std::string_view member, const std::string_view* header)
{
    const auto given = in.optionalString(member);
    if (header != nullptr && given && *given != *header) {
        in.fail(member, "differs from the header that says the same: send one of them");
    }
    const std::string name = header != nullptr ? std::string(*header) : given.value_or("");
    if ((header != nullptr || given) && !isValidSessionId(name)) {
        in.fail(member, "1 to 128 printable ASCII characters without blanks are expected");
    }
    return name;
}

Result<FeedbackRow> readFeedback(const Request& request)
{
    const auto value = parseJson(request.body, "the body");
    if (!value) {
        return value.error();
    }
    JsonReader in(*value, "the body");
    FeedbackRow row;
    row.id = sameInBoth(in, "id", request.header("Idempotency-Key"));
    row.kind = in.string("kind");
    if (row.kind != "right" && row.kind != "wrong" && row.kind != "complaint") {
        in.fail("kind", R"(one of "right", "wrong" and "complaint" is expected)");
    }
    row.label = in.optionalString("label").value_or("");
    if (row.label.size() > maxLabelBytes) {
        in.fail("label", "an intent's name, or \"oos\", is expected: at most 256 bytes");
    }
    row.milliseconds = in.optionalNumber("latency_ms", 0, 3600000);
    row.session = sameInBoth(in, "session", request.header("X-Session-Id"));
    row.request = sameInBoth(in, "request", nullptr);
    row.turn = int(in.optionalInteger("turn", 1, 1000000000).value_or(0));
    if (row.session.empty() && row.request.empty()) {
        in.fail("request",
            "say which answer this is about: by \"request\", or by \"session\" and "
            "\"turn\"");
    }
    if (auto done = in.finish(); !done) {
        return done.error();
    }
    return row;
}

} // namespace

void feedbackRoute(
    const RouteContext& context, const RequestPointer& request, const Server::Respond& respond)
{
    auto row = readFeedback(*request);
    if (!row) {
        respond(problem(400, "Bad Request", row.error().message));
        return;
    }
    if (row->id.empty()) {
        row->id = makeSessionId();
    }
    row->session = context.privacy->session(row->session);
    row->pool = context.pool;
    row->at = context.now().time_since_epoch().count();
    context.feedback->add(*row, [id = row->id, respond](const Result<void>& taken) {
        if (!taken) {
            Response response = problem(503, "Service Unavailable", taken.error().message);
            response.headers.emplace_back("Retry-After", "5");
            respond(std::move(response));
            return;
        }
        Response response = jsonResponse(json::serialize(json::object{{"id", id}}));
        response.status = 202;
        respond(std::move(response));
    });
}

} // namespace sluice::service
