#include "engine/classification/thresholds/thresholdset.h"
#include "engine/service/service.h"
#include "tests/support/redisclusterservers.h"
#include "tests/support/redisserver.h"
#include "tests/support/testcase.h"
#include "tests/support/worker.h"

#include <QJsonObject>

using namespace sluice;
using service::Configuration;
using test::HttpAnswer;
using test::HttpClient;
using test::Worker;

/// What workers share through Redis, sessions and thresholds, and what they do without it.
class TestServiceRedis : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void init() { failOnWarnings(); }
    void sessionsAreSharedByWorkers();
    void durableTurnsAreStored();
    void sessionsInARedisCluster();
    void endsWhileQueriesWaitForRedis();
    void worksOnWithoutRedis();
    void publishedThresholdsAreServed();
    void badThresholdsAreRefused();
};

void TestServiceRedis::sessionsAreSharedByWorkers()
{
    test::RedisServer redis;
    QVERIFY2(redis.start(), qPrintable(redis.lastError()));
    Configuration options;
    options.redis.port = redis.port();
    Worker first(options);
    Worker second(options);
    HttpClient one(first.port());
    HttpClient two(second.port());
    QTRY_VERIFY(one.hasRedis());
    QTRY_VERIFY(two.hasRedis());
    one.classify("where is my parcel A-2231?", "shared");
    QTRY_COMPARE(redis.cli({QStringLiteral("EXISTS"), QStringLiteral("sluice:session:{shared}")}),
        QByteArray("1"));
    const HttpAnswer answer = two.classify("and B-10498?", "shared");
    QCOMPARE(answer.text("context"), QStringLiteral("used"));
    QCOMPARE(answer.json()[QStringLiteral("turn")].toInt(), 2);
    const int life =
        redis.cli({QStringLiteral("TTL"), QStringLiteral("sluice:session:{shared}")}).toInt();
    QVERIFY2(life > 1700 && life <= 1800, qPrintable(QString::number(life)));
}

void TestServiceRedis::durableTurnsAreStored()
{
    const QByteArray body = R"({"text":"where is my parcel?","durable":true})";
    const QByteArray header = "X-Session-Id: d\r\n";
    const Worker alone{Configuration()};
    HttpClient memory(alone.port());
    QVERIFY(memory.ask("POST", "/v1/classify", body, header)
                .head.contains("X-Session-Stored: true\r\n"));
    QVERIFY(!memory.classify("hello", "d").head.contains("X-Session-Stored"));
    QCOMPARE(memory.ask("POST", "/v1/classify", R"({"text":"a","durable":1})").status, 400);

    test::RedisServer redis;
    QVERIFY2(redis.start(), qPrintable(redis.lastError()));
    Configuration options;
    options.redis.port = redis.port();
    const Worker worker(options);
    HttpClient client(worker.port());
    QTRY_VERIFY(client.hasRedis());
    QVERIFY(client.ask("POST", "/v1/classify", body, header)
                .head.contains("X-Session-Stored: true\r\n"));
    // It was stored before the answer came: nothing to wait for.
    QCOMPARE(redis.cli({QStringLiteral("EXISTS"), QStringLiteral("sluice:session:{d}")}), "1");
    // Read, but not written: Redis is full.
    redis.cli({QStringLiteral("CONFIG"), QStringLiteral("SET"), QStringLiteral("maxmemory"),
        QStringLiteral("1")});
    const HttpAnswer full = client.ask("POST", "/v1/classify", body, header);
    QCOMPARE(full.status, 200);
    QVERIFY(full.head.contains("X-Session-Stored: false\r\n"));
    QVERIFY(
        client.ask("GET", "/metrics")
            .body.contains("sluice_session_save_failed_total{pool=\"blue\",version=\"test\"} 1"));
    QVERIFY(redis.kill());
    QVERIFY(client.ask("POST", "/v1/classify", body, header)
                .head.contains("X-Session-Stored: false\r\n"));
}

void TestServiceRedis::sessionsInARedisCluster()
{
    test::RedisClusterServers cluster;
    QVERIFY2(cluster.start(), qPrintable(cluster.lastError()));
    Configuration options;
    options.redis.cluster = {"127.0.0.1:" + std::to_string(test::freePort()),
        "127.0.0.1:" + std::to_string(cluster.port(4))};
    const Worker first(options);
    const Worker second(options);
    for (const Worker* worker : {&first, &second}) {
        HttpClient looking(worker->port());
        QTRY_VERIFY(looking.hasRedis());
    }
    HttpClient one(first.port());
    HttpClient two(second.port());
    const QByteArray body = R"({"text":"where is my parcel A-2231?","durable":true})";
    for (int number = 0; number < 9; ++number) { // every master has some of them
        const QByteArray session = "s" + QByteArray::number(number);
        QTRY_VERIFY(one.ask("POST", "/v1/classify", body, "X-Session-Id: " + session + "\r\n")
                        .head.contains("X-Session-Stored: true\r\n"));
        const HttpAnswer answer = two.classify("and B-10498?", session);
        QCOMPARE(answer.text("context"), QStringLiteral("used"));
    }
    // Threshold sets are found as well, at the master that has them.
    ThresholdSet set;
    set.number = 7;
    set.global = 0.25;
    const QString keys = QStringLiteral("sluice:{thresholds}:");
    test::RedisServer& master = cluster.node(
        cluster.masterOf(cluster.cli(0, QStringLiteral("cluster keyslot ") + keys).toInt(), 0));
    master.cli(
        {QStringLiteral("SET"), keys + QStringLiteral("7"), QString::fromStdString(set.toJson())});
    master.cli({QStringLiteral("SET"), keys + QStringLiteral("active:blue"), QStringLiteral("7")});
    QTRY_COMPARE_WITH_TIMEOUT(
        one.ask("GET", "/v1/info").json()[QStringLiteral("threshold_set")].toInt(), 7, 10000);
}

void TestServiceRedis::endsWhileQueriesWaitForRedis()
{
    test::RedisServer redis;
    QVERIFY2(redis.start(), qPrintable(redis.lastError()));
    Configuration options;
    options.redis.port = redis.port();
    options.redis.budget = std::chrono::seconds(60);
    auto worker = std::make_unique<Worker>(options);
    HttpClient looking(worker->port());
    QTRY_VERIFY(looking.hasRedis());
    redis.suspend();
    HttpClient waiting(worker->port());
    waiting.send("POST /v1/classify HTTP/1.1\r\nHost: x\r\nX-Session-Id: s\r\n"
                 "Content-Length: 13\r\n\r\n{\"text\":\"hi\"}");
    QTRY_VERIFY(looking.ask("GET", "/metrics")
                    .body.contains("sluice_in_flight{pool=\"blue\",version=\"test\"} 2"));
    worker.reset(); // its query is still open
    QVERIFY(waiting.isClosed());
}

void TestServiceRedis::worksOnWithoutRedis()
{
    test::RedisServer redis;
    QVERIFY(redis.start());
    Configuration options;
    options.redis.port = redis.port();
    Worker worker(options);
    HttpClient client(worker.port());
    QTRY_VERIFY(client.hasRedis());
    client.classify("where is my parcel", "s");
    redis.suspend(); // connections stay, nothing is answered
    const HttpAnswer slow = client.classify("and the other one", "s");
    QCOMPARE(slow.status, 200);
    QCOMPARE(slow.text("context"), QStringLiteral("unavailable"));
    redis.resume();
    QTRY_COMPARE_WITH_TIMEOUT(
        client.classify("and the other one", "s").text("context"), QStringLiteral("used"), 10000);
    QVERIFY(redis.kill());
    QTRY_COMPARE(client.classify("hello", "s").text("context"), QStringLiteral("unavailable"));
    QCOMPARE(client.ask("GET", "/readyz").status, 200); // it serves, without context
    QVERIFY(redis.start());
    QTRY_COMPARE_WITH_TIMEOUT(
        client.classify("hello", "s").text("context") == QStringLiteral("unavailable"), false,
        15000);
    QVERIFY(client.ask("GET", "/metrics").body.contains("sluice_context_unavailable_total"));
}

void TestServiceRedis::publishedThresholdsAreServed()
{
    test::RedisServer redis;
    QVERIFY(redis.start());
    Configuration options;
    options.redis.port = redis.port();
    Worker worker(options);
    HttpClient client(worker.port());
    const auto redisCli = [&](std::initializer_list<const char*> words) {
        QStringList list;
        for (const char* word : words) {
            list << QString::fromUtf8(word);
        }
        return redis.cli(list);
    };
    redisCli({"SET", "sluice:{thresholds}:3",
        R"({"number":3,"global":1.0,"margin":0,"clarify_band":0,"author":"a","created_at":"2026-01-01T00:00:00Z"})"});
    redisCli({"SET", "sluice:{thresholds}:active:blue", "3"});
    QTRY_COMPARE_WITH_TIMEOUT(
        client.ask("GET", "/v1/info").json()[QStringLiteral("threshold_set")].toInt(), 3, 5000);
    QCOMPARE(client.classify("where is my parcel").text("decision"), QStringLiteral("fallback"));
    redisCli({"SET", "sluice:{thresholds}:active:green", "9"}); // another pool's
    redisCli({"SET", "sluice:{thresholds}:active:blue", "0"}); // back to the model's own
    redisCli({"PUBLISH", "sluice:{thresholds}:changed", "blue 0"});
    QTRY_COMPARE_WITH_TIMEOUT(
        client.ask("GET", "/v1/info").json()[QStringLiteral("threshold_set")].toInt(), 0, 5000);
    QCOMPARE(client.classify("where is my parcel").text("decision"), QStringLiteral("accept"));
}

void TestServiceRedis::badThresholdsAreRefused()
{
    test::RedisServer redis;
    QVERIFY(redis.start());
    Configuration options;
    options.redis.port = redis.port();
    Worker worker(options);
    HttpClient client(worker.port());
    const QByteArray refused = "sluice_threshold_refused_total{pool=\"blue\",version=\"test\"} ";
    int expected = 0;
    const char* const bad[] = {"{", R"({"number":1,"global":7})",
        R"({"number":3,"global":0.5,"model":"0000000000000000000000000000000000000000000000000000000000000000"})",
        R"({"number":4,"global":0.5,"per_intent":{"no_such_intent":0.5}})"};
    for (const char* document : bad) {
        ++expected;
        redis.cli({QStringLiteral("SET"), QStringLiteral("sluice:{thresholds}:%1").arg(expected),
            QString::fromUtf8(document)});
        redis.cli({QStringLiteral("SET"), QStringLiteral("sluice:{thresholds}:active:blue"),
            QString::number(expected)});
        const QByteArray line = refused + QByteArray::number(expected) + '\n';
        QTRY_VERIFY_WITH_TIMEOUT(client.ask("GET", "/metrics").body.contains(line), 5000);
        QCOMPARE(client.ask("GET", "/v1/info").json()[QStringLiteral("threshold_set")].toInt(), 0);
    }
}

QTEST_GUILESS_MAIN(TestServiceRedis)
#include "tst_serviceredis.moc"
