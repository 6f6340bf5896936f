#include "engine/operations/monitoring/prometheusclient.h"
#include "tests/support/process.h"
#include "tests/support/testcase.h"

#include <QFile>
#include <QProcess>
#include <QTcpServer>
#include <QTcpSocket>
#include <QTemporaryDir>
#include <memory>
#include <optional>

using namespace sluice;
using namespace sluice::ops;

namespace {

quint16 freePort()
{
    QTcpServer probe;
    return probe.listen(QHostAddress::LocalHost) ? probe.serverPort() : 0;
}

QUrl local(quint16 port)
{
    return QUrl(QStringLiteral("http://127.0.0.1:%1").arg(port));
}

} // namespace

class TestPrometheusClient : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void cleanupTestCase();
    void realServerAnswers();
    void realServerRefusesWrongQueries();
    void formKeepsSpecialCharacters();
    void deadServerIsUnreachable();
    void silentServerTimesOut();
    void drippingServerTimesOut();
    void hugeAnswerIsBrokenOff();
    void noUrlIsSaid();
    void tooManyPointsAreNotAsked();
    void contextGoneMeansNoCall();

private:
    using Range = std::optional<Result<RangeAnswer>>;
    Result<RangeAnswer> ask(const QString& expression, int timeoutMs = 5000);
    /// A server that sends `answer` to whatever comes, and keeps the connection open.
    void answerWith(const QByteArray& answer);

    QTemporaryDir m_folder;
    QProcess m_prometheus;
    QUrl m_realUrl;
    std::unique_ptr<QTcpServer> m_server;
    QByteArray m_received;
    PrometheusClient m_client;
};

void TestPrometheusClient::initTestCase()
{
    QFile config(m_folder.filePath(QStringLiteral("prometheus.yml")));
    QVERIFY(config.open(QIODevice::WriteOnly));
    config.write("global: {scrape_interval: 1s}\n");
    config.close();
    m_realUrl = local(freePort());
    m_prometheus.setProcessChannelMode(QProcess::MergedChannels);
    test::endWithTest(m_prometheus);
    m_prometheus.start(QStringLiteral("prometheus"),
        {QStringLiteral("--config.file=") + config.fileName(),
            QStringLiteral("--storage.tsdb.path=") + m_folder.filePath(QStringLiteral("data")),
            QStringLiteral("--web.listen-address=127.0.0.1:%1").arg(m_realUrl.port())});
    QVERIFY2(m_prometheus.waitForStarted(), "prometheus could not be started");
    const auto isReady = [this] {
        m_prometheus.waitForReadyRead(20);
        QTcpSocket socket;
        socket.connectToHost(QStringLiteral("127.0.0.1"), quint16(m_realUrl.port()));
        return socket.waitForConnected(200);
    };
    QTRY_VERIFY_WITH_TIMEOUT(isReady(), 20000);
}

void TestPrometheusClient::cleanupTestCase()
{
    m_prometheus.terminate();
    if (!m_prometheus.waitForFinished(10000)) {
        m_prometheus.kill();
        m_prometheus.waitForFinished(5000);
    }
}

Result<RangeAnswer> TestPrometheusClient::ask(const QString& expression, int timeoutMs)
{
    // Shared, because an answer may come when nobody waits for it any more.
    const auto got = std::make_shared<Range>();
    m_client.queryRange(
        expression, 1000.4, 1010.7, 2, this, [got](const auto& answer) { *got = answer; },
        timeoutMs);
    if (*got) {
        return internalError("answered from within the call");
    }
    if (!QTest::qWaitFor([&got] { return got->has_value(); }, timeoutMs + 5000)) {
        return internalError("no answer");
    }
    return **got;
}

void TestPrometheusClient::answerWith(const QByteArray& answer)
{
    m_received.clear();
    m_server = std::make_unique<QTcpServer>();
    QVERIFY(m_server->listen(QHostAddress::LocalHost));
    connect(m_server.get(), &QTcpServer::newConnection, this, [this, answer] {
        QTcpSocket* socket = m_server->nextPendingConnection();
        connect(socket, &QTcpSocket::readyRead, this, [this, socket, answer] {
            m_received += socket->readAll();
            socket->write(answer);
        });
    });
    m_client.setBaseUrl(local(m_server->serverPort()));
}

void TestPrometheusClient::realServerAnswers()
{
    m_client.setBaseUrl(m_realUrl);
    Result<RangeAnswer> answer = internalError("not asked");
    // It says 503 until its write-ahead log is replayed.
    QTRY_VERIFY_WITH_TIMEOUT((answer = ask(QStringLiteral("vector(1) + 0.5"))).ok(), 20000);
    QCOMPARE(answer->series.size(), 1);
    QCOMPARE(answer->series.at(0).points.size(), 6);
    QCOMPARE(answer->series.at(0).points.first(), QPointF(1000, 1.5));
    QCOMPARE(answer->series.at(0).points.last(), QPointF(1010, 1.5));

    std::optional<Result<QList<InstantSample>>> instant;
    m_client.query(QStringLiteral("vector(0) / 0"), this, [&](const auto& got) { instant = got; });
    QTRY_VERIFY(instant.has_value());
    QVERIFY(instant->ok());
    QVERIFY(std::isnan((*instant)->at(0).value));
}

void TestPrometheusClient::realServerRefusesWrongQueries()
{
    m_client.setBaseUrl(m_realUrl);
    const auto unknown = ask(QStringLiteral("sum(nonsense("));
    QVERIFY(!unknown.ok());
    QCOMPARE(unknown.error().kind, ErrorKind::Input);
    QVERIFY(!unknown.error().cause.empty());

    m_client.setBaseUrl(m_realUrl.resolved(QUrl(QStringLiteral("/elsewhere/"))));
    const auto wrongPath = ask(QStringLiteral("up"));
    QVERIFY(!wrongPath.ok());
    QCOMPARE(wrongPath.error().kind, ErrorKind::Input);
}

void TestPrometheusClient::formKeepsSpecialCharacters()
{
    const QByteArray body = R"({"status":"success","data":{"resultType":"matrix","result":[]}})";
    answerWith("HTTP/1.1 200 OK\r\nContent-Length: " + QByteArray::number(body.size()) + "\r\n\r\n"
        + body);
    QVERIFY(ask(QStringLiteral("a + b{c=~\"d&e\"}")).ok());
    QVERIFY(m_received.startsWith("POST /api/v1/query_range HTTP/1.1"));
    QVERIFY2(m_received.endsWith("query=a%20%2B%20b%7Bc%3D~%22d%26e%22%7D&start=1000.000&"
                                 "end=1010.000&step=2.000&timeout=5000ms"),
        m_received.constData());
}

void TestPrometheusClient::deadServerIsUnreachable()
{
    m_client.setBaseUrl(local(freePort()));
    const auto answer = ask(QStringLiteral("up"));
    QVERIFY(!answer.ok());
    QCOMPARE(answer.error().kind, ErrorKind::Unreachable);
}

void TestPrometheusClient::silentServerTimesOut()
{
    answerWith({});
    const auto answer = ask(QStringLiteral("up"), 100);
    QVERIFY(!answer.ok());
    QCOMPARE(answer.error().kind, ErrorKind::Unreachable);
    QVERIFY(QString::fromStdString(answer.error().message).contains(QStringLiteral("100 ms")));
}

void TestPrometheusClient::drippingServerTimesOut()
{
    answerWith("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{");
    QTimer drip;
    drip.setInterval(10);
    connect(&drip, &QTimer::timeout, this, [this] {
        const auto sockets = m_server->findChildren<QTcpSocket*>();
        for (QTcpSocket* socket : sockets) {
            socket->write(" ");
        }
    });
    drip.start();
    const auto answer = ask(QStringLiteral("up"), 300);
    QVERIFY(!answer.ok());
    QCOMPARE(answer.error().kind, ErrorKind::Unreachable);
}

void TestPrometheusClient::hugeAnswerIsBrokenOff()
{
    answerWith("HTTP/1.1 200 OK\r\nContent-Length: 2000000000\r\n\r\n" + QByteArray(40 << 20, ' '));
    const auto answer = ask(QStringLiteral("up"), 15000);
    QVERIFY(!answer.ok());
    QCOMPARE(answer.error().kind, ErrorKind::Refused);
}

void TestPrometheusClient::noUrlIsSaid()
{
    m_client.setBaseUrl({});
    const auto answer = ask(QStringLiteral("up"));
    QVERIFY(!answer.ok());
    QCOMPARE(answer.error().kind, ErrorKind::Input);
}

void TestPrometheusClient::tooManyPointsAreNotAsked()
{
    m_client.setBaseUrl(local(freePort()));
    Range got;
    m_client.queryRange(
        QStringLiteral("up"), 0, 100000, 1, this, [&got](const auto& answer) { got = answer; });
    QTRY_VERIFY(got.has_value());
    QCOMPARE(got->error().kind, ErrorKind::Input);
}

void TestPrometheusClient::contextGoneMeansNoCall()
{
    answerWith({});
    bool called = false;
    // A widget says destroyed() before its QPointers are cleared.
    struct LikeAWidget : QObject
    {
        ~LikeAWidget() override { Q_EMIT destroyed(this); }
    };
    auto context = std::make_unique<LikeAWidget>();
    m_client.queryRange(
        QStringLiteral("up"), 0, 1, 1, context.get(), [&called](const auto&) { called = true; },
        200);
    QTRY_VERIFY(!m_received.isEmpty());
    context.reset();
    // The time-out of a second query, begun later, is a point in time after the first one's.
    const auto later = ask(QStringLiteral("up"), 300);
    QVERIFY(!later.ok());
    QVERIFY(!called);
}

QTEST_GUILESS_MAIN(TestPrometheusClient)
#include "tst_prometheusclient.moc"
