#include "engine/operations/monitoring/redismonitor.h"
#include "tests/support/testcase.h"

using namespace sluice::ops;

namespace {

QByteArray info(int commands, int hits, int misses, const QByteArray& runId = "r1")
{
    return "# Server\r\nredis_version:7.0.15\r\nrun_id:" + runId
        + "\r\n\r\n# Clients\r\nconnected_clients:12\r\n# Memory\r\nused_memory:1000\r\n"
          "used_memory_rss:2000\r\nmaxmemory:0\r\n# Stats\r\ninstantaneous_ops_per_sec:77\r\n"
          "evicted_keys:3\r\ntotal_commands_processed:"
        + QByteArray::number(commands) + "\r\nkeyspace_hits:" + QByteArray::number(hits)
        + "\r\nkeyspace_misses:" + QByteArray::number(misses) + "\r\n";
}

} // namespace

class TestRedisMonitor : public sluice::test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void readsFields();
    void ratesLeaveOutOurOwnCommand();
    void windowedRatioForgets();
    void restartBreaksTheLine();
    void resetStatBreaksTheLine();
    void clockGoingBackIsNoRate();
    void emptyAnswerIsHarmless();
};

void TestRedisMonitor::readsFields()
{
    const auto fields =
        parseRedisInfo("# Keyspace\r\ndb0:keys=1,expires=0\r\nodd\r\n:x\r\na:b:c\n");
    QCOMPARE(fields.size(), 2);
    QCOMPARE(fields.value("db0"), QByteArray("keys=1,expires=0"));
    QCOMPARE(fields.value("a"), QByteArray("b:c"));

    RedisMonitor monitor(nullptr);
    const RedisSample sample = monitor.digest(info(100, 0, 0), 5);
    QCOMPARE(sample.version, QStringLiteral("7.0.15"));
    QCOMPARE(sample.clients, 12);
    QCOMPARE(sample.usedMemory, 1000);
    QCOMPARE(sample.usedMemoryRss, 2000);
    QCOMPARE(sample.evictedKeys, 3);
    QCOMPARE(sample.opsPerSecond, 77.0);
    QVERIFY(!sample.windowHitRatio && !sample.lifetimeHitRatio && !sample.restarted);
}

void TestRedisMonitor::ratesLeaveOutOurOwnCommand()
{
    RedisMonitor monitor(nullptr);
    monitor.digest(info(100, 0, 0), 10);
    QCOMPARE(monitor.digest(info(101, 0, 0), 11).opsPerSecond, 0.0);
    QCOMPARE(monitor.digest(info(202, 0, 0), 13).opsPerSecond, 50.0);
}

void TestRedisMonitor::windowedRatioForgets()
{
    RedisMonitor monitor(nullptr);
    monitor.setWindow(10);
    monitor.digest(info(0, 900, 100), 0);
    const RedisSample early = monitor.digest(info(10, 900, 110), 5);
    QCOMPARE(*early.windowHitRatio, 0.0);
    QCOMPARE(*early.lifetimeHitRatio, 900.0 / 1010.0);
    const RedisSample late = monitor.digest(info(20, 930, 120), 15);
    QCOMPARE(*late.windowHitRatio, 0.75);
    QVERIFY(!monitor.digest(info(30, 930, 120), 25).windowHitRatio);
}

void TestRedisMonitor::restartBreaksTheLine()
{
    RedisMonitor monitor(nullptr);
    monitor.digest(info(100, 50, 50), 1);
    const RedisSample sample = monitor.digest(info(200, 60, 60, "r2"), 2);
    QVERIFY(sample.restarted);
    QVERIFY(!sample.windowHitRatio);
    QCOMPARE(sample.opsPerSecond, 77.0);
    QVERIFY(!monitor.digest(info(300, 61, 60, "r2"), 3).restarted);
}

void TestRedisMonitor::resetStatBreaksTheLine()
{
    RedisMonitor monitor(nullptr);
    monitor.digest(info(100, 50, 50), 1);
    QVERIFY(monitor.digest(info(3, 0, 0), 2).restarted);
}

void TestRedisMonitor::clockGoingBackIsNoRate()
{
    RedisMonitor monitor(nullptr);
    monitor.digest(info(100, 0, 0), 10);
    QCOMPARE(monitor.digest(info(200, 0, 0), 10).opsPerSecond, 77.0);
    QCOMPARE(monitor.digest(info(211, 0, 0), 11).opsPerSecond, 10.0);
}

void TestRedisMonitor::emptyAnswerIsHarmless()
{
    RedisMonitor monitor(nullptr);
    const RedisSample sample = monitor.digest({}, 1);
    QCOMPARE(sample.usedMemory, 0);
    QCOMPARE(sample.opsPerSecond, 0.0);
}

QTEST_GUILESS_MAIN(TestRedisMonitor)
#include "tst_redismonitor.moc"
