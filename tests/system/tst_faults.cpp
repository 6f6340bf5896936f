#include "tests/support/delayproxy.h"
#include "tests/support/redisclusterservers.h"
#include "tests/support/redissentinels.h"
#include "tests/support/redisserver.h"
#include "tests/support/testcase.h"
#include "tests/support/worker.h"

#include <QTemporaryDir>
#include <atomic>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <thread>
#include <vector>

using namespace sluice;
using service::Configuration;
using test::HttpAnswer;
using test::HttpClient;
using test::Worker;

/// What befalls Redis while a worker is under load: every query is answered, without context where
/// there is none to be had, and all is well again without a restart.
class TestFaults : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void redisKilled();
    void redisStopped();
    void redisSlow();
    void redisFull();
    void redisReadOnly();
    void clusterFailsOver();
    void sentinelsFailOver();
    void modelsSwappedUnderLoad();
    void halfOpenSockets();
};

namespace {

/// Four clients that ask one query after the other, in twenty sessions.
class Load
{
public:
    explicit Load(std::uint16_t port)
    {
        for (int client = 0; client < 4; ++client) {
            m_threads.emplace_back([this, port, client] { ask(port, client); });
        }
    }
    ~Load() { stop(); }
    Load(const Load&) = delete;
    Load& operator=(const Load&) = delete;

    void stop()
    {
        m_stopped = true;
        for (std::thread& thread : m_threads) {
            thread.join();
        }
        m_threads.clear();
    }

    std::atomic<int> answered = 0; ///< with 200
    std::atomic<int> failed = 0; ///< with anything else, or not at all
    std::atomic<int> used = 0; ///< of the answered, with their session's turns
    std::atomic<int> unavailable = 0; ///< without, as it was not to be had

private:
    void ask(std::uint16_t port, int client)
    {
        HttpClient http(port);
        for (int number = 0; !m_stopped; ++number) {
            const QByteArray session = QByteArray::number(client * 5 + number % 5);
            const HttpAnswer answer = http.classify("where is my parcel A-2231?", session);
            ++(answer.status == 200 ? answered : failed);
            const QString context = answer.json()[QStringLiteral("context")].toString();
            used += context == QStringLiteral("used") ? 1 : 0;
            unavailable += context == QStringLiteral("unavailable") ? 1 : 0;
        }
    }

    std::vector<std::thread> m_threads;
    std::atomic<bool> m_stopped = false;
};

/// Whether more of it comes, within 20 s.
bool comes(const std::atomic<int>& count, int more = 200)
{
    const int before = count;
    return QTest::qWaitFor([&] { return count >= before + more; }, 20000);
}

double metric(std::uint16_t port, const QByteArray& name)
{
    const QByteArray text = HttpClient(port).ask("GET", "/metrics").body;
    const QByteArray line = '\n' + name + '{';
    const qsizetype at = text.indexOf(line);
    const qsizetype value = text.indexOf("} ", at) + 2;
    return at < 0 ? -1 : text.mid(value, text.indexOf('\n', value) - value).toDouble();
}

Configuration with(std::uint16_t port)
{
    Configuration configuration;
    configuration.redis.port = port;
    return configuration;
}

} // namespace

void TestFaults::redisKilled()
{
    test::RedisServer redis;
    QVERIFY2(redis.start(), qPrintable(redis.lastError()));
    const Worker worker(with(redis.port()));
    Load load(worker.port());
    QVERIFY(comes(load.used));
    QVERIFY(redis.kill());
    QVERIFY(comes(load.unavailable));
    QVERIFY(redis.start());
    QVERIFY(comes(load.used));
    load.stop();
    QCOMPARE(load.failed, 0);
}

void TestFaults::redisStopped()
{
    test::RedisServer redis;
    QVERIFY2(redis.start(), qPrintable(redis.lastError()));
    const Worker worker(with(redis.port()));
    Load load(worker.port());
    QVERIFY(comes(load.used));
    redis.suspend();
    QVERIFY(comes(load.unavailable, 2000)); // more than 4 clients get that wait 20 ms each time
    QVERIFY(metric(worker.port(), "sluice_redis_breaker_state") > 0
        || metric(worker.port(), "sluice_sessions_redis_up") == 0);
    redis.resume();
    QVERIFY(comes(load.used));
    load.stop();
    QCOMPARE(load.failed, 0);
}

void TestFaults::redisSlow()
{
    test::RedisServer redis;
    QVERIFY2(redis.start(), qPrintable(redis.lastError()));
    test::DelayProxy proxy(redis.port());
    const Worker worker(with(proxy.port()));
    Load load(worker.port());
    QVERIFY(comes(load.used));
    proxy.setDelay(100);
    QVERIFY(comes(load.unavailable, 2000));
    // Asked once a try: between two questions a probe may be out, and the breaker half open.
    QVERIFY(QTest::qWaitFor(
        [&] { return metric(worker.port(), "sluice_redis_breaker_state") == 2; }, 5000));
    proxy.setDelay(0);
    QVERIFY(comes(load.used));
    QTRY_VERIFY(metric(worker.port(), "sluice_redis_breaker_state") == 0);
    load.stop();
    QCOMPARE(load.failed, 0);
}

void TestFaults::redisFull()
{
    test::RedisServer redis;
    QVERIFY2(redis.start(), qPrintable(redis.lastError()));
    const Worker worker(with(redis.port()));
    Load load(worker.port());
    QVERIFY(comes(load.used));
    const auto limit = [&redis](const char* bytes) {
        redis.cli({QStringLiteral("CONFIG"), QStringLiteral("SET"), QStringLiteral("maxmemory"),
            QString::fromLatin1(bytes)});
    };
    limit("1");
    QTRY_VERIFY(metric(worker.port(), "sluice_session_save_failed_total") > 100);
    QVERIFY(comes(load.used)); // what is there is read on
    limit("0");
    QVERIFY(comes(load.used));
    const double lost = metric(worker.port(), "sluice_session_save_failed_total");
    QVERIFY(comes(load.used));
    QCOMPARE(metric(worker.port(), "sluice_session_save_failed_total"), lost);
    load.stop();
    QCOMPARE(load.failed, 0);
}

void TestFaults::redisReadOnly()
{
    test::RedisServer master;
    test::RedisServer redis;
    QVERIFY2(master.start() && redis.start(), qPrintable(redis.lastError()));
    const Worker worker(with(redis.port()));
    Load load(worker.port());
    QVERIFY(comes(load.used));
    redis.cli(
        {QStringLiteral("REPLICAOF"), QStringLiteral("127.0.0.1"), QString::number(master.port())});
    QTRY_VERIFY(metric(worker.port(), "sluice_session_save_failed_total") > 100);
    redis.cli({QStringLiteral("REPLICAOF"), QStringLiteral("NO"), QStringLiteral("ONE")});
    QVERIFY(comes(load.used));
    load.stop();
    QCOMPARE(load.failed, 0);
}

void TestFaults::clusterFailsOver()
{
    test::RedisClusterServers cluster;
    QVERIFY2(cluster.start(), qPrintable(cluster.lastError()));
    Configuration configuration;
    configuration.redis.cluster = {"127.0.0.1:" + std::to_string(cluster.port(1)),
        "127.0.0.1:" + std::to_string(cluster.port(2))};
    const Worker worker(configuration);
    Load load(worker.port());
    QVERIFY(comes(load.used));
    QVERIFY(cluster.node(0).kill());
    QVERIFY(comes(load.unavailable, 100));
    QVERIFY(test::RedisClusterServers::waitFor([&] { return cluster.masterOf(0, 1) == 3; }));
    // Every session is served again.
    QTRY_VERIFY_WITH_TIMEOUT(
        [&] {
            const int without = load.unavailable;
            return comes(load.used) && load.unavailable == without;
        }(),
        20000);
    load.stop();
    QCOMPARE(load.failed, 0);
}

void TestFaults::sentinelsFailOver()
{
    test::RedisSentinels redis;
    QVERIFY2(redis.start(), qPrintable(redis.lastError()));
    Configuration configuration;
    configuration.redis.sentinelMaster = test::RedisSentinels::name;
    configuration.redis.sentinels = {"127.0.0.1:" + std::to_string(redis.sentinelPort(0)),
        "127.0.0.1:" + std::to_string(redis.sentinelPort(1))};
    const Worker worker(configuration);
    Load load(worker.port());
    QVERIFY(comes(load.used));
    QVERIFY(redis.server(0).kill());
    QVERIFY(comes(load.unavailable));
    QVERIFY(comes(load.used));
    // What is published on the new master arrives, too.
    redis.server(1).cli({QStringLiteral("SET"), QStringLiteral("sluice:{thresholds}:3"),
        QStringLiteral(
            R"({"number":3,"global":0.5,"author":"a","created_at":"2026-01-01T00:00:00Z"})")});
    redis.server(1).cli({QStringLiteral("SET"), QStringLiteral("sluice:{thresholds}:active:blue"),
        QStringLiteral("3")});
    QTRY_COMPARE(metric(worker.port(), "sluice_threshold_set"), 3);
    load.stop();
    QCOMPARE(load.failed, 0);
}

void TestFaults::modelsSwappedUnderLoad()
{
    const QString bundled = QStringLiteral(SLUICE_BINARY_DIR "/share/sluice/helpdesk.model");
    const QTemporaryDir folder;
    const QString file = folder.filePath(QStringLiteral("served.model"));
    QVERIFY(QFile::copy(bundled, file));
    Configuration configuration;
    configuration.model.file = file.toStdString();
    configuration.model.watch = std::chrono::seconds(1);
    const Worker worker(configuration);
    Load load(worker.port());
    QVERIFY(comes(load.used));
    const auto replace = [&](const QByteArray& content) {
        QFile other(file + QStringLiteral(".new"));
        return other.open(QIODevice::WriteOnly) && other.write(content) == content.size()
            && other.flush() && std::rename(qPrintable(other.fileName()), qPrintable(file)) == 0;
    };
    QFile model(bundled);
    QVERIFY(model.open(QIODevice::ReadOnly));
    const QByteArray content = model.readAll();
    QVERIFY(replace(content.left(1000)));
    QTRY_COMPARE_WITH_TIMEOUT(metric(worker.port(), "sluice_model_refused_total"), 1, 10000);
    QVERIFY(replace(content));
    QTRY_COMPARE_WITH_TIMEOUT(metric(worker.port(), "sluice_model_swaps_total"), 1, 10000);
    QVERIFY(comes(load.used));
    load.stop();
    QCOMPARE(load.failed, 0);
}

/// Clients that vanish without a word (no FIN, no RST): closed when their time is over.
void TestFaults::halfOpenSockets()
{
    Configuration configuration;
    configuration.limits.headerTimeout = std::chrono::seconds(1);
    configuration.limits.readTimeout = std::chrono::seconds(1);
    configuration.limits.idleTimeout = std::chrono::seconds(1);
    const Worker worker(configuration);
    bool isPermitted = true;
    for (int number = 0; number < 50; ++number) {
        QTcpSocket client;
        client.connectToHost(QStringLiteral("127.0.0.1"), worker.port());
        QVERIFY(client.waitForConnected(5000));
        if (number % 2 == 0) {
            client.write("POST /v1/classify HTTP/1.1\r\nHost: x\r\n");
            QVERIFY(client.waitForBytesWritten(5000));
        }
        const int repair = 1; // closing now tells nobody
        isPermitted = isPermitted
            && ::setsockopt(
                   int(client.socketDescriptor()), IPPROTO_TCP, TCP_REPAIR, &repair, sizeof repair)
                == 0;
    }
    if (!isPermitted) {
        QSKIP("closing a socket unnoticed (TCP_REPAIR) needs CAP_NET_ADMIN");
    }
    QTRY_COMPARE_WITH_TIMEOUT(metric(worker.port(), "sluice_connections"), 1, 10000);
    QCOMPARE(HttpClient(worker.port()).classify("hello").status, 200);
}

QTEST_GUILESS_MAIN(TestFaults)
#include "tst_faults.moc"
