#include "engine/service/routes/admin.h"

#include "engine/base/json.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace sluice::service {

namespace json = boost::json;

namespace {

constexpr int maxProfileSeconds = 60;

} // namespace

void modelRoute(
    const RouteContext& context, const RequestPointer& request, const Server::Respond& respond)
{
    const std::string_view* hash = request->header("X-Content-SHA256");
    if (hash == nullptr || hash->size() != 64
        || hash->find_first_not_of("0123456789abcdef") != std::string_view::npos) {
        respond(problem(400, "Bad Request",
            "the header X-Content-SHA256 must hold the file's SHA-256: 64 lower-case hexadecimal "
            "digits"));
        return;
    }
    // The request lives as long as its body is read: a model is not copied.
    context.models->upload(std::shared_ptr<const std::string>(request, &request->body),
        std::string(*hash), [&context, respond](const Result<void>& served) {
            if (!served) {
                const bool refused = served.error().kind == ErrorKind::Refused;
                respond(refused ? problem(409, "Conflict", served.error().text())
                                : problem(422, "Unprocessable Content", served.error().text()));
                return;
            }
            const ServingPointer now = context.serving();
            respond(jsonResponse(
                json::serialize(json::object{{"model", now->classifier->model().hash()},
                    {"labels", now->classifier->model().labels().size()},
                    {"threshold_set", now->thresholds->set().number}})));
        });
}

void profileRoute(
    const RouteContext& context, const RequestPointer& request, const Server::Respond& respond)
{
    int seconds = 10;
    if (!request->body.empty()) {
        const auto value = parseJson(request->body, "the body");
        if (!value) {
            respond(problem(400, "Bad Request", value.error().message));
            return;
        }
        JsonReader in(*value, "the body");
        seconds = int(in.optionalInteger("seconds", 1, maxProfileSeconds).value_or(seconds));
        if (auto done = in.finish(); !done) {
            respond(problem(400, "Bad Request", done.error().message));
            return;
        }
    }
    context.profiler->start(
        std::chrono::seconds(seconds), [respond](const Result<std::string>& profile) {
            if (!profile) {
                const Error& error = profile.error();
                respond(error.kind == ErrorKind::Refused ? problem(409, "Conflict", error.text())
                        : error.kind == ErrorKind::Input
                        ? problem(501, "Not Implemented", error.text())
                        : problem(500, "Internal Server Error", error.text()));
                return;
            }
            respond({200, "application/octet-stream", {}, *profile});
        });
}

} // namespace sluice::service
