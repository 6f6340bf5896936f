#pragma once

#include <QByteArray>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QRegularExpression>
#include <QTcpServer>
#include <QTcpSocket>
#include <zlib.h>

namespace sluice::test {

/// Takes envelopes as Sentry does, strictly: whatever is not as the protocol says is noted in
/// `problems`. Answers with `status` and `headers`. Needs the event loop.
class SentrySink : public QTcpServer
{
public:
    explicit SentrySink()
    {
        connect(this, &QTcpServer::newConnection, this, [this] {
            while (QTcpSocket* socket = nextPendingConnection()) {
                connect(socket, &QTcpSocket::readyRead, this, [this, socket] { onData(socket); });
                connect(socket, &QTcpSocket::disconnected, socket, &QObject::deleteLater);
            }
        });
        listen(QHostAddress::LocalHost);
    }
    std::string dsn(const char* key = "publickey") const
    {
        return "http://" + std::string(key) + "@127.0.0.1:" + std::to_string(serverPort()) + "/42";
    }

    int status = 200;
    QByteArray headers;
    bool silent = false; ///< takes requests and never answers
    QList<QJsonObject> events;
    int requests = 0;
    QStringList problems;

private:
    void expect(bool right, const QByteArray& what)
    {
        if (!right) {
            problems.append(QString::fromUtf8(what));
        }
    }

    void onData(QTcpSocket* socket)
    {
        QByteArray& in = m_received[socket];
        in += socket->readAll();
        const qsizetype end = in.indexOf("\r\n\r\n");
        if (end < 0) {
            return;
        }
        const QByteArray head = in.left(end + 2);
        const qsizetype length = header(head, "Content-Length").toLongLong();
        if (in.size() < end + 4 + length) {
            return;
        }
        ++requests;
        expect(in.size() == end + 4 + length, "bytes behind the body");
        check(head, in.mid(end + 4, length));
        m_received.remove(socket);
        if (silent) {
            return;
        }
        const QByteArray body = R"({"id":"x"})";
        socket->write("HTTP/1.1 " + QByteArray::number(status) + " X\r\n" + headers
            + "Content-Length: " + QByteArray::number(body.size()) + "\r\n\r\n" + body);
        socket->disconnectFromHost();
    }

    static QByteArray header(const QByteArray& head, const QByteArray& name)
    {
        const QByteArray start = name.toLower() + ": ";
        for (const QByteArray& line : head.split('\n')) {
            if (line.toLower().startsWith(start)) {
                return line.mid(name.size() + 2).trimmed();
            }
        }
        return {};
    }

    static QByteArray inflated(QByteArray bytes)
    {
        z_stream stream{};
        inflateInit2(&stream, 15 + 16);
        QByteArray out(1 << 20, '\0');
        stream.next_in = reinterpret_cast<Bytef*>(bytes.data());
        stream.avail_in = uInt(bytes.size());
        stream.next_out = reinterpret_cast<Bytef*>(out.data());
        stream.avail_out = uInt(out.size());
        const int code = ::inflate(&stream, Z_FINISH);
        out.resize(code == Z_STREAM_END && stream.avail_in == 0 ? qsizetype(stream.total_out) : 0);
        inflateEnd(&stream);
        return out;
    }

    void check(const QByteArray& head, const QByteArray& body)
    {
        static const QRegularExpression auth(
            QStringLiteral("^Sentry sentry_version=7, sentry_client=[a-z.]+/[0-9.]+, "
                           "sentry_key=publickey(, sentry_secret=secretkey)?$"));
        expect(head.startsWith("POST /api/42/envelope/ HTTP/1.1\r\n"), "request line: " + head);
        expect(header(head, "Host") == "127.0.0.1:" + QByteArray::number(serverPort()), "Host");
        expect(header(head, "Content-Type") == "application/x-sentry-envelope", "Content-Type");
        expect(!header(head, "User-Agent").isEmpty(), "User-Agent");
        expect(auth.match(QString::fromUtf8(header(head, "X-Sentry-Auth"))).hasMatch(),
            "X-Sentry-Auth: " + header(head, "X-Sentry-Auth"));
        expect(header(head, "Content-Encoding") == "gzip", "Content-Encoding");
        const QByteArray whole = inflated(body);
        expect(!whole.isEmpty(), "gzip");
        checkEnvelope(whole);
    }

    /// header \n item header \n payload of exactly the length said \n
    void checkEnvelope(const QByteArray& all)
    {
        static const QRegularExpression id(QStringLiteral("^[0-9a-f]{32}$"));
        const qsizetype first = all.indexOf('\n');
        const qsizetype second = all.indexOf('\n', first + 1);
        const QJsonObject envelope = QJsonDocument::fromJson(all.left(first)).object();
        const QJsonObject item =
            QJsonDocument::fromJson(all.mid(first + 1, second - first - 1)).object();
        const QString eventId = envelope[QStringLiteral("event_id")].toString();
        expect(id.match(eventId).hasMatch(), "event_id");
        const QString sent = envelope[QStringLiteral("sent_at")].toString();
        const auto time = QDateTime::fromString(sent, Qt::ISODate);
        expect(sent.endsWith(u'Z') && qAbs(time.secsTo(QDateTime::currentDateTimeUtc())) < 60,
            "sent_at");
        expect(envelope.contains(QStringLiteral("sdk")), "sdk");
        expect(item[QStringLiteral("type")] == QStringLiteral("event"), "item type");
        const qsizetype length = item[QStringLiteral("length")].toInteger(-1);
        expect(all.size() == second + 1 + length + 1 && all.endsWith('\n'), "item length");
        QJsonParseError error;
        const QJsonObject event =
            QJsonDocument::fromJson(all.mid(second + 1, length), &error).object();
        expect(error.error == QJsonParseError::NoError, "the event is no JSON");
        expect(event[QStringLiteral("event_id")] == eventId, "two ids");
        expect(event[QStringLiteral("platform")] == QStringLiteral("native"), "platform");
        expect(event[QStringLiteral("timestamp")].isDouble(), "timestamp");
        for (const char* name : {"level", "logger", "release", "environment", "server_name"}) {
            expect(!event[QLatin1StringView(name)].toString().isEmpty(), name);
        }
        events.append(event);
    }

    QHash<QTcpSocket*, QByteArray> m_received;
};

} // namespace sluice::test
