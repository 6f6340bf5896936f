#include "tests/support/redisserver.h"

#include "tests/support/process.h"

#include <QDeadlineTimer>
#include <QFile>
#include <arpa/inet.h>
#include <csignal>
#include <sys/socket.h>
#include <unistd.h>

namespace sluice::test {

namespace {

constexpr int patience = 15000; ///< ms; far beyond what any step takes, so that a hang ends

} // namespace

std::uint16_t freePort()
{
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    std::uint16_t port = 0;
    auto* const any = static_cast<sockaddr*>(static_cast<void*>(&address));
    if (::bind(socket, any, size) == 0 && ::getsockname(socket, any, &size) == 0) {
        port = ntohs(address.sin_port);
    }
    ::close(socket);
    return port;
}

RedisServer::~RedisServer()
{
    kill();
}

bool RedisServer::start(const QStringList& arguments, const QByteArray& acl)
{
    if (isRunning()) {
        return true;
    }
    QStringList all = arguments;
    if (!acl.isEmpty()) {
        const QString path = m_folder.filePath(QStringLiteral("users.acl"));
        QFile file(path);
        if (!file.open(QIODevice::WriteOnly) || file.write(acl) != acl.size()) {
            m_error = file.errorString();
            return false;
        }
        all << QStringLiteral("--aclfile") << path;
    }
    const bool samePort = m_port != 0;
    // Somebody else may take the free port before redis-server does.
    for (int attempt = 0; attempt < 5; ++attempt) {
        if (!samePort) {
            m_port = freePort();
        }
        if (startOnce(all)) {
            return true;
        }
    }
    return false;
}

bool RedisServer::startOnce(const QStringList& arguments)
{
    m_process.setProcessChannelMode(QProcess::MergedChannels);
    endWithTest(m_process);
    const QString empty = QStringLiteral("");
    m_process.start(QStringLiteral("redis-server"),
        QStringList{QStringLiteral("--port"), QString::number(m_port), QStringLiteral("--bind"),
            QStringLiteral("127.0.0.1"), QStringLiteral("--dir"), m_folder.path(),
            QStringLiteral("--save"), empty, QStringLiteral("--appendonly"), QStringLiteral("no"),
            QStringLiteral("--daemonize"), QStringLiteral("no")}
            + arguments);
    QByteArray output;
    QDeadlineTimer deadline(patience);
    while (!output.contains("Ready to accept connections")) {
        if (!m_process.waitForReadyRead(int(deadline.remainingTime()))) {
            m_error = m_process.errorString() + QStringLiteral(": ")
                + QString::fromLocal8Bit(output + m_process.readAll());
            kill();
            return false;
        }
        output += m_process.readAll();
    }
    return true;
}

bool RedisServer::stop()
{
    m_process.terminate();
    return m_process.state() == QProcess::NotRunning || m_process.waitForFinished(patience);
}

bool RedisServer::kill()
{
    m_process.kill();
    return m_process.state() == QProcess::NotRunning || m_process.waitForFinished(patience);
}

void RedisServer::suspend()
{
    if (isRunning()) {
        ::kill(pid_t(pid()), SIGSTOP);
    }
}

void RedisServer::resume()
{
    if (isRunning()) {
        ::kill(pid_t(pid()), SIGCONT);
    }
}

QByteArray RedisServer::cli(
    const QStringList& command, const QString& user, const QString& password) const
{
    QProcess client;
    QStringList arguments{QStringLiteral("-h"), QStringLiteral("127.0.0.1"), QStringLiteral("-p"),
        QString::number(m_port)};
    if (!user.isEmpty()) {
        arguments << QStringLiteral("--no-auth-warning") << QStringLiteral("--user") << user
                  << QStringLiteral("--pass") << password;
    }
    client.start(QStringLiteral("redis-cli"), arguments + command);
    client.waitForFinished(patience);
    return client.readAll().trimmed();
}

} // namespace sluice::test
