#include "engine/base/file.h"
#include "engine/classification/entities/entitycatalogue.h"
#include "engine/classification/evaluation/labelleddata.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <fmt/format.h>
#include <functional>
#include <random>
#include <set>

using namespace sluice;

namespace {

const std::chrono::sys_seconds now =
    std::chrono::sys_days(std::chrono::year(2026) / 3 / 11) + std::chrono::hours(10);

/// What this thread has used of a processor: the machine may be shared.
double cpuNanoseconds()
{
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return double(time.tv_sec) * 1e9 + double(time.tv_nsec);
}

/// Median of 15 rounds, in nanoseconds of one processor a text.
double nanosecondsEach(const EntityCatalogue& catalogue, const std::vector<std::string>& texts)
{
    std::vector<double> all;
    std::size_t found = 0;
    for (int round = 0; round < 15; ++round) {
        const double begin = cpuNanoseconds();
        for (const std::string& text : texts) {
            found += catalogue.extract(text, now).size();
        }
        all.push_back((cpuNanoseconds() - begin) / double(texts.size()));
    }
    std::sort(all.begin(), all.end());
    if (found == SIZE_MAX) { // never; keeps the calls
        fmt::print("\n");
    }
    return all[all.size() / 2];
}

double milliseconds(const std::function<void()>& work)
{
    const double begin = cpuNanoseconds();
    work();
    return (cpuNanoseconds() - begin) / 1e6;
}

/// Words that read like words, each once.
std::vector<std::string> names(std::size_t count)
{
    static constexpr std::string_view syllables[] = {"ba", "co", "de", "fi", "gor", "hal", "ine",
        "jo", "kar", "lum", "mer", "nos", "ot", "pra", "qui", "ron", "sta", "tev", "ul", "vex"};
    std::mt19937 random(7);
    std::set<std::string> seen;
    std::vector<std::string> out;
    while (out.size() < count) {
        std::string word;
        for (int syllable = 0; syllable < 4; ++syllable) {
            word += syllables[random() % std::size(syllables)];
        }
        if (seen.insert(word).second) {
            out.push_back(word);
        }
    }
    return out;
}

EntityCatalogue catalogueOf(const std::string& entries)
{
    auto read = EntityCatalogue::fromJson("{\"entities\":[" + entries + "]}", "bench");
    if (!read) {
        fmt::print("{}\n", read.error().text());
        std::exit(1);
    }
    return std::move(*read);
}

/// An entry of `count` patterns; "%" stands for a name that no other pattern has.
std::string patterns(std::size_t count, const std::string& form)
{
    std::string list;
    for (const std::string& name : names(count)) {
        std::string pattern = form;
        const auto place = pattern.find('%');
        pattern.replace(place, 1, name);
        list += (list.empty() ? "\"" : ",\"") + pattern + "\"";
    }
    return R"({"type":"t","patterns":[)" + list + "]}";
}

void shipped(const std::filesystem::path& share, const std::vector<std::string>& texts)
{
    auto catalogue = EntityCatalogue::fromFile(share / "entities.json");
    if (!catalogue) {
        fmt::print("{}\n", catalogue.error().text());
        return;
    }
    std::vector<std::string> with;
    std::vector<std::string> without;
    for (const std::string& text : texts) {
        (catalogue->extract(text, now).empty() ? without : with).push_back(text);
    }
    fmt::print(
        "shipped catalogue, {} patterns, lists and forms; bundled queries\n", catalogue->size());
    const auto row = [&](const char* name, const std::vector<std::string>& rows) {
        fmt::print("  {:44} {:10.0f} ns   ({} queries)\n", name, nanosecondsEach(*catalogue, rows),
            rows.size());
    };
    row("a query", texts);
    row("a query without entities", without);
    row("a query with entities", with);
    fmt::print("  {:44} {:10.1f} ms\n", "load",
        milliseconds([&] { (void)EntityCatalogue::fromFile(share / "entities.json"); }));
}

/// `found` is what a pattern finds; "%" stands for its name.
void manyPatterns(const char* name, const std::string& form, const std::string& found,
    const std::vector<std::string>& texts)
{
    fmt::print("{}\n", name);
    // Every text once more with two of the first ten names in it.
    std::vector<std::string> hits = texts;
    const auto known = names(10);
    for (std::size_t index = 0; index < hits.size(); ++index) {
        for (const std::size_t which : {index % 10, (index + 3) % 10}) {
            std::string one = found;
            hits[index] += " " + one.replace(one.find('%'), 1, known[which]);
        }
    }
    double ten = 0;
    double tenHits = 0;
    for (const std::size_t count : {10U, 1000U, 10000U}) {
        const std::string entry = patterns(count, form);
        EntityCatalogue catalogue;
        const double load = milliseconds([&] { catalogue = catalogueOf(entry); });
        const double each = nanosecondsEach(catalogue, texts);
        const double eachHit = nanosecondsEach(catalogue, hits);
        ten = count == 10 ? each : ten;
        tenHits = count == 10 ? eachHit : tenHits;
        fmt::print("  {:6} patterns: {:6.0f} ns ({:.2f} times that of 10), with two in each text "
                   "{:6.0f} ns ({:.2f}); load {:.0f} ms\n",
            count, each, each / ten, eachHit, eachHit / tenHits, load);
    }
}

void manyNames(const std::vector<std::string>& texts)
{
    fmt::print("a list of names\n");
    for (const std::size_t count : {10U, 1000U, 100000U}) {
        std::string list;
        for (const std::string& name : names(count)) {
            list += (list.empty() ? "\"" : ",\"") + name + "\"";
        }
        EntityCatalogue catalogue;
        const double load = milliseconds(
            [&] { catalogue = catalogueOf(R"({"type":"t","words":[)" + list + "]}"); });
        fmt::print("  {:6} names {:33} {:9.0f} ns   load {:.0f} ms\n", count, "",
            nanosecondsEach(catalogue, texts), load);
    }
}

/// Patterns made to be slow, on the longest text there may be, and among those that are shipped.
void hostile(const std::filesystem::path& share, const std::vector<std::string>& texts)
{
    fmt::print("a hostile pattern, text of 4,096 letters and of 60\n");
    std::mt19937 random(7);
    std::string text = "x c d "; // what they ask for, where it does not help
    while (text.size() < 4096) {
        text += "ab"[random() % 2];
    }
    for (const char* pattern : {"(?:a+)+$", "(?:a|b)*a(?:a|b){500}c", "a.*z|a", "(.{100}){4}x",
             "(?:a?){200}a{200}", "[ab]*(?:a[ab]{300}c|b[ab]{300}d)"}) {
        const auto catalogue =
            catalogueOf(fmt::format(R"({{"type":"t","patterns":["{}"]}})", pattern));
        fmt::print("  {:44} {:10.3f} ms {:12.3f} ms\n", pattern,
            nanosecondsEach(catalogue, {text}) / 1e6,
            nanosecondsEach(catalogue, {text.substr(0, 60)}) / 1e6);
    }
    auto json = readFile(share / "entities.json", std::size_t(1) << 20);
    if (!json) {
        fmt::print("{}\n", json.error().text());
        return;
    }
    json->insert(json->rfind(']'), R"(,{"type":"t","patterns":["[a-z ]*e[a-z ]{300}!"]})");
    auto catalogue = EntityCatalogue::fromJson(*json, "bench");
    if (catalogue) {
        fmt::print("  {:44} {:10.0f} ns   (bundled queries)\n",
            "one among the shipped ones, a query", nanosecondsEach(*catalogue, texts));
    }
}

} // namespace

int main()
{
    const std::filesystem::path share =
        std::filesystem::path(SLUICE_BINARY_DIR) / "share" / "sluice";
    const auto data = readLabelledData(share / "queries.jsonl");
    if (!data) {
        fmt::print("{}\n", data.error().text());
        return 1;
    }
    std::vector<std::string> texts;
    for (const LabelledQuery& query : data->queries) {
        texts.push_back(query.text);
    }
    shipped(share, texts);
    manyPatterns("patterns of a name and a number", "\\\\b%[- ]?[0-9]{3,6}\\\\b", "%-1234", texts);
    manyPatterns("patterns that begin alike", "\\\\border %[a-z]*\\\\b", "order %s", texts);
    manyPatterns("patterns of figures, a sign and two letters", "\\\\b[0-9]{2,4}/[0-9]+-%\\\\b",
        "12/34-%", texts);
    manyNames(texts);
    hostile(share, texts);
    return 0;
}
