#include "engine/classification/context/clusterslots.h"
#include "engine/classification/context/rediscluster.h"
#include "engine/classification/context/redissessionstore.h"
#include "tests/support/looprunner.h"
#include "tests/support/redisclusterservers.h"
#include "tests/support/testcase.h"

using namespace sluice;
using namespace std::chrono_literals;
using sluice::test::RedisClusterServers;
using sluice::test::runUntil;

/// One cluster for all: the tests run in order, and the last ones take masters from it.
class TestRedisCluster : public sluice::test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void cleanupTestCase();
    void servesEverySlot();
    void commandsWithoutAKey();
    void errorsOfTheServerAreHandedOn();
    void noNodeAnswers();
    void destroyedWithOpenCommands();
    void destroyedByAReply();
    void tooManyWait();
    void turnsOfTwoClientsAreBothKept();
    void asksDuringAMigration();
    void followsASlotThatMoved();
    void followsAPlannedFailover();
    void survivesAKilledMaster();
    void survivesAHungMaster();

private:
    std::unique_ptr<RedisCluster> clusterFrom(std::vector<int> seeds);
    Result<RedisValue> ask(
        const std::vector<std::string>& arguments, std::chrono::milliseconds timeout = 10s);
    std::string keyServedBy(int node, const std::string& prefix);
    void migrate(const char* state, int node, int slot, int other);
    Result<std::optional<Session>> load(const std::string& id);
    Result<int> addTurn(const std::string& id, const std::string& intent);
    void loseMaster(int node, const std::function<void()>& how);

    std::unique_ptr<RedisClusterServers> m_servers;
    boost::asio::io_context m_loop;
    std::unique_ptr<RedisCluster> m_cluster;
    std::unique_ptr<RedisSessionStore> m_store;
};

namespace {

const QByteArray acl =
    "user default off\n"
    "user root on >secret ~* &* +@all\n"
    "user worker on >secret ~sluice:* -@all +@connection +cluster|slots +get +set +eval +mget\n";

bool isUnreachable(const auto& result)
{
    return !result.ok() && result.error().kind == ErrorKind::Unreachable;
}

} // namespace

void TestRedisCluster::initTestCase()
{
    m_servers = std::make_unique<RedisClusterServers>();
    QVERIFY2(m_servers->start(acl, QStringLiteral("root"), QStringLiteral("secret")),
        qPrintable(m_servers->lastError()));
    m_cluster = clusterFrom({0});
    QVERIFY(runUntil(m_loop, [this] { return m_cluster->isConnected(); }));
    m_store = std::make_unique<RedisSessionStore>(*m_cluster, 30min, 10s);
}

void TestRedisCluster::cleanupTestCase()
{
    m_store.reset();
    m_cluster.reset();
    m_servers.reset();
}

std::unique_ptr<RedisCluster> TestRedisCluster::clusterFrom(std::vector<int> seeds)
{
    RedisSettings settings;
    settings.address.port = m_servers->port(seeds.front());
    for (std::size_t index = 1; index < seeds.size(); ++index) {
        settings.others.push_back({"127.0.0.1", m_servers->port(seeds[index])});
    }
    settings.user = "worker";
    settings.password = "secret";
    auto cluster = std::make_unique<RedisCluster>(m_loop, settings);
    cluster->start();
    return cluster;
}

Result<RedisValue> TestRedisCluster::ask(
    const std::vector<std::string>& arguments, std::chrono::milliseconds timeout)
{
    int calls = 0;
    Result<RedisValue> answer = internalError("no answer");
    m_cluster->command(arguments, timeout, [&](Result<RedisValue> reply) {
        ++calls;
        answer = std::move(reply);
    });
    return runUntil(m_loop, [&] { return calls == 1; }) ? answer : internalError("no answer");
}

std::string TestRedisCluster::keyServedBy(int node, const std::string& prefix)
{
    for (int number = 0;; ++number) {
        const std::string key = "sluice:{" + prefix + std::to_string(number) + "}";
        if (m_servers->masterOf(int(clusterSlotOf(key)), node) == node) {
            return key;
        }
    }
}

void TestRedisCluster::migrate(const char* state, int node, int slot, int other)
{
    const QByteArray said = m_servers->cli(node,
        QStringLiteral("cluster setslot %1 %2 %3")
            .arg(slot)
            .arg(QString::fromLatin1(state), m_servers->id(other)));
    QCOMPARE(said, "OK");
}

Result<std::optional<Session>> TestRedisCluster::load(const std::string& id)
{
    int calls = 0;
    Result<std::optional<Session>> found = internalError("no answer");
    m_store->load(id, [&](Result<std::optional<Session>> result) {
        ++calls;
        found = std::move(result);
    });
    return runUntil(m_loop, [&] { return calls == 1; }) ? found : internalError("no answer");
}

Result<int> TestRedisCluster::addTurn(const std::string& id, const std::string& intent)
{
    auto found = load(id);
    if (!found) {
        return found.error();
    }
    Session session = found->value_or(Session());
    session.id = id;
    session.append(intent, Verdict::Accept, {});
    int calls = 0;
    Result<int> saved = internalError("no answer");
    m_store->save(session, SessionWrite::Awaited, [&](Result<int> result) {
        ++calls;
        saved = std::move(result);
    });
    return runUntil(m_loop, [&] { return calls == 1; }) ? saved : internalError("no answer");
}

void TestRedisCluster::servesEverySlot()
{
    constexpr int count = 600;
    std::array<int, RedisClusterServers::masters> served{};
    for (int number = 0; number < count; ++number) {
        const std::string key = "sluice:every:" + std::to_string(number);
        const auto set = ask({"SET", key, std::to_string(number)});
        QVERIFY2(set.ok(), set ? "" : set.error().text().c_str());
        ++served[clusterSlotOf(key) * served.size() / clusterSlotCount];
    }
    for (int number = 0; number < count; ++number) {
        const auto found = ask({"GET", "sluice:every:" + std::to_string(number)});
        QVERIFY(found.ok());
        QCOMPARE(found->text, std::to_string(number));
    }
    for (int node = 0; node < RedisClusterServers::masters; ++node) {
        QCOMPARE(m_servers->cli(node, QStringLiteral("dbsize")).toInt(), served[std::size_t(node)]);
    }
    // The map was known: nobody had to redirect.
    QVERIFY(!m_servers->cli(0, QStringLiteral("info errorstats")).contains("errorstat_MOVED"));
}

void TestRedisCluster::commandsWithoutAKey()
{
    for (const auto& arguments :
        {std::vector<std::string>{}, {"PING"}, {"EVAL", "return 1", "0"}}) {
        const auto answer = ask(arguments);
        QVERIFY(!answer.ok());
        QVERIFY(answer.error().kind == ErrorKind::Internal);
    }
}

void TestRedisCluster::errorsOfTheServerAreHandedOn()
{
    for (const auto& arguments : {std::vector<std::string>{"DEL", "sluice:x"}, {"GET", "other"}}) {
        const auto answer = ask(arguments);
        QVERIFY(!answer.ok());
        QVERIFY(answer.error().kind == ErrorKind::Refused);
        QVERIFY(answer.error().message.starts_with("NOPERM"));
    }
    const auto crossed = ask({"MGET", "sluice:{a}", "sluice:{b}"});
    QVERIFY(crossed.error().message.starts_with("CROSSSLOT"));
}

void TestRedisCluster::noNodeAnswers()
{
    RedisSettings settings;
    settings.address.port = sluice::test::freePort();
    auto kept = std::exchange(m_cluster, std::make_unique<RedisCluster>(m_loop, settings));
    m_cluster->start();
    const auto answer = ask({"GET", "sluice:x"}, 300ms);
    QVERIFY(isUnreachable(answer));
    QVERIFY2(answer.error().text().find("Connection refused") != std::string::npos,
        answer.error().text().c_str());
    QVERIFY(!m_cluster->isConnected());
    m_cluster = std::move(kept);

    // The first of the nodes given is gone: the next one has the map.
    settings.others = {{"127.0.0.1", m_servers->port(4)}};
    settings.user = "worker";
    settings.password = "secret";
    kept = std::exchange(m_cluster, std::make_unique<RedisCluster>(m_loop, settings));
    m_cluster->start();
    QVERIFY(ask({"SET", "sluice:x", "1"}).ok());
    m_cluster = std::move(kept);
}

void TestRedisCluster::destroyedWithOpenCommands()
{
    int answered = 0;
    const auto count = [&](const Result<RedisValue>& reply) {
        answered += isUnreachable(reply) ? 1 : 100;
    };
    auto cluster = clusterFrom({1});
    cluster->command({"GET", "sluice:a"}, 60s, count); // waits for the map
    cluster.reset();
    QCOMPARE(answered, 1);

    cluster = clusterFrom({1});
    RedisCluster* const raw = cluster.get();
    bool warm = false;
    raw->command(
        {"GET", "sluice:a"}, 10s, [&](const Result<RedisValue>& reply) { warm = reply.ok(); });
    QVERIFY(runUntil(m_loop, [&] { return warm; }));
    for (int node = 0; node < RedisClusterServers::masters; ++node) {
        m_servers->node(node).suspend();
    }
    raw->command({"GET", "sluice:a"}, 60s, [&](const Result<RedisValue>& reply) {
        count(reply);
        raw->command({"GET", "sluice:a"}, 60s, count); // of one that is going
    });
    cluster.reset();
    for (int node = 0; node < RedisClusterServers::masters; ++node) {
        m_servers->node(node).resume();
    }
    QCOMPARE(answered, 3);
}

void TestRedisCluster::destroyedByAReply()
{
    auto cluster = clusterFrom({2});
    bool gone = false;
    cluster->command({"GET", "sluice:a"}, 10s, [&](const Result<RedisValue>&) {
        cluster.reset();
        gone = true;
    });
    QVERIFY(runUntil(m_loop, [&] { return gone; }));
    m_loop.run_for(10ms);
    QVERIFY(cluster == nullptr);
}

void TestRedisCluster::tooManyWait()
{
    RedisSettings settings;
    settings.address.port = sluice::test::freePort();
    RedisCluster cluster(m_loop, settings);
    int answered = 0;
    for (int number = 0; number < 5000; ++number) {
        cluster.command({"GET", "sluice:a"}, 60s,
            [&](const Result<RedisValue>& reply) { answered += isUnreachable(reply) ? 1 : 10000; });
    }
    QCOMPARE(answered, 5000 - 4096);
}

void TestRedisCluster::turnsOfTwoClientsAreBothKept()
{
    const auto second = clusterFrom({1, 2});
    RedisSessionStore other(*second, 30min, 10s);
    QVERIFY(runUntil(m_loop, [&] { return second->isConnected(); }));
    int saved = 0;
    for (RedisSessionStore* store : {m_store.get(), &other}) {
        for (int number = 0; number < 4; ++number) {
            store->load("both", [&, store](Result<std::optional<Session>> found) {
                QVERIFY(found.ok());
                Session session = found->value_or(Session());
                session.id = "both";
                session.append("intent", Verdict::Accept, {});
                store->save(session, SessionWrite::Behind,
                    [&](const Result<int>& turn) { saved += turn ? 1 : 100; });
            });
        }
    }
    QVERIFY(runUntil(m_loop, [&] { return saved >= 8; }));
    QCOMPARE(saved, 8);
    QCOMPARE(load("both").value()->turnCount, 8);
    QCOMPARE(load("both").value()->turns.size(), 8U);
}

void TestRedisCluster::asksDuringAMigration()
{
    const std::string tag = keyServedBy(0, "ask");
    const auto slot = int(clusterSlotOf(tag));
    const QString name = QString::fromStdString(tag);
    QVERIFY(ask({"SET", tag + "old", "1"}).ok());
    migrate("importing", 1, slot, 0);
    migrate("migrating", 0, slot, 1);
    // What the old master has, it serves; what it lacks is asked of the new one.
    QCOMPARE(ask({"GET", tag + "old"})->text, std::string("1"));
    QVERIFY(ask({"SET", tag + "new", "2"}).ok());
    QCOMPARE(ask({"GET", tag + "new"})->text, std::string("2"));
    QVERIFY(m_servers->cli(0, QStringLiteral("info errorstats")).contains("errorstat_ASK:"));
    QCOMPARE(m_servers->cli(1, QStringLiteral("cluster countkeysinslot %1").arg(slot)), "1");

    // Two keys, one here and one there: try again, until both are at the new master.
    int calls = 0;
    Result<RedisValue> both = internalError("no answer");
    m_cluster->command({"MGET", tag + "old", tag + "new"}, 10s, [&](Result<RedisValue> reply) {
        ++calls;
        both = std::move(reply);
    });
    QVERIFY(runUntil(m_loop, [&] {
        return m_servers->cli(0, QStringLiteral("info errorstats")).contains("errorstat_TRYAGAIN:");
    }));
    QCOMPARE(calls, 0);
    QCOMPARE(m_servers->cli(0,
                 QStringLiteral("migrate 127.0.0.1 %1 %2old 0 5000 auth2 root secret")
                     .arg(m_servers->port(1))
                     .arg(name)),
        "OK");
    QVERIFY(runUntil(m_loop, [&] { return calls == 1; }));
    QVERIFY2(both.ok(), both ? "" : both.error().text().c_str());
    QCOMPARE(both->items[0].text + both->items[1].text, std::string("12"));
    migrate("node", 1, slot, 1);
    migrate("node", 0, slot, 1);
    QCOMPARE(ask({"GET", tag + "old"})->text, std::string("1"));
}

void TestRedisCluster::followsASlotThatMoved()
{
    const std::string key = keyServedBy(2, "moved");
    const auto slot = int(clusterSlotOf(key));
    // Only a slot that was being imported makes its new master's claim newer than the old one's;
    // else the others hand it back as soon as they hear of it, and each sends on to the other.
    migrate("importing", 0, slot, 2);
    migrate("migrating", 2, slot, 0);
    migrate("node", 0, slot, 0); // an empty slot: nothing to migrate
    migrate("node", 2, slot, 0);
    const auto written = ask({"SET", key, "1"});
    QVERIFY2(written.ok(), written ? "" : written.error().text().c_str());
    QVERIFY(m_servers->cli(2, QStringLiteral("info errorstats")).contains("errorstat_MOVED:"));
    QCOMPARE(m_servers->cli(0, QStringLiteral("cluster countkeysinslot %1").arg(slot)), "1");
    QCOMPARE(ask({"GET", key})->text, std::string("1"));
}

// The redirection names a node that there is no connection to yet.
void TestRedisCluster::followsAPlannedFailover()
{
    const std::string key = keyServedBy(0, "planned");
    QVERIFY(ask({"SET", key, "1"}).ok());
    QCOMPARE(m_servers->cli(3, QStringLiteral("cluster failover")), "OK");
    const auto slot = int(clusterSlotOf(key));
    QVERIFY(RedisClusterServers::waitFor([&] { return m_servers->masterOf(slot, 0) == 3; }));
    QCOMPARE(ask({"GET", key})->text, std::string("1"));
    QVERIFY(ask({"SET", key, "2"}).ok());
    QCOMPARE(m_servers->cli(3, QStringLiteral("get ") + QString::fromStdString(key)), "2");
}

/// Turns go on while a master is lost, until its sessions are served again with all their turns.
void TestRedisCluster::loseMaster(int node, const std::function<void()>& how)
{
    // Its replica is known to have what was written before.
    std::string id;
    for (int number = 0; id.empty(); ++number) {
        const std::string candidate = "lost" + std::to_string(node) + "-" + std::to_string(number);
        const std::size_t slot = clusterSlotOf(RedisSessionStore::keyOf(candidate));
        id = m_servers->masterOf(int(slot), node) == node ? candidate : "";
    }
    for (int turn = 1; turn <= 3; ++turn) {
        const auto kept = addTurn(id, "before");
        QVERIFY2(kept.ok(), kept ? "" : kept.error().text().c_str());
        QCOMPARE(*kept, turn);
    }
    QVERIFY(RedisClusterServers::waitFor(
        [&] { return m_servers->cli(node, QStringLiteral("wait 1 1000")).toInt() == 1; }));
    how();
    m_store = std::make_unique<RedisSessionStore>(*m_cluster, 30min, 20ms);
    int without = 0;
    int others = 0;
    int number = 0;
    Result<int> saved = internalError("no answer");
    const auto begin = std::chrono::steady_clock::now();
    while (!saved.ok() && std::chrono::steady_clock::now() - begin < 20s) {
        saved = addTurn(id, "after");
        without += saved ? 0 : 1;
        others += addTurn("other" + std::to_string(number++ % 50), "other") ? 1 : 0;
    }
    QVERIFY2(saved.ok(), saved ? "" : saved.error().text().c_str());
    QVERIFY(without > 0); // it was lost indeed
    QVERIFY(others > 0);
    qInfo("served again after %lld ms; %d turns of it went without, %d of others were kept",
        static_cast<long long>(std::chrono::duration_cast<std::chrono::milliseconds>(
            std::chrono::steady_clock::now() - begin)
                                   .count()),
        without, others);
    m_store = std::make_unique<RedisSessionStore>(*m_cluster, 30min, 10s);
    const Session kept = *load(id).value();
    QVERIFY(kept.turnCount >= 4);
    QCOMPARE(kept.turns[0].intent + kept.turns[1].intent + kept.turns[2].intent,
        std::string("beforebeforebefore"));
    QCOMPARE(kept.turns.back().intent, std::string("after"));
}

void TestRedisCluster::survivesAKilledMaster()
{
    loseMaster(1, [this] { QVERIFY(m_servers->node(1).kill()); });
    // A new client finds its way past the lost one.
    const auto late = clusterFrom({1, 5});
    QVERIFY(runUntil(m_loop, [&] { return late->isConnected(); }));
}

void TestRedisCluster::survivesAHungMaster()
{
    loseMaster(2, [this] { m_servers->node(2).suspend(); });
    m_servers->node(2).resume();
}

QTEST_GUILESS_MAIN(TestRedisCluster)
#include "tst_rediscluster.moc"
