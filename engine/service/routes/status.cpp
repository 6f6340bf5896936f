#include "engine/service/routes/status.h"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <unistd.h>

namespace sluice::service {

namespace json = boost::json;

void infoRoute(const RouteContext& context, const RequestPointer&, const Server::Respond& respond)
{
    const ServingPointer serving = context.serving();
    const ThresholdSet& thresholds = serving->thresholds->set();
    const Model& model = serving->classifier->model();
    respond(jsonResponse(json::serialize(
        json::object{{"version", context.version}, {"pool", context.pool}, {"model", model.hash()},
            {"model_file", context.models->file()}, {"labels", model.labels().size()},
            {"threshold_set", thresholds.number}, {"thresholds", json::parse(thresholds.toJson())},
            {"pid", ::getpid()}, {"started_at", context.startedAt}})));
}

void healthzRoute(const RouteContext&, const RequestPointer&, const Server::Respond& respond)
{
    respond(jsonResponse(R"({"status":"ok"})"));
}

void readyzRoute(const RouteContext& context, const RequestPointer&, const Server::Respond& respond)
{
    if (context.ready()) {
        respond(jsonResponse(R"({"status":"ready"})"));
    } else {
        respond(problem(
            503, "Service Unavailable", "this worker is ending: send queries to another one"));
    }
}

void metricsRoute(
    const RouteContext& context, const RequestPointer& request, const Server::Respond& respond)
{
    const std::string_view* accept = request->header("Accept");
    const MetricsFormat format = metricsFormat(accept == nullptr ? "" : *accept);
    Response response;
    response.contentType = contentType(format);
    response.headers.emplace_back("Vary", "Accept");
    response.body = context.metricsText(format);
    respond(std::move(response));
}

} // namespace sluice::service
