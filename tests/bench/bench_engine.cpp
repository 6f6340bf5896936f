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
void report(const char* name, const char* unit, double scale, int rounds,
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

void measure(const char* name, const LabelledData& data, const std::filesystem::path& catalogue)
{
    fmt::print("{}: {} queries, {} intents\n", name, data.queries.size(), data.intents().size());
    std::optional<Model> model;
    report("train, one thread", "s", 1, 3, [&] {
        return secondsOf([&] {
            auto trained = Model::train(data, {});
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
    if (model->save(file)) {
        report("load the file", "ms", 1e3, 9,
            [&] { return secondsOf([&] { (void)Model::load(file); }); });
        std::filesystem::remove(file);
    }
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
    auto entities = EntityCatalogue::fromFile(catalogue);
    if (!entities) {
        return;
    }
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    const Classifier engine(std::move(*model), std::move(*entities), std::size_t(64) << 20);
    const auto compiled = *engine.compile(engine.model().defaultThresholds());
    const auto all = [&] {
        return secondsOf([&] {
            for (const LabelledQuery& query : test) {
                (void)engine.classify({query.text, {}, {}}, *compiled, nullptr, now);
            }
        });
    };
    fmt::print(
        "  {:44} {:10.3f} us\n", "classify a query, entities included, first time", all() * each);
    report("classify a query, scores from the cache", "us", each, 9, all);
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
