#include "engine/operations/environment/redisclient.h"

#include <QElapsedTimer>
#include <QPointer>
#include <QRandomGenerator>
#include <QSocketNotifier>
#include <QTimer>
#include <hiredis/async.h>
#include <map>

namespace sluice::ops {

namespace {

constexpr int connectTimeoutMs = 3000;
constexpr int shortestPauseMs = 100;
constexpr int longestPauseMs = 5000;
constexpr std::size_t maxPending = 10000;

RedisReply replyOf(const redisReply& raw)
{
    RedisReply reply;
    switch (raw.type) {
    case REDIS_REPLY_INTEGER:
        reply.type = RedisReply::Type::Integer;
        reply.integer = raw.integer;
        break;
    case REDIS_REPLY_STRING:
        reply.type = RedisReply::Type::String;
        reply.text = QByteArray(raw.str, qsizetype(raw.len));
        break;
    case REDIS_REPLY_STATUS:
        reply.type = RedisReply::Type::Status;
        reply.text = QByteArray(raw.str, qsizetype(raw.len));
        break;
    case REDIS_REPLY_ARRAY:
        reply.type = RedisReply::Type::Array;
        for (std::size_t index = 0; index < raw.elements; ++index) {
            reply.items << replyOf(*raw.element[index]);
        }
        break;
    default:
        break;
    }
    return reply;
}

} // namespace

class RedisClient::Private
{
public:
    explicit Private(RedisClient* owner)
        : q(owner)
    {
        m_retry.setSingleShot(true);
        m_connecting.setSingleShot(true);
        m_deadlines.setInterval(20);
        QObject::connect(&m_retry, &QTimer::timeout, q, [this] { connectNow(); });
        QObject::connect(&m_connecting, &QTimer::timeout, q, [this] {
            drop();
            lost(QStringLiteral("no answer within %1 s").arg(connectTimeoutMs / 1000));
        });
        QObject::connect(&m_deadlines, &QTimer::timeout, q, [this] { expire(); });
        m_clock.start();
    }

    ~Private()
    {
        m_closing = true;
        drop();
        failPending(QStringLiteral("the connection was closed"));
    }

    void connectNow()
    {
        setState(State::Connecting);
        m_context = redisAsyncConnect(m_host.toUtf8().constData(), m_port);
        if (m_context == nullptr || m_context->err != 0) {
            const QString reason = m_context == nullptr ? QStringLiteral("out of memory")
                                                        : QString::fromUtf8(m_context->errstr);
            if (m_context != nullptr) {
                redisAsyncFree(std::exchange(m_context, nullptr));
            }
            lost(reason);
            return;
        }
        const auto fd = qintptr(m_context->c.fd);
        m_read = new QSocketNotifier(fd, QSocketNotifier::Read, q);
        m_write = new QSocketNotifier(fd, QSocketNotifier::Write, q);
        m_read->setEnabled(false);
        m_write->setEnabled(false);
        QObject::connect(m_read, &QSocketNotifier::activated, q, [this] {
            if (m_context != nullptr) {
                redisAsyncHandleRead(m_context);
            }
        });
        QObject::connect(m_write, &QSocketNotifier::activated, q, [this] {
            if (m_context != nullptr) {
                redisAsyncHandleWrite(m_context);
            }
        });
        m_context->data = this;
        m_context->ev.data = this;
        m_context->ev.addRead = [](void* self) {
            enable(static_cast<Private*>(self)->m_read, true);
        };
        m_context->ev.delRead = [](void* self) {
            enable(static_cast<Private*>(self)->m_read, false);
        };
        m_context->ev.addWrite = [](void* self) {
            enable(static_cast<Private*>(self)->m_write, true);
        };
        m_context->ev.delWrite = [](void* self) {
            enable(static_cast<Private*>(self)->m_write, false);
        };
        m_context->ev.cleanup = [](void* self) { static_cast<Private*>(self)->removeNotifiers(); };
        redisAsyncSetConnectCallback(m_context, [](const redisAsyncContext* context, int status) {
            static_cast<Private*>(context->data)->onConnect(status);
        });
        redisAsyncSetDisconnectCallback(m_context, [](const redisAsyncContext* context, int) {
            static_cast<Private*>(context->data)->onDisconnect(QString::fromUtf8(context->errstr));
        });
        m_connecting.start(connectTimeoutMs);
    }

    void command(
        const QList<QByteArray>& arguments, QObject* context, Replied replied, int timeoutMs)
    {
        if (m_state != State::Connected) {
            replied(unreachableError(where() + " is not connected", m_lastError.toStdString()));
            return;
        }
        send(arguments, context, std::move(replied), timeoutMs);
    }

    void subscribe(const QByteArray& channel)
    {
        m_channel = channel;
        if (m_state == State::Connected) {
            sendSubscribe();
        }
    }

    void open()
    {
        m_closing = false;
        drop();
        failPending(QStringLiteral("another connection was opened"));
        m_pauseMs = shortestPauseMs;
        connectNow();
    }

    void close()
    {
        m_closing = true;
        m_retry.stop();
        drop();
        failPending(QStringLiteral("the connection was closed"));
        setState(State::Idle);
        m_closing = false;
    }

    QString m_host;
    quint16 m_port = 0;
    QString m_user;
    QString m_password;
    QString m_name;
    State m_state = State::Idle;
    QString m_lastError;
    double m_roundTripMs = 0;

private:
    struct Pending
    {
        QPointer<QObject> context;
        bool guarded = false;
        Replied replied;
        qint64 sentNs = 0;
        qint64 deadlineNs = 0;
    };

    static void enable(QSocketNotifier* notifier, bool on)
    {
        if (notifier != nullptr) {
            notifier->setEnabled(on);
        }
    }

    std::string where() const
    {
        return "Redis at " + m_host.toStdString() + ":" + std::to_string(m_port);
    }

    void setState(State state)
    {
        if (m_state != state) {
            m_state = state;
            Q_EMIT q->stateChanged(state);
        }
    }

    void onConnect(int status)
    {
        if (status != REDIS_OK) {
            const QString reason = QString::fromUtf8(m_context->errstr);
            m_context = nullptr; // hiredis frees it after this callback
            lost(reason);
            return;
        }
        const auto named = [this](const Result<RedisReply>& reply) {
            if (!reply) {
                refuse(reply.error());
                return;
            }
            m_connecting.stop();
            m_pauseMs = shortestPauseMs;
            m_lastError.clear();
            if (!m_channel.isEmpty()) {
                sendSubscribe();
            }
            setState(State::Connected);
        };
        const auto name = [this, named] {
            send({QByteArrayLiteral("CLIENT"), QByteArrayLiteral("SETNAME"), m_name.toUtf8()},
                nullptr, named, connectTimeoutMs);
        };
        if (m_user.isEmpty()) {
            name();
            return;
        }
        send(
            {QByteArrayLiteral("AUTH"), m_user.toUtf8(), m_password.toUtf8()}, nullptr,
            [this, name](const Result<RedisReply>& reply) {
                if (!reply) {
                    refuse(reply.error());
                    return;
                }
                name();
            },
            connectTimeoutMs);
    }

    /// The server answered, but does not want us: said, and tried again later.
    void refuse(const Error& error)
    {
        if (m_context != nullptr && !m_closing) {
            m_refused = QString::fromStdString(error.text());
            redisAsyncDisconnect(m_context);
        }
    }

    void onDisconnect(const QString& reason)
    {
        m_context = nullptr;
        lost(m_refused.isEmpty() ? reason : std::exchange(m_refused, QString()));
    }

    void lost(const QString& reason)
    {
        m_connecting.stop();
        m_lastError =
            reason.isEmpty() ? QStringLiteral("the server closed the connection") : reason;
        failPending(m_lastError);
        if (m_closing) {
            return;
        }
        m_retry.start(int(m_pauseMs * (0.5 + QRandomGenerator::global()->generateDouble() / 2)));
        m_pauseMs = std::min(m_pauseMs * 2, longestPauseMs);
        setState(State::Lost);
    }

    void drop()
    {
        m_connecting.stop();
        if (m_context != nullptr) {
            redisAsyncContext* context = std::exchange(m_context, nullptr);
            context->onDisconnect = nullptr;
            redisAsyncFree(context); // answers what is open with null replies
        }
        removeNotifiers();
    }

    void removeNotifiers()
    {
        for (QSocketNotifier** notifier : {&m_read, &m_write}) {
            if (*notifier != nullptr) {
                (*notifier)->setEnabled(false);
                (*notifier)->deleteLater();
                *notifier = nullptr;
            }
        }
    }

    void send(const QList<QByteArray>& arguments, QObject* context, Replied replied, int timeoutMs)
    {
        if (m_pending.size() >= maxPending) {
            replied(
                unreachableError(where() + " answers too slowly: too many commands are waiting"));
            return;
        }
        std::vector<const char*> texts;
        std::vector<std::size_t> sizes;
        for (const QByteArray& argument : arguments) {
            texts.push_back(argument.constData());
            sizes.push_back(std::size_t(argument.size()));
        }
        const quint64 id = ++m_lastId;
        const qint64 now = m_clock.nsecsElapsed();
        m_pending.emplace(id,
            Pending{context, context != nullptr, std::move(replied), now,
                now + qint64(timeoutMs) * 1000000});
        m_deadlines.start();
        // NOLINTNEXTLINE(performance-no-int-to-ptr): comes back with the reply, is never followed
        auto* const ticket = reinterpret_cast<void*>(quintptr(id));
        const int status = redisAsyncCommandArgv(
            m_context,
            [](redisAsyncContext* from, void* reply, void* key) {
                static_cast<Private*>(from->data)
                    ->onReply(static_cast<const redisReply*>(reply),
                        quint64(reinterpret_cast<quintptr>(key)));
            },
            ticket, int(texts.size()), texts.data(), sizes.data());
        if (status != REDIS_OK) {
            answer(id, unreachableError(where() + " could not be asked", m_context->errstr));
        }
    }

    void onReply(const redisReply* reply, quint64 id)
    {
        if (reply == nullptr) {
            answer(id,
                unreachableError(
                    where() + " was lost while it was asked", m_lastError.toStdString()));
        } else if (reply->type == REDIS_REPLY_ERROR) {
            answer(id, refusedError(std::string(reply->str, std::size_t(reply->len))));
        } else {
            answer(id, replyOf(*reply));
        }
    }

    void answer(quint64 id, Result<RedisReply> result)
    {
        const auto found = m_pending.find(id);
        if (found == m_pending.end()) {
            return;
        }
        const Pending pending = std::move(found->second);
        m_pending.erase(found);
        if (m_pending.empty()) {
            m_deadlines.stop();
        }
        m_roundTripMs = double(m_clock.nsecsElapsed() - pending.sentNs) / 1e6;
        if (!pending.guarded || pending.context != nullptr) {
            pending.replied(std::move(result));
        }
    }

    void failPending(const QString& reason)
    {
        auto pending = std::exchange(m_pending, {});
        for (auto& [id, waiting] : pending) {
            if (!waiting.guarded || waiting.context != nullptr) {
                waiting.replied(unreachableError(where() + " was lost", reason.toStdString()));
            }
        }
    }

    void expire()
    {
        std::vector<quint64> late;
        for (const auto& [id, waiting] : m_pending) {
            if (waiting.deadlineNs <= m_clock.nsecsElapsed()) {
                late.push_back(id);
            }
        }
        for (const quint64 id : late) {
            answer(id, unreachableError(where() + " did not answer in time"));
        }
    }

    void sendSubscribe()
    {
        redisAsyncCommand(
            m_context,
            [](redisAsyncContext* context, void* raw, void*) {
                const auto* reply = static_cast<const redisReply*>(raw);
                if (reply != nullptr && reply->type == REDIS_REPLY_ARRAY && reply->elements == 3
                    && QByteArrayView(reply->element[0]->str, qsizetype(reply->element[0]->len))
                        == "message") {
                    const RedisReply all = replyOf(*reply);
                    Q_EMIT static_cast<Private*>(context->data)
                        ->q->message(all.items[1].text, all.items[2].text);
                }
            },
            nullptr, "SUBSCRIBE %b", m_channel.constData(), std::size_t(m_channel.size()));
    }

    RedisClient* q;
    redisAsyncContext* m_context = nullptr;
    QSocketNotifier* m_read = nullptr;
    QSocketNotifier* m_write = nullptr;
    QTimer m_retry;
    QTimer m_connecting;
    QTimer m_deadlines;
    QElapsedTimer m_clock;
    std::map<quint64, Pending> m_pending;
    quint64 m_lastId = 0;
    QByteArray m_channel;
    QString m_refused;
    int m_pauseMs = shortestPauseMs;
    bool m_closing = false;
};

RedisClient::RedisClient(QObject* parent)
    : QObject(parent)
    , d(std::make_unique<Private>(this))
{ }

RedisClient::~RedisClient() = default;

void RedisClient::open(const QString& host, quint16 port, const QString& user,
    const QString& password, const QString& name)
{
    d->m_host = host;
    d->m_port = port;
    d->m_user = user;
    d->m_password = password;
    d->m_name = name;
    d->open();
}

void RedisClient::close()
{
    d->close();
}

RedisClient::State RedisClient::state() const
{
    return d->m_state;
}

QString RedisClient::lastError() const
{
    return d->m_lastError;
}

double RedisClient::roundTripMs() const
{
    return d->m_roundTripMs;
}

void RedisClient::command(
    const QList<QByteArray>& arguments, QObject* context, Replied replied, int timeoutMs)
{
    d->command(arguments, context, std::move(replied), timeoutMs);
}

void RedisClient::subscribe(const QByteArray& channel)
{
    d->subscribe(channel);
}

} // namespace sluice::ops
