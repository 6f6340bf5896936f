#pragma once

#include "engine/base/result.h"

#include <QByteArray>
#include <QList>
#include <QObject>
#include <QString>
#include <functional>
#include <memory>

namespace sluice::ops {

/// One reply of Redis (RESP2).
struct RedisReply
{
    enum class Type
    {
        Nil,
        String,
        Status,
        Integer,
        Array
    };
    Type type = Type::Nil;
    QByteArray text; ///< String and Status
    qint64 integer = 0;
    QList<RedisReply> items; ///< Array

    bool isNil() const { return type == Type::Nil; }
};

/// An asynchronous Redis connection on the Qt event loop (hiredis with an adapter of ours): never
/// blocks; every command has a time-out; reconnects by itself with growing, jittered pauses (0.1 to
/// 5 s). While disconnected a command fails at once with Unreachable.
class RedisClient : public QObject
{
    Q_OBJECT

public:
    enum class State
    {
        Idle,
        Connecting,
        Connected,
        Lost
    };
    using Replied =
        std::function<void(Result<RedisReply>)>; ///< Refused: Redis' own error text (NOPERM ...)

    explicit RedisClient(QObject* parent = nullptr);
    ~RedisClient() override;

    /// Connects (and goes on reconnecting). AUTH with user and password when `user` is not empty,
    /// CLIENT SETNAME `name`.
    void open(const QString& host, quint16 port, const QString& user, const QString& password,
        const QString& name = QStringLiteral("sluice"));
    void close();
    State state() const;
    QString lastError() const;
    double roundTripMs() const; ///< of the last command; 0 before the first

    /// `context` gone: the callback is not called. Exactly one call otherwise.
    void command(const QList<QByteArray>& arguments, QObject* context, Replied replied,
        int timeoutMs = 2000);
    /// One subscription a client; messages arrive as message().
    void subscribe(const QByteArray& channel);

Q_SIGNALS:
    void stateChanged(sluice::ops::RedisClient::State state);
    void message(const QByteArray& channel, const QByteArray& payload);

private:
    class Private;
    std::unique_ptr<Private> d;
};

} // namespace sluice::ops
