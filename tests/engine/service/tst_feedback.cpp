#include "engine/base/json.h"
#include "tests/support/redisserver.h"
#include "tests/support/testcase.h"
#include "tests/support/worker.h"

#include <QSet>
#include <QTemporaryDir>

using namespace sluice;
using service::Configuration;
using test::HttpAnswer;
using test::HttpClient;
using test::Worker;

class TestFeedback : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void takesAndAnswersAlike();
    void refuses_data();
    void refuses();
    void waitsOnDiskWhileRedisIsAway();
    void waitsOnDiskWhileRedisIsFull();
    void followsAfterARestart();
    void withoutAFolderItIsRefused();
    void badFolderIsSaid();
};

namespace {

Configuration configuration(std::uint16_t redisPort, const QString& folder)
{
    Configuration configuration;
    configuration.redis.port = redisPort;
    configuration.feedback.folder = folder.toStdString();
    return configuration;
}

HttpAnswer give(HttpClient& client, int number)
{
    const QByteArray id = QByteArray::number(number);
    return client.ask("POST", "/v1/feedback",
        R"({"kind":"wrong","label":"refund","request":"r)" + id + "\"}",
        "Idempotency-Key: f" + id + "\r\n");
}

QList<QJsonObject> rows(const test::RedisServer& redis)
{
    QList<QJsonObject> rows;
    const QByteArray all = redis.cli({QStringLiteral("--raw"), QStringLiteral("XRANGE"),
        QStringLiteral("sluice:feedback"), QStringLiteral("-"), QStringLiteral("+")});
    for (const QByteArray& line : all.split('\n')) {
        if (line.startsWith('{')) {
            rows.push_back(QJsonDocument::fromJson(line).object());
        }
    }
    return rows;
}

QSet<QString> idsOf(const QList<QJsonObject>& rows)
{
    QSet<QString> ids;
    for (const QJsonObject& row : rows) {
        ids.insert(row[QStringLiteral("id")].toString());
    }
    return ids;
}

} // namespace

void TestFeedback::takesAndAnswersAlike()
{
    test::RedisServer redis;
    QVERIFY2(redis.start(), qPrintable(redis.lastError()));
    const Worker worker(configuration(redis.port(), {}));
    HttpClient client(worker.port());
    QTRY_VERIFY(client.hasRedis());
    const QByteArray body = R"({"kind":"complaint","label":"refund","latency_ms":12.5,"turn":3})";
    const QByteArray header = "X-Session-Id: s1\r\nIdempotency-Key: f1\r\n";
    const HttpAnswer first = client.ask("POST", "/v1/feedback", body, header);
    QCOMPARE(first.status, 202);
    QCOMPARE(first.json()[QStringLiteral("id")].toString(), QStringLiteral("f1"));
    const HttpAnswer again = client.ask("POST", "/v1/feedback", body, header);
    QCOMPARE(again.status, first.status);
    QCOMPARE(again.body, first.body);
    QCOMPARE(rows(redis).size(), 1);
    const QJsonObject row = rows(redis).front();
    QCOMPARE(row[QStringLiteral("kind")].toString(), QStringLiteral("complaint"));
    QCOMPARE(row[QStringLiteral("label")].toString(), QStringLiteral("refund"));
    QCOMPARE(row[QStringLiteral("latency_ms")].toDouble(), 12.5);
    QCOMPARE(row[QStringLiteral("session")].toString(), QStringLiteral("s1"));
    QCOMPARE(row[QStringLiteral("turn")].toInt(), 3);
    QCOMPARE(row[QStringLiteral("pool")].toString(), QStringLiteral("blue"));
    QVERIFY(row[QStringLiteral("at")].toInteger() > 1700000000);
    const int life =
        redis.cli({QStringLiteral("TTL"), QStringLiteral("{sluice:feedback}:f1")}).toInt();
    QVERIFY2(life > 86300 && life <= 86400, qPrintable(QString::number(life)));
    // Without an id each one is another.
    const HttpAnswer made =
        client.ask("POST", "/v1/feedback", R"({"kind":"right","request":"r1"})");
    QCOMPARE(made.status, 202);
    QCOMPARE(made.json()[QStringLiteral("id")].toString().size(), 32);
    QCOMPARE(rows(redis).size(), 2);
    QVERIFY(client.hasMetric("sluice_feedback_added_total", 2));
}

void TestFeedback::refuses_data()
{
    QTest::addColumn<QByteArray>("body");
    QTest::addColumn<QByteArray>("headers");
    QTest::addColumn<QByteArray>("message");
    const auto row = [](const char* name, const QByteArray& body, const QByteArray& headers,
                         const QByteArray& message) {
        QTest::newRow(name) << body << headers << message;
    };
    row("no JSON", "right", "", "the body");
    row("no kind", R"({"request":"r"})", "", "kind: is missing");
    row("another kind", R"({"request":"r","kind":"fine"})", "", "\\\"complaint\\\" is expected");
    row("about nothing", R"({"kind":"right"})", "", "which answer");
    row("unknown member", R"({"kind":"right","request":"r","stars":5})", "", "stars");
    row("two ids", R"({"kind":"right","request":"r","id":"a"})", "Idempotency-Key: b\r\n",
        "id: differs");
    row("id with blanks", R"({"kind":"right","request":"r","id":"a b"})", "", "id: 1 to 128");
    row("turn 0", R"({"kind":"right","session":"s","turn":0})", "", "turn");
    row("negative latency", R"({"kind":"right","session":"s","latency_ms":-1})", "", "latency_ms");
    row("long label", R"({"kind":"right","session":"s","label":")" + QByteArray(257, 'x') + "\"}",
        "", "label");
}

void TestFeedback::refuses()
{
    QFETCH(QByteArray, body);
    QFETCH(QByteArray, headers);
    QFETCH(QByteArray, message);
    static Worker worker{Configuration()};
    HttpClient client(worker.port());
    const HttpAnswer answer = client.ask("POST", "/v1/feedback", body, headers);
    QCOMPARE(answer.status, 400);
    QVERIFY2(answer.body.contains(message), answer.body.constData());
}

void TestFeedback::waitsOnDiskWhileRedisIsAway()
{
    test::RedisServer redis;
    QVERIFY2(redis.start(), qPrintable(redis.lastError()));
    const QTemporaryDir folder;
    const Worker worker(configuration(redis.port(), folder.path()));
    HttpClient client(worker.port());
    QTRY_VERIFY(client.hasRedis());
    QCOMPARE(give(client, 0).status, 202);
    redis.suspend(); // it may have run, or not: the id decides later
    for (int number = 0; number < 5; ++number) {
        QCOMPARE(give(client, number).status, 202);
    }
    QVERIFY(client.hasMetric("sluice_feedback_buffered", 5));
    redis.resume();
    QTRY_VERIFY_WITH_TIMEOUT(client.hasMetric("sluice_feedback_buffered", 0), 15000);
    QCOMPARE(rows(redis).size(), 5); // f0 is there once
    QVERIFY(redis.kill());
    QTRY_VERIFY(!client.hasRedis());
    for (int number = 10; number < 210; ++number) {
        QCOMPARE(give(client, number).status, 202);
    }
    QCOMPARE(give(client, 10).status, 202); // a duplicate, answered alike
    QVERIFY(client.hasMetric("sluice_feedback_buffered", 201));
    QVERIFY(redis.start());
    QTRY_VERIFY_WITH_TIMEOUT(client.hasMetric("sluice_feedback_buffered", 0), 15000);
    QCOMPARE(rows(redis).size(), 200);
    QCOMPARE(idsOf(rows(redis)).size(), 200);
}

void TestFeedback::waitsOnDiskWhileRedisIsFull()
{
    test::RedisServer redis;
    QVERIFY2(redis.start(), qPrintable(redis.lastError()));
    const QTemporaryDir folder;
    const Worker worker(configuration(redis.port(), folder.path()));
    HttpClient client(worker.port());
    QTRY_VERIFY(client.hasRedis());
    const auto limit = [&redis](const QString& bytes) {
        redis.cli(
            {QStringLiteral("CONFIG"), QStringLiteral("SET"), QStringLiteral("maxmemory"), bytes});
    };
    limit(QStringLiteral("1"));
    QCOMPARE(give(client, 1).status, 202);
    QVERIFY(client.hasMetric("sluice_feedback_buffered", 1));
    limit(QStringLiteral("0"));
    QTRY_VERIFY_WITH_TIMEOUT(client.hasMetric("sluice_feedback_buffered", 0), 15000);
    QCOMPARE(rows(redis).size(), 1);
}

void TestFeedback::followsAfterARestart()
{
    const QTemporaryDir folder;
    const std::uint16_t nobody = test::freePort();
    {
        const Worker first(configuration(nobody, folder.path()));
        const Worker second(configuration(nobody, folder.path()));
        HttpClient one(first.port());
        HttpClient two(second.port());
        QCOMPARE(give(one, 1).status, 202);
        QCOMPARE(give(two, 2).status, 202);
        QCOMPARE(give(two, 3).status, 202);
    }
    test::RedisServer redis;
    QVERIFY2(redis.start(), qPrintable(redis.lastError()));
    // One worker alone: it has its own and those of the one that does not run any more.
    const Worker worker(configuration(redis.port(), folder.path()));
    HttpClient client(worker.port());
    QTRY_COMPARE_WITH_TIMEOUT(rows(redis).size(), 3, 15000);
    QCOMPARE(idsOf(rows(redis)),
        QSet<QString>({QStringLiteral("f1"), QStringLiteral("f2"), QStringLiteral("f3")}));
}

void TestFeedback::withoutAFolderItIsRefused()
{
    const Worker worker(configuration(test::freePort(), {}));
    HttpClient client(worker.port());
    const HttpAnswer answer = give(client, 1);
    QCOMPARE(answer.status, 503);
    QVERIFY(answer.head.contains("Retry-After: 5"));
    QVERIFY(answer.body.contains("feedback.folder"));
    QVERIFY(client.hasMetric("sluice_feedback_refused_total", 1));
}

void TestFeedback::badFolderIsSaid()
{
    const auto made = service::Service::make(configuration(0, QStringLiteral("/proc/none")), "t");
    QVERIFY(!made.ok());
    QVERIFY(made.error().text().find("/proc/none") != std::string::npos);
}

QTEST_GUILESS_MAIN(TestFeedback)
#include "tst_feedback.moc"
