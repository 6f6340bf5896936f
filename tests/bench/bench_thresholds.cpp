#include "engine/classification/thresholds/recordedrows.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <functional>
#include <random>

using namespace sluice;

namespace {

constexpr std::size_t rowCount = 1000000;
constexpr int intents = 150;

double millisecondsOf(const std::function<void()>& work)
{
    const auto begin = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
        .count();
}

void report(const char* name, int rounds, const std::function<void(int)>& work)
{
    std::vector<double> all;
    for (int round = 0; round < rounds; ++round) {
        all.push_back(millisecondsOf([&] { work(round); }));
    }
    std::sort(all.begin(), all.end());
    fmt::print("  {:56} {:8.2f} ms   ({:.2f} to {:.2f}, median of {})\n", name, all[all.size() / 2],
        all.front(), all.back(), rounds);
}

/// Traffic of 150 intents, unevenly busy, in some contexts, over two weeks.
std::vector<RecordedRow> traffic()
{
    std::mt19937_64 random(11);
    std::uniform_real_distribution<double> share(0.0, 1.0);
    std::vector<RecordedRow> rows(rowCount);
    for (RecordedRow& row : rows) {
        row.predicted = int(share(random) * share(random) * intents);
        row.first = float(1 - share(random) * share(random));
        row.second = (1 - row.first) * float(share(random));
        const bool right = share(random) < double(row.first);
        row.label = right       ? row.predicted
            : random() % 3 == 0 ? RecordedRow::outOfScope
                                : int(random() % intents);
        row.context.followUp = random() % 3 == 0;
        row.context.failuresInARow = random() % 10 == 0 ? 1 : 0;
        row.context.at = std::chrono::sys_seconds(
            std::chrono::seconds(1772000000 + std::int64_t(random() % (14 * 86400))));
    }
    return rows;
}

CompiledThresholds setOf(const std::vector<std::string>& labels, double global, bool night)
{
    ThresholdSet set;
    set.global = global;
    for (int label = 0; label < intents; label += 3) {
        set.perIntent[labels[std::size_t(label)]] = global + 0.001 * label;
    }
    set.followUp = -0.05;
    set.failuresBeforeClarify = 2;
    if (night) {
        ContextRule rule;
        rule.when = Condition::TimeOfDay;
        rule.add = 0.05;
        rule.from = 22 * 60;
        rule.to = 6 * 60;
        rule.zone = "Europe/Berlin";
        set.rules.push_back(rule);
    }
    return *CompiledThresholds::compile(set, labels, {});
}

} // namespace

int main()
{
    std::vector<std::string> labels;
    for (int label = 0; label < intents; ++label) {
        labels.push_back(fmt::format("intent {:03}", label));
    }
    const std::vector<RecordedRow> rows = traffic();
    fmt::print("{} recorded rows, {} intents, one thread\n", rowCount, intents);
    std::optional<RecordedRows> recorded;
    report("lay out", 3, [&](int) { recorded.emplace(rows, labels.size()); });

    const CompiledThresholds live = setOf(labels, 0.5, false);
    const RecordedRows::Verdicts served = recorded->verdicts(live);
    std::vector<CompiledThresholds> candidates;
    std::vector<CompiledThresholds> nightly;
    for (int step = 0; step < 10; ++step) {
        candidates.push_back(setOf(labels, 0.3 + 0.05 * step, false));
        nightly.push_back(setOf(labels, 0.3 + 0.05 * step, true));
    }
    std::uint64_t flips = 0;
    report("accepted, TP/FP/FN by intent, flips against the live set", 101, [&](int round) {
        flips += recorded->replay(candidates[std::size_t(round % 10)], served).flipped();
    });
    report("the same, the live set's verdicts anew too", 101, [&](int round) {
        flips += recorded->replay(candidates[std::size_t(round % 10)], recorded->verdicts(live))
                     .flipped();
    });
    report("the same with a rule on the time of day", 11, [&](int round) {
        flips += recorded->replay(nightly[std::size_t(round % 10)], served).flipped();
    });
    report("list of the first 1,000 rows that flip", 11, [&](int round) {
        flips += recorded->flipped(candidates[std::size_t(round % 10)], served, 1000).size();
    });

    // The rule row by row, as the worker applies it: what the columns save, and the same counts.
    std::uint32_t accepted = 0;
    report("row by row through CompiledThresholds::verdict", 3, [&](int) {
        accepted = 0;
        for (const RecordedRow& row : rows) {
            const std::array top{Candidate{row.predicted, row.first}, Candidate{0, row.second}};
            accepted += candidates[0].verdict(top, row.context) == Verdict::Accept ? 1U : 0U;
        }
    });
    const std::uint32_t columns = recorded->replay(candidates[0], served).count(Verdict::Accept);
    fmt::print("  accepted at the loosest set: {} in columns, {} row by row; {} flips counted\n",
        columns, accepted, flips);
    return 0;
}
