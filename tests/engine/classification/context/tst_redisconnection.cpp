#include "engine/classification/context/redisconnection.h"
#include "tests/support/looprunner.h"
#include "tests/support/redisserver.h"
#include "tests/support/testcase.h"

#include <memory>

using namespace sluice;
using namespace std::chrono_literals;
using sluice::test::RedisServer;
using sluice::test::runUntil;

class TestRedisConnection : public sluice::test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void repliesOfEveryKind();
    void answersInOrder();
    void saysWhyItIsNotConnected();
    void hostThatIsNone();
    void serverThatNeverSpeaks();
    void tooManyUnanswered();
    void connectsWhenTheServerComes();
    void takesTheNextAddress();
    void namesItselfAndLogsIn();
    void wrongPassword();
    void noPassword();
    void whatTheRoleMayNot();
    void serverKilled();
    void clientKilled();
    void eachCommandHasItsOwnTime();
    void breakerOpensAndCloses();
    void hangsUpOnASilentServer();
    void movesToAnotherServer();
    void destroyedWithOpenCommands();
    void destroyedByAReply();
    void destroyedBeforeItConnects();
    void subscribes();
    void subscribesWhileConnected();
    void subscriptionRefused();
};

namespace {

const QByteArray acl = "user default off\n"
                       "user worker on >secret ~sluice:* &sluice:* -@all +@connection +get +set "
                       "+subscribe\n";

std::unique_ptr<RedisConnection> connectionTo(boost::asio::io_context& loop, std::uint16_t port,
    std::string user = {}, std::string password = {})
{
    RedisSettings settings;
    settings.address.port = port;
    settings.user = std::move(user);
    settings.password = std::move(password);
    settings.clientName = "tst-redis";
    return std::make_unique<RedisConnection>(loop, std::move(settings));
}

/// An answer that counts how often it came.
struct Reply
{
    int calls = 0;
    Result<RedisValue> value = internalError("no answer");

    RedisConnection::Replied taker()
    {
        return [this](Result<RedisValue> result) {
            ++calls;
            value = std::move(result);
        };
    }
};

class Fixture
{
public:
    RedisServer server;
    boost::asio::io_context loop;
    std::unique_ptr<RedisConnection> connection;

    bool connect(std::string user = {}, std::string password = {})
    {
        connection = connectionTo(loop, server.port(), std::move(user), std::move(password));
        connection->start();
        return runUntil(loop, [this] { return connection->isConnected(); });
    }

    Result<RedisValue> ask(
        std::vector<std::string> arguments, std::chrono::milliseconds timeout = 10s)
    {
        Reply reply;
        connection->command(std::move(arguments), timeout, reply.taker());
        runUntil(loop, [&] { return reply.calls > 0; });
        return reply.value;
    }
};

bool saysUnreachable(const Result<RedisValue>& value)
{
    return !value.ok() && value.error().kind == ErrorKind::Unreachable;
}

} // namespace

void TestRedisConnection::repliesOfEveryKind()
{
    Fixture f;
    QVERIFY2(f.server.start(), qPrintable(f.server.lastError()));
    QVERIFY(f.connect());
    QCOMPARE(f.ask({"PING"})->text, std::string("PONG"));
    const std::string binary("a\0b\r\n\xFF", 6);
    QCOMPARE(f.ask({"SET", "key", binary})->text, std::string("OK"));
    QVERIFY(f.ask({"GET", "key"})->text == binary);
    QVERIFY(f.ask({"GET", "no"})->isNil());
    const auto number = f.ask({"DECRBY", "n", "7"});
    QVERIFY(number->type == RedisValue::Type::Integer);
    QCOMPARE(number->integer, -7);
    const auto list = f.ask({"MGET", "key", "no", "n"});
    QVERIFY(list->type == RedisValue::Type::Array);
    QCOMPARE(list->items.size(), 3U);
    QVERIFY(list->items[0].text == binary && list->items[1].isNil());
    QCOMPARE(list->items[2].text, std::string("-7"));
    const auto wrong = f.ask({"INCR", "key"});
    QVERIFY(!wrong.ok());
    QVERIFY(wrong.error().kind == ErrorKind::Refused);
    QVERIFY(wrong.error().message.starts_with("ERR value is not an integer"));
    QVERIFY(f.connection->isConnected());
}

void TestRedisConnection::answersInOrder()
{
    Fixture f;
    QVERIFY(f.server.start());
    QVERIFY(f.connect());
    constexpr int count = 20000;
    std::vector<std::int64_t> order;
    for (int i = 0; i < count; ++i) {
        f.connection->command({"INCR", "n"}, 20s,
            [&](const Result<RedisValue>& reply) { order.push_back(reply ? reply->integer : -1); });
    }
    QVERIFY(runUntil(f.loop, [&] { return order.size() == std::size_t(count); }));
    for (int i = 0; i < count; ++i) {
        QCOMPARE(order[std::size_t(i)], i + 1);
    }
}

void TestRedisConnection::saysWhyItIsNotConnected()
{
    boost::asio::io_context loop;
    const auto connection = connectionTo(loop, sluice::test::freePort());
    Reply reply;
    connection->command({"PING"}, 1s, reply.taker());
    QCOMPARE(reply.calls, 1); // at once
    QVERIFY(saysUnreachable(reply.value));
    connection->start();
    QVERIFY(runUntil(loop,
        [&] { return connection->lastError().find("Connection refused") != std::string::npos; }));
    connection->command({"PING"}, 1s, reply.taker());
    QCOMPARE(reply.calls, 2);
    QVERIFY(reply.value.error().text().find("Connection refused") != std::string::npos);
}

void TestRedisConnection::hostThatIsNone()
{
    boost::asio::io_context loop;
    RedisSettings settings;
    settings.address.host = "no host";
    RedisConnection connection(loop, settings);
    connection.start();
    QVERIFY(!connection.isConnected());
    QVERIFY2(connection.lastError().find("resolve") != std::string::npos
            || connection.lastError().find("not known") != std::string::npos,
        connection.lastError().c_str());
    Reply reply;
    connection.command({"PING"}, 1s, reply.taker());
    QVERIFY(saysUnreachable(reply.value));
    QVERIFY(reply.value.error().text().find(connection.lastError()) != std::string::npos);
}

void TestRedisConnection::serverThatNeverSpeaks()
{
    Fixture f;
    QVERIFY(f.server.start());
    f.server.suspend(); // the kernel still takes the connection
    f.connection = connectionTo(f.loop, f.server.port());
    f.connection->start();
    QVERIFY(runUntil(
        f.loop, [&] { return f.connection->lastError().find("in time") != std::string::npos; }));
    QVERIFY(!f.connection->isConnected());
    f.server.resume();
    QVERIFY(runUntil(f.loop, [&] { return f.connection->isConnected(); }));
}

void TestRedisConnection::tooManyUnanswered()
{
    Fixture f;
    QVERIFY(f.server.start());
    QVERIFY(f.connect());
    f.server.suspend();
    constexpr int most = 65536;
    int answered = 0;
    for (int index = 0; index < most; ++index) {
        f.connection->command({"PING"}, 60s,
            [&](const Result<RedisValue>& result) { answered += result.ok() ? 1 : 0; });
    }
    Reply reply;
    f.connection->command({"PING"}, 60s, reply.taker());
    QCOMPARE(reply.calls, 1); // at once
    QVERIFY(saysUnreachable(reply.value));
    QVERIFY(reply.value.error().message.find("too many commands") != std::string::npos);
    f.server.resume();
    QVERIFY(runUntil(f.loop, [&] { return answered == most; }));
    QVERIFY(f.ask({"PING"}).ok());
}

void TestRedisConnection::connectsWhenTheServerComes()
{
    Fixture f;
    QVERIFY(f.server.start());
    QVERIFY(f.server.stop());
    f.connection = connectionTo(f.loop, f.server.port());
    f.connection->start();
    QVERIFY(runUntil(
        f.loop, [&] { return f.connection->lastError().find("refused") != std::string::npos; }));
    QVERIFY(f.server.start());
    QVERIFY(runUntil(f.loop, [&] { return f.connection->isConnected(); }));
    QVERIFY(f.connection->lastError().empty());
    QVERIFY(f.ask({"PING"}).ok());
}

void TestRedisConnection::takesTheNextAddress()
{
    Fixture f;
    RedisServer second;
    QVERIFY(f.server.start());
    QVERIFY(second.start());
    RedisSettings settings;
    settings.address.port = sluice::test::freePort();
    settings.others = {{"127.0.0.1", f.server.port()}, {"127.0.0.1", second.port()}};
    f.connection = std::make_unique<RedisConnection>(f.loop, settings);
    f.connection->start();
    QVERIFY(runUntil(f.loop, [&] { return f.connection->isConnected(); }));
    QVERIFY(f.ask({"SET", "where", "first"}).ok());
    QVERIFY(f.server.kill());
    QVERIFY(runUntil(f.loop, [&] { return !f.connection->isConnected(); }));
    QVERIFY(runUntil(f.loop, [&] { return f.connection->isConnected(); }));
    QVERIFY(f.ask({"GET", "where"})->isNil()); // it is the second one
}

void TestRedisConnection::namesItselfAndLogsIn()
{
    Fixture f;
    QVERIFY(f.server.start({}, acl));
    QVERIFY(f.connect("worker", "secret"));
    QCOMPARE(f.ask({"ACL", "WHOAMI"}).error().kind, ErrorKind::Refused); // not of @connection
    QCOMPARE(f.ask({"CLIENT", "GETNAME"})->text, std::string("tst-redis"));
}

void TestRedisConnection::wrongPassword()
{
    Fixture f;
    QVERIFY(f.server.start({}, acl));
    f.connection = connectionTo(f.loop, f.server.port(), "worker", "wrong");
    f.connection->start();
    QVERIFY(runUntil(
        f.loop, [&] { return f.connection->lastError().find("WRONGPASS") != std::string::npos; }));
    QVERIFY(!f.connection->isConnected());
    const auto reply = f.ask({"GET", "sluice:x"});
    QVERIFY(saysUnreachable(reply));
    QVERIFY(reply.error().text().find("WRONGPASS") != std::string::npos);
    QVERIFY(reply.error().text().find("wrong") == std::string::npos);
}

void TestRedisConnection::noPassword()
{
    Fixture f;
    QVERIFY(f.server.start({}, acl));
    f.connection = connectionTo(f.loop, f.server.port());
    f.connection->start();
    QVERIFY(runUntil(
        f.loop, [&] { return f.connection->lastError().find("NOAUTH") != std::string::npos; }));
    QVERIFY(!f.connection->isConnected());
}

void TestRedisConnection::whatTheRoleMayNot()
{
    Fixture f;
    QVERIFY(f.server.start({}, acl));
    QVERIFY(f.connect("worker", "secret"));
    QVERIFY(f.ask({"SET", "sluice:x", "1"}).ok());
    for (const auto& command : {std::vector<std::string>{"SET", "other", "1"}, {"FLUSHALL"}}) {
        const auto reply = f.ask(command);
        QVERIFY(!reply.ok());
        QVERIFY(reply.error().kind == ErrorKind::Refused);
        QVERIFY(reply.error().message.starts_with("NOPERM"));
    }
    QVERIFY(f.connection->isConnected());
}

void TestRedisConnection::serverKilled()
{
    Fixture f;
    QVERIFY(f.server.start());
    QVERIFY(f.connect());
    f.server.suspend();
    std::vector<Reply> replies(100);
    int calls = 0;
    for (Reply& reply : replies) {
        f.connection->command({"PING"}, 60s, [&](Result<RedisValue> result) {
            ++calls;
            reply.taker()(std::move(result));
        });
    }
    QVERIFY(f.server.kill());
    QVERIFY(runUntil(f.loop, [&] { return calls == 100; }));
    QVERIFY(!f.connection->isConnected());
    QVERIFY(!f.connection->lastError().empty());
    QVERIFY(f.server.start());
    QVERIFY(runUntil(f.loop, [&] { return f.connection->isConnected(); }));
    QVERIFY(f.ask({"PING"}).ok());
    for (const Reply& reply : replies) {
        QCOMPARE(reply.calls, 1);
        QVERIFY(saysUnreachable(reply.value));
    }
}

void TestRedisConnection::clientKilled()
{
    Fixture f;
    QVERIFY(f.server.start());
    QVERIFY(f.connect());
    const QStringList killAll{QStringLiteral("client"), QStringLiteral("kill"),
        QStringLiteral("type"), QStringLiteral("normal")};
    for (int round = 0; round < 3; ++round) {
        QCOMPARE(f.server.cli(killAll), "1");
        QVERIFY(runUntil(f.loop, [&] { return !f.connection->isConnected(); }));
        QVERIFY(runUntil(f.loop, [&] { return f.connection->isConnected(); }));
        QVERIFY(f.ask({"PING"}).ok());
    }
}

void TestRedisConnection::eachCommandHasItsOwnTime()
{
    Fixture f;
    QVERIFY(f.server.start());
    QVERIFY(f.connect());
    f.server.suspend();
    Reply slow;
    Reply quick;
    f.connection->command({"SET", "a", "1"}, 60s, slow.taker());
    f.connection->command({"GET", "a"}, 20ms, quick.taker());
    QVERIFY(runUntil(f.loop, [&] { return quick.calls > 0; }));
    QVERIFY(saysUnreachable(quick.value));
    QVERIFY(quick.value.error().message.find("in time") != std::string::npos);
    QCOMPARE(slow.calls, 0);
    f.server.resume();
    QVERIFY(runUntil(f.loop, [&] { return slow.calls > 0; }));
    QVERIFY(slow.value.ok());
    QCOMPARE(f.ask({"GET", "a"})->text, std::string("1"));
    QCOMPARE(quick.calls, 1); // its late answer is dropped, and confuses no later one
    QCOMPARE(slow.calls, 1);
}

void TestRedisConnection::breakerOpensAndCloses()
{
    Fixture f;
    QVERIFY(f.server.start());
    QVERIFY(f.connect());
    QVERIFY(f.connection->circuit() == CircuitBreaker::State::Closed);
    f.server.suspend();
    std::vector<Reply> replies(10);
    for (Reply& reply : replies) {
        f.connection->command({"PING"}, 20ms, reply.taker());
    }
    QVERIFY(
        runUntil(f.loop, [&] { return f.connection->circuit() == CircuitBreaker::State::Open; }));
    Reply refused; // at once
    f.connection->command({"PING"}, 60s, refused.taker());
    QCOMPARE(refused.calls, 1);
    QVERIFY(saysUnreachable(refused.value));
    QVERIFY(refused.value.error().message.find("is not asked") != std::string::npos);
    QVERIFY(f.connection->isConnected());
    f.server.resume();
    QVERIFY(
        runUntil(f.loop, [&] { return f.connection->circuit() == CircuitBreaker::State::Closed; }));
    QVERIFY(f.ask({"PING"}).ok());
}

void TestRedisConnection::movesToAnotherServer()
{
    Fixture f;
    QVERIFY(f.server.start());
    QVERIFY(f.connect());
    RedisServer other;
    QVERIFY(other.start());
    QVERIFY(f.ask({"SET", "where", "first"}).ok());
    other.cli({QStringLiteral("SET"), QStringLiteral("where"), QStringLiteral("second")});
    Reply open;
    f.server.suspend();
    f.connection->command({"GET", "where"}, 60s, open.taker());
    f.connection->moveTo({"127.0.0.1", other.port()});
    QCOMPARE(open.calls, 1);
    QVERIFY(saysUnreachable(open.value));
    QVERIFY(runUntil(f.loop, [&] { return f.connection->isConnected(); }));
    QCOMPARE(f.ask({"GET", "where"})->text, std::string("second"));
}

void TestRedisConnection::hangsUpOnASilentServer()
{
    Fixture f;
    QVERIFY(f.server.start());
    QVERIFY(f.connect());
    f.server.suspend();
    int asked = 0;
    while (f.connection->circuit() == CircuitBreaker::State::Closed && asked < 5000) {
        QVERIFY(saysUnreachable(f.ask({"PING"}, 20ms)));
        ++asked;
    }
    QCOMPARE(asked, 10);
    QVERIFY(runUntil(f.loop, [&] { return !f.connection->isConnected(); }));
    f.server.resume();
    QVERIFY(runUntil(f.loop, [&] { return f.connection->isConnected(); }));
    QVERIFY(f.ask({"PING"}).ok());
}

void TestRedisConnection::destroyedWithOpenCommands()
{
    Fixture f;
    QVERIFY(f.server.start());
    QVERIFY(f.connect());
    f.server.suspend();
    std::vector<Reply> replies(10);
    for (Reply& reply : replies) {
        f.connection->command({"PING"}, 60s, reply.taker());
    }
    f.connection.reset();
    for (const Reply& reply : replies) {
        QCOMPARE(reply.calls, 1);
        QVERIFY(saysUnreachable(reply.value));
    }
    f.server.resume();
    f.loop.restart();
    f.loop.run_for(10s); // ends at once: nothing is left to wait for
    QVERIFY(f.loop.stopped());
}

void TestRedisConnection::destroyedByAReply()
{
    Fixture f;
    QVERIFY(f.server.start());
    QVERIFY(f.connect());
    Reply later;
    bool gone = false;
    f.connection->command({"PING"}, 10s, [&](const Result<RedisValue>&) {
        f.connection.reset();
        gone = true;
    });
    f.connection->command({"PING"}, 10s, later.taker());
    QVERIFY(runUntil(f.loop, [&] { return gone; }));
    QCOMPARE(later.calls, 1);
    QVERIFY(saysUnreachable(later.value));
    f.loop.restart();
    f.loop.run_for(10s);
    QVERIFY(f.loop.stopped());
    QCOMPARE(later.calls, 1);
}

void TestRedisConnection::destroyedBeforeItConnects()
{
    boost::asio::io_context loop;
    auto connection = connectionTo(loop, sluice::test::freePort());
    connection->start();
    connection.reset();
    loop.run_for(10s);
    QVERIFY(loop.stopped());
}

void TestRedisConnection::subscribes()
{
    Fixture f;
    QVERIFY(f.server.start());
    f.connection = connectionTo(f.loop, f.server.port());
    std::vector<std::string> heard;
    f.connection->subscribe(
        "sluice:news", [&](const std::string& channel, const std::string& text) {
            heard.push_back(channel + " " + text);
        });
    f.connection->start();
    auto publisher = connectionTo(f.loop, f.server.port());
    publisher->start();
    // A publication before the subscription has arrived is heard by nobody: says 0.
    const auto publish = [&](const std::string& text) {
        Reply reply;
        do {
            reply.calls = 0;
            publisher->command({"PUBLISH", "sluice:news", text}, 5s, reply.taker());
            if (!runUntil(f.loop, [&] { return reply.calls > 0; })) {
                return false;
            }
            f.loop.run_one_for(10ms);
        } while (!reply.value.ok() || reply.value->integer == 0);
        return true;
    };
    QVERIFY(publish("one"));
    QVERIFY(runUntil(f.loop, [&] { return heard.size() == 1; }));
    QVERIFY(f.server.kill());
    QVERIFY(runUntil(f.loop, [&] { return !f.connection->isConnected(); }));
    QVERIFY(f.server.start());
    QVERIFY(publish("two"));
    QVERIFY(runUntil(f.loop, [&] { return heard.size() == 2; }));
    QCOMPARE(heard[0], std::string("sluice:news one"));
    QCOMPARE(heard[1], std::string("sluice:news two"));
}

void TestRedisConnection::subscribesWhileConnected()
{
    Fixture f;
    QVERIFY(f.server.start());
    QVERIFY(f.connect());
    std::string heard;
    f.connection->subscribe(
        "sluice:news", [&](const std::string&, const std::string& text) { heard = text; });
    const QStringList publish{
        QStringLiteral("publish"), QStringLiteral("sluice:news"), QStringLiteral("one")};
    QVERIFY(runUntil(f.loop, [&] { return !heard.empty() || f.server.cli(publish) == "1"; }));
    QVERIFY(runUntil(f.loop, [&] { return heard == "one"; }));
}

void TestRedisConnection::subscriptionRefused()
{
    Fixture f;
    QVERIFY(f.server.start({}, acl));
    f.connection = connectionTo(f.loop, f.server.port(), "worker", "secret");
    f.connection->subscribe("other:news", [](const std::string&, const std::string&) {});
    f.connection->start();
    QVERIFY(runUntil(
        f.loop, [&] { return f.connection->lastError().find("NOPERM") != std::string::npos; }));
}

QTEST_GUILESS_MAIN(TestRedisConnection)
#include "tst_redisconnection.moc"
