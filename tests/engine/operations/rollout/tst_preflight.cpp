#include "engine/operations/rollout/preflight.h"
#include "tests/support/testcase.h"

#include <QJsonObject>

using namespace sluice;
using namespace sluice::ops;
using State = PreflightResult::State;

class TestPreflight : public sluice::test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void balancer();
    void workers();
    void certificates();
    void alerts();
    void redis();
    void probes();
    void nothingConfigured();
    void silentServers();
};

void TestPreflight::balancer()
{
    TrafficSplit split;
    split.live = QStringLiteral("blue");
    split.next = QStringLiteral("green");
    split.liveServersUp = 2;
    QCOMPARE(Preflight::judgeBalancer(split).state, State::Failed);
    split.nextServersUp = 1;
    QCOMPARE(Preflight::judgeBalancer(split).state, State::Passed);
    QCOMPARE(Preflight::judgeBalancer(split).text, QStringLiteral("2 healthy in blue, 1 in green"));
    QCOMPARE(Preflight::judgeBalancer(unreachableError("gone")).state, State::Unknown);
}

void TestPreflight::workers()
{
    const WorkerEndpoint a{QStringLiteral("blue"), QUrl(QStringLiteral("http://h:1"))};
    const WorkerEndpoint b{QStringLiteral("blue"), QUrl(QStringLiteral("http://h:2"))};
    const auto info = [](const char* version) {
        return QJsonObject{{QStringLiteral("version"), QString::fromLatin1(version)},
            {QStringLiteral("model"), QStringLiteral("abcdef0123")}};
    };
    QCOMPARE(Preflight::judgeWorkers({}, {}).state, State::Unknown);
    const auto silent = Preflight::judgeWorkers({a, b}, {{a.url.toString(), info("1.0")}});
    QCOMPARE(silent.state, State::Failed);
    QVERIFY(silent.text.contains(QStringLiteral("h:2")));
    const auto same = Preflight::judgeWorkers(
        {a, b}, {{a.url.toString(), info("1.0")}, {b.url.toString(), info("1.0")}});
    QCOMPARE(same.state, State::Passed);
    QCOMPARE(same.text, QStringLiteral("blue: 1.0 abcdef01"));
    const auto mixed = Preflight::judgeWorkers(
        {a, b}, {{a.url.toString(), info("1.0")}, {b.url.toString(), info("1.1")}});
    QCOMPARE(mixed.state, State::Failed);
    QVERIFY(mixed.text.contains(QStringLiteral("1.0 abcdef01 and 1.1 abcdef01")));
}

void TestPreflight::certificates()
{
    const double now = 1e9;
    const auto judge = [&](QList<double> ends) {
        QList<InstantSample> samples;
        for (const double end : ends) {
            samples << InstantSample{{}, now, end};
        }
        return Preflight::judgeCertificates(samples, now);
    };
    QCOMPARE(judge({}).state, State::Unknown);
    QCOMPARE(judge({0, 0}).state, State::Passed);
    QCOMPARE(judge({0, now + 30 * 86400}).state, State::Passed);
    QCOMPARE(judge({now + 30 * 86400, now + 5 * 86400}).state, State::Warned);
    QCOMPARE(judge({now - 86400}).state, State::Failed);
    QCOMPARE(Preflight::judgeCertificates(unreachableError("x"), now).state, State::Unknown);
}

void TestPreflight::alerts()
{
    AlertRule rule;
    rule.name = QStringLiteral("Down");
    rule.state = QStringLiteral("inactive");
    QCOMPARE(Preflight::judgeAlerts(QList<AlertRule>{}).state, State::Failed);
    QCOMPARE(Preflight::judgeAlerts(QList<AlertRule>{rule}).state, State::Passed);
    rule.state = QStringLiteral("firing");
    QCOMPARE(Preflight::judgeAlerts(QList<AlertRule>{rule}).state, State::Warned);
    rule.error = QStringLiteral("parse error");
    QCOMPARE(Preflight::judgeAlerts(QList<AlertRule>{rule}).state, State::Failed);
    QCOMPARE(Preflight::judgeAlerts(unreachableError("x")).state, State::Unknown);
}

void TestPreflight::redis()
{
    const auto judge = [](const QByteArray& info) { return Preflight::judgeRedis(info, 1e9); };
    const auto good = judge("aof_enabled:1\r\naof_last_write_status:ok\r\n"
                            "maxmemory_policy:volatile-ttl\r\nrdb_last_save_time:999990000\r\n");
    QCOMPARE(good.size(), 3);
    for (const PreflightResult& result : good) {
        QCOMPARE(result.state, State::Passed);
    }
    const auto bad = judge("aof_enabled:1\r\naof_last_write_status:err\r\n"
                           "maxmemory_policy:allkeys-lru\r\nrdb_last_save_time:999000000\r\n");
    QCOMPARE(bad[0].state, State::Failed);
    QCOMPARE(bad[1].state, State::Failed);
    QCOMPARE(bad[2].state, State::Warned);
    QCOMPARE(judge("aof_enabled:0\r\nrdb_last_save_time:1\r\nrdb_last_bgsave_status:ok\r\n"
                   "rdb_saves:3\r\nmaxmemory_policy:noeviction\r\n")[0]
                 .state,
        State::Warned);
    QCOMPARE(judge("aof_enabled:0\r\n")[0].state, State::Failed);
    QCOMPARE(Preflight::judgeRedis(unreachableError("x"), 1)[0].state, State::Unknown);
}

void TestPreflight::probes()
{
    const auto of = [](const char* target, double value) {
        return InstantSample{{{QStringLiteral("instance"), QString::fromLatin1(target)}}, 0, value};
    };
    QCOMPARE(Preflight::judgeProbes(unreachableError("x")).state, State::Unknown);
    const PreflightResult none = Preflight::judgeProbes(QList<InstantSample>());
    QCOMPARE(none.state, State::Unknown);
    QVERIFY(none.text.contains(QStringLiteral("blackbox")));
    const PreflightResult well =
        Preflight::judgeProbes(QList<InstantSample>{of("a", 1), of("b", 1)});
    QCOMPARE(well.state, State::Passed);
    QVERIFY(well.text.startsWith(QStringLiteral("2 of 2")));
    const PreflightResult ill =
        Preflight::judgeProbes(QList<InstantSample>{of("a", 1), of("b", 0), of("c", qQNaN())});
    QCOMPARE(ill.state, State::Failed);
    QCOMPARE(ill.text, QStringLiteral("2 of 3 fail: b, c"));
}

void TestPreflight::nothingConfigured()
{
    Preflight preflight;
    QList<PreflightResult> results;
    preflight.run(nullptr, nullptr, nullptr, {}, this,
        [&](const QList<PreflightResult>& got) { results = got; });
    QVERIFY(results.isEmpty()); // never from within
    QTRY_COMPARE(results.size(), 8);
    for (const PreflightResult& result : results) {
        QCOMPARE(result.state, State::Unknown);
        QVERIFY(!result.task.isEmpty());
    }
}

void TestPreflight::silentServers()
{
    Preflight preflight;
    TrafficRouter router(QStringLiteral("/nowhere/h.sock"));
    PrometheusClient prometheus;
    prometheus.setBaseUrl(QUrl(QStringLiteral("http://127.0.0.1:1")));
    RedisClient redis;
    QList<PreflightResult> results;
    preflight.run(&router, &prometheus, &redis,
        {{QStringLiteral("blue"), QUrl(QStringLiteral("http://127.0.0.1:1"))}}, this,
        [&](const QList<PreflightResult>& got) { results = got; });
    QTRY_COMPARE_WITH_TIMEOUT(results.size(), 8, 10000);
    QCOMPARE(results[0].state, State::Unknown);
    QCOMPARE(results[1].state, State::Failed);
    QCOMPARE(results[3].state, State::Unknown);
    QCOMPARE(results[7].state, State::Unknown);
}

QTEST_GUILESS_MAIN(TestPreflight)
#include "tst_preflight.moc"
