#include "engine/service/http/inflate.h"
#include "engine/service/http/message.h"
#include "tests/support/httpload.h"
#include "tests/support/testcase.h"
#include "tests/support/worker.h"

#include <QDir>
#include <QJsonArray>
#include <zlib.h>

using namespace sluice;
using service::Configuration;
using test::HttpAnswer;
using test::HttpClient;
using test::Worker;

class TestHttp : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void init()
    {
        failOnWarnings();
        m_worker = std::make_unique<Worker>(Configuration());
        QVERIFY2(!m_worker->error, m_worker->error ? m_worker->error->message.c_str() : "");
    }
    void cleanup() { m_worker.reset(); }

    void requestIdsAreEchoed();
    void gzipBodies_data();
    void gzipBodies();
    void bombsAreCutShort();
    void framing_data();
    void framing();
    void malformedCorpus();
    void answersAreWhole();
    void optionsOfEverything();
    void oneByteAtATime();
    void manyPipelined();
    void slowHeadersAreEnded();
    void slowBodiesAreEnded();
    void tooManyConnections();
    void ratesAreHeld();
    void tokensAreAsked();
    void longBodiesAreTheAdmins();
    void halfOpenClientsHarmNobody();
    void drainFinishesWhatIsAsked();
    void drainUnderLoadResetsNothing();

private:
    std::unique_ptr<Worker> m_worker;
};

namespace {

QByteArray gzip(const QByteArray& text)
{
    z_stream stream{};
    ::deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
    QByteArray out(qsizetype(::deflateBound(&stream, uLong(text.size()))), '\0');
    QByteArray in = text;
    stream.next_in = reinterpret_cast<Bytef*>(in.data());
    stream.avail_in = uInt(in.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = uInt(out.size());
    ::deflate(&stream, Z_FINISH);
    out.resize(qsizetype(stream.total_out));
    ::deflateEnd(&stream);
    return out;
}

QByteArray headerOf(const HttpAnswer& answer, const QByteArray& name)
{
    const qsizetype at = answer.head.toLower().indexOf(QByteArray("\r\n" + name.toLower() + ": "));
    if (at < 0) {
        return {};
    }
    const qsizetype begin = at + name.size() + 4;
    return answer.head.mid(begin, answer.head.indexOf('\r', begin) - begin);
}

const QByteArray query = R"({"text":"where is my parcel"})";

} // namespace

void TestHttp::requestIdsAreEchoed()
{
    HttpClient client(m_worker->port());
    const HttpAnswer named = client.ask("POST", "/v1/classify", query, "X-Request-Id: abc-1\r\n");
    QCOMPARE(headerOf(named, "X-Request-Id"), QByteArray("abc-1"));
    const QByteArray made = headerOf(client.ask("GET", "/healthz"), "X-Request-Id");
    QCOMPARE(made.size(), 32);
    QVERIFY(headerOf(client.ask("GET", "/healthz"), "X-Request-Id") != made);
    const HttpAnswer bad =
        client.ask("GET", "/no", {}, "X-Request-Id: " + QByteArray(129, 'a') + "\r\n");
    QCOMPARE(bad.status, 404);
    QCOMPARE(headerOf(bad, "X-Request-Id").size(), 32);
    QCOMPARE(
        headerOf(client.ask("GET", "/", {}, "X-Request-Id: a b\r\n"), "X-Request-Id").size(), 32);
    client.send("GET / HTTP/1.1\r\nX-Request-Id: refused\r\n\r\n"); // no Host
    QCOMPARE(headerOf(client.receive(), "X-Request-Id"), QByteArray("refused"));
}

void TestHttp::gzipBodies_data()
{
    QTest::addColumn<QByteArray>("coding");
    QTest::addColumn<QByteArray>("body");
    QTest::addColumn<int>("status");
    const QByteArray packed = gzip(query);
    QTest::newRow("gzip") << QByteArray("gzip") << packed << 200;
    QTest::newRow("x-gzip, capitals") << QByteArray("X-GZIP") << packed << 200;
    QTest::newRow("identity") << QByteArray("identity") << query << 200;
    QTest::newRow("two members") << QByteArray("gzip") << gzip(query.left(10)) + gzip(query.mid(10))
                                 << 200;
    QTest::newRow("cut off") << QByteArray("gzip") << packed.chopped(5) << 400;
    QTest::newRow("checksum") << QByteArray("gzip") << packed.chopped(8) + "xxxx" + packed.right(4)
                              << 400;
    QTest::newRow("not gzip") << QByteArray("gzip") << query << 400;
    QTest::newRow("garbage behind") << QByteArray("gzip") << packed + "more" << 400;
    QTest::newRow("deflate") << QByteArray("deflate") << packed << 415;
    QTest::newRow("br") << QByteArray("br") << packed << 415;
    QTest::newRow("twice") << QByteArray("gzip, gzip") << packed << 415;
}

void TestHttp::gzipBodies()
{
    QFETCH(QByteArray, coding);
    QFETCH(QByteArray, body);
    QFETCH(int, status);
    HttpClient client(m_worker->port());
    const HttpAnswer answer =
        client.ask("POST", "/v1/classify", body, "Content-Encoding: " + coding + "\r\n");
    QCOMPARE(answer.status, status);
    if (status == 415) {
        QCOMPARE(headerOf(answer, "Accept-Encoding"), QByteArray("gzip, identity"));
    }
    QCOMPARE(client.ask("GET", "/healthz").status, 200); // the connection goes on
}

void TestHttp::bombsAreCutShort()
{
    const QByteArray bomb = gzip(QByteArray(64 << 20, ' '));
    QVERIFY(bomb.size() < 100000);
    HttpClient client(m_worker->port());
    QCOMPARE(client.ask("POST", "/v1/classify", bomb, "Content-Encoding: gzip\r\n").status, 413);
    std::string out;
    QCOMPARE(int(service::gunzip({bomb.constData(), std::size_t(bomb.size())}, 1000, out)),
        int(service::InflateOutcome::TooLarge));
    QVERIFY(out.capacity() < std::size_t(4 << 20));
    const QByteArray just = gzip(QByteArray(1000, 'a'));
    QCOMPARE(int(service::gunzip({just.constData(), std::size_t(just.size())}, 1000, out)),
        int(service::InflateOutcome::Done));
    QCOMPARE(out.size(), std::size_t(1000));
    QCOMPARE(int(service::gunzip({just.constData(), std::size_t(just.size())}, 999, out)),
        int(service::InflateOutcome::TooLarge));
}

void TestHttp::framing_data()
{
    QTest::addColumn<QByteArray>("request");
    QTest::addColumn<int>("status");
    QTest::addColumn<bool>("goesOn");
    const auto row = [](const char* name, const QByteArray& request, int status, bool goesOn) {
        QTest::newRow(name) << request << status << goesOn;
    };
    row("no Host", "GET /healthz HTTP/1.1\r\n\r\n", 400, false);
    row("two Hosts", "GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, false);
    row("1.0 without Host", "GET /healthz HTTP/1.0\r\n\r\n", 200, false);
    row("1.0 kept alive", "GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 200, true);
    row("closed by request", "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 200,
        false);
    row("empty line before", "\r\n\r\nGET /healthz HTTP/1.1\r\nHost: a\r\n\r\n", 200, true);
    row("2.0", "GET /healthz HTTP/2.0\r\nHost: a\r\n\r\n", 505, false);
    row("HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, false);
    row("chunks in 1.0",
        "POST /v1/classify HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, false);
    row("gzip as transfer coding",
        "POST /v1/classify HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501,
        false);
    row("unknown expectation",
        "POST /v1/classify HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\nContent-Length: 1\r\n\r\n", 417,
        false);
    row("unknown method", "BREW /healthz HTTP/1.1\r\nHost: a\r\n\r\n", 405, true);
    row("TRACE", "TRACE /healthz HTTP/1.1\r\nHost: a\r\n\r\n", 405, true);
    row("query string", "GET /healthz?a=b HTTP/1.1\r\nHost: a\r\n\r\n", 200, true);
    row("TLS' first bytes", QByteArray("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 15),
        400, false);
}

void TestHttp::framing()
{
    QFETCH(QByteArray, request);
    QFETCH(int, status);
    QFETCH(bool, goesOn);
    HttpClient client(m_worker->port());
    client.send(request);
    const HttpAnswer answer = client.receive();
    QCOMPARE(answer.status, status);
    QCOMPARE(headerOf(answer, "Connection") == "close", !goesOn);
    if (goesOn) {
        QCOMPARE(client.ask("GET", "/healthz").status, 200);
    } else {
        QVERIFY(client.isClosed());
    }
}

/// Every file is what a broken or hostile client may send: it gets an answer in the 400s or 500s,
/// or the end of its connection; never a 2xx, and the worker goes on.
void TestHttp::malformedCorpus()
{
    const QDir folder(QStringLiteral(SLUICE_SOURCE_DIR "/tests/engine/service/http/malformed"));
    const QStringList names = folder.entryList(QDir::Files);
    QVERIFY2(names.size() >= 40, qPrintable(QString::number(names.size())));
    for (const QString& name : names) {
        QFile file(folder.filePath(name));
        QVERIFY(file.open(QIODevice::ReadOnly));
        HttpClient client(m_worker->port());
        client.send(file.readAll());
        client.endWriting();
        const HttpAnswer answer = client.receive();
        QVERIFY2(answer.status == 0 || answer.status >= 400,
            qPrintable(QStringLiteral("%1: %2").arg(name).arg(answer.status)));
        QVERIFY2(client.isClosed(), qPrintable(name));
    }
    QCOMPARE(HttpClient(m_worker->port()).ask("GET", "/healthz").status, 200);
}

void TestHttp::answersAreWhole()
{
    HttpClient client(m_worker->port());
    const HttpAnswer answer = client.ask("GET", "/healthz");
    QVERIFY(answer.head.startsWith("HTTP/1.1 200 OK\r\n"));
    QVERIFY(QRegularExpression(QStringLiteral("^[A-Z][a-z]{2}, \\d\\d [A-Z][a-z]{2} \\d{4} "
                                              "\\d\\d:\\d\\d:\\d\\d GMT$"))
                .match(QString::fromLatin1(headerOf(answer, "Date")))
                .hasMatch());
    QCOMPARE(headerOf(answer, "Content-Type"), QByteArray("application/json"));
    QCOMPARE(headerOf(answer, "Content-Length").toLongLong(), answer.body.size());
    const HttpAnswer head = client.ask("HEAD", "/healthz");
    QCOMPARE(headerOf(head, "Content-Length"), headerOf(answer, "Content-Length"));
    QCOMPARE(client.ask("GET", "/healthz").status, 200);
}

void TestHttp::optionsOfEverything()
{
    HttpClient client(m_worker->port());
    const HttpAnswer all = client.ask("OPTIONS", "*");
    QCOMPARE(all.status, 204);
    QCOMPARE(headerOf(all, "Allow"), QByteArray("GET, HEAD, POST, OPTIONS"));
    QVERIFY(!all.head.toLower().contains("content-length"));
    const HttpAnswer one = client.ask("OPTIONS", "/v1/classify");
    QCOMPARE(one.status, 204);
    QCOMPARE(headerOf(one, "Allow"), QByteArray("POST, OPTIONS"));
    QCOMPARE(client.ask("OPTIONS", "/no").status, 404);
}

void TestHttp::oneByteAtATime()
{
    HttpClient client(m_worker->port());
    const QByteArray request = "POST /v1/classify HTTP/1.1\r\nHost: x\r\n"
                               "Transfer-Encoding: chunked\r\n\r\n"
                               "5\r\n{\"tex\r\n10;a=b\r\nt\":\"where is it\"\r\n1\r\n}\r\n"
                               "0\r\nTrailer: x\r\n\r\n";
    for (const char byte : request) {
        client.send(QByteArray(1, byte));
    }
    QCOMPARE(client.receive().status, 200);
}

void TestHttp::manyPipelined()
{
    HttpClient client(m_worker->port());
    QByteArray all;
    for (int index = 0; index < 2000; ++index) {
        all += "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Request-Id: " + QByteArray::number(index)
            + "\r\n\r\n";
    }
    client.send(all);
    for (int index = 0; index < 2000; ++index) {
        const HttpAnswer answer = client.receive();
        QCOMPARE(answer.status, 200);
        QCOMPARE(headerOf(answer, "X-Request-Id").toInt(), index);
    }
}

void TestHttp::slowHeadersAreEnded()
{
    Configuration options;
    options.limits.headerTimeout = std::chrono::seconds(1);
    const Worker worker(options);
    HttpClient slow(worker.port());
    slow.send("GET /healthz HTTP/1.1\r\n");
    QElapsedTimer clock;
    clock.start();
    HttpClient idle(worker.port());
    // A header a time does not help: the whole has its time.
    HttpAnswer answer;
    for (int index = 0; answer.status == 0 && clock.elapsed() < 10000; ++index) {
        slow.send("X-" + QByteArray::number(index) + ": a\r\n");
        answer = slow.receive(false, 100);
    }
    QCOMPARE(answer.status, 408);
    QVERIFY(clock.elapsed() >= 900);
    QVERIFY(slow.isClosed());
    QCOMPARE(idle.ask("GET", "/healthz").status, 200); // who has asked nothing may wait longer
}

void TestHttp::slowBodiesAreEnded()
{
    Configuration options;
    options.limits.headerTimeout = std::chrono::seconds(1);
    options.limits.readTimeout = std::chrono::seconds(1);
    options.limits.idleTimeout = std::chrono::seconds(1);
    const Worker worker(options);
    HttpClient slow(worker.port());
    HttpClient idle(worker.port());
    slow.send("POST /v1/classify HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{");
    QCOMPARE(slow.receive().status, 408);
    QVERIFY(slow.isClosed());
    QVERIFY(idle.isClosed());
}

void TestHttp::tooManyConnections()
{
    Configuration options;
    options.limits.connections = 2;
    const Worker worker(options);
    HttpClient first(worker.port());
    HttpClient second(worker.port());
    QCOMPARE(first.ask("GET", "/healthz").status, 200);
    QCOMPARE(second.ask("GET", "/healthz").status, 200);
    HttpClient third(worker.port());
    QCOMPARE(third.receive().status, 503);
    QVERIFY(third.isClosed());
    QCOMPARE(first.ask("GET", "/healthz").status, 200);
    second.disconnect();
    QTRY_COMPARE(HttpClient(worker.port()).ask("GET", "/healthz").status, 200);
}

void TestHttp::ratesAreHeld()
{
    Configuration options;
    options.limits.ratePerClient = 0.01;
    options.limits.burstPerClient = 2;
    const Worker worker(options);
    HttpClient client(worker.port());
    QCOMPARE(client.classify("hello").status, 200);
    QCOMPARE(HttpClient(worker.port()).classify("hello").status, 200);
    const HttpAnswer refused = client.classify("hello");
    QCOMPARE(refused.status, 429);
    QVERIFY(headerOf(refused, "Retry-After").toInt() > 10);
    QCOMPARE(client.ask("GET", "/healthz").status, 200);
}

void TestHttp::tokensAreAsked()
{
    Configuration options;
    options.auth.classifyOpen = false;
    options.auth.tokens = {{"web", // SHA-256 of "secret"
        "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b", "client"}};
    const Worker worker(options);
    HttpClient client(worker.port());
    const HttpAnswer refused = client.classify("hello");
    QCOMPARE(refused.status, 401);
    QCOMPARE(headerOf(refused, "WWW-Authenticate"), QByteArray("Bearer realm=\"sluice\""));
    QCOMPARE(headerOf(refused, "Content-Type"), QByteArray("application/problem+json"));
    QCOMPARE(client.ask("POST", "/v1/classify", query, "Authorization: Bearer no\r\n").status, 401);
    QCOMPARE(
        client.ask("POST", "/v1/classify", query, "Authorization: Bearer secret\r\n").status, 200);
    QCOMPARE(client.ask("GET", "/readyz").status, 200);
}

void TestHttp::longBodiesAreTheAdmins()
{
    Configuration options;
    options.auth.tokens = {{"ops", // SHA-256 of "secret"
        "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b", "admin"}};
    const Worker worker(options);
    const QByteArray model(3 << 20, 'x');
    const auto ask = [&](const QByteArray& target, const QByteArray& headers) {
        return HttpClient(worker.port()).ask("POST", target, model, headers).status;
    };
    const QByteArray token = "Authorization: Bearer secret\r\n";
    QCOMPARE(ask("/v1/admin/model", {}), 413); // before it is read
    QCOMPARE(ask("/v1/admin/profile", token), 413);
    QCOMPARE(ask("/v1/classify", token), 413);
    QCOMPARE(ask("/v1/admin/model", token), 400); // taken, and its hash is missing
}

void TestHttp::halfOpenClientsHarmNobody()
{
    HttpClient client(m_worker->port());
    client.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    client.endWriting(); // it listens on
    QCOMPARE(client.receive().status, 200);
    QCOMPARE(client.receive().status, 200);
    QVERIFY(client.isClosed());
    QCOMPARE(HttpClient(m_worker->port()).ask("GET", "/healthz").status, 200);
}

void TestHttp::drainFinishesWhatIsAsked()
{
    Worker worker(Configuration(), std::chrono::seconds(10));
    HttpClient half(worker.port());
    HttpClient kept(worker.port());
    HttpClient idle(worker.port());
    half.send("POST /v1/classify HTTP/1.1\r\nHost: x\r\nContent-Length: 26\r\n\r\n{\"text\":");
    QCOMPARE(kept.ask("GET", "/healthz").status, 200);
    worker.beginToStop();
    QTRY_COMPARE(kept.ask("GET", "/readyz").status, 503);
    // Asked while draining: answered, and the last.
    HttpAnswer last = kept.ask("GET", "/healthz");
    for (int tries = 0; tries < 100 && headerOf(last, "Connection").isEmpty(); ++tries) {
        QTest::qWait(20);
        last = kept.ask("GET", "/healthz");
    }
    QCOMPARE(headerOf(last, "Connection"), QByteArray("close"));
    QCOMPARE(last.status, 200);
    half.send("\"where is my pan\"}");
    const HttpAnswer answer = half.receive();
    QCOMPARE(answer.status, 200);
    QCOMPARE(headerOf(answer, "Connection"), QByteArray("close"));
    QVERIFY(idle.isClosed());
    worker.stop();
}

/// Every request that was sent is answered, on connections that then end in order.
void TestHttp::drainUnderLoadResetsNothing()
{
    Worker worker(Configuration(), std::chrono::seconds(10));
    test::HttpLoad load;
    load.port = worker.port();
    load.connections = 16;
    load.seconds = 3;
    load.reopens = false;
    load.requests = {test::classifyRequest("where is my parcel"),
        test::classifyRequest("cancel my order", "drained")};
    test::HttpLoadResult result;
    std::thread clients([&] { result = test::runHttpLoad(load); });
    QTest::qWait(500);
    worker.stop();
    clients.join();
    QVERIFY(result.good > 100);
    QCOMPARE(result.good + result.shed, result.scheduled);
    QCOMPARE(result.failed + result.wrong, std::uint64_t(0));
}

QTEST_GUILESS_MAIN(TestHttp)
#include "tst_http.moc"
