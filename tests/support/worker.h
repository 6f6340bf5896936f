#pragma once

#include "engine/service/service.h"

#include <QByteArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QSslConfiguration>
#include <QSslSocket>
#include <chrono>
#include <memory>
#include <optional>
#include <sys/socket.h>
#include <thread>

namespace sluice::test {

struct HttpAnswer
{
    int status = 0;
    QByteArray head;
    QByteArray body;
    QJsonObject json() const { return QJsonDocument::fromJson(body).object(); }
    QString text(const char* key) const { return json()[QLatin1StringView(key)].toString(); }
};

/// A worker with the bundled model, on a thread of its own.
class Worker
{
public:
    explicit Worker(service::Configuration options,
        std::chrono::seconds drain = std::chrono::seconds(0),
        const service::Service::Clock& clock = service::Service::systemClock,
        std::function<service::LoadedConfiguration()> reread = nullptr)
    {
        const std::string share = SLUICE_BINARY_DIR "/share/sluice";
        options.listen.drain = drain;
        if (options.model.file.empty()) {
            options.model.file = share + "/helpdesk.model";
        }
        options.model.catalogue = share + "/entities.json";
        auto made = service::Service::make(options, "test", clock, std::move(reread));
        if (made) {
            m_service = std::move(*made);
            m_thread = std::thread([this] { m_service->run(); });
        } else {
            error = made.error();
        }
    }
    ~Worker() { stop(); }
    void stop()
    {
        if (m_thread.joinable()) {
            m_service->stop();
            m_thread.join();
        }
    }
    void beginToStop() { m_service->stop(); }
    void reload() { m_service->reload(); }
    std::uint16_t port() const { return m_service->port(); }
    std::optional<Error> error;

private:
    std::unique_ptr<service::Service> m_service;
    std::thread m_thread;
};

/// A connection; answers are read by Content-Length.
class HttpClient
{
public:
    explicit HttpClient(std::uint16_t port) { reconnect(port); }
    void reconnect(std::uint16_t port)
    {
        m_buffer.clear();
        m_socket.abort();
        m_socket.connectToHost(QStringLiteral("127.0.0.1"), port);
        m_socket.waitForConnected(5000);
    }
    /// Over TLS; isEncrypted() says whether that came about.
    HttpClient(std::uint16_t port, const QSslConfiguration& tls)
    {
        m_socket.setSslConfiguration(tls);
        m_socket.connectToHostEncrypted(QStringLiteral("127.0.0.1"), port);
        m_socket.waitForEncrypted(5000);
    }
    bool isEncrypted() const { return m_socket.isEncrypted(); }
    QSslCertificate peer() const { return m_socket.peerCertificate(); }
    void send(const QByteArray& bytes)
    {
        m_socket.write(bytes);
        m_socket.waitForBytesWritten(5000);
    }
    /// Sends no more, and still listens.
    void endWriting() { ::shutdown(int(m_socket.socketDescriptor()), SHUT_WR); }
    HttpAnswer receive(bool headOnly = false, int timeoutMs = 5000)
    {
        HttpAnswer answer;
        while (!m_buffer.contains("\r\n\r\n") && more(timeoutMs)) { }
        const qsizetype end = m_buffer.indexOf("\r\n\r\n");
        if (end < 0) {
            return answer;
        }
        answer.head = m_buffer.left(end + 2);
        answer.status = answer.head.mid(9, 3).toInt();
        m_buffer.remove(0, end + 4);
        const qsizetype at = answer.head.toLower().indexOf("content-length: ");
        const qsizetype length = at < 0 || headOnly
            ? 0
            : answer.head.mid(at + 16, answer.head.indexOf('\r', at) - at - 16).toLongLong();
        while (m_buffer.size() < length && more()) { }
        answer.body = m_buffer.left(length);
        m_buffer.remove(0, length);
        return answer;
    }
    HttpAnswer ask(const QByteArray& method, const QByteArray& target, const QByteArray& body = {},
        const QByteArray& headers = {})
    {
        send(method + ' ' + target + " HTTP/1.1\r\nHost: x\r\n" + headers
            + (body.isEmpty() ? QByteArray()
                              : "Content-Length: " + QByteArray::number(body.size()) + "\r\n")
            + "\r\n" + body);
        return receive(method == "HEAD");
    }
    HttpAnswer classify(const QByteArray& text, const QByteArray& session = {})
    {
        return ask("POST", "/v1/classify", "{\"text\":\"" + text + "\"}",
            session.isEmpty() ? QByteArray() : "X-Session-Id: " + session + "\r\n");
    }
    /// Whether the worker's metrics, of pool blue and version "test", hold this value.
    bool hasMetric(const char* name, int value)
    {
        const QByteArray line = QByteArray(name) + "{pool=\"blue\",version=\"test\"} "
            + QByteArray::number(value) + '\n';
        return ask("GET", "/metrics").body.contains(line);
    }
    bool hasRedis() { return hasMetric("sluice_sessions_redis_up", 1); }
    bool isClosed()
    {
        while (more()) { }
        return m_socket.state() == QAbstractSocket::UnconnectedState;
    }
    void disconnect() { m_socket.abort(); }

private:
    bool more(int timeoutMs = 5000)
    {
        if (m_socket.bytesAvailable() == 0 && !m_socket.waitForReadyRead(timeoutMs)) {
            return false;
        }
        m_buffer += m_socket.readAll();
        return true;
    }
    QSslSocket m_socket;
    QByteArray m_buffer;
};

} // namespace sluice::test
