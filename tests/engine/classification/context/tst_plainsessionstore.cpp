#include "engine/classification/context/plainsessionstore.h"
#include "tests/support/redisserver.h"
#include "tests/support/testcase.h"

using namespace sluice;
using sluice::test::RedisServer;

class TestPlainSessionStore : public sluice::test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void keepsWhatWasSaved();
    void opensAConnectionEachTime();
    void asksWithAUser();
    void tellsWhatIsWrong();

private:
    static Result<std::optional<Session>> load(PlainSessionStore& store, std::string_view id);
    static Result<int> save(PlainSessionStore& store, const Session& session);
    static PlainSessionStore storeOf(const RedisServer& server, const std::string& password = {})
    {
        PlainSessionStore::Settings settings;
        settings.port = server.port();
        settings.password = password;
        settings.user = std::string(password.empty() ? 0 : 1, 'w');
        return PlainSessionStore(settings);
    }
};

namespace {

Session sample(const std::string& id)
{
    Session session;
    session.id = id;
    session.append("track", Verdict::Accept, {{"order_number", "a-1", "A-1", {}, 0}});
    return session;
}

} // namespace

Result<std::optional<Session>> TestPlainSessionStore::load(
    PlainSessionStore& store, std::string_view id)
{
    std::optional<Result<std::optional<Session>>> result;
    store.load(id, [&](Result<std::optional<Session>> loaded) { result = std::move(loaded); });
    return *result; // it has blocked
}

Result<int> TestPlainSessionStore::save(PlainSessionStore& store, const Session& session)
{
    std::optional<Result<int>> result;
    store.save(session, SessionWrite::Behind, [&](Result<int> saved) { result = saved; });
    return *result;
}

void TestPlainSessionStore::keepsWhatWasSaved()
{
    RedisServer server;
    QVERIFY2(server.start(), qPrintable(server.lastError()));
    PlainSessionStore store = storeOf(server);
    auto before = load(store, "s");
    QVERIFY(before.ok() && !before->has_value());
    const Session session = sample("s");
    QCOMPARE(save(store, session).value(), 1);
    const auto after = load(store, "s");
    QVERIFY(after.ok() && after->has_value());
    QCOMPARE((*after)->id, std::string("s"));
    QCOMPARE((*after)->toJson(), session.toJson());
    const int life =
        server.cli({QStringLiteral("TTL"), QStringLiteral("sluice:session:{s}")}).toInt();
    QVERIFY(life > 1700 && life <= 1800);
}

void TestPlainSessionStore::opensAConnectionEachTime()
{
    RedisServer server;
    QVERIFY2(server.start(), qPrintable(server.lastError()));
    PlainSessionStore store = storeOf(server);
    const auto connections = [&server] {
        const QByteArray stats = server.cli({QStringLiteral("INFO"), QStringLiteral("stats")});
        const qsizetype at = stats.indexOf("total_connections_received:") + 27;
        return stats.mid(at, stats.indexOf('\r', at) - at).toInt();
    };
    const int before = connections();
    QVERIFY(save(store, sample("s")).ok());
    QVERIFY(load(store, "s").ok());
    QCOMPARE(connections() - before, 3); // and the one that asks
}

void TestPlainSessionStore::asksWithAUser()
{
    RedisServer server;
    QVERIFY2(server.start({}, "user default off\nuser w on >secret ~* &* +@all\n"),
        qPrintable(server.lastError()));
    PlainSessionStore nobody = storeOf(server);
    const auto refused = load(nobody, "s");
    QVERIFY(!refused.ok());
    QVERIFY2(refused.error().message.find("NOAUTH") != std::string::npos,
        refused.error().message.c_str());
    PlainSessionStore known = storeOf(server, "secret");
    QVERIFY(save(known, sample("s")).ok());
    PlainSessionStore wrong = storeOf(server, "wrong");
    QVERIFY(!save(wrong, sample("s")).ok());
}

void TestPlainSessionStore::tellsWhatIsWrong()
{
    RedisServer server;
    QVERIFY2(server.start(), qPrintable(server.lastError()));
    PlainSessionStore store = storeOf(server);
    server.cli({QStringLiteral("SET"), QStringLiteral("sluice:session:{s}"), QStringLiteral("no")});
    QVERIFY(!load(store, "s").ok());
    QVERIFY(server.stop());
    const auto gone = load(store, "s");
    QVERIFY(!gone.ok());
    QVERIFY(gone.error().kind == ErrorKind::Unreachable);
}

QTEST_GUILESS_MAIN(TestPlainSessionStore)
#include "tst_plainsessionstore.moc"
