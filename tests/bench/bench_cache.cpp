#include "engine/classification/cache/resultcache.h"
#include "engine/classification/context/memorysessionstore.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <functional>
#include <list>
#include <malloc.h>
#include <random>
#include <thread>
#include <unordered_map>
#include <vector>

using namespace sluice;

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t distinct = 100000;
constexpr std::size_t room = distinct / 10;
constexpr std::size_t warmUp = 500000;
constexpr std::size_t measured = 1500000;
constexpr std::uint64_t intents = 150;
constexpr std::size_t scanFrom = std::size_t(1) << 32; ///< keys that come once

/// Numbers below `distinct`, the n-th as often as 1/n.
class Zipf
{
public:
    explicit Zipf(std::uint64_t seed)
        : m_random(seed)
    {
        double sum = 0;
        for (std::size_t rank = 1; rank <= distinct; ++rank) {
            sum += 1.0 / double(rank);
            m_sums.push_back(sum);
        }
    }
    std::size_t operator()()
    {
        const double at = std::uniform_real_distribution<>(0, m_sums.back())(m_random);
        return std::size_t(std::lower_bound(m_sums.begin(), m_sums.end(), at) - m_sums.begin());
    }
    std::uint64_t random() { return m_random(); }

private:
    std::vector<double> m_sums;
    std::mt19937_64 m_random;
};

struct Request
{
    std::size_t query = 0;
    std::uint64_t context = 0;
    bool counts = true; ///< whether the hit ratio is about it
};

using Traffic = std::function<Request()>;

/// The exact least-recently-used cache of so many entries, to compare with.
class Lru
{
public:
    bool ask(const Request& request)
    {
        const std::uint64_t key = request.query ^ (request.context << 40U);
        if (const auto found = m_index.find(key); found != m_index.end()) {
            m_keys.splice(m_keys.begin(), m_keys, found->second);
            return true;
        }
        m_keys.push_front(key);
        m_index[key] = m_keys.begin();
        if (m_keys.size() > room) {
            m_index.erase(m_keys.back());
            m_keys.pop_back();
        }
        return false;
    }

private:
    std::list<std::uint64_t> m_keys;
    std::unordered_map<std::uint64_t, std::list<std::uint64_t>::iterator> m_index;
};

std::string queryOf(std::size_t number)
{
    return fmt::format("where is my parcel {}, please?", number * 7919 + 1000000);
}

const Scores& scores()
{
    static const Scores five{
        {{3, 0.9}, {14, 0.04}, {15, 0.03}, {92, 0.01}, {65, 0.005}}, 0.02, 0.25};
    return five;
}

bool ask(ResultCache& cache, const Request& request)
{
    const std::string text = queryOf(request.query);
    if (cache.find(text, request.context)) {
        return true;
    }
    cache.insert(text, request.context, scores());
    return false;
}

/// Bytes of a cache that holds `room` such results, tables and all.
std::size_t bytesOfRoom()
{
    constexpr std::size_t most = std::size_t(4) << 20;
    ResultCache cache(most);
    for (std::size_t number = 0; number < distinct; ++number) {
        cache.insert(queryOf(number), 0, scores());
    }
    return most / cache.statistics().entries * room;
}

template <typename Asked> double hitRatio(const Traffic& next, Asked asked)
{
    for (std::size_t i = 0; i < warmUp; ++i) {
        asked(next());
    }
    std::size_t hits = 0;
    std::size_t all = 0;
    for (std::size_t i = 0; i < measured; ++i) {
        const Request request = next();
        const bool hit = asked(request);
        hits += hit && request.counts ? 1U : 0U;
        all += request.counts ? 1U : 0U;
    }
    return 100.0 * double(hits) / double(all);
}

void compare(const char* name, const std::function<Traffic()>& make)
{
    ResultCache cache(bytesOfRoom());
    const double ours = hitRatio(make(), [&](const Request& r) { return ask(cache, r); });
    Lru lru;
    const double theirs = hitRatio(make(), [&](const Request& r) { return lru.ask(r); });
    fmt::print("  {:52} {:6.2f} %   LRU {:6.2f} %   ({} entries)\n", name, ours, theirs,
        cache.statistics().entries);
}

void hitRatios()
{
    fmt::print("hit ratio: Zipf(1.0), {} distinct queries, room for {}\n", distinct, room);
    compare("queries alone", [] {
        return [zipf = std::make_shared<Zipf>(1)] { return Request{(*zipf)(), 0, true}; };
    });
    compare("one in five is of a scan, not counted", [] {
        return [zipf = std::make_shared<Zipf>(2), scanned = scanFrom]() mutable {
            return zipf->random() % 5 == 0 ? Request{scanned++, 0, false}
                                           : Request{(*zipf)(), 0, true};
        };
    });
    compare("a scan of 50,000 each 100,000 queries, not counted", [] {
        return [zipf = std::make_shared<Zipf>(3), scanned = scanFrom, at = 0U]() mutable {
            return at++ % 150000 >= 100000 ? Request{scanned++, 0, false}
                                           : Request{(*zipf)(), 0, true};
        };
    });
    // The context of a follow-up: the last turn's intent, as frequent as the queries that have it.
    compare("half are follow-ups in 150 contexts", [] {
        return [zipf = std::make_shared<Zipf>(4)] {
            const bool followUp = zipf->random() % 2 == 0;
            return Request{(*zipf)(), followUp ? 1 + (*zipf)() % intents : 0, true};
        };
    });
    compare("the popular ones change each 200,000", [] {
        return [zipf = std::make_shared<Zipf>(5), at = std::size_t(0)]() mutable {
            return Request{(*zipf)() ^ ((at++ / 200000) << 20U), 0, true};
        };
    });
}

/// Nanoseconds each of `threads` spends on one of `count` works, median of five rounds.
double nanoseconds(
    int threads, std::size_t count, const std::function<void(std::size_t index)>& work)
{
    std::vector<double> rounds;
    for (int round = 0; round < 5; ++round) {
        const auto begin = Clock::now();
        std::vector<std::thread> running;
        running.reserve(std::size_t(threads));
        for (int thread = 0; thread < threads; ++thread) {
            running.emplace_back([&, thread] {
                const std::size_t offset = std::size_t(thread) * count / 2;
                for (std::size_t i = 0; i < count; ++i) {
                    work((i + offset) % count);
                }
            });
        }
        for (std::thread& thread : running) {
            thread.join();
        }
        rounds.push_back(
            std::chrono::duration<double, std::nano>(Clock::now() - begin).count() / double(count));
    }
    std::sort(rounds.begin(), rounds.end());
    return rounds[rounds.size() / 2];
}

void times()
{
    fmt::print("times: {} queries of about 30 bytes, 5 candidates\n", distinct);
    std::vector<std::string> queries;
    std::vector<std::string> absent;
    std::vector<std::string> popular;
    Zipf zipf(6);
    for (std::size_t number = 0; number < distinct; ++number) {
        queries.push_back(queryOf(number));
        absent.push_back(queryOf(scanFrom + number));
        popular.push_back(queryOf(zipf()));
    }
    for (const int threads : {1, 2}) {
        ResultCache large(std::size_t(64) << 20);
        for (const std::string& query : queries) {
            large.insert(query, 0, scores());
        }
        ResultCache small(bytesOfRoom());
        const auto print = [&](const char* name, const std::function<void(std::size_t)>& work) {
            fmt::print("  {:44} {} thread{} {:8.1f} ns\n", name, threads, threads > 1 ? "s" : " ",
                nanoseconds(threads, distinct, work));
        };
        print("find, a hit", [&](std::size_t i) { (void)large.find(queries[i], 0); });
        print("find, a miss", [&](std::size_t i) { (void)large.find(absent[i], 0); });
        print(
            "insert, something goes", [&](std::size_t i) { small.insert(absent[i], i, scores()); });
        print("find, insert after a miss, Zipf", [&](std::size_t i) {
            if (!small.find(popular[i], 0)) {
                small.insert(popular[i], 0, scores());
            }
        });
    }
}

std::size_t heap()
{
    const struct mallinfo2 info = ::mallinfo2();
    return info.uordblks + info.hblkhd;
}

/// A conversation of four turns, an entity each.
Session conversation()
{
    Session session;
    for (int turn = 0; turn < 4; ++turn) {
        session.append(
            "track_order", Verdict::Accept, {{"order_number", "a-2231", "A-2231", {}, 0}});
    }
    return session;
}

void sessions()
{
    fmt::print("sessions of four turns with an entity each, in memory\n");
    constexpr std::size_t count = 20000;
    const std::size_t before = heap();
    MemorySessionStore store(count);
    Session session = conversation();
    std::vector<std::string> ids;
    for (std::size_t number = 0; number < count; ++number) {
        ids.push_back(makeSessionId());
        session.id = ids.back();
        store.save(session, SessionWrite::Behind, [](const auto&) {});
    }
    std::size_t names = ids.capacity() * sizeof(std::string);
    for (const std::string& id : ids) {
        names += id.capacity() + 1;
    }
    fmt::print("  {:44} {:8.1f} B   its document {} B\n", "one of them",
        double(heap() - before - names) / double(count), session.toJson().size());
    fmt::print("  {:44} {:8.1f} ns\n", "load, add a turn, save",
        nanoseconds(1, count, [&](std::size_t index) {
            store.load(ids[index], [&](const auto& found) {
                Session loaded = **found;
                loaded.append("track_order", Verdict::Accept, {});
                store.save(loaded, SessionWrite::Behind, [](const auto&) {});
            });
        }));
}

void memory()
{
    constexpr std::size_t most = std::size_t(8) << 20;
    const std::size_t before = heap();
    ResultCache cache(most);
    for (std::size_t number = 0; number < distinct; ++number) {
        cache.insert(queryOf(number), 0, scores());
    }
    const CacheStatistics filled = cache.statistics();
    fmt::print("memory\n  {:44} {:8.1f} B   (heap {:.1f} B)\n", "a cached result, tables included",
        double(filled.bytes) / double(filled.entries),
        double(heap() - before) / double(filled.entries));
}

} // namespace

int main()
{
    hitRatios();
    times();
    memory();
    sessions();
    return 0;
}
