#include "engine/reporting/tracecontext.h"

#include <fmt/format.h>
#include <random>

namespace sluice {

namespace {

bool isHex(std::string_view text)
{
    return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool isId(std::string_view text)
{
    return isHex(text) && text.find_first_not_of('0') != std::string_view::npos;
}

std::string makeSpanId()
{
    thread_local std::mt19937_64 random{std::random_device{}()};
    std::uint64_t id = random();
    return fmt::format("{:016x}", id == 0 ? 1 : id); // 0 means none
}

} // namespace

std::optional<TraceContext> TraceContext::parse(std::string_view traceparent)
{
    // 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
    constexpr std::size_t length = 55;
    if (traceparent.size() < length || traceparent[2] != '-' || traceparent[35] != '-'
        || traceparent[52] != '-') {
        return {};
    }
    const std::string_view version = traceparent.substr(0, 2);
    const std::string_view trace = traceparent.substr(3, 32);
    const std::string_view parent = traceparent.substr(36, 16);
    const std::string_view flags = traceparent.substr(53, 2);
    const bool ends = traceparent.size() == length || (version != "00" && traceparent[55] == '-');
    if (!ends || !isHex(version) || version == "ff" || !isId(trace) || !isId(parent)
        || !isHex(flags)) {
        return {};
    }
    TraceContext context;
    context.traceId = std::string(trace);
    context.parentId = std::string(parent);
    context.spanId = makeSpanId();
    const char low = flags[1];
    context.sampled = (low <= '9' ? low - '0' : low - 'a' + 10) % 2 == 1;
    return context;
}

std::string TraceContext::header() const
{
    return fmt::format("00-{}-{}-{}", traceId, spanId, sampled ? "01" : "00");
}

} // namespace sluice
