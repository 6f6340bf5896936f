#pragma once

#include "engine/base/result.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <spdlog/formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <string>
#include <string_view>

namespace sluice {

/// What a log line belongs to, beside its message; an empty one is left out.
struct LogFields
{
    std::string_view requestId;
    std::string_view session; ///< only sessionTag() of it is written: the name itself is personal
    std::string_view traceId; ///< 32 hexadecimal digits
    std::string_view spanId; ///< 16
    std::string_view more; ///< further JSON members: "route":"/healthz","status":200
};

/// Every line that this thread logs while the object lives carries `fields`, which outlive it.
class LogScope
{
public:
    explicit LogScope(const LogFields& fields);
    ~LogScope();
    LogScope(const LogScope&) = delete;
    LogScope& operator=(const LogScope&) = delete;

private:
    const LogFields* m_outer;
};

/// Of the innermost scope on this thread; empty outside of any.
LogFields currentLogFields();

/// Twelve digits that stand for a session in logs: the same for the same name, and no way back.
std::string sessionTag(std::string_view session);

struct LogOptions
{
    std::string level = "info"; ///< debug, info, warn, error
    bool json = true; ///< a JSON object a line; else "time level message"
    std::filesystem::path file; ///< empty: standard error
    std::uint64_t maxBytes = std::uint64_t(16) << 20; ///< a file
    int keep = 5; ///< old files
    std::chrono::seconds repeatInterval{10}; ///< 0: repeats are written like any other line
    spdlog::sink_ptr also; ///< gets the same lines, less the repeats; may be null
};

/// Makes spdlog's default logger as asked, and the one for logAccess(). Lines are written at once,
/// those of logAccess() within a second. Input error when the file can't be opened.
Result<void> startLogging(const LogOptions& options);
/// Writes a line of the access log, at level info: never taken for a repeat.
void logAccess(std::string_view message, const LogFields& fields);
void setLogLevel(const std::string& level); ///< of all lines but the access log's
void reopenLog(); ///< somebody has moved the file away
std::uint64_t droppedLogLines(); ///< since the start, because they could not be written

/// A line as one JSON object: time (RFC 3339, milliseconds, UTC), level, message, and the fields
/// of the scope; or in text, the fields behind the message.
class LogFormatter : public spdlog::formatter
{
public:
    explicit LogFormatter(bool json)
        : m_json(json)
    { }
    void format(const spdlog::details::log_msg& line, spdlog::memory_buf_t& out) override;
    std::unique_ptr<spdlog::formatter> clone() const override;

private:
    bool m_json;
};

/// Passes on a message's first line, counts those that repeat it (same level, same text) within
/// the interval, and when that is over says how many there were: "... (41 times more)". Remembers
/// 256 messages; what exceeds that passes.
class RepeatFilter : public spdlog::sinks::base_sink<std::mutex>
{
public:
    using Clock = std::function<std::chrono::steady_clock::time_point()>;

    RepeatFilter(spdlog::sink_ptr next, std::chrono::milliseconds interval,
        Clock clock = std::chrono::steady_clock::now);

protected:
    void sink_it_(const spdlog::details::log_msg& line) override;
    void flush_() override;
    void set_formatter_(std::unique_ptr<spdlog::formatter> formatter) override;

private:
    struct Seen
    {
        std::chrono::steady_clock::time_point since;
        std::uint64_t more = 0;
        spdlog::level::level_enum level{};
        std::string text;
    };
    void tellDue(std::chrono::steady_clock::time_point now);

    spdlog::sink_ptr m_next;
    std::chrono::milliseconds m_interval;
    Clock m_clock;
    std::vector<Seen> m_seen;
};

} // namespace sluice
