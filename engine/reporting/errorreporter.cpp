#include "engine/reporting/errorreporter.h"

#include "engine/reporting/httppost.h"
#include "engine/reporting/logging.h"

#include <algorithm>
#include <spdlog/spdlog.h>

namespace sluice {

namespace {

constexpr std::chrono::seconds longestPause{60};
constexpr std::chrono::seconds farewell{2};
constexpr const char* category = "error";

} // namespace

struct ErrorReporter::State
{
    SentryDsn dsn;
    ReporterOptions options;

    mutable std::mutex mutex; ///< for all below
    std::condition_variable changed;
    std::deque<ErrorReport> waiting;
    Statistics statistics;
    bool ending = false;
    bool ended = false;

    // The thread's own.
    RateLimits limits;
    bool saidUnreachable = false;

    /// Sends one; false: nobody was there to take it.
    bool send(const ErrorReport& report);
    void count(std::uint64_t Statistics::*which)
    {
        const std::lock_guard lock(mutex);
        ++(statistics.*which);
    }
};

Result<std::shared_ptr<ErrorReporter>> ErrorReporter::make(const ReporterOptions& options)
{
    auto dsn = SentryDsn::parse(options.dsn);
    if (!dsn) {
        return dsn.error();
    }
    auto state = std::make_shared<State>();
    state->dsn = std::move(*dsn);
    state->options = options;
    return std::shared_ptr<ErrorReporter>(new ErrorReporter(std::move(state)));
}

ErrorReporter::ErrorReporter(std::shared_ptr<State> state)
    : m_state(std::move(state))
    , m_thread([shared = m_state] { work(shared); })
{ }

ErrorReporter::~ErrorReporter()
{
    std::unique_lock lock(m_state->mutex);
    m_state->ending = true;
    m_state->changed.notify_all();
    const bool ended = m_state->changed.wait_for(lock, farewell, [this] { return m_state->ended; });
    lock.unlock();
    if (ended) {
        m_thread.join();
    } else {
        m_thread.detach(); // in a name look-up, which nothing can interrupt
    }
}

void ErrorReporter::report(ErrorReport report)
{
    const std::lock_guard lock(m_state->mutex);
    if (m_state->waiting.size() >= m_state->options.queue) {
        m_state->waiting.pop_front();
        ++m_state->statistics.dropped;
    }
    m_state->waiting.push_back(std::move(report));
    m_state->changed.notify_all();
}

ErrorReporter::Statistics ErrorReporter::statistics() const
{
    const std::lock_guard lock(m_state->mutex);
    return m_state->statistics;
}

void ErrorReporter::work(const std::shared_ptr<State>& state)
{
    const auto first = state->options.firstPause;
    std::chrono::milliseconds pause = first;
    std::unique_lock lock(state->mutex);
    while (true) {
        state->changed.wait(lock, [&] { return state->ending || !state->waiting.empty(); });
        if (state->waiting.empty()) {
            break; // ending
        }
        ErrorReport report = std::move(state->waiting.front());
        state->waiting.pop_front();
        lock.unlock();
        const bool taken = state->send(report);
        lock.lock();
        if (taken) {
            pause = first;
            continue;
        }
        if (state->ending) {
            break;
        }
        if (state->waiting.size() < state->options.queue) {
            state->waiting.push_front(std::move(report));
        } else {
            ++state->statistics.dropped;
        }
        state->changed.wait_for(lock, pause, [&] { return state->ending; });
        pause = std::min<std::chrono::milliseconds>(pause * 2, longestPause);
    }
    state->ended = true;
    state->changed.notify_all();
}

bool ErrorReporter::State::send(const ErrorReport& report)
{
    const auto now = std::chrono::system_clock::now();
    if (limits.isLimited(category, now)) {
        count(&Statistics::limited);
        return true;
    }
    const ReportOrigin& origin = options.origin;
    const std::string id = makeEventId();
    const std::string client = "sluice.native/" + origin.version;
    HttpPost request{dsn.tls, dsn.host, dsn.port, dsn.path,
        {{"Host", dsn.hostHeader()}, {"User-Agent", client},
            {"Content-Type", "application/x-sentry-envelope"}, {"Content-Encoding", "gzip"},
            {"X-Sentry-Auth", dsn.authorization(client)}},
        gzipped(envelope(eventJson(report, origin, id), id, origin, now))};
    const auto reply = post(request, options.timeout);
    if (!reply) {
        if (!std::exchange(saidUnreachable, true)) {
            // A logger of our own: this thread may be left behind, and logging begun anew
            // meanwhile.
            spdlog::default_logger()->warn(
                "errors can't be reported for now: {}", reply.error().text());
        }
        return false;
    }
    saidUnreachable = false;
    limits.note(reply->status, reply->headers, now);
    const bool good = reply->status >= 200 && reply->status < 300;
    count(good                     ? &Statistics::sent
            : reply->status == 429 ? &Statistics::limited
                                   : &Statistics::refused);
    if (!good && reply->status != 429) {
        const auto why = std::find_if(reply->headers.begin(), reply->headers.end(),
            [](const auto& header) { return header.first == "x-sentry-error"; });
        spdlog::default_logger()->warn("Sentry refuses a report with {}{}{}", reply->status,
            why == reply->headers.end() ? "" : ": ",
            why == reply->headers.end() ? "" : why->second);
    }
    return true;
}

void ReportSink::sink_it_(const spdlog::details::log_msg& line)
{
    const auto reporter = m_reporter.lock();
    if (reporter == nullptr) {
        return;
    }
    ErrorReport report;
    report.level = line.level == spdlog::level::critical ? "fatal" : "error";
    report.message.assign(line.payload.data(), line.payload.size());
    report.time = line.time;
    const LogFields fields = currentLogFields();
    report.traceId = fields.traceId;
    report.spanId = fields.spanId;
    if (!fields.requestId.empty()) {
        report.tags.emplace_back("request_id", fields.requestId);
    }
    if (!fields.session.empty()) {
        report.tags.emplace_back("session", sessionTag(fields.session));
    }
    reporter->report(std::move(report));
}

} // namespace sluice
