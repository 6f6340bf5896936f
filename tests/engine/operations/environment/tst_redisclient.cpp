#include "engine/operations/environment/redisclient.h"
#include "engine/operations/environment/stackfiles.h"
#include "tests/support/redisserver.h"
#include "tests/support/testcase.h"

using namespace sluice;
using namespace sluice::ops;

class TestRedisClient : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void everyKindOfReply();
    void errorsAreRefusals();
    void rolesOfTheDesign();
    void wrongPasswordIsSaid();
    void deadServerFailsAtOnce();
    void silentServerTimesOut();
    void comesBackByItself();
    void messagesArrive();
    void contextGoneMeansNoCall();
    void destroyedWhileWaiting();

private:
    using Replied = std::optional<Result<RedisReply>>;
    Replied ask(RedisClient& client, const QList<QByteArray>& words, int timeoutMs = 2000)
    {
        const auto got = std::make_shared<Replied>();
        client.command(
            words, this, [got](const Result<RedisReply>& reply) { *got = reply; }, timeoutMs);
        return QTest::qWaitFor([&] { return got->has_value(); }, timeoutMs + 5000) ? *got
                                                                                   : std::nullopt;
    }
    /// The reply; an error is printed and gives nothing.
    RedisReply reply(RedisClient& client, const QList<QByteArray>& words)
    {
        const Replied got = ask(client, words);
        if (!got || !got->ok()) {
            qInfo("%s: %s", words.first().constData(),
                got ? got->error().text().c_str() : "no answer");
            return {};
        }
        return **got;
    }
    static bool connected(RedisClient& client)
    {
        return QTest::qWaitFor(
            [&] { return client.state() == RedisClient::State::Connected; }, 10000);
    }
};

void TestRedisClient::everyKindOfReply()
{
    test::RedisServer server;
    QVERIFY(server.start());
    RedisClient client;
    QCOMPARE(client.state(), RedisClient::State::Idle);
    client.open(QStringLiteral("127.0.0.1"), server.port(), {}, {});
    QVERIFY(connected(client));
    const QByteArray binary("a\0b\r\n\xFF", 6);
    QCOMPARE(reply(client, {"SET", "k", binary}).type, RedisReply::Type::Status);
    QCOMPARE(reply(client, {"GET", "k"}).text, binary);
    QVERIFY(reply(client, {"GET", "none"}).isNil());
    QCOMPARE(reply(client, {"INCRBY", "n", "-5"}).integer, -5);
    const RedisReply array = reply(client, {"MGET", "k", "none", "n"});
    QCOMPARE(array.items.size(), 3);
    QVERIFY(array.items[1].isNil());
    QCOMPARE(array.items[2].text, QByteArray("-5"));
    QVERIFY(client.roundTripMs() > 0);
    const QByteArray large(500 << 10, 'x');
    QCOMPARE(reply(client, {"ECHO", large}).text.size(), large.size());
}

void TestRedisClient::errorsAreRefusals()
{
    test::RedisServer server;
    QVERIFY(server.start());
    RedisClient client;
    client.open(QStringLiteral("127.0.0.1"), server.port(), {}, {});
    QVERIFY(connected(client));
    const auto unknown = ask(client, {"NOSUCHCOMMAND"});
    QVERIFY(!unknown->ok());
    QCOMPARE(unknown->error().kind, ErrorKind::Refused);
    QVERIFY(!unknown->error().text().empty());
    QVERIFY(ask(client, {"PING"})->ok());
}

void TestRedisClient::rolesOfTheDesign()
{
    QHash<QString, QString> passwords;
    for (const QString& role : redisRoles()) {
        passwords[role] = QStringLiteral("secret-of-") + role;
    }
    test::RedisServer server;
    QVERIFY2(server.start({}, redisUsers(passwords)), qPrintable(server.lastError()));
    for (const QString& role : redisRoles()) {
        RedisClient client;
        client.open(QStringLiteral("127.0.0.1"), server.port(), role, passwords[role]);
        QVERIFY2(connected(client), qPrintable(role));
        // A rollout's driver publishes the release's set to its pool.
        const bool mayPublish =
            role == QLatin1StringView("admin") || role == QLatin1StringView("driver");
        const auto pointer = ask(client, {"SET", "sluice:{thresholds}:active:blue", "0"});
        QCOMPARE(pointer->ok(), mayPublish);
        if (!mayPublish) {
            QCOMPARE(pointer->error().kind, ErrorKind::Refused);
            QVERIFY(pointer->error().text().find("NOPERM") != std::string::npos);
        }
        QVERIFY2(!ask(client, {"FLUSHALL"})->ok(), qPrintable(role));
    }
}

void TestRedisClient::wrongPasswordIsSaid()
{
    test::RedisServer server;
    QVERIFY(server.start({}, "user default off\nuser admin on >right ~* &* +@all\n"));
    RedisClient client;
    client.open(QStringLiteral("127.0.0.1"), server.port(), QStringLiteral("admin"),
        QStringLiteral("wrong"));
    QTRY_VERIFY_WITH_TIMEOUT(client.lastError().contains(QStringLiteral("WRONGPASS")), 10000);
    QVERIFY(client.state() != RedisClient::State::Connected);
}

void TestRedisClient::deadServerFailsAtOnce()
{
    RedisClient client;
    client.open(QStringLiteral("127.0.0.1"), test::freePort(), {}, {});
    QTRY_VERIFY_WITH_TIMEOUT(!client.lastError().isEmpty(), 10000);
    const auto answer = ask(client, {"PING"});
    QVERIFY(!answer->ok());
    QCOMPARE(answer->error().kind, ErrorKind::Unreachable);
    RedisClient closed;
    QVERIFY(!ask(closed, {"PING"})->ok());
}

void TestRedisClient::silentServerTimesOut()
{
    test::RedisServer server;
    QVERIFY(server.start());
    RedisClient client;
    client.open(QStringLiteral("127.0.0.1"), server.port(), {}, {});
    QVERIFY(connected(client));
    server.suspend();
    const auto answer = ask(client, {"PING"}, 200);
    QVERIFY(answer.has_value());
    QVERIFY(!answer->ok());
    QCOMPARE(answer->error().kind, ErrorKind::Unreachable);
    server.resume();
    QTRY_VERIFY_WITH_TIMEOUT(ask(client, {"PING"})->ok(), 15000);
    QCOMPARE(reply(client, {"ECHO", "own"}).text, QByteArray("own")); // no late reply in between
}

void TestRedisClient::comesBackByItself()
{
    test::RedisServer server;
    QVERIFY(server.start());
    RedisClient client;
    QSignalSpy states(&client, &RedisClient::stateChanged);
    client.open(QStringLiteral("127.0.0.1"), server.port(), {}, {});
    QVERIFY(connected(client));
    QVERIFY(server.kill());
    QTRY_VERIFY_WITH_TIMEOUT(client.state() != RedisClient::State::Connected, 10000);
    QVERIFY(server.start());
    QVERIFY(
        QTest::qWaitFor([&] { return client.state() == RedisClient::State::Connected; }, 20000));
    QVERIFY(ask(client, {"PING"})->ok());
    client.close();
    QCOMPARE(client.state(), RedisClient::State::Idle);
    QVERIFY(states.size() >= 4);
}

void TestRedisClient::messagesArrive()
{
    test::RedisServer server;
    QVERIFY(server.start());
    RedisClient listener;
    QSignalSpy messages(&listener, &RedisClient::message);
    listener.open(QStringLiteral("127.0.0.1"), server.port(), {}, {});
    listener.subscribe("news");
    QVERIFY(connected(listener));
    QTRY_COMPARE_WITH_TIMEOUT(
        server.cli({QStringLiteral("PUBLISH"), QStringLiteral("news"), QStringLiteral("one")}),
        QByteArray("1"), 10000);
    QTRY_VERIFY(!messages.isEmpty());
    QCOMPARE(messages.first().at(1).toByteArray(), QByteArray("one"));
    QVERIFY(server.kill());
    QVERIFY(server.start());
    // It subscribes again after the connection was lost.
    QTRY_COMPARE_WITH_TIMEOUT(
        server.cli({QStringLiteral("PUBLISH"), QStringLiteral("news"), QStringLiteral("two")}),
        QByteArray("1"), 20000);
    QTRY_COMPARE(messages.last().at(1).toByteArray(), QByteArray("two"));
}

void TestRedisClient::contextGoneMeansNoCall()
{
    test::RedisServer server;
    QVERIFY(server.start());
    RedisClient client;
    client.open(QStringLiteral("127.0.0.1"), server.port(), {}, {});
    QVERIFY(connected(client));
    bool called = false;
    auto context = std::make_unique<QObject>();
    client.command({"PING"}, context.get(), [&](const Result<RedisReply>&) { called = true; });
    context.reset();
    QVERIFY(ask(client, {"PING"})->ok()); // answered later than the first
    QVERIFY(!called);
}

void TestRedisClient::destroyedWhileWaiting()
{
    test::RedisServer server;
    QVERIFY(server.start());
    auto client = std::make_unique<RedisClient>();
    client->open(QStringLiteral("127.0.0.1"), server.port(), {}, {});
    QVERIFY(connected(*client));
    for (int index = 0; index < 100; ++index) {
        client->command({"PING"}, this, [](const Result<RedisReply>&) {});
    }
    client.reset();
    QTest::qWait(0);
}

QTEST_GUILESS_MAIN(TestRedisClient)
#include "tst_redisclient.moc"
