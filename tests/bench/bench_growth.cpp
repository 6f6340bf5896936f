#include "engine/classification/classifier.h"
#include "engine/classification/context/memorysessionstore.h"
#include "engine/classification/evaluation/labelleddata.h"

#include <charconv>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <string_view>
#include <unistd.h>

using namespace sluice;

namespace {

constexpr std::uint64_t warmUp = 1000000; ///< until then cache and sessions are full
constexpr std::size_t conversations = 1000;
constexpr std::int64_t mostGrowth = std::int64_t(1) << 20;

/// Bytes of this process in memory.
std::int64_t resident()
{
    std::ifstream file("/proc/self/statm");
    std::int64_t all = 0;
    std::int64_t pages = 0;
    file >> all >> pages;
    return pages * sysconf(_SC_PAGESIZE);
}

/// One turn of a conversation, as the worker takes it: load, classify, remember, save.
bool takeTurn(const Classifier& engine, const CompiledThresholds& thresholds,
    MemorySessionStore& store, const Query& query, const std::string& id)
{
    Session session;
    store.load(id, [&](const auto& found) {
        if (found && *found) {
            session = **found;
        }
    });
    session.id = id;
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    const auto answer = engine.classify(query, thresholds, &session, now);
    if (!answer) {
        fmt::print(stderr, "{}\n", answer.error().text());
        return false;
    }
    Classifier::remember(session, *answer);
    store.save(session, SessionWrite::Behind, [](const auto&) {});
    return true;
}

int measure(std::uint64_t count)
{
    const std::filesystem::path share =
        std::filesystem::path(SLUICE_BINARY_DIR) / "share" / "sluice";
    const auto data = readLabelledData(share / "queries.jsonl");
    const auto engine =
        Classifier::load(share / "helpdesk.model", share / "entities.json", std::size_t(4) << 20);
    if (!data || !engine) {
        fmt::print(stderr, "{}\n", !data ? data.error().text() : engine.error().text());
        return 1;
    }
    const auto thresholds = (*engine)->compile((*engine)->model().defaultThresholds());
    if (!thresholds) {
        fmt::print(stderr, "{}\n", thresholds.error().text());
        return 1;
    }
    std::vector<Query> queries;
    for (const LabelledQuery& row : data->queries) {
        queries.push_back({row.text, {}, {}});
    }
    std::vector<std::string> ids;
    for (std::size_t number = 0; number < conversations; ++number) {
        ids.push_back(makeSessionId());
    }
    // Ten times as many names as the store has room for: sessions come and go as well.
    MemorySessionStore store(conversations / 10);
    std::int64_t warm = 0;
    for (std::uint64_t turn = 0; turn < count; ++turn) {
        Query query = queries[turn * 7919 % queries.size()];
        if (turn % 4 == 1) { // the cache has not seen this one, or has forgotten it
            query.text += fmt::format(" {}", turn);
        }
        // Four turns each, then the next conversation.
        if (!takeTurn(**engine, **thresholds, store, query, ids[turn / 4 % conversations])) {
            return 1;
        }
        if (turn + 1 == std::min(warmUp, count / 2)) {
            warm = resident();
        }
    }
    const std::int64_t growth = resident() - warm;
    const CacheStatistics cache = (*engine)->cacheStatistics();
    fmt::print("{{\"queries\":{},\"rss_warm\":{},\"rss_end\":{},\"growth\":{},\"cache_hits\":{},"
               "\"cache_evictions\":{},\"sessions\":{}}}\n",
        count, warm, warm + growth, growth, cache.hits, cache.evictions, store.size());
    if (growth >= mostGrowth) {
        fmt::print(stderr, "memory grew by {} bytes\n", growth);
        return 1;
    }
    return 0;
}

} // namespace

/// `bench_growth [QUERIES]`: what many queries with sessions and a full cache add to the memory
/// that the first million took. Fails when it is a MiB or more.
int main(int count, char** arguments)
{
    std::uint64_t queries = 10000000;
    if (count > 1) {
        const std::string_view text = arguments[1];
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), queries);
        if (error != std::errc() || end != text.data() + text.size() || queries < 2) {
            fmt::print(stderr, "\"{}\" is no number of queries: give 2 or more\n", text);
            return 2;
        }
    }
    return measure(queries);
}
