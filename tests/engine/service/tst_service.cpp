#include "engine/base/sha256.h"
#include "engine/service/service.h"
#include "tests/support/testcase.h"
#include "tests/support/worker.h"

#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTemporaryDir>
#include <thread>

using namespace sluice;
using service::Configuration;
using service::Service;
using test::HttpAnswer;
using test::HttpClient;
using test::Worker;

namespace {

QString text(const QJsonObject& object, const char* key)
{
    return object[QLatin1StringView(key)].toString();
}

} // namespace

class TestService : public test::TestCase
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

    void classifies();
    void keepsAConversation();
    void batches();
    void contextIsUsedAsAsked();
    void infoHealthAndMetrics();
    void refuses_data();
    void refuses();
    void framing_data();
    void framing();
    void pipelinedAnswersComeInOrder();
    void headAndOptions();
    void hugeQueryAndHugeBody();
    void queryLengthIsConfigured();
    void slowAndBrokenClientsHarmNobody();
    void drainLetsRequestsEnd();
    void portInUseIsSaid();
    void badModelIsSaid();
    void modelIsUploaded();

private:
    std::unique_ptr<Worker> m_worker;
};

void TestService::classifies()
{
    HttpClient client(m_worker->port());
    const HttpAnswer answer = client.classify("where is my parcel A-2231?");
    QCOMPARE(answer.status, 200);
    QCOMPARE(answer.text("decision"), QStringLiteral("accept"));
    QCOMPARE(answer.text("intent"), QStringLiteral("track_parcel"));
    QVERIFY(answer.head.toLower().contains("x-session-id: "));
    QCOMPARE(answer.text("context"), QStringLiteral("new"));
    QCOMPARE(answer.json()[QStringLiteral("candidates")].toArray().size(), 5);
    const HttpAnswer few =
        client.ask("POST", "/v1/classify", R"({"text":"hello","top_k":2,"explain":true})");
    QCOMPARE(few.json()[QStringLiteral("candidates")].toArray().size(), 2);
    QVERIFY(few.json().contains(QStringLiteral("contributions")));
}

void TestService::keepsAConversation()
{
    HttpClient client(m_worker->port());
    client.classify("where is my parcel A-2231?", "talk-1");
    const HttpAnswer second = client.classify("and B-10498?", "talk-1");
    QCOMPARE(second.text("context"), QStringLiteral("used"));
    QCOMPARE(second.json()[QStringLiteral("turn")].toInt(), 2);
    QCOMPARE(client.classify("and B-10498?", "talk-2").text("context"), QStringLiteral("new"));
    // The name may stand in the body too, but not another one.
    const HttpAnswer body =
        client.ask("POST", "/v1/classify", R"({"text":"hi","session":"talk-1"})");
    QCOMPARE(body.json()[QStringLiteral("turn")].toInt(), 3);
    const HttpAnswer both = client.ask(
        "POST", "/v1/classify", R"({"text":"hi","session":"talk-1"})", "X-Session-Id: talk-9\r\n");
    QCOMPARE(both.status, 400);
}

void TestService::batches()
{
    HttpClient client(m_worker->port());
    const HttpAnswer answer = client.ask("POST", "/v1/classify/batch",
        R"({"queries":["where is my parcel",{"text":"cancel my order"},""],"top_k":1})");
    QCOMPARE(answer.status, 200);
    const QJsonArray answers = answer.json()[QStringLiteral("answers")].toArray();
    QCOMPARE(answers.size(), 3);
    QCOMPARE(text(answers[0].toObject(), "intent"), QStringLiteral("track_parcel"));
    QVERIFY(answers[2].toObject().contains(QStringLiteral("error")));
    QCOMPARE(client.ask("POST", "/v1/classify/batch", R"({"queries":[]})").status, 200);
    QByteArray many = "{\"queries\":[\"a\"";
    for (int index = 0; index < 1000; ++index) {
        many += ",\"a\"";
    }
    QCOMPARE(client.ask("POST", "/v1/classify/batch", many + "]}").status, 413);
}

void TestService::contextIsUsedAsAsked()
{
    HttpClient client(m_worker->port());
    const auto ask = [&client](const QByteArray& members) {
        return client
            .ask("POST", "/v1/classify", "{\"text\":\"where is my parcel A-2231?\"" + members + "}",
                "X-Session-Id: c\r\n")
            .json();
    };
    const auto turn = [](const QJsonObject& answer) {
        return answer[QStringLiteral("turn")].toInt();
    };
    QCOMPARE(text(ask(R"(,"context":"read_only")"), "context"), QStringLiteral("new"));
    QCOMPARE(turn(ask(R"(,"context":"use")")), 1);
    const QJsonObject without = ask(R"(,"context":"none")");
    QCOMPARE(text(without, "context"), QStringLiteral("none"));
    QCOMPARE(text(without, "session"), QStringLiteral("c"));
    QCOMPARE(turn(without), 0);
    for (int time = 0; time < 2; ++time) {
        const QJsonObject looked = ask(R"(,"context":"read_only")");
        QCOMPARE(text(looked, "context"), QStringLiteral("used"));
        QCOMPARE(turn(looked), 2);
    }
    QCOMPARE(turn(ask("")), 2);
    // In a batch, the members of a query that are no session's.
    const HttpAnswer batch = client.ask("POST", "/v1/classify/batch",
        R"({"queries":[{"text":"yes","system":"Shall I cancel it?","system_acts":["offer"]}],)"
        R"("explain":true,"top_k":2})");
    QCOMPARE(batch.status, 200);
    const QJsonObject answer = batch.json()[QStringLiteral("answers")].toArray()[0].toObject();
    QVERIFY(answer[QStringLiteral("candidates")].toArray().size() <= 2);
}

void TestService::infoHealthAndMetrics()
{
    HttpClient client(m_worker->port());
    const QJsonObject info = client.ask("GET", "/v1/info?x=1").json();
    QCOMPARE(text(info, "pool"), QStringLiteral("blue"));
    QCOMPARE(text(info, "version"), QStringLiteral("test"));
    QCOMPARE(text(info, "model").size(), 64);
    QCOMPARE(info[QStringLiteral("threshold_set")].toInt(), 0);
    QCOMPARE(client.ask("GET", "/healthz").status, 200);
    QCOMPARE(client.ask("GET", "/readyz").status, 200);
    client.classify("hello");
    client.classify("hello");
    client.ask("GET", "/no/such/route");
    const QByteArray metrics = client.ask("GET", "/metrics").body;
    for (const char* line : {"sluice_requests_total{pool=\"blue\",version=\"test\",route=\"/v1/"
                             "classify\",status=\"200\"} 2",
             "route=\"other\",status=\"404\"} 1", "sluice_cache_hits_total",
             "sluice_decisions_total", "process_resident_memory_bytes", "sluice_threshold_set"}) {
        QVERIFY2(metrics.contains(line), line);
    }
}

void TestService::refuses_data()
{
    QTest::addColumn<QByteArray>("method");
    QTest::addColumn<QByteArray>("target");
    QTest::addColumn<QByteArray>("body");
    QTest::addColumn<int>("status");
    QTest::addColumn<QByteArray>("says");
    const auto row = [](const char* name, const char* method, const char* target,
                         const QByteArray& body, int status, const char* says) {
        QTest::newRow(name) << QByteArray(method) << QByteArray(target) << body << status
                            << QByteArray(says);
    };
    const char* one = "/v1/classify";
    row("no body", "POST", one, "", 400, "the body");
    row("no JSON", "POST", one, "hello", 400, "line 1");
    row("cut off", "POST", one, "{\"text\":\"a", 400, "the body");
    row("no text", "POST", one, "{}", 400, "text: is missing");
    row("text is null", "POST", one, R"({"text":null})", 400, "text: a string");
    row("text is a number", "POST", one, R"({"text":1})", 400, "text: a string");
    row("unknown member", "POST", one, R"({"text":"a","txt":1})", 400, "txt");
    row("empty query", "POST", one, R"({"text":" "})", 400, "empty");
    row("invalid UTF-8", "POST", one, QByteArray("{\"text\":\"a\xFF\"}"), 400, "the body");
    row("too deep", "POST", one, QByteArray(5000, '['), 400, "the body");
    row("top_k 0", "POST", one, R"({"text":"a","top_k":0})", 400, "top_k");
    row("session with blanks", "POST", one, R"({"text":"a","session":"a b"})", 400,
        "a session is named");
    row("empty session is none", "POST", one, R"({"text":"a","session":""})", 200, "");
    row("wrong method", "GET", one, "", 405, "this route takes POST");
    row("wrong method 2", "DELETE", "/healthz", "", 405, "this route takes GET");
    row("no route", "GET", "/v2/classify", "", 404, "no such route");
    row("another context", "POST", one, R"({"text":"a","context":"all"})", 400, "read_only");
    row("durable without context", "POST", one, R"({"text":"a","context":"none","durable":true})",
        400, "durable");
    row("batch with a session", "POST", "/v1/classify/batch",
        R"({"queries":["a",{"text":"b","session":"s"}]})", 400, "queries[1]: session");
    row("batch without list", "POST", "/v1/classify/batch", "{}", 400, "queries");
    row("batch of numbers", "POST", "/v1/classify/batch", R"({"queries":[1]})", 400, "every query");
}

void TestService::refuses()
{
    QFETCH(QByteArray, method);
    QFETCH(QByteArray, target);
    QFETCH(QByteArray, body);
    QFETCH(int, status);
    QFETCH(QByteArray, says);
    HttpClient client(m_worker->port());
    const HttpAnswer answer = client.ask(method, target, body);
    QCOMPARE(answer.status, status);
    QVERIFY2(answer.body.contains(says), answer.body.constData());
    if (status >= 400) { // RFC 9457
        QVERIFY(answer.head.toLower().contains("application/problem+json"));
        QCOMPARE(answer.json()[QStringLiteral("status")].toInt(), status);
        QVERIFY(!answer.text("title").isEmpty() && !answer.text("detail").isEmpty());
    }
    QCOMPARE(client.ask("GET", "/healthz").status, 200); // the connection is still good
}

void TestService::framing_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<int>("status");
    const auto row = [](const char* name, const QByteArray& bytes, int status) {
        QTest::newRow(name) << bytes << status;
    };
    const QByteArray post = "POST /v1/classify HTTP/1.1\r\nHost: x\r\n";
    row("garbage", "hello\r\n\r\n", 400);
    row("bytes", QByteArray("\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03\r\n\r\n", 15), 400);
    row("two lengths", post + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400);
    row("length and chunks",
        post + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400);
    row("length is no number", post + "Content-Length: x\r\n\r\n", 400);
    row("length is negative", post + "Content-Length: -1\r\n\r\n", 400);
    row("length is enormous", post + "Content-Length: 99999999999999999999999\r\n\r\n", 400);
    row("body over 1 MiB", post + "Content-Length: 1048577\r\n\r\n", 413);
    row("headers over 8 KiB", post + "X: " + QByteArray(9000, 'x') + "\r\n\r\n", 431);
    row("target over 8 KiB", "GET /" + QByteArray(9000, 'x') + " HTTP/1.1\r\n\r\n", 431);
    row("chunk size is wrong", post + "Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n", 400);
}

void TestService::framing()
{
    QFETCH(QByteArray, bytes);
    QFETCH(int, status);
    HttpClient client(m_worker->port());
    client.send(bytes);
    QCOMPARE(client.receive().status, status);
    QVERIFY(client.isClosed()); // what follows on such a connection cannot be told apart
    QCOMPARE(HttpClient(m_worker->port()).ask("GET", "/healthz").status, 200);
}

void TestService::pipelinedAnswersComeInOrder()
{
    HttpClient client(m_worker->port());
    QByteArray bytes;
    for (int index = 0; index < 20; ++index) {
        const QByteArray body = "{\"text\":\"query number " + QByteArray::number(index) + "\"}";
        bytes += "POST /v1/classify HTTP/1.1\r\nHost: x\r\nX-Session-Id: p\r\nContent-Length: "
            + QByteArray::number(body.size()) + "\r\n\r\n" + body;
    }
    client.send(bytes);
    for (int index = 0; index < 20; ++index) {
        QCOMPARE(client.receive().text("query"), QStringLiteral("query number %1").arg(index));
    }
    const QByteArray chunked =
        "POST /v1/classify HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        "8\r\n{\"text\":\r\n4\r\n\"hi\"\r\n1\r\n}\r\n0\r\n\r\n";
    client.send(chunked);
    QCOMPARE(client.receive().status, 200);
}

void TestService::headAndOptions()
{
    HttpClient client(m_worker->port());
    const HttpAnswer head = client.ask("HEAD", "/healthz");
    QCOMPARE(head.status, 200);
    const HttpAnswer options = client.ask("OPTIONS", "/v1/classify");
    QCOMPARE(options.status, 204);
    QVERIFY(options.head.contains("Allow: POST, OPTIONS"));
    const HttpAnswer last = client.ask("GET", "/healthz", {}, "Connection: close\r\n");
    QCOMPARE(last.status, 200);
    QVERIFY(client.isClosed());
}

void TestService::hugeQueryAndHugeBody()
{
    HttpClient client(m_worker->port());
    const HttpAnswer answer = client.classify(QByteArray((1 << 20) - 100, 'x'));
    QCOMPARE(answer.status, 413);
    QVERIFY(answer.body.contains("at most 4096"));
    QCOMPARE(client.classify(QByteArray(4096, 'x')).status, 200);
    QCOMPARE(client.classify(QByteArray(4097, 'x')).status, 413);
}

void TestService::queryLengthIsConfigured()
{
    Configuration options;
    options.limits.queryCodePoints = 20;
    const Worker worker(options);
    HttpClient client(worker.port());
    QCOMPARE(client.classify("where is my parcel").status, 200);
    const HttpAnswer answer = client.classify("where is the parcel of mine");
    QCOMPARE(answer.status, 413);
    QVERIFY(answer.body.contains("at most 20"));
    const HttpAnswer batch = client.ask("POST", "/v1/classify/batch",
        "{\"queries\":[\"where is my parcel\",\"where is the parcel of mine\"]}");
    QCOMPARE(batch.status, 200);
    const QJsonArray answers = batch.json()[QStringLiteral("answers")].toArray();
    QCOMPARE(answers.size(), 2);
    QVERIFY(answers[0].toObject().contains(QStringLiteral("intent")));
    QVERIFY(answers[1].toObject().contains(QStringLiteral("error")));
}

void TestService::slowAndBrokenClientsHarmNobody()
{
    std::vector<std::unique_ptr<HttpClient>> broken;
    for (int index = 0; index < 50; ++index) {
        broken.push_back(std::make_unique<HttpClient>(m_worker->port()));
        broken.back()->send(
            "POST /v1/classify HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{\"te");
    }
    HttpClient client(m_worker->port());
    QCOMPARE(client.classify("hello").status, 200);
    for (std::size_t index = 0; index < broken.size(); index += 2) {
        broken[index]->disconnect();
    }
    QCOMPARE(client.classify("hello").status, 200);
}

void TestService::drainLetsRequestsEnd()
{
    Worker worker(Configuration(), std::chrono::seconds(5));
    HttpClient client(worker.port());
    QCOMPARE(client.classify("hello").status, 200);
    worker.beginToStop();
    QTRY_COMPARE(client.ask("GET", "/readyz").status, 503); // before it stops accepting
    worker.stop();
    QVERIFY(client.isClosed());
    QTcpSocket late;
    late.connectToHost(QStringLiteral("127.0.0.1"), worker.port());
    QVERIFY(!late.waitForConnected(1000));
}

void TestService::portInUseIsSaid()
{
    Configuration options;
    options.listen.port = m_worker->port();
    const Worker second(options);
    QVERIFY(second.error.has_value());
    QCOMPARE(second.error->kind, ErrorKind::Input);
    QVERIFY2(second.error->text().find(std::to_string(options.listen.port)) != std::string::npos,
        second.error->text().c_str());
    options.listen.port = 0;
    options.listen.host = "no address";
    QVERIFY(Worker(options).error.has_value());
}

void TestService::badModelIsSaid()
{
    Configuration options;
    options.model.file = "/no/such.model";
    const auto made = Service::make(options, "test");
    QVERIFY(!made.ok());
    QVERIFY(made.error().message.find("/no/such.model") != std::string::npos);
}

void TestService::modelIsUploaded()
{
    const QTemporaryDir folder;
    Configuration options;
    options.model.stateFolder = folder.path().toStdString();
    options.auth.tokens = {{"ops", sha256Hex("secret"), "admin"}};
    const Worker worker(options);
    HttpClient client(worker.port());
    QFile file(QStringLiteral(SLUICE_BINARY_DIR "/share/sluice/helpdesk.model"));
    QVERIFY(file.open(QIODevice::ReadOnly));
    const QByteArray model = file.readAll();
    QVERIFY(model.size() > 1024 * 1024); // more than another body may be
    const QByteArray hash =
        "X-Content-SHA256: " + QByteArray::fromStdString(sha256Hex(model.toStdString())) + "\r\n";
    const QByteArray token = "Authorization: Bearer secret\r\n";
    const auto upload = [&client](const QByteArray& body, const QByteArray& headers) {
        return client.ask("POST", "/v1/admin/model", body, headers);
    };
    QCOMPARE(upload("x", hash).status, 401);
    QCOMPARE(upload(model, hash).status, 413); // and the connection ends
    client.reconnect(worker.port());
    QCOMPARE(upload(model, token).status, 400);
    const HttpAnswer other = upload("no model", hash + token);
    QCOMPARE(other.status, 422);
    QVERIFY(other.body.contains("was announced"));
    const HttpAnswer served = upload(model, hash + token);
    QCOMPARE(served.status, 200);
    QCOMPARE(served.json()[QStringLiteral("model")].toString().toUtf8(), hash.mid(18, 64));
    const QJsonObject info = client.ask("GET", "/v1/info").json();
    QVERIFY(text(info, "model_file").startsWith(folder.path()));
    QCOMPARE(client.classify("where is my parcel").status, 200);
    const Worker unprepared([] {
        Configuration without;
        without.auth.tokens = {{"ops", sha256Hex("secret"), "admin"}};
        return without;
    }());
    client.reconnect(unprepared.port());
    QCOMPARE(upload(model, hash + token).status, 409);
}

QTEST_GUILESS_MAIN(TestService)
#include "tst_service.moc"
