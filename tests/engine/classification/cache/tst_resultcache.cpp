#include "engine/classification/cache/resultcache.h"
#include "tests/support/testcase.h"

#include <atomic>
#include <thread>

using namespace sluice;

class TestResultCache : public sluice::test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void findsWhatWasInserted();
    void contextsAreApart();
    void staysWithinItsBytes();
    void dropsTheLeastRecentlyUsed();
    void bytesReturnToNothing();
    void tooSmallOrTooLarge();
    void insertsOnce();
    void manyThreads();
};

namespace {

Scores scoresOf(int label, std::size_t count = 5)
{
    Scores scores;
    for (std::size_t i = 0; i < count; ++i) {
        scores.top.push_back({label + int(i), 0.5 / double(i + 1)});
    }
    scores.outOfScope = 0.25;
    scores.unseenShare = 0.125;
    return scores;
}

std::string query(int number)
{
    return "where is my parcel with the number " + std::to_string(number);
}

} // namespace

void TestResultCache::findsWhatWasInserted()
{
    ResultCache cache(1 << 20);
    QVERIFY(!cache.find("hello", 0));
    cache.insert("hello", 0, scoresOf(3));
    cache.insert("", 0, scoresOf(4, 0));
    const auto found = cache.find("hello", 0);
    QVERIFY(found);
    QCOMPARE(found->top.size(), 5U);
    QCOMPARE(found->top[1].label, 4);
    QCOMPARE(found->top[1].confidence, 0.25);
    QCOMPARE(found->outOfScope, 0.25);
    QCOMPARE(found->unseenShare, 0.125);
    QVERIFY(cache.find("", 0)->top.empty());
    const CacheStatistics statistics = cache.statistics();
    QCOMPARE(statistics.hits, 2U);
    QCOMPARE(statistics.misses, 1U);
    QCOMPARE(statistics.entries, 2U);
}

void TestResultCache::contextsAreApart()
{
    ResultCache cache(1 << 20);
    for (const std::uint64_t context : {0ULL, 1ULL, 16ULL, ~0ULL}) {
        cache.insert("hello", context, scoresOf(int(context % 1000)));
    }
    for (const std::uint64_t context : {0ULL, 1ULL, 16ULL, ~0ULL}) {
        QCOMPARE(cache.find("hello", context)->top[0].label, int(context % 1000));
    }
    QVERIFY(!cache.find("hello", 2));
}

void TestResultCache::staysWithinItsBytes()
{
    constexpr std::size_t most = 256 << 10;
    ResultCache cache(most);
    for (int i = 0; i < 20000; ++i) {
        cache.insert(query(i), 0, scoresOf(i, std::size_t(i) % 10));
        if (i % 1000 == 0) {
            QVERIFY(cache.statistics().bytes <= most);
        }
    }
    const CacheStatistics statistics = cache.statistics();
    QVERIFY(statistics.bytes <= most);
    QVERIFY(statistics.bytes > most / 2);
    QCOMPARE(statistics.entries + statistics.evictions, 20000U);
    std::size_t found = 0;
    for (int i = 0; i < 20000; ++i) {
        found += cache.find(query(i), 0) ? 1U : 0U;
    }
    QCOMPARE(found, statistics.entries);
}

void TestResultCache::dropsTheLeastRecentlyUsed()
{
    ResultCache cache(256 << 10);
    cache.insert("kept", 0, scoresOf(1));
    for (int i = 0; i < 20000; ++i) {
        cache.insert(query(i), 0, scoresOf(i));
        if (i % 10 == 0) {
            QVERIFY(cache.find("kept", 0));
        }
    }
    QVERIFY(cache.find(query(19999), 0));
    QVERIFY(!cache.find(query(0), 0));
}

// Long texts push out short ones: were the count of bytes to drift, it would show here.
void TestResultCache::bytesReturnToNothing()
{
    ResultCache cache(64 << 10);
    ResultCache other(64 << 10);
    for (int i = 0; i < 5000; ++i) {
        cache.insert(std::string(std::size_t(i % 700), 'x') + std::to_string(i), 0, scoresOf(i));
    }
    for (int i = 0; i < 5000; ++i) { // the same length in every entry from here on
        cache.insert(std::to_string(100000 + i), 7, scoresOf(i));
        other.insert(std::to_string(100000 + i), 7, scoresOf(i));
    }
    QCOMPARE(cache.statistics().bytes, other.statistics().bytes);
    QCOMPARE(cache.statistics().entries, other.statistics().entries);
}

void TestResultCache::tooSmallOrTooLarge()
{
    ResultCache none(0);
    none.insert("hello", 0, scoresOf(1));
    QVERIFY(!none.find("hello", 0));
    QCOMPARE(none.statistics().bytes, 0U);
    ResultCache small(16 << 10);
    small.insert("hello", 0, scoresOf(1));
    small.insert(std::string(100000, 'x'), 0, scoresOf(1)); // larger than its share: passed over
    QVERIFY(small.find("hello", 0));
    QCOMPARE(small.statistics().entries, 1U);
    QCOMPARE(small.statistics().evictions, 0U);
}

void TestResultCache::insertsOnce()
{
    ResultCache cache(1 << 20);
    cache.insert("hello", 0, scoresOf(1));
    const std::size_t bytes = cache.statistics().bytes;
    cache.insert("hello", 0, scoresOf(2));
    QCOMPARE(cache.statistics().bytes, bytes);
    QCOMPARE(cache.statistics().entries, 1U);
}

void TestResultCache::manyThreads()
{
    ResultCache cache(64 << 10);
    std::atomic<int> wrong = 0;
    std::atomic<std::uint64_t> asked = 0;
    std::vector<std::thread> threads;
    threads.reserve(4);
    for (int number = 0; number < 4; ++number) {
        threads.emplace_back([&, number] {
            for (int i = 0; i < 20000; ++i) {
                const int key = (i * 7 + number) % 400;
                ++asked;
                if (const auto found = cache.find(query(key), 0)) {
                    wrong += found->top[0].label == key ? 0 : 1;
                } else {
                    cache.insert(query(key), 0, scoresOf(key));
                }
                if (i % 500 == 0) {
                    wrong += cache.statistics().bytes <= std::size_t(64 << 10) ? 0 : 1;
                }
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    QCOMPARE(wrong.load(), 0);
    const CacheStatistics statistics = cache.statistics();
    QCOMPARE(statistics.hits + statistics.misses, asked.load());
}

QTEST_GUILESS_MAIN(TestResultCache)
#include "tst_resultcache.moc"
