#include "engine/operations/loadtest/loadrun.h"
#include "tests/support/testcase.h"

#include <QElapsedTimer>
#include <QSet>
#include <QTcpServer>
#include <QTcpSocket>
#include <QThread>
#include <QTimer>

using namespace sluice;
using namespace sluice::ops;

namespace {

/// A server whose answers are as slow or as wrong as a test wants them.
class OddServer : public QTcpServer
{
public:
    std::function<void(QTcpSocket*, const QByteArray& request)> answer;
    int requests = 0;
    QSet<QByteArray> sessions;

    OddServer()
    {
        listen(QHostAddress::LocalHost);
        connect(this, &QTcpServer::newConnection, this, [this] {
            while (QTcpSocket* socket = nextPendingConnection()) {
                connect(socket, &QTcpSocket::readyRead, socket, [this, socket] { read(socket); });
                connect(socket, &QTcpSocket::disconnected, socket, &QObject::deleteLater);
            }
        });
    }
    QUrl url() const { return QUrl(QStringLiteral("http://127.0.0.1:%1").arg(serverPort())); }
    static void ok(QTcpSocket* socket)
    {
        socket->write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
    }

private:
    void read(QTcpSocket* socket)
    {
        QByteArray buffer = socket->property("buffer").toByteArray() + socket->readAll();
        for (;;) {
            const qsizetype head = buffer.indexOf("\r\n\r\n");
            const qsizetype at = buffer.toLower().indexOf("content-length: ");
            if (head < 0 || at < 0) {
                break;
            }
            const qsizetype length =
                buffer.mid(at + 16, buffer.indexOf('\r', at) - at - 16).toLongLong();
            if (buffer.size() < head + 4 + length) {
                break;
            }
            ++requests;
            const qsizetype session = buffer.toLower().indexOf("x-session-id: ");
            sessions << buffer.mid(session + 14, buffer.indexOf('\r', session) - session - 14);
            const QByteArray request = buffer.left(head + 4 + length);
            buffer.remove(0, head + 4 + length);
            answer(socket, request);
        }
        socket->setProperty("buffer", buffer);
    }
};

Scenario scenario(double rate, double seconds, int users = 20)
{
    Scenario made = Scenario::constant(QStringLiteral("test"), users, rate, seconds);
    made.queries.source = QuerySource::Texts;
    made.queries.texts =
        QStringList{QStringLiteral("where is my parcel"), QStringLiteral("say \"hi\"\n\\ é")};
    return made;
}

} // namespace

class TestLoadRun : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void everyScheduledRequestIsSent();
    void bodiesAreJson();
    void aStallCountsForAllThatWaited();
    void errorsAreToldApart_data();
    void errorsAreToldApart();
    void nobodyListens();
    void stopsWhenAsked();
    void destroyedWhileRunning();
    void foreignTargetsAreRefused();

private:
    std::optional<LoadResult> run(const Scenario& what, const QUrl& target)
    {
        LoadRun load;
        std::optional<LoadResult> result;
        connect(&load, &LoadRun::finished, this, [&](const LoadResult& end) { result = end; });
        connect(&load, &LoadRun::second, this, [&](const LoadSecond&) { ++m_seconds; });
        m_seconds = 0;
        const auto started = load.start(what, target);
        if (!started) {
            qInfo("%s", started.error().text().c_str());
            return {};
        }
        return QTest::qWaitFor([&] { return result.has_value(); }, 60000) ? result : std::nullopt;
    }
    int m_seconds = 0;
};

void TestLoadRun::everyScheduledRequestIsSent()
{
    OddServer server;
    server.answer = [](QTcpSocket* socket, const QByteArray&) { OddServer::ok(socket); };
    const auto result = run(scenario(100, 2, 20), server.url());
    QVERIFY(result);
    QVERIFY(result->completed);
    QCOMPARE(result->scheduled, 200);
    QCOMPARE(result->sent, 200);
    QCOMPARE(result->succeeded, 200);
    QCOMPARE(server.requests, 200);
    QCOMPARE(server.sessions.size(), 20); // every user came
    QVERIFY(m_seconds >= 2);
    QCOMPARE(result->checks.size(), 3);
    int completed = 0;
    for (const LoadSecond& second : result->seconds) {
        completed += second.completed;
    }
    QCOMPARE(completed, 200);
}

void TestLoadRun::bodiesAreJson()
{
    OddServer server;
    QSet<QString> texts;
    bool good = true;
    server.answer = [&](QTcpSocket* socket, const QByteArray& request) {
        good = good && request.startsWith("POST /v1/classify HTTP/1.1\r\n");
        const QByteArray body = request.mid(request.indexOf("\r\n\r\n") + 4);
        texts << QJsonDocument::fromJson(body).object()[QStringLiteral("text")].toString();
        OddServer::ok(socket);
    };
    QVERIFY(run(scenario(40, 1), server.url()));
    QVERIFY(good);
    QCOMPARE(texts,
        (QSet<QString>{
            QStringLiteral("where is my parcel"), QString::fromUtf8("say \"hi\"\n\\ é")}));
}

void TestLoadRun::aStallCountsForAllThatWaited()
{
    // The server stands still for a second in the middle: a closed loop would have one slow
    // request; the open schedule has some 100 of them (coordinated omission).
    OddServer server;
    QList<QPointer<QTcpSocket>> held;
    QElapsedTimer clock;
    bool still = false;
    server.answer = [&](QTcpSocket* socket, const QByteArray&) {
        if (!clock.isValid()) {
            clock.start();
            QTimer::singleShot(1000, &server, [&] { still = true; });
            QTimer::singleShot(2000, &server, [&] {
                still = false;
                for (const QPointer<QTcpSocket>& waiting : std::exchange(held, {})) {
                    if (waiting) {
                        OddServer::ok(waiting);
                    }
                }
            });
        }
        if (still) {
            held << socket;
        } else {
            OddServer::ok(socket);
        }
    };
    const auto result = run(scenario(100, 3, 300), server.url());
    QVERIFY(result);
    QCOMPARE(result->succeeded, 300);
    QVERIFY2(result->maxMs > 800, qPrintable(QString::number(result->maxMs)));
    QVERIFY2(result->p95Ms > 500, qPrintable(QString::number(result->p95Ms)));
    QVERIFY(!result->passed);
}

void TestLoadRun::errorsAreToldApart_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<QString>("kind");
    QTest::newRow("503") << QByteArray(
        "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
                         << QStringLiteral("status 503");
    QTest::newRow("404") << QByteArray("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
                         << QStringLiteral("status 404");
    QTest::newRow("closed") << QByteArray() << QString();
    QTest::newRow("no HTTP") << QByteArray("hello there\r\n\r\n") << QString();
    QTest::newRow("cut off") << QByteArray("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
                             << QString();
}

void TestLoadRun::errorsAreToldApart()
{
    QFETCH(QByteArray, bytes);
    QFETCH(QString, kind);
    OddServer server;
    server.answer = [&](QTcpSocket* socket, const QByteArray&) {
        socket->write(bytes);
        if (kind.isEmpty()) {
            socket->disconnectFromHost();
        }
    };
    const auto result = run(scenario(30, 1), server.url());
    QVERIFY(result);
    QCOMPARE(result->succeeded, 0);
    qint64 errors = 0;
    for (const qint64 count : result->errors) {
        errors += count;
    }
    QCOMPARE(errors, 30);
    if (!kind.isEmpty()) {
        QCOMPARE(result->errors.value(kind), 30);
    }
    QVERIFY(!result->passed);
}

void TestLoadRun::nobodyListens()
{
    QUrl url;
    {
        OddServer gone;
        url = gone.url();
    }
    const auto result = run(scenario(30, 1), url);
    QVERIFY(result);
    QCOMPARE(result->errors.value(QStringLiteral("connection refused")), 30);
    QVERIFY(!result->passed);
}

void TestLoadRun::stopsWhenAsked()
{
    OddServer server;
    server.answer = [](QTcpSocket* socket, const QByteArray&) { OddServer::ok(socket); };
    LoadRun load;
    std::optional<LoadResult> result;
    connect(&load, &LoadRun::finished, this, [&](const LoadResult& end) { result = end; });
    connect(&load, &LoadRun::second, this, [&](const LoadSecond&) { load.stop(); });
    QVERIFY(load.start(scenario(50, 3600), server.url()).ok());
    QVERIFY(load.isRunning());
    QVERIFY(!load.start(scenario(50, 1), server.url()).ok()); // one object, one run
    QTRY_VERIFY_WITH_TIMEOUT(result.has_value(), 20000);
    QVERIFY(!result->completed);
    QVERIFY(!result->passed);
}

void TestLoadRun::destroyedWhileRunning()
{
    OddServer server;
    server.answer = [](QTcpSocket*, const QByteArray&) {}; // never an answer
    auto load = std::make_unique<LoadRun>();
    QVERIFY(load->start(scenario(200, 3600, 200), server.url()).ok());
    QTRY_VERIFY_WITH_TIMEOUT(server.requests > 20, 20000);
    load.reset();
    QTest::qWait(0);
}

void TestLoadRun::foreignTargetsAreRefused()
{
    for (const char* target : {"http://10.0.0.1:80", "http://example.org", "https://127.0.0.1:1",
             "http://127.0.0.1.example.org:80", "ftp://127.0.0.1", "", "http://"}) {
        LoadRun load;
        const auto started = load.start(scenario(1, 1), QUrl(QString::fromUtf8(target)));
        QVERIFY2(!started.ok(), target);
        QCOMPARE(started.error().kind, ErrorKind::Input);
    }
    Scenario endless = scenario(1, 1e9);
    LoadRun load;
    QVERIFY(!load.start(endless, QUrl(QStringLiteral("http://127.0.0.1:1"))).ok());
}

QTEST_GUILESS_MAIN(TestLoadRun)
#include "tst_loadrun.moc"
