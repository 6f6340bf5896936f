#include "app/sluicectl/thresholdinput.h"

#include "engine/classification/thresholds/statistics.h"
#include "engine/classification/thresholds/tuning.h"

#include <boost/json/array.hpp>
#include <fmt/format.h>

namespace sluice::ctl {

namespace {

namespace json = boost::json;

struct TuneArguments
{
    ThresholdInput input;
    Costs costs;
    std::uint64_t seed = 1;
    bool heldOut = false;
    std::string out;
};

json::object toJson(const Sweep& sweep, const SweepPoint& point, const Costs& costs)
{
    const Interval risk = wilsonInterval(point.errors(), point.accepted);
    return {{"threshold", point.threshold}, {"coverage", sweep.coverage(point)},
        {"risk", point.risk()}, {"risk_low", risk.low}, {"risk_high", risk.high},
        {"accepted", point.accepted}, {"errors", point.errors()},
        {"oos_accepted", point.outOfScope}, {"cost", sweep.cost(point, costs)}};
}

std::string lineOf(const Sweep& sweep, const SweepPoint& point, const Costs& costs)
{
    const Interval risk = wilsonInterval(point.errors(), point.accepted);
    return fmt::format("{:9.4f} {:8.1f} % {:8.2f} %  ({:.2f} to {:.2f}) {:9} {:8} {:10.1f}",
        point.threshold, sweep.coverage(point) * 100, point.risk() * 100, risk.low * 100,
        risk.high * 100, point.accepted, point.outOfScope, sweep.cost(point, costs));
}

int sweepCommand(const Output& output, const TuneArguments& arguments)
{
    constexpr std::size_t lines = 20;
    const auto input = loadInput(arguments.input);
    if (!input) {
        return output.fail(input.error());
    }
    const Sweep all = sweep(judgedRows(input->rows, input->thresholds));
    const SweepPoint& best = costOptimum(all, arguments.costs);
    const double area = areaUnderRiskCoverage(all);
    json::array points;
    for (const SweepPoint& point : all.points) {
        points.push_back(toJson(all, point, arguments.costs));
    }
    output.line("threshold  coverage      wrong (95 %)        accepted  of scope       cost");
    const std::size_t step = std::max<std::size_t>(1, all.points.size() / lines);
    for (std::size_t index = 0; index < all.points.size(); index += step) {
        output.line(lineOf(all, all.points[index], arguments.costs));
    }
    output.line("cheapest");
    output.line(lineOf(all, best, arguments.costs));
    output.line(fmt::format("area under the risk-coverage curve {:.4f}, {} rows", area, all.rows));
    output.object({{"rows", all.rows}, {"aurc", area},
        {"optimum", toJson(all, best, arguments.costs)}, {"points", std::move(points)}});
    return 0;
}

int suggest(const Output& output, const TuneArguments& arguments)
{
    auto input = loadInput(arguments.input);
    if (!input) {
        return output.fail(input.error());
    }
    sayLeftOut(output, input->leaveOutSeen());
    const auto rows = judgedRows(input->rows, input->thresholds, OwnThresholds::Replace);
    const auto found =
        suggestPerIntent(rows, SuggestRequest{arguments.costs, arguments.seed, arguments.heldOut});
    if (!found) {
        return output.fail(found.error());
    }
    const bool suggested = !found->perIntent.empty();
    ThresholdSet set = input->set;
    set.model = input->model.hash();
    set.global = found->global;
    set.perIntent.clear();
    json::object intents;
    output.line(found->reason);
    output.line(fmt::format("global {:.4f}", found->global));
    for (const auto& [label, threshold] : found->perIntent) {
        const std::string& intent = input->model.labels()[std::size_t(label)];
        set.perIntent[intent] = threshold;
        intents[intent] = threshold;
        output.line(fmt::format("  {:30} {:.4f}", intent, threshold));
    }
    if (suggested && !arguments.out.empty()) {
        if (auto written = writeThresholds(arguments.out, set); !written) {
            return output.fail(written.error());
        }
    }
    output.object({{"suggested", suggested}, {"reason", found->reason}, {"global", found->global},
        {"per_intent", std::move(intents)}, {"held_out_cost_global", found->heldOutGlobal},
        {"held_out_cost_per_intent", found->heldOutPerIntent},
        {"in_sample_cost_per_intent", found->inSamplePerIntent}, {"better", found->better},
        {"worse", found->worse}, {"p_value", found->pValue}});
    return suggested ? 0 : 1;
}

void addCosts(CLI::App& sub, Costs& costs)
{
    const CLI::Range range(0.0, 1e9);
    sub.add_option("--cost-wrong", costs.wrong, "of an in-scope query accepted as another intent")
        ->capture_default_str()
        ->check(range);
    sub.add_option("--cost-rejected", costs.rejected, "of a right answer held back")
        ->capture_default_str()
        ->check(range);
    sub.add_option("--cost-oos", costs.outOfScope, "of an out-of-scope query accepted")
        ->capture_default_str()
        ->check(range);
}

} // namespace

void addTune(CLI::App& group, Commands& commands)
{
    auto arguments = std::make_shared<TuneArguments>();
    CLI::App* sub = commands.add(group, "sweep",
        "Coverage, error rate and cost at every global threshold, and the cheapest",
        [&commands, arguments] { return sweepCommand(commands.output, *arguments); });
    arguments->input.addTo(*sub);
    addCosts(*sub, arguments->costs);
    sub->footer("What it shows is what these rows did; what a threshold promises of new ones is "
                "for `thresholds certify`.\n"
                "Example: sluicectl thresholds sweep --model helpdesk.model --data queries.jsonl "
                "--cost-wrong 5");

    sub = commands.add(group, "suggest",
        "Thresholds by intent, if they beat the global one on held-out rows; exit code 1 when not",
        [&commands, arguments] { return suggest(commands.output, *arguments); });
    arguments->input.addTo(*sub);
    addCosts(*sub, arguments->costs);
    sub->add_option("--seed", arguments->seed, "of the split into five folds")
        ->capture_default_str();
    sub->add_flag("--held-out", arguments->heldOut,
        "rows without the split \"calibration\" were not used for training or stopping");
    sub->add_option("--out", arguments->out, "writes the suggested threshold set");
    sub->footer(
        "A set that was suggested from rows can't be certified on the same rows.\n"
        "Example: sluicectl thresholds suggest --model helpdesk.model --data queries.jsonl");
}

} // namespace sluice::ctl
