#include "engine/classification/context/redissentinel.h"
#include "tests/support/looprunner.h"
#include "tests/support/redissentinels.h"
#include "tests/support/testcase.h"

using namespace sluice;
using namespace std::chrono_literals;
using test::RedisSentinels;
using test::runUntil;

class TestRedisSentinel : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void findsTheMaster();
    void noSentinelKnows();
    void followsAFailover();
    void asksWhenItMeetsAReplica();
    void goesOnWithoutOneSentinel();

private:
    std::unique_ptr<RedisSentinel> connect(std::vector<std::uint16_t> sentinels);
    Result<RedisValue> ask(RedisSentinel& redis, const std::vector<std::string>& arguments);

    std::unique_ptr<RedisSentinels> m_servers;
    boost::asio::io_context m_loop;
    std::vector<RedisAddress> m_masters;
};

void TestRedisSentinel::init()
{
    failOnWarnings();
    m_masters.clear();
    m_servers = std::make_unique<RedisSentinels>();
    QVERIFY2(m_servers->start(), qPrintable(m_servers->lastError()));
}

std::unique_ptr<RedisSentinel> TestRedisSentinel::connect(std::vector<std::uint16_t> sentinels)
{
    RedisSentinel::Settings settings;
    settings.master = RedisSentinels::name;
    settings.sentinels.address.port = sentinels.front();
    for (std::size_t index = 1; index < sentinels.size(); ++index) {
        settings.sentinels.others.push_back({"127.0.0.1", sentinels[index]});
    }
    auto redis = std::make_unique<RedisSentinel>(
        m_loop, settings, [this](const RedisAddress& master) { m_masters.push_back(master); });
    redis->start();
    return redis;
}

Result<RedisValue> TestRedisSentinel::ask(
    RedisSentinel& redis, const std::vector<std::string>& arguments)
{
    std::optional<Result<RedisValue>> answer;
    redis.command(arguments, 2s, [&](Result<RedisValue> reply) { answer = std::move(reply); });
    return runUntil(m_loop, [&] { return answer.has_value(); }) ? *answer
                                                                : internalError("no answer");
}

void TestRedisSentinel::findsTheMaster()
{
    const auto redis = connect({m_servers->sentinelPort(0)});
    const auto early = ask(*redis, {"GET", "a"});
    QVERIFY(early.error().kind == ErrorKind::Unreachable);
    QVERIFY(runUntil(m_loop, [&] { return redis->isConnected(); }));
    QVERIFY(ask(*redis, {"SET", "a", "1"}).ok());
    QCOMPARE(m_servers->server(0).cli({QStringLiteral("GET"), QStringLiteral("a")}), "1");
    QCOMPARE(m_masters.size(), 1U);
    QCOMPARE(m_masters[0].port, m_servers->server(0).port());
    QVERIFY(redis->circuit() == CircuitBreaker::State::Closed);
}

void TestRedisSentinel::noSentinelKnows()
{
    RedisSentinel::Settings settings;
    settings.master = "another";
    settings.sentinels.address.port = m_servers->sentinelPort(0);
    RedisSentinel redis(m_loop, settings);
    redis.start();
    m_loop.run_for(300ms);
    QVERIFY(!redis.isConnected());
    const auto answer = ask(redis, {"GET", "a"});
    QVERIFY(answer.error().message.find("named the master another") != std::string::npos);
}

void TestRedisSentinel::followsAFailover()
{
    const auto redis = connect({m_servers->sentinelPort(0), m_servers->sentinelPort(1)});
    QVERIFY(runUntil(m_loop, [&] { return redis->isConnected(); }));
    QVERIFY(ask(*redis, {"SET", "a", "1"}).ok());
    QTRY_COMPARE(m_servers->server(1).cli({QStringLiteral("GET"), QStringLiteral("a")}), "1");
    QVERIFY(m_servers->server(0).kill());
    QVERIFY(runUntil(m_loop, [&] { return m_masters.size() == 2 && redis->isConnected(); }));
    QCOMPARE(m_masters[1].port, m_servers->server(1).port());
    QCOMPARE(ask(*redis, {"GET", "a"})->text, std::string("1"));
    QVERIFY(ask(*redis, {"SET", "a", "2"}).ok());
}

// The sentinels' message may be missed: the old master, now a replica, refuses what is written.
void TestRedisSentinel::asksWhenItMeetsAReplica()
{
    const auto redis = connect({m_servers->sentinelPort(0)});
    QVERIFY(runUntil(m_loop, [&] { return redis->isConnected(); }));
    QVERIFY(ask(*redis, {"SET", "a", "1"}).ok());
    m_servers->failOver();
    QTRY_VERIFY(m_servers->server(1).cli({QStringLiteral("ROLE")}).startsWith("master"));
    // Until it is told, the old master goes on taking writes; those are lost with it.
    QVERIFY(runUntil(m_loop, [&] {
        return ask(*redis, {"SET", "a", "2"}).ok()
            && m_servers->server(1).cli({QStringLiteral("GET"), QStringLiteral("a")}) == "2";
    }));
    QCOMPARE(m_servers->server(1).cli({QStringLiteral("GET"), QStringLiteral("a")}), "2");
}

void TestRedisSentinel::goesOnWithoutOneSentinel()
{
    const auto redis = connect({test::freePort(), m_servers->sentinelPort(1)});
    QVERIFY(runUntil(m_loop, [&] { return redis->isConnected(); }));
    QVERIFY(ask(*redis, {"SET", "a", "1"}).ok());
}

QTEST_GUILESS_MAIN(TestRedisSentinel)
#include "tst_redissentinel.moc"
