#pragma once

#include <QByteArray>
#include <QProcess>
#include <QStringList>
#include <QTemporaryDir>
#include <cstdint>

namespace sluice::test {

/// A real redis-server on a free port of 127.0.0.1, in a temporary folder, without persistence. It
/// ends with this object, and with the test program however that ends. Every wait is bounded.
class RedisServer
{
public:
    RedisServer() = default;
    ~RedisServer();
    RedisServer(const RedisServer&) = delete;
    RedisServer& operator=(const RedisServer&) = delete;

    /// Starts it and waits until it takes connections. `arguments` are added to the command line
    /// ({"--maxmemory", "10mb"}); `acl` is the content of an ACL file, empty for none. False with
    /// lastError() set when it does not come up. Started again after stop() or kill(), it has the
    /// same port and no data.
    bool start(const QStringList& arguments = {}, const QByteArray& acl = {});
    bool stop(); ///< SIGTERM, and waits for the end
    bool kill(); ///< SIGKILL, and waits for the end
    void suspend(); ///< SIGSTOP: connections stay, nothing is answered
    void resume(); ///< SIGCONT

    std::uint16_t port() const { return m_port; }
    qint64 pid() const { return m_process.processId(); }
    bool isRunning() const { return m_process.state() == QProcess::Running; }
    QString folder() const { return m_folder.path(); }
    const QString& lastError() const { return m_error; }

    /// What redis-cli prints for a command, trimmed; `user` and `password` where the server wants
    /// them.
    QByteArray cli(
        const QStringList& command, const QString& user = {}, const QString& password = {}) const;

private:
    bool startOnce(const QStringList& arguments);

    QTemporaryDir m_folder;
    QProcess m_process;
    std::uint16_t m_port = 0;
    QString m_error;
};

/// A TCP port of 127.0.0.1 that was free a moment ago.
std::uint16_t freePort();

} // namespace sluice::test
