#include "engine/classification/classifier.h"
#include "engine/classification/evaluator.h"
#include "engine/classification/text/normaliser.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <functional>

using namespace sluice;

namespace {

using Clock = std::chrono::steady_clock;

double secondsOf(const std::function<void()>& work)
{
    const auto begin = Clock::now();
    work();
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// Median of `rounds` times, and their spread.
void report(std::string_view name, const char* unit, double scale, int rounds,
    const std::function<double()>& seconds)
{
    std::vector<double> all;
    for (int round = 0; round < rounds; ++round) {
        all.push_back(seconds() * scale);
    }
    std::sort(all.begin(), all.end());
    fmt::print("  {:44} {:10.3f} {}   ({:.3f} to {:.3f})\n", name, all[all.size() / 2], unit,
        all.front(), all.back());
}

/// One query at a time, then the same in batches.
void measureClassifying(
    const Classifier& engine, const std::vector<Query>& queries, std::string_view how = "")
{
    constexpr std::size_t batch = 256;
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    const auto compiled = *engine.compile(engine.model().defaultThresholds());
    const double each = 1e6 / double(queries.size());
    report(fmt::format("classify a query{}", how), "us", each, 9, [&] {
        return secondsOf([&] {
            for (const Query& query : queries) {
                (void)engine.classify(query, *compiled, nullptr, now);
            }
        });
    });
    report(fmt::format("in batches of {}{}", batch, how), "us", each, 9, [&] {
        return secondsOf([&] {
            const std::span<const Query> all(queries);
            for (std::size_t begin = 0; begin < all.size(); begin += batch) {
                const auto part = all.subspan(begin, std::min(batch, all.size() - begin));
                (void)engine.classify(part, *compiled, now);
            }
        });
    });
}

void measure(const char* name, const LabelledData& data, const std::filesystem::path& catalogue,
    const TrainingOptions& training = {}, int rounds = 3)
{
    fmt::print("{}, {} tier: {} queries, {} intents\n", name, toString(training.tier),
        data.queries.size(), data.intents().size());
    std::optional<Model> model;
    report("train", "s", 1, rounds, [&] {
        return secondsOf([&] {
            auto trained = Model::train(data, training);
            if (trained) {
                model.emplace(std::move(*trained));
            }
        });
    });
    if (!model) {
        fmt::print("  could not be trained\n");
        return;
    }
    fmt::print("  {:44} {:10.2f} MiB\n", "model file", double(model->bytes()) / (1 << 20));
    const std::filesystem::path file =
        std::filesystem::temp_directory_path() / fmt::format("bench-{}.model", getpid());
    if (!model->save(file)) {
        fmt::print("  could not be saved\n");
        return;
    }
    report(
        "load the file", "ms", 1e3, 9, [&] { return secondsOf([&] { (void)Model::load(file); }); });
    const auto test = data.part(Split::Test);
    const auto rows = scoreRows(*model, test);
    const auto thresholds =
        CompiledThresholds::compile(model->defaultThresholds(), model->labels(), model->hash());
    const Evaluation found = evaluate(rows, *thresholds);
    fmt::print("  {:44} {:10.2f} %\n", "accuracy in scope, test part", found.accuracyInScope * 100);
    if (found.outOfScope > 0) {
        fmt::print("  {:44} {:10.2f} %\n", "out of scope: AUROC", found.outOfScopeAuroc * 100);
        fmt::print(
            "  {:44} {:10.2f} %\n", "out of scope: FPR at 95 % TPR", found.outOfScopeFpr95 * 100);
        fmt::print("  {:44} {:10.2f} %\n", "out of scope: recall at the threshold",
            found.outOfScopeRecall * 100);
    }
    fmt::print("  {:44} {:10.2f} %\n", "expected calibration error", found.calibrationError * 100);

    const double each = 1e6 / double(test.size());
    report("score a query (normalise, n-grams, softmax)", "us", each, 9, [&] {
        return secondsOf([&] {
            for (const LabelledQuery& query : test) {
                (void)model->score(normalise(query.text), 5);
            }
        });
    });
    std::vector<Query> queries;
    for (const LabelledQuery& query : test) {
        queries.push_back({query.text, {}, {}});
    }
    const auto engine = Classifier::load(file, catalogue);
    const auto cached = Classifier::load(file, catalogue, std::size_t(64) << 20);
    std::filesystem::remove(file);
    if (engine && cached) {
        measureClassifying(**engine, queries);
        measureClassifying(**cached, queries, ", scores from the cache");
    }
}

} // namespace

int main()
{
    const std::filesystem::path share =
        std::filesystem::path(SLUICE_BINARY_DIR) / "share" / "sluice";
    const auto bundled = readLabelledData(share / "queries.jsonl");
    if (!bundled) {
        fmt::print("{}\n", bundled.error().text());
        return 1;
    }
    measure("bundled help desk", *bundled, share / "entities.json");
    const char* folder = std::getenv("SLUICE_DATA");
    if (folder == nullptr) {
        fmt::print("SLUICE_DATA names no folder: the public data sets are not measured\n");
        return 0;
    }
    const std::filesystem::path data(folder);
    if (const auto clinc = readLabelledData(data / "clinc150" / "data_full.json")) {
        measure("CLINC150 full", *clinc, share / "entities.json");
        TrainingOptions accurate;
        accurate.tier = Tier::Accurate;
        accurate.cnns = 1;
        measure("CLINC150 full, one CNN", *clinc, share / "entities.json", accurate, 1);
    }
    auto train = readLabelledData(data / "banking77" / "train.csv");
    auto test = readLabelledData(data / "banking77" / "test.csv");
    if (train && test) {
        for (LabelledQuery& query : train->queries) {
            query.split = Split::Train;
        }
        for (LabelledQuery& query : test->queries) {
            query.split = Split::Test;
            train->queries.push_back(std::move(query));
        }
        measure("BANKING77", *train, share / "entities.json");
    }
    return 0;
}
