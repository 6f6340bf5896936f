#include "engine/reporting/errorreport.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/chrono.h>
#include <random>
#include <unistd.h>
#include <zlib.h>

namespace sluice {

namespace json = boost::json;

namespace {

constexpr std::size_t maxMessage = 8192; ///< Sentry cuts there

std::string hostName()
{
    char name[256] = {};
    return ::gethostname(name, sizeof name - 1) == 0 ? std::string(name) : std::string();
}

json::object crash(const ErrorReport& report)
{
    json::array frames;
    for (const ErrorReport::Frame& frame : report.frames) {
        frames.push_back({{"instruction_addr", fmt::format("{:#x}", frame.address)},
            {"image_addr", fmt::format("{:#x}", frame.base)}, {"package", frame.image}});
    }
    json::object value{{"type", report.signal}, {"value", report.message},
        {"mechanism", {{"type", "signalhandler"}, {"handled", false}}}};
    if (!frames.empty()) {
        value["stacktrace"] = json::object{{"frames", std::move(frames)}};
    }
    return {{"values", json::array{std::move(value)}}};
}

} // namespace

std::string makeEventId()
{
    thread_local std::mt19937_64 random{std::random_device{}()};
    return fmt::format("{:016x}{:016x}", random(), random());
}

std::string eventJson(
    const ErrorReport& report, const ReportOrigin& origin, std::string_view eventId)
{
    json::object tags;
    for (const auto* list : {&origin.tags, &report.tags}) {
        for (const auto& [name, value] : *list) {
            tags[name] = value;
        }
    }
    const std::string message = report.message.substr(0, maxMessage);
    json::object event{{"event_id", eventId},
        {"timestamp", std::chrono::duration<double>(report.time.time_since_epoch()).count()},
        {"platform", "native"}, {"level", report.level}, {"logger", origin.program},
        {"release", origin.program + "@" + origin.version}, {"environment", origin.environment},
        {"server_name", origin.serverName.empty() ? hostName() : origin.serverName},
        {"tags", std::move(tags)},
        {"sdk", {{"name", "sluice.native"}, {"version", origin.version}}}};
    if (report.signal.empty()) {
        event["message"] = json::object{{"formatted", message}};
    } else {
        event["exception"] = crash(report);
    }
    if (!report.traceId.empty()) {
        event["contexts"] =
            json::object{{"trace", {{"trace_id", report.traceId}, {"span_id", report.spanId}}}};
    }
    return json::serialize(event);
}

std::string envelope(std::string_view event, std::string_view eventId, const ReportOrigin& origin,
    std::chrono::system_clock::time_point sentAt)
{
    const std::string time = fmt::format(
        "{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::floor<std::chrono::seconds>(sentAt)));
    const json::object header{{"event_id", eventId}, {"sent_at", time},
        {"sdk", {{"name", "sluice.native"}, {"version", origin.version}}}};
    const json::object item{
        {"type", "event"}, {"length", event.size()}, {"content_type", "application/json"}};
    return fmt::format("{}\n{}\n{}\n", json::serialize(header), json::serialize(item), event);
}

std::string gzipped(std::string_view bytes)
{
    z_stream stream{};
    constexpr int gzipWindow = 15 + 16;
    ::deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, gzipWindow, 8, Z_DEFAULT_STRATEGY);
    std::string in(bytes);
    std::string out(::deflateBound(&stream, in.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(in.data());
    stream.avail_in = uInt(in.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = uInt(out.size());
    ::deflate(&stream, Z_FINISH); // one call is enough: the bound is one
    out.resize(stream.total_out);
    ::deflateEnd(&stream);
    return out;
}

} // namespace sluice
