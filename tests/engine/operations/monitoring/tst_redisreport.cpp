#include "engine/operations/monitoring/redismonitor.h"
#include "engine/operations/monitoring/redisreport.h"
#include "engine/operations/monitoring/samplelog.h"
#include "tests/support/redisserver.h"
#include "tests/support/testcase.h"

#include <QTemporaryDir>
#include <cmath>

using namespace sluice::ops;

/// Slow log, latency, cluster nodes and key space, against a real Redis where it can give them.
class TestRedisReport : public sluice::test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void slowLogIsRead();
    void commandStatsAreRead();
    void clusterNodesAreRead();
    void prefixesLeaveTheIdOut();
    void keySpaceIsScannedWithinItsBudget();
    void ownCommandsAreNotCounted();
    void lagIsOfTheReplicaFurthestBehind();
    void samplesSurviveTheirFile();
    void damagedFilesLoseOnlyTheirEnd();

private:
    RedisReply ask(const QList<QByteArray>& command);

    sluice::test::RedisServer m_server;
    RedisClient m_client;
};

void TestRedisReport::initTestCase()
{
    QVERIFY2(m_server.start({QStringLiteral("--slowlog-log-slower-than"), QStringLiteral("0"),
                 QStringLiteral("--latency-monitor-threshold"), QStringLiteral("1")}),
        qPrintable(m_server.lastError()));
    m_client.open(QStringLiteral("127.0.0.1"), m_server.port(), {}, {}, QStringLiteral("report"));
    QTRY_COMPARE(m_client.state(), RedisClient::State::Connected);
}

RedisReply TestRedisReport::ask(const QList<QByteArray>& command)
{
    RedisReply answer;
    bool done = false;
    m_client.command(command, this, [&](const sluice::Result<RedisReply>& reply) {
        done = true;
        answer = reply ? *reply : RedisReply();
    });
    [&] { QTRY_VERIFY(done); }();
    return answer;
}

void TestRedisReport::slowLogIsRead()
{
    ask({"SET", "a:b", QByteArray(500, 'x')});
    const QList<SlowCommand> slow = parseSlowLog(ask({"SLOWLOG", "GET", "32"}));
    QVERIFY(!slow.isEmpty());
    const auto set = std::find_if(slow.begin(), slow.end(), [](const SlowCommand& one) {
        return one.command.startsWith(QLatin1StringView("SET a:b"));
    });
    QVERIFY(set != slow.end());
    QVERIFY(set->command.size() <= 201);
    QVERIFY(set->micros >= 0);
    QVERIFY(set->client.endsWith(QLatin1StringView("(report)")));
    QVERIFY(std::abs(set->at.secsTo(QDateTime::currentDateTimeUtc())) < 60);
    QVERIFY(parseSlowLog({}).isEmpty());
    // LATENCY LATEST has the same shape of rows; an event needs a slow disk, so one by hand.
    const auto text = [](const char* word) {
        RedisReply reply{RedisReply::Type::String, word, 0, {}};
        return reply;
    };
    const auto integer = [](qint64 value) {
        RedisReply reply{RedisReply::Type::Integer, {}, value, {}};
        return reply;
    };
    RedisReply row{RedisReply::Type::Array, {}, 0,
        {text("command"), integer(1700000000), integer(12), integer(250)}};
    const auto events = parseLatencyLatest({RedisReply::Type::Array, {}, 0, {row}});
    QCOMPARE(events.size(), 1);
    QCOMPARE(events[0].largestMs, 250);
    QVERIFY(parseLatencyLatest(ask({"LATENCY", "LATEST"})).size() <= 8);
}

void TestRedisReport::commandStatsAreRead()
{
    const auto info = parseRedisInfo(ask({"INFO", "ALL"}).text);
    const QList<CommandStat> stats = parseCommandStats(info);
    const auto set = std::find_if(stats.begin(), stats.end(),
        [](const CommandStat& one) { return one.command == QLatin1StringView("set"); });
    QVERIFY(set != stats.end());
    QVERIFY(set->calls >= 1);
    QVERIFY(set->microsPerCall > 0);
    for (int index = 1; index < stats.size(); ++index) {
        QVERIFY(stats[index - 1].micros >= stats[index].micros);
    }
}

void TestRedisReport::clusterNodesAreRead()
{
    const QByteArray text =
        "07c3 127.0.0.1:30004@31004,hostname4 slave e7d1 0 1426238317239 4 connected\n"
        "67ed 127.0.0.1:30002@31002 master,fail? - 0 1426238316232 2 connected 5461-10922 10924\n"
        "e7d1 127.0.0.1:30001@31001 myself,master - 0 0 1 connected 0-5460 [93-<-292f]\n\n";
    const QList<ClusterNode> nodes = parseClusterNodes(text);
    QCOMPARE(nodes.size(), 3);
    QVERIFY(!nodes[0].primary && nodes[0].slotCount == 0);
    QCOMPARE(nodes[0].address, QStringLiteral("127.0.0.1:30004"));
    QVERIFY(nodes[1].failing);
    QCOMPARE(nodes[1].slotCount, 5463);
    QCOMPARE(nodes[2].slotRanges, QStringLiteral("0-5460")); // a slot on the move is not its own
    QVERIFY(parseClusterNodes("nonsense").isEmpty());
}

void TestRedisReport::prefixesLeaveTheIdOut()
{
    QCOMPARE(keyPrefix("sluice:session:{4f}"), QStringLiteral("sluice:session:"));
    QCOMPARE(keyPrefix("user:17"), QStringLiteral("user:"));
    QCOMPARE(keyPrefix("plain"), QStringLiteral("plain"));
    QCOMPARE(keyPrefix("a:" + QByteArray(30, 'b') + ":c"), QStringLiteral("a:"));
}

void TestRedisReport::keySpaceIsScannedWithinItsBudget()
{
    QList<QByteArray> set{"MSET"};
    for (int key = 0; key < 550; ++key) {
        set << (key < 500 ? "sluice:session:" : "user:") + QByteArray::number(key) << "x";
    }
    ask(set);
    RedisMonitor monitor(&m_client);
    KeySpaceScan scan(&m_client, &monitor);
    QSignalSpy finished(&scan, &KeySpaceScan::finished);
    scan.start(100000);
    QVERIFY(finished.wait(10000));
    QVERIFY(scan.isComplete() && !scan.isRunning());
    QVERIFY(scan.seen() >= 550); // SCAN may give a key twice
    QCOMPARE(scan.groups().first().prefix, QStringLiteral("sluice:session:"));
    QVERIFY(scan.groups().first().keys >= 500);
    QTRY_VERIFY(scan.groups().first().measured >= 50); // one key in ten
    const qint64 bytesAKey = scan.groups().first().bytes / scan.groups().first().keys;
    QVERIFY2(bytesAKey > 30 && bytesAKey < 300, qPrintable(QString::number(bytesAKey)));

    scan.start(100); // stops at its budget
    QVERIFY(finished.wait(10000));
    QVERIFY(!scan.isComplete());
    QVERIFY(scan.seen() >= 100 && scan.seen() < 400);
    scan.start(100000);
    scan.cancel();
    QVERIFY(!scan.isRunning());

    RedisClient nowhere;
    KeySpaceScan lost(&nowhere, &monitor);
    QSignalSpy failed(&lost, &KeySpaceScan::failed);
    lost.start(10);
    QVERIFY(failed.wait(5000) || !failed.isEmpty());
}

void TestRedisReport::ownCommandsAreNotCounted()
{
    RedisMonitor monitor(&m_client);
    monitor.digest("run_id:a\ntotal_commands_processed:100\nused_cpu_sys:1\nused_cpu_user:1\n", 10);
    monitor.noteOwnCommands(4);
    const RedisSample sample = monitor.digest(
        "run_id:a\ntotal_commands_processed:125\nused_cpu_sys:1.5\nused_cpu_user:1.5\n"
        "expired_keys:20\nevicted_keys:10\ntotal_net_input_bytes:1000\nused_memory:100\n"
        "used_memory_rss:150\nblocked_clients:3\n",
        20);
    QCOMPARE(sample.opsPerSecond, 2.0); // 25, less 4 and the INFO
    QCOMPARE(sample.ownPerSecond, 0.5);
    QCOMPARE(sample.cpuShare, 0.1);
    QCOMPARE(sample.expiredPerSecond, 2.0);
    QCOMPARE(sample.evictedPerSecond, 1.0);
    QCOMPARE(sample.inputPerSecond, 100.0);
    QCOMPARE(*sample.fragmentation, 1.5);
    QCOMPARE(sample.blockedClients, 3);
}

void TestRedisReport::lagIsOfTheReplicaFurthestBehind()
{
    RedisMonitor monitor(&m_client);
    const RedisSample sample = monitor.digest("role:master\nconnected_slaves:2\n"
                                              "master_repl_offset:1000\n"
                                              "slave0:ip=a,port=1,state=online,offset=990,lag=1\n"
                                              "slave1:ip=b,port=2,state=online,offset=400,lag=7\n",
        1);
    QCOMPARE(sample.lagBytes, std::optional<qint64>(600));
    QCOMPARE(sample.lagSeconds, std::optional(7.0));
    QVERIFY(!monitor.digest("role:master\nconnected_slaves:0\n", 2).lagBytes);
}

void TestRedisReport::samplesSurviveTheirFile()
{
    QTemporaryDir folder;
    const QString file = folder.filePath(QStringLiteral("a/b/redis.samples"));
    const QStringList lines{QStringLiteral("ops"), QStringLiteral("memory")};
    {
        SampleLog log(lines);
        QVERIFY(log.open(file, 1000));
        log.append(1000, {1, 100});
        log.append(1001, {std::nan(""), 200});
        log.append(1002, {3}); // not as many as lines: left out
    }
    SampleLog log(lines);
    QVERIFY(log.open(file, 1010));
    QCOMPARE(log.points(QStringLiteral("ops")), (QList<QPointF>{{1000, 1}}));
    QCOMPARE(log.points(QStringLiteral("memory")), (QList<QPointF>{{1000, 100}, {1001, 200}}));
    QVERIFY(log.points(QStringLiteral("other")).isEmpty());
    log.close();
    QVERIFY(log.open(file, 1000 + 86400 + 0.5)); // a day later the first is old
    QCOMPARE(log.points(QStringLiteral("memory")).size(), 1);
    log.close();
    SampleLog others({QStringLiteral("ops")});
    QVERIFY(others.open(file, 1010)); // of other lines: begun anew
    QVERIFY(others.points(QStringLiteral("ops")).isEmpty());
}

void TestRedisReport::damagedFilesLoseOnlyTheirEnd()
{
    QTemporaryDir folder;
    const QString name = folder.filePath(QStringLiteral("redis.samples"));
    SampleLog log({QStringLiteral("ops")});
    QVERIFY(log.open(name, 1000));
    log.append(1000, {1});
    log.append(1001, {2});
    log.close();
    QFile file(name);
    QVERIFY(file.resize(file.size() - 3)); // torn while it was written
    QVERIFY(log.open(name, 1010));
    QCOMPARE(log.points(QStringLiteral("ops")).size(), 1);
    log.close();
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write("nonsense");
    file.close();
    QVERIFY(log.open(name, 1010));
    QVERIFY(log.points(QStringLiteral("ops")).isEmpty());
    log.close();
    QVERIFY(!log.open(QStringLiteral("/dev/null/x/redis.samples"), 1));
    log.append(1, {1}); // nothing happens
    QVERIFY(!log.isOpen());
}

QTEST_GUILESS_MAIN(TestRedisReport)
#include "tst_redisreport.moc"
