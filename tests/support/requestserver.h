#pragma once

#include <QByteArray>
#include <QTcpServer>
#include <QTcpSocket>
#include <QUrl>

namespace sluice::test {

struct HttpRequest
{
    QByteArray line; ///< "POST /hook"
    QByteArray head; ///< request line and header fields, each with its end of line
    QByteArray body;
    bool isFollowed = false; ///< more bytes had come behind it

    QByteArray header(const QByteArray& name) const ///< any case; empty: it is not there
    {
        const QByteArray start = "\r\n" + name.toLower() + ": ";
        const qsizetype at = head.toLower().indexOf(start);
        const qsizetype from = at + start.size();
        return at < 0 ? QByteArray() : head.mid(from, head.indexOf('\r', from) - from);
    }
};

/// Listens on loopback and reads whole HTTP/1.1 requests off its connections, pipelined ones one by
/// one; what they are answered with is each test's own. Needs the event loop.
class RequestServer : public QTcpServer
{
public:
    RequestServer()
    {
        listen(QHostAddress::LocalHost);
        connect(this, &QTcpServer::newConnection, this, [this] {
            while (QTcpSocket* socket = nextPendingConnection()) {
                ++m_connections;
                connect(socket, &QTcpSocket::readyRead, this, [this, socket] { read(socket); });
                connect(socket, &QTcpSocket::disconnected, this, [this, socket] {
                    --m_connections;
                    socket->deleteLater();
                });
            }
        });
    }
    QUrl url(const QString& path = {}) const
    {
        return QUrl(QStringLiteral("http://127.0.0.1:%1%2").arg(serverPort()).arg(path));
    }
    int connections() const { return m_connections; } ///< open ones

    static void reply(QTcpSocket* socket, const QByteArray& body = {},
        const QByteArray& status = "200 OK", const QByteArray& headers = {})
    {
        socket->write("HTTP/1.1 " + status + "\r\n" + headers
            + "Content-Length: " + QByteArray::number(body.size()) + "\r\n\r\n" + body);
    }

protected:
    virtual void handle(QTcpSocket* socket, const HttpRequest& request) = 0;

private:
    void read(QTcpSocket* socket)
    {
        QByteArray buffer = socket->property("buffer").toByteArray() + socket->readAll();
        while (true) {
            HttpRequest request;
            const qsizetype end = buffer.indexOf("\r\n\r\n");
            request.head = buffer.left(end + 2);
            const qsizetype length = request.header("Content-Length").toLongLong();
            if (end < 0 || buffer.size() < end + 4 + length) {
                break;
            }
            request.line = request.head.left(request.head.indexOf(" HTTP/"));
            request.body = buffer.mid(end + 4, length);
            buffer.remove(0, end + 4 + length);
            request.isFollowed = !buffer.isEmpty();
            handle(socket, request);
        }
        socket->setProperty("buffer", buffer);
    }

    int m_connections = 0;
};

/// A worker that answers everything with its name.
class NamedServer : public RequestServer
{
public:
    explicit NamedServer(QByteArray name)
        : m_name(std::move(name))
    { }

protected:
    void handle(QTcpSocket* socket, const HttpRequest&) override { reply(socket, m_name); }

private:
    QByteArray m_name;
};

} // namespace sluice::test
