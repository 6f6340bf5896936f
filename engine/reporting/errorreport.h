#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice {

/// One thing that went wrong, as Sentry's event.
struct ErrorReport
{
    struct Frame
    {
        std::string image; ///< the program's or library's file
        std::uint64_t address = 0; ///< absolute
        std::uint64_t base = 0; ///< where the image begins
    };

    std::string level = "error"; ///< fatal, error, warning, info, debug
    std::string message;
    std::string signal; ///< of a crash: "SIGSEGV"
    std::vector<Frame> frames; ///< of a crash, outermost first
    std::vector<std::pair<std::string, std::string>> tags;
    std::string traceId;
    std::string spanId;
    std::chrono::system_clock::time_point time = std::chrono::system_clock::now();
};

/// What is the same in every report.
struct ReportOrigin
{
    std::string program; ///< "sluiced"
    std::string version; ///< "0.1.0"; release is "sluiced@0.1.0"
    std::string environment = "production";
    std::string serverName; ///< empty: the host's name
    std::vector<std::pair<std::string, std::string>> tags;
};

/// 32 hexadecimal digits.
std::string makeEventId();
/// The event as JSON.
std::string eventJson(
    const ErrorReport& report, const ReportOrigin& origin, std::string_view eventId);
/// An envelope with that one event; `sentAt` is the time of sending, not of the error.
std::string envelope(std::string_view event, std::string_view eventId, const ReportOrigin& origin,
    std::chrono::system_clock::time_point sentAt);
std::string gzipped(std::string_view bytes);

} // namespace sluice
