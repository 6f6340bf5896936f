#pragma once

#include <QPointer>
#include <QTcpServer>
#include <QTcpSocket>
#include <QThread>
#include <QTimer>
#include <atomic>
#include <cstdint>

namespace sluice::test {

/// A TCP proxy on a free port of 127.0.0.1 that hands on what a server says after a delay, which
/// may be changed at any time. Runs on a thread of its own.
class DelayProxy
{
public:
    explicit DelayProxy(std::uint16_t target)
        : m_target(target)
    {
        m_thread.start();
        m_server.moveToThread(&m_thread);
        QMetaObject::invokeMethod(
            &m_server, [this] { listen(); }, Qt::BlockingQueuedConnection);
    }
    ~DelayProxy()
    {
        QMetaObject::invokeMethod(
            &m_server,
            [this] {
                m_server.close();
                qDeleteAll(m_server.findChildren<QTcpSocket*>());
            },
            Qt::BlockingQueuedConnection);
        m_thread.quit();
        m_thread.wait();
    }
    DelayProxy(const DelayProxy&) = delete;
    DelayProxy& operator=(const DelayProxy&) = delete;

    std::uint16_t port() const { return m_port; }
    void setDelay(int milliseconds) { m_delay = milliseconds; }

private:
    void listen()
    {
        QObject::connect(&m_server, &QTcpServer::newConnection, &m_server, [this] {
            while (QTcpSocket* client = m_server.nextPendingConnection()) {
                auto* server = new QTcpSocket(&m_server);
                server->connectToHost(QStringLiteral("127.0.0.1"), m_target);
                QObject::connect(client, &QTcpSocket::readyRead, server,
                    [client, server] { server->write(client->readAll()); });
                QObject::connect(server, &QTcpSocket::readyRead, client, [this, client, server] {
                    QTimer::singleShot(m_delay.load(), client,
                        [client, bytes = server->readAll()] { client->write(bytes); });
                });
                QObject::connect(
                    client, &QTcpSocket::disconnected, server, &QTcpSocket::disconnectFromHost);
                QObject::connect(
                    server, &QTcpSocket::disconnected, client, &QTcpSocket::disconnectFromHost);
            }
        });
        m_server.listen(QHostAddress::LocalHost);
        m_port = m_server.serverPort();
    }

    std::uint16_t m_target;
    std::uint16_t m_port = 0;
    std::atomic<int> m_delay = 0;
    QTcpServer m_server;
    QThread m_thread;
};

} // namespace sluice::test
