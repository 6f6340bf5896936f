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
    void modelsAreApart();
    void staysWithinItsBytes();
    void keepsWhatIsUsed();
    void aScanDoesNotFlushIt();
    void whatComesBackIsKept();
    void bytesAreCountedRight();
    void neverAWrongResult();
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

void TestResultCache::modelsAreApart()
{
    ResultCache cache(1 << 20);
    const std::uint64_t one = ResultCache::digestOf("9f86d0");
    const std::uint64_t two = ResultCache::digestOf("60303a");
    cache.insert("hello", 7, scoresOf(1), one);
    QVERIFY(!cache.find("hello", 7, two));
    QVERIFY(!cache.find("hello", 7));
    cache.insert("hello", 7, scoresOf(2), two);
    QCOMPARE(cache.find("hello", 7, one)->top[0].label, 1);
    QCOMPARE(cache.find("hello", 7, two)->top[0].label, 2);
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

void TestResultCache::keepsWhatIsUsed()
{
    ResultCache cache(256 << 10);
    cache.insert("kept", 0, scoresOf(1));
    for (int i = 0; i < 20000; ++i) {
        cache.insert(query(i), 0, scoresOf(i));
        if (i % 100 == 0) {
            QVERIFY(cache.find("kept", 0));
        }
    }
    QVERIFY(cache.find(query(19999), 0));
    QVERIFY(cache.statistics().evictions > 15000);
}

void TestResultCache::aScanDoesNotFlushIt()
{
    ResultCache cache(256 << 10); // has room for some 1,700
    constexpr int hot = 1000;
    for (int i = 0; i < hot; ++i) {
        cache.insert(query(i), 0, scoresOf(i));
        QVERIFY(cache.find(query(i), 0));
    }
    for (int i = 0; i < 50000; ++i) {
        cache.insert("scanned " + query(i), 0, scoresOf(i));
    }
    int kept = 0;
    for (int i = 0; i < hot; ++i) {
        kept += cache.find(query(i), 0) ? 1 : 0;
    }
    QVERIFY2(kept >= hot - 5, qPrintable(QString::number(kept))); // a ghost of 16 bits may err
}

// Asked for again soon after it has gone: it goes past the small queue, and a scan can't reach it.
void TestResultCache::whatComesBackIsKept()
{
    ResultCache cache(64 << 10);
    auto scan = [&cache, next = 0](int count) mutable {
        for (int i = 0; i < count; ++i, ++next) {
            cache.insert("scanned " + query(next), 0, scoresOf(next));
        }
    };
    scan(1000); // fills it
    cache.insert("wanted", 0, scoresOf(1));
    scan(60);
    QVERIFY(!cache.find("wanted", 0));
    cache.insert("wanted", 0, scoresOf(1));
    scan(1000);
    QVERIFY(cache.find("wanted", 0));
}

// Long texts are pushed out by short ones of one length: were the count to drift, it would show.
void TestResultCache::bytesAreCountedRight()
{
    ResultCache cache(64 << 10);
    const std::size_t tables = cache.statistics().bytes;
    for (int i = 0; i < 5000; ++i) {
        const std::string text = std::string(std::size_t(i % 700), 'x') + std::to_string(i);
        cache.insert(text, 0, scoresOf(i));
        (void)cache.find(text, 0);
    }
    QVERIFY(cache.statistics().bytes > tables);
    for (int i = 0; i < 5000; ++i) {
        cache.insert(std::to_string(100000 + i), 7, scoresOf(i));
        QVERIFY(cache.find(std::to_string(100000 + i), 7)); // so that it reaches the main queue
    }
    const CacheStatistics statistics = cache.statistics();
    QCOMPARE(statistics.bytes, tables + statistics.entries * 104);
    QVERIFY(statistics.entries > 400);
}

// Sizes of every kind round the rings' turn, and keys that share texts and digests.
void TestResultCache::neverAWrongResult()
{
    ResultCache cache(16 << 10);
    std::uint32_t random = 1;
    int hits = 0;
    for (int i = 0; i < 200000; ++i) {
        random = random * 1664525U + 1013904223U;
        const int key = int(random >> 24U);
        const std::string text(std::size_t(key % 61) * 7, char('a' + key % 3));
        const auto context = std::uint64_t(key % 5);
        const int label = key % 61 * 15 + key % 3 * 5 + int(context);
        if (const auto found = cache.find(text, context)) {
            ++hits;
            QCOMPARE(found->top.size(), text.size() % 9);
            QVERIFY(found->top.empty() || found->top[0].label == label);
        } else {
            cache.insert(text, context, scoresOf(label, text.size() % 9));
        }
        QVERIFY(cache.statistics().bytes <= std::size_t(16 << 10));
    }
    QVERIFY(hits > 20000);
}

void TestResultCache::tooSmallOrTooLarge()
{
    ResultCache none(0);
    none.insert("hello", 0, scoresOf(1));
    QVERIFY(!none.find("hello", 0));
    QCOMPARE(none.statistics().bytes, 0U);
    ResultCache one(1024); // too little for anything but its tables
    one.insert("hello", 0, scoresOf(1));
    QVERIFY(!one.find("hello", 0));
    QVERIFY(one.statistics().bytes <= 1024);
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
