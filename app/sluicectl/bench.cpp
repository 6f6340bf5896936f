#include "app/sluicectl/command.h"
#include "app/sluicectl/labelledinput.h"

#include "engine/base/resources.h"
#include "engine/classification/classifier.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>

namespace sluice::ctl {

namespace {

struct BenchArguments : LabelledInput
{
    std::string model;
    std::string catalogue;
    int rounds = 7;
};

using Clock = std::chrono::steady_clock;

double microseconds(Clock::duration duration)
{
    return std::chrono::duration<double, std::micro>(duration).count();
}

double quantile(std::vector<double>& values, double share)
{
    const auto place = values.begin() + std::ptrdiff_t(share * double(values.size() - 1));
    std::nth_element(values.begin(), place, values.end());
    return *place;
}

int bench(const Output& output, const BenchArguments& arguments)
{
    const auto labelled = arguments.read();
    if (!labelled) {
        return output.fail(labelled.error());
    }
    const std::vector<LabelledQuery>& rows = labelled->queries;
    const auto catalogue = arguments.catalogue.empty() ? resourceFile("entities.json")
                                                       : std::filesystem::path(arguments.catalogue);
    const auto loading = Clock::now();
    auto engine = Classifier::load(arguments.model, catalogue);
    if (!engine) {
        return output.fail(engine.error());
    }
    const double loadMs = microseconds(Clock::now() - loading) / 1000;
    const auto thresholds = (*engine)->compile((*engine)->model().defaultThresholds());
    if (!thresholds) {
        return output.fail(thresholds.error());
    }
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    std::vector<Query> queries;
    queries.reserve(rows.size());
    for (const LabelledQuery& row : rows) {
        queries.push_back({row.text, row.system, row.systemActs});
    }
    // Each round goes through all queries; figures are the medians over the rounds after the first.
    std::vector<double> p50, p99, each, rates;
    for (int round = 0; round <= arguments.rounds && !interrupted(); ++round) {
        each.clear();
        const auto begin = Clock::now();
        for (const Query& query : queries) {
            const auto start = Clock::now();
            const auto answer = (*engine)->classify(query, **thresholds, nullptr, now);
            each.push_back(microseconds(Clock::now() - start));
            if (!answer) {
                return output.fail(answer.error());
            }
        }
        const double seconds = microseconds(Clock::now() - begin) / 1e6;
        if (round > 0) {
            p50.push_back(quantile(each, 0.5));
            p99.push_back(quantile(each, 0.99));
            rates.push_back(double(queries.size()) / seconds);
        }
    }
    if (rates.empty()) {
        return output.fail(cancelledError("the bench was stopped"));
    }
    const double middle = quantile(p50, 0.5);
    const double high = quantile(p99, 0.5);
    const double rate = quantile(rates, 0.5);
    output.object(
        {{"p50_us", middle}, {"p99_us", high}, {"queries_per_second", rate}, {"n", queries.size()},
            {"rounds", rates.size()}, {"load_ms", loadMs}, {"bytes", (*engine)->model().bytes()},
            {"tier", toString((*engine)->model().tier())}, {"model", (*engine)->model().hash()}});
    output.line(fmt::format("{} queries, one thread, whole pipeline, no cache, median of {} rounds",
        queries.size(), rates.size()));
    output.line(
        fmt::format("p50 {:.2f} us   p99 {:.2f} us   {:.0f} queries/s   loaded in {:.1f} ms",
            middle, high, rate, loadMs));
    return 0;
}

} // namespace

void addBench(CLI::App& app, Commands& commands)
{
    auto arguments = std::make_shared<BenchArguments>();
    CLI::App* sub = commands.add(app, "bench",
        "Time a model in process: one thread, the whole pipeline, no cache",
        [&commands, arguments] { return bench(commands.output, *arguments); });
    sub->add_option("--model", arguments->model, "model file")->required();
    arguments->addTo(*sub);
    sub->add_option(
        "--catalogue", arguments->catalogue, "entity catalogue (default: the bundled one)");
    sub->add_option("--rounds", arguments->rounds, "timed passes over the queries")
        ->capture_default_str()
        ->check(CLI::Range(1, 1000));
    sub->footer("Timed is what a query costs from its text to the decision: normalise, entities, "
                "score, decide.\n"
                "Example: sluicectl bench --model helpdesk.model --data queries.jsonl --json");
}

} // namespace sluice::ctl
