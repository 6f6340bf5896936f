#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sluice {

/// Where a request stands in a distributed trace (W3C Trace Context, header `traceparent`).
struct TraceContext
{
    std::string traceId; ///< 32 lower-case hexadecimal digits, not all 0
    std::string parentId; ///< 16: the caller's span
    std::string spanId; ///< 16: ours, made here
    bool sampled = false;

    /// Reads a `traceparent`; nothing when it isn't one, so that the trace begins anew elsewhere
    /// (W3C: a broken header is ignored). Versions above 00 are read as far as 00 knows them.
    static std::optional<TraceContext> parse(std::string_view traceparent);

    /// The header that continues it: our span as the parent.
    std::string header() const;
};

} // namespace sluice
