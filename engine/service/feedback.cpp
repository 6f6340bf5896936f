#include "engine/service/feedback.h"

#include "engine/base/file.h"
#include "engine/base/json.h"

#include <boost/asio/post.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace sluice::service {

namespace json = boost::json;
namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds directPatience{200};
constexpr std::chrono::milliseconds replayPatience{2000};
constexpr std::chrono::seconds interval{1};
constexpr std::chrono::seconds lookForOthers{10};
constexpr std::size_t atOnce = 64; ///< rows of the file on their way
constexpr int mostSpools = 1024; ///< workers that may share a folder

/// KEYS: the stream, the id's own. ARGV: the row, the length kept, how long the id is known. The
/// row first: should the end come between, it is there twice rather than never.
constexpr const char* script = R"(
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], '*', 'row', ARGV[1])
redis.call('SET', KEYS[2], '1', 'EX', ARGV[3])
return 1)";

std::filesystem::path spoolPath(const std::string& folder, int number)
{
    return std::filesystem::path(folder) / fmt::format("feedback-{}.log", number);
}

} // namespace

std::string FeedbackRow::toJson() const
{
    json::object object{{"v", 1}, {"id", id}, {"kind", kind}};
    const auto add = [&object](const char* key, const std::string& value) {
        if (!value.empty()) {
            object[key] = value;
        }
    };
    add("label", label);
    if (milliseconds) {
        object["latency_ms"] = *milliseconds;
    }
    add("request", request);
    add("session", session);
    if (turn > 0) {
        object["turn"] = turn;
    }
    add("pool", pool);
    object["at"] = at;
    return json::serialize(object);
}

class Feedback::State : public std::enable_shared_from_this<State>
{
public:
    State(asio::io_context& loop, asio::thread_pool& background, FeedbackSettings settings,
        RedisCommands* redis)
        : m_settings(std::move(settings))
        , m_redis(redis)
        , m_timer(loop)
        , m_background(background)
    { }

    Result<void> open()
    {
        if (m_settings.folder.empty()) {
            return {};
        }
        if (auto made = ensureWritableFolder(m_settings.folder); !made) {
            return made.error();
        }
        for (m_number = 1; m_number <= mostSpools; ++m_number) {
            auto opened = openSpool(m_number);
            if (opened) {
                m_spool = std::move(*opened);
                return {};
            }
            if (opened.error().kind != ErrorKind::Refused) {
                return opened.error();
            }
        }
        return inputError(
            fmt::format("{}: {} workers use this folder already", m_settings.folder, mostSpools));
    }

    void start() { tick(); }
    void close()
    {
        m_closed = true;
        m_timer.cancel();
    }

    void add(const FeedbackRow& row, Taken taken)
    {
        std::string text = row.toJson();
        if (m_redis == nullptr || !m_redis->isConnected()) {
            taken(keep(text));
            return;
        }
        // What takes a moment must not be gone before the answer.
        send(row.id, text, directPatience,
            [weak = weak_from_this(), text, taken = std::move(taken)](bool isDone) {
                const auto self = weak.lock();
                taken(isDone   ? Result<void>()
                        : self ? self->keep(text)
                               : unreachableError("this worker is ending: send it again"));
            });
    }

    Counts counts;
    std::size_t waiting() const { return m_spool == nullptr ? 0 : m_spool->lines(); }

private:
    Result<std::unique_ptr<FeedbackSpool>> openSpool(int number) const
    {
        return FeedbackSpool::open(
            spoolPath(m_settings.folder, number), m_settings.bufferMb << 20U);
    }

    Result<void> keep(const std::string& text)
    {
        auto kept = m_spool == nullptr
            ? Result<void>(unreachableError("Redis is away, and no folder is configured in which "
                                            "feedback could wait (feedback.folder)"))
            : m_spool->append(text);
        ++(kept ? counts.buffered : counts.refused);
        m_unsynced = m_unsynced || kept;
        return kept;
    }

    void send(const std::string& id, const std::string& text, std::chrono::milliseconds patience,
        std::function<void(bool)> done)
    {
        m_redis->command(
            {"EVAL", script, "2", std::string(stream), fmt::format("{{{}}}:{}", stream, id), text,
                std::to_string(m_settings.keep), "86400"},
            patience,
            [weak = weak_from_this(), done = std::move(done)](const Result<RedisValue>& reply) {
                if (const auto self = weak.lock(); self && reply) {
                    ++(reply->integer == 1 ? self->counts.added : self->counts.duplicates);
                } else if (self && reply.error().kind == ErrorKind::Refused) {
                    self->warn(reply.error().message);
                }
                done(reply.ok());
            });
    }

    void warn(const std::string& reason)
    {
        if (reason != m_warned) {
            spdlog::warn("Redis refuses feedback, which waits in {}: {}",
                m_settings.folder.empty() ? "no folder" : m_settings.folder, reason);
            m_warned = reason;
        }
    }

    void tick()
    {
        if (m_closed) {
            return;
        }
        sync();
        replay();
        m_timer.expires_after(interval);
        m_timer.async_wait([weak = weak_from_this()](const boost::system::error_code& code) {
            if (const auto self = weak.lock(); self && !code) {
                self->tick();
            }
        });
    }

    /// Not on the loop: a disk may take long.
    void sync()
    {
        if (m_unsynced) {
            m_unsynced = false;
            asio::post(m_background, [spool = m_spool] {
                if (auto done = spool->sync(); !done) {
                    spdlog::error("feedback can't be synced to the disk: {}", done.error().message);
                }
            });
        }
    }

    void replay()
    {
        if (m_replaying || m_spool == nullptr || m_redis == nullptr || !m_redis->isConnected()) {
            return;
        }
        if (m_spool->isEmpty()) {
            adopt();
        }
        FeedbackSpool& spool = m_adopted == nullptr ? *m_spool : *m_adopted;
        const std::vector<std::string> rows = spool.front(atOnce);
        if (rows.empty()) {
            m_adopted.reset();
            return;
        }
        m_replaying = true;
        struct Round
        {
            std::size_t open;
            bool isDone = true;
        };
        const auto round = std::make_shared<Round>(Round{rows.size()});
        for (const std::string& row : rows) {
            send(idOf(row), row, replayPatience, [weak = weak_from_this(), round](bool isDone) {
                round->isDone = round->isDone && isDone;
                if (const auto self = weak.lock(); --round->open == 0 && self) {
                    self->onReplayed(round->isDone);
                }
            });
        }
    }

    void onReplayed(bool isDone)
    {
        m_replaying = false;
        if (isDone && !m_closed) {
            (m_adopted == nullptr ? *m_spool : *m_adopted).drop();
            m_warned.clear();
            replay();
        }
    }

    /// Takes over what a worker left that does not run any more.
    void adopt()
    {
        const auto now = std::chrono::steady_clock::now();
        if (m_adopted != nullptr || now < m_nextLook) {
            return;
        }
        for (int number = 1; number <= mostSpools; ++number) {
            std::error_code missing;
            const auto size =
                std::filesystem::file_size(spoolPath(m_settings.folder, number), missing);
            if (number == m_number || (!missing && size == 0)) {
                continue;
            }
            if (missing) {
                break; // they are numbered without gaps
            }
            if (auto opened = openSpool(number)) {
                m_adopted = std::move(*opened);
                return;
            }
        }
        m_nextLook = now + lookForOthers;
    }

    static std::string idOf(const std::string& row)
    {
        const auto value = parseJson(row, "feedback");
        const json::object* object = value ? value->if_object() : nullptr;
        const json::value* id = object == nullptr ? nullptr : object->if_contains("id");
        return id != nullptr && id->is_string() ? std::string(id->get_string()) : std::string();
    }

    FeedbackSettings m_settings;
    RedisCommands* m_redis;
    asio::steady_timer m_timer;
    asio::thread_pool& m_background;
    std::shared_ptr<FeedbackSpool> m_spool;
    int m_number = 0; ///< of its file
    std::unique_ptr<FeedbackSpool> m_adopted; ///< another worker's, while it is sent
    std::chrono::steady_clock::time_point m_nextLook{};
    std::string m_warned; ///< said already
    bool m_unsynced = false;
    bool m_replaying = false;
    bool m_closed = false;
};

Feedback::Feedback(std::shared_ptr<State> state)
    : m_state(std::move(state))
{ }

Feedback::~Feedback()
{
    m_state->close();
}

Result<std::unique_ptr<Feedback>> Feedback::make(asio::io_context& loop,
    asio::thread_pool& background, FeedbackSettings settings, RedisCommands* redis)
{
    auto state = std::make_shared<State>(loop, background, std::move(settings), redis);
    if (auto opened = state->open(); !opened) {
        return opened.error();
    }
    return std::unique_ptr<Feedback>(new Feedback(std::move(state)));
}

void Feedback::start()
{
    m_state->start();
}

void Feedback::add(const FeedbackRow& row, Taken taken)
{
    m_state->add(row, std::move(taken));
}

Feedback::Counts Feedback::counts() const
{
    return m_state->counts;
}

std::size_t Feedback::waiting() const
{
    return m_state->waiting();
}

} // namespace sluice::service
