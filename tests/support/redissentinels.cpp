#include "tests/support/redissentinels.h"

#include "tests/support/process.h"

#include <QDeadlineTimer>
#include <QFile>
#include <QThread>

namespace sluice::test {

namespace {

constexpr int patience = 20000; ///< ms

bool waitFor(const auto& done)
{
    QDeadlineTimer deadline(patience);
    while (!done()) {
        if (deadline.hasExpired()) {
            return false;
        }
        QThread::msleep(20);
    }
    return true;
}

} // namespace

RedisSentinels::~RedisSentinels()
{
    for (Sentinel& sentinel : m_sentinels) {
        sentinel.process.kill();
        sentinel.process.waitForFinished(patience);
    }
}

bool RedisSentinels::start()
{
    if (!m_servers[0].start({QStringLiteral("--repl-diskless-sync-delay"), QStringLiteral("0")})) {
        m_error = m_servers[0].lastError();
        return false;
    }
    if (!m_servers[1].start({QStringLiteral("--replicaof"),
            QStringLiteral("127.0.0.1 %1").arg(m_servers[0].port())})) {
        m_error = m_servers[1].lastError();
        return false;
    }
    if (!waitFor([this] {
            return m_servers[1]
                .cli({QStringLiteral("INFO"), QStringLiteral("replication")})
                .contains("master_link_status:up");
        })) {
        m_error = QStringLiteral("the replica does not follow");
        return false;
    }
    for (Sentinel& sentinel : m_sentinels) {
        if (!startSentinel(sentinel)) {
            return false;
        }
    }
    const bool known = waitFor([this] {
        const QByteArray replicas = ask(m_sentinels[0],
            {QStringLiteral("SENTINEL"), QStringLiteral("REPLICAS"), QString::fromLatin1(name)});
        return replicas.contains("master-link-status\nok");
    });
    m_error = known ? QString() : QStringLiteral("the sentinels do not know the replica");
    return known;
}

bool RedisSentinels::startSentinel(Sentinel& sentinel)
{
    sentinel.port = freePort();
    const QString path = m_folder.filePath(QStringLiteral("%1.conf").arg(sentinel.port));
    QFile file(path);
    if (!file.open(QIODevice::WriteOnly)) {
        m_error = file.errorString();
        return false;
    }
    file.write(QStringLiteral("port %1\nbind 127.0.0.1\ndir %2\n"
                              "sentinel monitor %3 127.0.0.1 %4 1\n"
                              "sentinel down-after-milliseconds %3 500\n"
                              "sentinel failover-timeout %3 3000\n")
                   .arg(sentinel.port)
                   .arg(m_folder.path(), QString::fromLatin1(name))
                   .arg(m_servers[0].port())
                   .toUtf8());
    file.close();
    sentinel.process.setProcessChannelMode(QProcess::MergedChannels);
    sentinel.process.setStandardOutputFile(QProcess::nullDevice());
    endWithTest(sentinel.process);
    sentinel.process.start(QStringLiteral("redis-server"), {path, QStringLiteral("--sentinel")});
    if (!waitFor([&] { return ask(sentinel, {QStringLiteral("PING")}) == "PONG"; })) {
        m_error = QStringLiteral("a sentinel does not answer");
        return false;
    }
    return true;
}

bool RedisSentinels::failOver()
{
    return waitFor([this] {
        return ask(m_sentinels[0],
                   {QStringLiteral("SENTINEL"), QStringLiteral("FAILOVER"),
                       QString::fromLatin1(name)})
            == "OK";
    });
}

QByteArray RedisSentinels::ask(const Sentinel& sentinel, const QStringList& command) const
{
    QProcess client;
    client.start(QStringLiteral("redis-cli"),
        QStringList{QStringLiteral("-h"), QStringLiteral("127.0.0.1"), QStringLiteral("-p"),
            QString::number(sentinel.port)}
            + command);
    client.waitForFinished(patience);
    return client.readAll().trimmed();
}

} // namespace sluice::test
