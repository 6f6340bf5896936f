#include "engine/classification/context/redisconnection.h"
#include "engine/classification/context/redissessionstore.h"
#include "tests/support/looprunner.h"
#include "tests/support/redisserver.h"
#include "tests/support/testcase.h"

using namespace sluice;
using namespace std::chrono_literals;
using sluice::test::RedisServer;
using sluice::test::runUntil;

class TestRedisSessionStore : public sluice::test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void keepsWhatWasSaved();
    void livesAndIsRenewed();
    void concurrentTurnsAreBothKept();
    void everyTurnOfTwoWritersIsKept();
    void othersWriteForEver();
    void aWriteBehindHasMoreTime();
    void damagedDocument();
    void readsTheNextVersion();
    void slowRedis();
    void redisKilledAndBack();
    void fullRedis();

private:
    Result<std::optional<Session>> load(std::string_view id);
    Result<int> save(const Session& session);
    void makeStore(std::chrono::milliseconds budget);
    QByteArray cli(const char* command, const QByteArray& id, const QStringList& rest = {});

    std::unique_ptr<RedisServer> m_server;
    boost::asio::io_context m_loop;
    std::unique_ptr<RedisConnection> m_connection;
    std::unique_ptr<RedisSessionStore> m_store;
};

namespace {

Session sample(const std::string& id)
{
    Session session;
    session.id = id;
    session.append("track", Verdict::Accept, {{"order_number", "a-1", "A-1", {}, 0}});
    session.append("", Verdict::Fallback, {});
    return session;
}

bool isUnreachable(const auto& result)
{
    return !result.ok() && result.error().kind == ErrorKind::Unreachable;
}

} // namespace

void TestRedisSessionStore::init()
{
    failOnWarnings();
    m_store.reset();
    m_connection.reset();
    m_server = std::make_unique<RedisServer>();
    QVERIFY2(m_server->start(), qPrintable(m_server->lastError()));
    makeStore(10s); // tests of the budget set a short one
}

void TestRedisSessionStore::makeStore(std::chrono::milliseconds budget)
{
    m_store.reset();
    RedisSettings settings;
    settings.address.port = m_server->port();
    m_connection = std::make_unique<RedisConnection>(m_loop, settings);
    m_connection->start();
    m_store = std::make_unique<RedisSessionStore>(*m_connection, 30min, budget);
    QVERIFY(runUntil(m_loop, [this] { return m_connection->isConnected(); }));
}

Result<std::optional<Session>> TestRedisSessionStore::load(std::string_view id)
{
    int calls = 0;
    Result<std::optional<Session>> found = internalError("no answer");
    m_store->load(id, [&](Result<std::optional<Session>> result) {
        ++calls;
        found = std::move(result);
    });
    return runUntil(m_loop, [&] { return calls == 1; }) ? found : internalError("no answer");
}

Result<int> TestRedisSessionStore::save(const Session& session)
{
    int calls = 0;
    Result<int> saved = internalError("no answer");
    m_store->save(session, SessionWrite::Awaited, [&](Result<int> result) {
        ++calls;
        saved = std::move(result);
    });
    return runUntil(m_loop, [&] { return calls == 1; }) ? saved : internalError("no answer");
}

QByteArray TestRedisSessionStore::cli(
    const char* command, const QByteArray& id, const QStringList& rest)
{
    return m_server->cli(QStringList{QString::fromLatin1(command),
                             QStringLiteral("sluice:session:{%1}").arg(QString::fromLatin1(id))}
        + rest);
}

void TestRedisSessionStore::keepsWhatWasSaved()
{
    auto found = load("s1");
    QVERIFY(found.ok());
    QVERIFY(!found->has_value());
    QVERIFY(save(sample("s1")).ok());
    found = load("s1");
    QVERIFY(found.ok());
    QVERIFY(*found == sample("s1"));
    QVERIFY(!load("s2")->has_value());
    QCOMPARE(RedisSessionStore::keyOf("s1"), std::string("sluice:session:{s1}"));
}

void TestRedisSessionStore::livesAndIsRenewed()
{
    QVERIFY(save(sample("s1")).ok());
    const int life = cli("ttl", "s1").toInt();
    QVERIFY2(life > 1700 && life <= 1800, qPrintable(QString::number(life)));
    cli("expire", "s1", {QStringLiteral("60")});
    QVERIFY(load("s1")->has_value());
    QVERIFY(cli("ttl", "s1").toInt() <= 60);
    Session more = *load("s1").value();
    more.append("more", Verdict::Accept, {});
    QVERIFY(save(more).ok());
    QVERIFY(cli("ttl", "s1").toInt() > 1700);
}

void TestRedisSessionStore::concurrentTurnsAreBothKept()
{
    QCOMPARE(*save(sample("s1")), 2);
    Session one = *load("s1").value();
    Session two = one;
    one.append("one", Verdict::Accept, {});
    two.append("two", Verdict::Fallback, {});
    QCOMPARE(*save(one), 3);
    QCOMPARE(*save(two), 4);
    const Session kept = *load("s1").value();
    QCOMPARE(kept.turnCount, 4);
    QCOMPARE(kept.turns[2].intent, std::string("one"));
    QCOMPARE(kept.turns[3].intent, std::string("two"));
    QCOMPARE(cli("del", "s1"), "1");
    QCOMPARE(*save(two), 3); // it has gone meanwhile: what is known here is kept
    QCOMPARE(load("s1").value()->turns.size(), 3U);
}

// Two workers, as it were: each loads and saves the same session over a connection of its own.
void TestRedisSessionStore::everyTurnOfTwoWritersIsKept()
{
    constexpr int turns = 300;
    class Writer
    {
    public:
        Writer(boost::asio::io_context& loop, std::uint16_t port, std::string name)
            : m_connection(loop, settings(port))
            , m_store(m_connection, 30min, 10s)
            , m_name(std::move(name))
        {
            m_connection.start();
        }
        bool isConnected() const { return m_connection.isConnected(); }
        void next()
        {
            m_store.load("s1", [this](Result<std::optional<Session>> found) {
                Session session = found && *found ? std::move(**found) : Session();
                session.id = "s1";
                session.append(m_name + std::to_string(done), Verdict::Accept, {});
                m_store.save(session, SessionWrite::Behind, [this](const Result<int>& saved) {
                    failures += saved ? 0 : 1;
                    if (++done < turns) {
                        next();
                    }
                });
            });
        }
        int done = 0;
        int failures = 0;

    private:
        static RedisSettings settings(std::uint16_t port)
        {
            RedisSettings made;
            made.address.port = port;
            return made;
        }
        RedisConnection m_connection;
        RedisSessionStore m_store;
        std::string m_name;
    };
    Writer a(m_loop, m_server->port(), "a");
    Writer b(m_loop, m_server->port(), "b");
    QVERIFY(runUntil(m_loop, [&] { return a.isConnected() && b.isConnected(); }));
    a.next();
    b.next();
    QVERIFY(runUntil(m_loop, [&] { return a.done == turns && b.done == turns; }));
    QCOMPARE(a.failures + b.failures, 0);
    const Session kept = *load("s1").value();
    QCOMPARE(kept.turnCount, 2 * turns);
    QVERIFY(kept.turns.back().intent == "a299" || kept.turns.back().intent == "b299");
    // More commands than turns and loads need: there were conflicts.
    const QByteArray statistics =
        m_server->cli({QStringLiteral("info"), QStringLiteral("commandstats")});
    const qsizetype at = statistics.indexOf("cmdstat_evalsha:calls=");
    QVERIFY(at >= 0);
    const int evals = statistics.mid(at + 22, statistics.indexOf(',', at) - at - 22).toInt();
    QVERIFY2(evals > 2 * turns, qPrintable(QString::number(evals)));
}

void TestRedisSessionStore::othersWriteForEver()
{
    class Others : public RedisCommands
    {
    public:
        void start() override { }
        bool isConnected() const override { return true; }
        CircuitBreaker::State circuit() const override { return {}; }
        void command(
            const std::vector<std::string>&, std::chrono::milliseconds, Replied replied) override
        {
            RedisValue stored;
            stored.type = RedisValue::Type::String;
            stored.text = "{\"v\":1,\"turn_count\":" + std::to_string(++turns) + "}";
            replied(stored);
        }
        int turns = 0;
    };
    Others others;
    RedisSessionStore store(others);
    int calls = 0;
    store.save(sample("s1"), SessionWrite::Awaited, [&](const Result<int>& saved) {
        ++calls;
        QVERIFY(!saved.ok());
        QVERIFY(saved.error().kind == ErrorKind::Refused);
    });
    QCOMPARE(calls, 1);
    QCOMPARE(others.turns, 16);
}

void TestRedisSessionStore::aWriteBehindHasMoreTime()
{
    makeStore(1ms);
    m_server->suspend();
    QVERIFY(isUnreachable(save(sample("s1")))); // ten times the budget
    int calls = 0;
    m_store->save(sample("s2"), SessionWrite::Behind,
        [&](const Result<int>& saved) { calls += saved ? 1 : 100; });
    m_loop.run_for(50ms);
    QCOMPARE(calls, 0);
    m_server->resume();
    QVERIFY(runUntil(m_loop, [&] { return calls > 0; }));
    QCOMPARE(calls, 1);
}

void TestRedisSessionStore::damagedDocument()
{
    cli("set", "s1", {QStringLiteral("{\"v\":1,\"id\"")});
    const auto found = load("s1");
    QVERIFY(!found.ok());
    QVERIFY(found.error().kind == ErrorKind::Input);
    QVERIFY(save(sample("s1")).ok()); // mends it: it holds no number of turns
    QVERIFY(load("s1").ok());
    cli("set", "s1", {QStringLiteral("{\"v\":1,\"turn_count\":7,\"turns\"")});
    QVERIFY(save(sample("s1")).error().kind == ErrorKind::Input); // it holds one, and is not read
    cli("del", "s1");
    cli("lpush", "s1", {QStringLiteral("x")});
    QVERIFY(load("s1").error().kind == ErrorKind::Refused); // of another type
}

void TestRedisSessionStore::readsTheNextVersion()
{
    cli("set", "s1",
        {QStringLiteral("{\"v\":2,\"id\":\"another\",\"turn_count\":3,\"new\":[1],\"turns\":[]}")});
    const auto found = load("s1");
    QVERIFY(found.ok() && found->has_value());
    QCOMPARE((*found)->turnCount, 3);
    QCOMPARE((*found)->id, std::string("s1"));
}

void TestRedisSessionStore::slowRedis()
{
    makeStore(20ms);
    m_server->suspend();
    QVERIFY(isUnreachable(load("s1")));
    QVERIFY(isUnreachable(save(sample("s1"))));
    m_server->resume();
    // The late answers belong to nobody; the next ones are right again.
    QVERIFY(runUntil(m_loop, [this] { return load("s1").ok(); }));
}

void TestRedisSessionStore::redisKilledAndBack()
{
    QVERIFY(save(sample("s1")).ok());
    QVERIFY(m_server->kill());
    QVERIFY(isUnreachable(load("s1")));
    QVERIFY(isUnreachable(save(sample("s1"))));
    QVERIFY(m_server->start());
    QVERIFY(runUntil(m_loop, [this] { return m_connection->isConnected(); }));
    QVERIFY(!load("s1")->has_value());
    QVERIFY(save(sample("s1")).ok());
    QVERIFY(load("s1")->has_value());
}

void TestRedisSessionStore::fullRedis()
{
    const QStringList bound{QStringLiteral("config"), QStringLiteral("set"),
        QStringLiteral("maxmemory"), QStringLiteral("1")};
    QCOMPARE(m_server->cli(bound), "OK");
    const auto saved = save(sample("s1"));
    QVERIFY(!saved.ok());
    QVERIFY(saved.error().kind == ErrorKind::Refused);
    QVERIFY(saved.error().message.starts_with("OOM"));
    QVERIFY(load("s1").ok());
}

QTEST_GUILESS_MAIN(TestRedisSessionStore)
#include "tst_redissessionstore.moc"
