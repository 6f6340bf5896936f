#pragma once

#include "engine/reporting/errorreport.h"
#include "engine/reporting/ratelimits.h"
#include "engine/reporting/sentrydsn.h"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <spdlog/sinks/base_sink.h>
#include <string>
#include <thread>

namespace sluice {

struct ReporterOptions
{
    std::string dsn;
    ReportOrigin origin;
    std::size_t queue = 100; ///< reports that wait; beyond, the oldest is dropped
    std::chrono::milliseconds timeout{5000}; ///< for one report to be taken
    std::chrono::milliseconds firstPause{1000}; ///< after a failure; doubled up to a minute
};

/// Sends errors to Sentry, or whatever speaks its envelope protocol. report() puts them into a
/// bounded queue and returns; a thread of its own sends them, obeys rate limits, and while the
/// server can't be reached tries again at growing intervals. Nothing here blocks or fails its
/// caller. Safe from any thread.
class ErrorReporter
{
public:
    struct Statistics
    {
        std::uint64_t sent = 0;
        std::uint64_t dropped = 0; ///< the queue was full
        std::uint64_t limited = 0; ///< Sentry wanted no more
        std::uint64_t refused = 0; ///< 4xx, 5xx: not sent again
    };

    /// Input error for a DSN that is none.
    static Result<std::shared_ptr<ErrorReporter>> make(const ReporterOptions& options);
    /// What still waits is given two seconds.
    ~ErrorReporter();
    ErrorReporter(const ErrorReporter&) = delete;
    ErrorReporter& operator=(const ErrorReporter&) = delete;

    void report(ErrorReport report);
    Statistics statistics() const;

private:
    struct State;
    static void work(const std::shared_ptr<State>& state);

    explicit ErrorReporter(std::shared_ptr<State> state);

    std::shared_ptr<State> m_state; ///< shared with the thread, which may outlive us in a look-up
    std::thread m_thread;
};

/// Reports every log line from level error on, with the fields of its LogScope.
class ReportSink : public spdlog::sinks::base_sink<std::mutex>
{
public:
    /// Does nothing once the reporter is gone.
    explicit ReportSink(std::weak_ptr<ErrorReporter> reporter)
        : m_reporter(std::move(reporter))
    {
        set_level(spdlog::level::err);
    }

protected:
    void sink_it_(const spdlog::details::log_msg& line) override;
    void flush_() override { }

private:
    std::weak_ptr<ErrorReporter> m_reporter;
};

} // namespace sluice
