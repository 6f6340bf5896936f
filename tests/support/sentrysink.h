#pragma once

#include "tests/support/requestserver.h"

#include <QByteArray>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QRegularExpression>
#include <zlib.h>

namespace sluice::test {

/// Takes envelopes as Sentry does, strictly: whatever is not as the protocol says is noted in
/// `problems`. Answers with `status` and `headers`. Needs the event loop.
class SentrySink : public RequestServer
{
public:
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

    void handle(QTcpSocket* socket, const HttpRequest& request) override
    {
        ++requests;
        expect(!request.isFollowed, "bytes behind the body");
        check(request);
        if (!silent) {
            reply(socket, R"({"id":"x"})", QByteArray::number(status) + " X", headers);
            socket->disconnectFromHost();
        }
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

    void check(const HttpRequest& request)
    {
        static const QRegularExpression auth(
            QStringLiteral("^Sentry sentry_version=7, sentry_client=[a-z.]+/[0-9.]+, "
                           "sentry_key=publickey(, sentry_secret=secretkey)?$"));
        expect(request.head.startsWith("POST /api/42/envelope/ HTTP/1.1\r\n"),
            "request line: " + request.head);
        expect(request.header("Host") == "127.0.0.1:" + QByteArray::number(serverPort()), "Host");
        expect(request.header("Content-Type") == "application/x-sentry-envelope", "Content-Type");
        expect(!request.header("User-Agent").isEmpty(), "User-Agent");
        expect(auth.match(QString::fromUtf8(request.header("X-Sentry-Auth"))).hasMatch(),
            "X-Sentry-Auth: " + request.header("X-Sentry-Auth"));
        expect(request.header("Content-Encoding") == "gzip", "Content-Encoding");
        const QByteArray whole = inflated(request.body);
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
};

} // namespace sluice::test
