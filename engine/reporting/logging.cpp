#include "engine/reporting/logging.h"

#include "engine/base/sha256.h"
#include "engine/reporting/logfile.h"

#include <algorithm>
#include <atomic>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <fmt/chrono.h>
#include <iterator>
#include <spdlog/sinks/dist_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace sluice {

namespace {

constexpr std::size_t maxSeen = 256;
constexpr const char* accessName = "access";

thread_local const LogFields* currentFields = nullptr;
std::atomic<std::uint64_t> dropped = 0;

/// Text as a JSON string; bytes that are no UTF-8 become question marks.
std::string quoted(std::string_view text)
{
    std::string all = boost::json::serialize(boost::json::string(text));
    const auto isHigh = [](char c) { return (static_cast<unsigned char>(c) & 0x80U) != 0; };
    if (std::any_of(all.begin(), all.end(), isHigh)) {
        boost::system::error_code code;
        boost::json::parse(all, code);
        if (code) {
            std::replace_if(all.begin(), all.end(), isHigh, '?');
        }
    }
    return all;
}

/// The sink of a LogFile, which says afterwards what could not be written.
class FileSink : public spdlog::sinks::base_sink<std::mutex>
{
public:
    explicit FileSink(std::unique_ptr<LogFile> file)
        : m_file(std::move(file))
    { }

    void reopen()
    {
        const std::lock_guard lock(mutex_);
        m_file->reopen();
    }

protected:
    void sink_it_(const spdlog::details::log_msg& line) override
    {
        write(line);
        if (line.logger_name != spdlog::string_view_t(accessName)) {
            flush_();
        }
    }

    void flush_() override
    {
        m_file->flush();
        dropped.store(m_file->dropped(), std::memory_order_relaxed);
        if (m_file->dropped() > m_told && m_file->cause().empty()) {
            const std::string text =
                fmt::format("{} log lines could not be written", m_file->dropped() - m_told);
            m_told = m_file->dropped();
            write({{}, {}, spdlog::level::warn, text});
            m_file->flush();
        }
    }

private:
    void write(const spdlog::details::log_msg& line)
    {
        spdlog::memory_buf_t text;
        formatter_->format(line, text);
        m_file->write({text.data(), text.size()});
    }

    std::unique_ptr<LogFile> m_file;
    std::uint64_t m_told = 0;
};

std::shared_ptr<FileSink>& fileSink()
{
    static std::shared_ptr<FileSink> sink;
    return sink;
}

void appendField(spdlog::memory_buf_t& out, bool json, const char* name, std::string_view value)
{
    if (value.empty()) {
        return;
    }
    if (json) {
        fmt::format_to(std::back_inserter(out), ",\"{}\":{}", name, quoted(value));
    } else {
        fmt::format_to(std::back_inserter(out), " {}={}", name, value);
    }
}

} // namespace

LogScope::LogScope(const LogFields& fields)
    : m_outer(std::exchange(currentFields, &fields))
{ }

LogScope::~LogScope()
{
    currentFields = m_outer;
}

LogFields currentLogFields()
{
    return currentFields == nullptr ? LogFields() : *currentFields;
}

std::string sessionTag(std::string_view session)
{
    return session.empty() ? std::string() : sha256Hex(session).substr(0, 12);
}

void LogFormatter::format(const spdlog::details::log_msg& line, spdlog::memory_buf_t& out)
{
    const auto to = std::back_inserter(out);
    const auto seconds = std::chrono::floor<std::chrono::seconds>(line.time);
    const auto milliseconds =
        std::chrono::duration_cast<std::chrono::milliseconds>(line.time - seconds).count();
    const std::string time =
        fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(seconds), milliseconds);
    const auto level = spdlog::level::to_string_view(line.level);
    const std::string_view message(line.payload.data(), line.payload.size());
    if (m_json) {
        fmt::format_to(to, R"({{"time":"{}","level":"{}","message":{})", time,
            std::string_view(level.data(), level.size()), quoted(message));
    } else {
        fmt::format_to(to, "{} {} {}", time, std::string_view(level.data(), level.size()), message);
    }
    if (currentFields != nullptr) {
        appendField(out, m_json, "request_id", currentFields->requestId);
        appendField(out, m_json, "session", sessionTag(currentFields->session));
        appendField(out, m_json, "trace_id", currentFields->traceId);
        appendField(out, m_json, "span_id", currentFields->spanId);
        if (!currentFields->more.empty()) {
            fmt::format_to(to, "{}{}", m_json ? "," : " ", currentFields->more);
        }
    }
    fmt::format_to(to, "{}\n", m_json ? "}" : "");
}

std::unique_ptr<spdlog::formatter> LogFormatter::clone() const
{
    return std::make_unique<LogFormatter>(m_json);
}

RepeatFilter::RepeatFilter(spdlog::sink_ptr next, std::chrono::milliseconds interval, Clock clock)
    : m_next(std::move(next))
    , m_interval(interval)
    , m_clock(std::move(clock))
{ }

void RepeatFilter::sink_it_(const spdlog::details::log_msg& line)
{
    const auto now = m_clock();
    tellDue(now);
    const std::string_view text(line.payload.data(), line.payload.size());
    const auto found = std::find_if(m_seen.begin(), m_seen.end(),
        [&](const Seen& seen) { return seen.level == line.level && seen.text == text; });
    if (found != m_seen.end()) {
        ++found->more;
        return;
    }
    if (m_seen.size() < maxSeen) {
        m_seen.push_back({now, 0, line.level, std::string(text)});
    }
    m_next->log(line);
}

void RepeatFilter::tellDue(std::chrono::steady_clock::time_point now)
{
    const auto isDue = [&](const Seen& seen) { return now - seen.since >= m_interval; };
    for (Seen& seen : m_seen) {
        if (isDue(seen) && seen.more > 0) {
            // Not of the request that happens to be at work now.
            const LogFields none;
            const LogScope scope(none);
            const std::string text = fmt::format("{} ({} times more)", seen.text, seen.more);
            m_next->log(spdlog::details::log_msg({}, {}, seen.level, text));
            seen.since = now; // it is still going on
            seen.more = 0;
        }
    }
    std::erase_if(m_seen, isDue);
}

void RepeatFilter::flush_()
{
    tellDue(m_clock());
    m_next->flush();
}

void RepeatFilter::set_formatter_(std::unique_ptr<spdlog::formatter> formatter)
{
    m_next->set_formatter(std::move(formatter));
}

Result<void> startLogging(const LogOptions& options)
{
    spdlog::sink_ptr sink;
    if (options.file.empty()) {
        sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
        fileSink() = nullptr;
    } else {
        auto file = LogFile::open(options.file, options.maxBytes, options.keep);
        if (!file) {
            return file.error();
        }
        fileSink() = std::make_shared<FileSink>(std::move(*file));
        sink = fileSink();
    }
    sink->set_formatter(std::make_unique<LogFormatter>(options.json));
    spdlog::sink_ptr first = sink;
    if (options.also != nullptr) {
        first = std::make_shared<spdlog::sinks::dist_sink_mt>(std::vector{sink, options.also});
    }
    if (options.repeatInterval.count() > 0) {
        first = std::make_shared<RepeatFilter>(first, options.repeatInterval);
    }
    const auto before = spdlog::default_logger(); // ends here, when nobody writes to it any more
    spdlog::drop(accessName);
    spdlog::register_logger(std::make_shared<spdlog::logger>(accessName, sink));
    spdlog::set_default_logger(std::make_shared<spdlog::logger>("", first));
    setLogLevel(options.level);
    spdlog::flush_every(std::chrono::seconds(1));
    return {};
}

void logAccess(std::string_view message, const LogFields& fields)
{
    if (const auto logger = spdlog::get(accessName)) {
        const LogScope scope(fields);
        logger->info("{}", message);
    }
}

void setLogLevel(const std::string& level)
{
    spdlog::default_logger()->set_level(spdlog::level::from_str(level));
}

void reopenLog()
{
    if (const auto sink = fileSink()) {
        sink->reopen();
    }
}

std::uint64_t droppedLogLines()
{
    return dropped.load(std::memory_order_relaxed);
}

} // namespace sluice
