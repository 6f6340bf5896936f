#include "engine/classification/context/memorysessionstore.h"
#include "tests/support/testcase.h"

#include <thread>

using namespace sluice;
using namespace std::chrono_literals;

class TestMemorySessionStore : public sluice::test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void keepsWhatWasSaved();
    void expires();
    void savingRenews();
    void concurrentTurnsAreBothKept();
    void everyTurnOfEveryThreadIsKept();
    void dropsTheLeastRecentlyUsed();
    void forgetsTheExpiredOnes();
    void callbacksMayCallBack();
    void manyThreads();
};

namespace {

Session named(std::string id, int turns = 1)
{
    Session session;
    session.id = std::move(id);
    for (int turn = 0; turn < turns; ++turn) {
        session.append("intent", Verdict::Accept, {});
    }
    return session;
}

std::optional<Session> loaded(SessionStore& store, std::string_view id)
{
    int calls = 0;
    std::optional<Session> found;
    store.load(id, [&](Result<std::optional<Session>> result) {
        ++calls;
        found = result ? std::move(*result) : std::nullopt;
    });
    return calls == 1 ? found : std::nullopt;
}

int save(SessionStore& store, const Session& session)
{
    int calls = 0;
    store.save(session, SessionWrite::Behind,
        [&](const Result<int>& result) { calls += result ? 1 : 100; });
    return calls;
}

/// A clock that stands until it is moved.
struct TestClock
{
    std::shared_ptr<std::chrono::steady_clock::time_point> now =
        std::make_shared<std::chrono::steady_clock::time_point>();
    MemorySessionStore::Clock function() const
    {
        return [time = now] { return *time; };
    }
};

} // namespace

void TestMemorySessionStore::keepsWhatWasSaved()
{
    MemorySessionStore store;
    QVERIFY(!loaded(store, "a"));
    QCOMPARE(save(store, named("a", 2)), 1);
    QVERIFY(loaded(store, "a") == named("a", 2));
    QCOMPARE(save(store, named("a", 3)), 1);
    QVERIFY(loaded(store, "a") == named("a", 3));
    QVERIFY(!loaded(store, "b"));
    QCOMPARE(store.size(), 1U);
}

void TestMemorySessionStore::expires()
{
    const TestClock clock;
    MemorySessionStore store(10, 60s, clock.function());
    save(store, named("a"));
    *clock.now += 59s;
    QVERIFY(loaded(store, "a"));
    *clock.now += 1s; // reading does not renew
    QVERIFY(!loaded(store, "a"));
    QCOMPARE(store.size(), 0U);
}

void TestMemorySessionStore::savingRenews()
{
    const TestClock clock;
    MemorySessionStore store(10, 60s, clock.function());
    save(store, named("a"));
    *clock.now += 59s;
    save(store, named("a", 2));
    *clock.now += 59s;
    QVERIFY(loaded(store, "a") == named("a", 2));
}

void TestMemorySessionStore::concurrentTurnsAreBothKept()
{
    MemorySessionStore store;
    save(store, named("a"));
    Session one = *loaded(store, "a");
    Session two = one;
    one.append("one", Verdict::Accept, {});
    two.append("two", Verdict::Fallback, {});
    int number = 0;
    const auto take = [&](const Result<int>& saved) { number = saved ? *saved : -1; };
    store.save(one, SessionWrite::Awaited, take);
    QCOMPARE(number, 2);
    store.save(two, SessionWrite::Awaited, take);
    QCOMPARE(number, 3);
    const auto kept = loaded(store, "a");
    QCOMPARE(kept->turnCount, 3);
    QCOMPARE(kept->turns[1].intent, std::string("one"));
    QCOMPARE(kept->turns[2].intent, std::string("two"));
    QCOMPARE(kept->failuresInARow, 1);
}

void TestMemorySessionStore::everyTurnOfEveryThreadIsKept()
{
    MemorySessionStore store;
    constexpr int turns = 500;
    std::vector<std::thread> threads;
    threads.reserve(4);
    for (int number = 0; number < 4; ++number) {
        threads.emplace_back([&store] {
            for (int turn = 0; turn < turns; ++turn) {
                Session session = loaded(store, "a").value_or(named("a", 0));
                session.append("intent", Verdict::Accept, {});
                save(store, session);
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    QCOMPARE(loaded(store, "a")->turnCount, 4 * turns);
}

void TestMemorySessionStore::dropsTheLeastRecentlyUsed()
{
    MemorySessionStore store(3);
    for (const char* id : {"a", "b", "c"}) {
        save(store, named(id));
    }
    QVERIFY(loaded(store, "a"));
    save(store, named("d"));
    QVERIFY(loaded(store, "a") && !loaded(store, "b") && loaded(store, "c") && loaded(store, "d"));
    QCOMPARE(store.size(), 3U);
    MemorySessionStore none(0);
    QCOMPARE(save(none, named("a")), 1);
    QVERIFY(!loaded(none, "a"));
}

void TestMemorySessionStore::forgetsTheExpiredOnes()
{
    const TestClock clock;
    MemorySessionStore store(1000, 60s, clock.function());
    for (int i = 0; i < 100; ++i) {
        save(store, named("old" + std::to_string(i)));
    }
    *clock.now += 61s;
    save(store, named("new"));
    QCOMPARE(store.size(), 1U);
}

void TestMemorySessionStore::callbacksMayCallBack()
{
    MemorySessionStore store;
    int calls = 0;
    store.save(named("a"), SessionWrite::Awaited, [&](const Result<int>&) {
        store.load("a", [&](const Result<std::optional<Session>>& found) {
            calls += found.ok() && found->has_value() ? 1 : 0;
        });
    });
    QCOMPARE(calls, 1);
}

void TestMemorySessionStore::manyThreads()
{
    MemorySessionStore store(50);
    std::vector<std::thread> threads;
    threads.reserve(4);
    std::atomic<int> wrong = 0;
    for (int number = 0; number < 4; ++number) {
        threads.emplace_back([&store, &wrong, number] {
            for (int i = 0; i < 5000; ++i) {
                const std::string id = std::to_string((i * (number + 1)) % 100);
                if (save(store, named(id)) != 1) {
                    ++wrong;
                }
                const auto found = loaded(store, id);
                if (found && found->id != id) {
                    ++wrong;
                }
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    QCOMPARE(wrong.load(), 0);
    QCOMPARE(store.size(), 50U);
}

QTEST_GUILESS_MAIN(TestMemorySessionStore)
#include "tst_memorysessionstore.moc"
