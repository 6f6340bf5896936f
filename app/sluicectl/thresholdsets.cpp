#include "app/sluicectl/thresholdinput.h"
#include "engine/operations/thresholds/publishedthresholds.h"
#include "engine/operations/thresholds/recordedtraffic.h"

#include "engine/classification/thresholds/changes.h"
#include "engine/classification/thresholds/statistics.h"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <fmt/format.h>

namespace sluice::ctl {

namespace {

namespace json = boost::json;

struct SetArguments
{
    std::string before;
    std::string after;
    std::string base;
    std::string out;
    ThresholdInput input;
    std::string live;
    std::size_t list = 20;
    bool traffic = false;
    EnvironmentOptions environment;
    std::string user = "tester";
    std::string pool = "blue";
    std::size_t rows = 100000;
};

json::value toJson(const std::optional<Setting>& setting)
{
    return setting ? std::visit([](const auto& value) { return json::value(value); }, *setting)
                   : json::value(nullptr);
}

int diffCommand(const Output& output, const SetArguments& arguments)
{
    const auto before = readThresholds(arguments.before);
    const auto after = readThresholds(arguments.after);
    if (!before || !after) {
        return output.fail(!before ? before.error() : after.error());
    }
    json::array changes;
    for (const ThresholdChange& change : diff(*before, *after)) {
        output.line(toText(change));
        changes.push_back(
            json::object{{"kind", toString(change.key.kind)}, {"name", change.key.name},
                {"before", toJson(change.before)}, {"after", toJson(change.after)}});
    }
    if (changes.empty()) {
        output.line("the sets decide alike");
    }
    output.object({{"changes", std::move(changes)}});
    return 0;
}

int mergeCommand(const Output& output, const SetArguments& arguments)
{
    const auto base = readThresholds(arguments.base);
    const auto ours = readThresholds(arguments.before);
    const auto theirs = readThresholds(arguments.after);
    for (const auto* set : {&base, &ours, &theirs}) {
        if (!*set) {
            return output.fail(set->error());
        }
    }
    const ThresholdMerge merged = merge(*base, *ours, *theirs);
    json::array conflicts;
    for (const MergeConflict& conflict : merged.conflicts) {
        output.line("conflict: " + toText(conflict));
        conflicts.push_back(json::object{{"kind", toString(conflict.key.kind)},
            {"name", conflict.key.name}, {"base", toJson(conflict.base)},
            {"ours", toJson(conflict.ours)}, {"theirs", toJson(conflict.theirs)}});
    }
    const bool clean = conflicts.empty();
    if (clean) {
        if (arguments.out.empty()) {
            output.line(merged.merged.toJson());
        } else if (auto written = writeThresholds(arguments.out, merged.merged); !written) {
            return output.fail(written.error());
        }
    }
    output.object({{"conflicts", std::move(conflicts)},
        {"set", clean ? json::parse(merged.merged.toJson()) : json::value(nullptr)}});
    return clean ? 0 : 1;
}

/// How often each verdict became which: {"accept": {"accept": 10, "clarify": 2, "fallback": 0}...}
json::object matrixOf(const Replay& replay)
{
    constexpr std::array verdicts{Verdict::Accept, Verdict::Clarify, Verdict::Fallback};
    json::object matrix;
    for (const Verdict from : verdicts) {
        json::object row;
        for (const Verdict to : verdicts) {
            row[toString(to)] = replay.flips[std::size_t(from)][std::size_t(to)];
        }
        matrix[toString(from)] = std::move(row);
    }
    return matrix;
}

/// The set that `flips` compares with: a file's, or what the pool serves now.
Result<ThresholdSet> liveSet(
    const SetArguments& arguments, ops::RedisClient& client, const Model& model)
{
    if (!arguments.live.empty()) {
        return readThresholds(arguments.live);
    }
    ops::PublishedThresholds published(&client);
    auto active =
        await<std::optional<ThresholdSet>>(3000, "Redis", [&](QObject* context, auto answered) {
            published.active(QString::fromStdString(arguments.pool), context, answered);
        });
    if (!active) {
        return active.error();
    }
    return *active ? std::move(**active) : model.defaultThresholds();
}

/// What a draft would have decided otherwise of what the workers logged. Nothing is labelled there,
/// so nobody can say whether that is better.
int flipsOfTraffic(const Output& output, const SetArguments& arguments)
{
    const auto model = Model::load(arguments.input.model);
    if (!model) {
        return output.fail(model.error());
    }
    const auto draft = arguments.input.thresholds.empty()
        ? Result<ThresholdSet>(model->defaultThresholds())
        : readThresholds(arguments.input.thresholds);
    if (!draft) {
        return output.fail(draft.error());
    }
    const auto chosen = arguments.environment.choose();
    if (!chosen) {
        return output.fail(chosen.error());
    }
    const auto client = connectRedis(*chosen, QString::fromStdString(arguments.user));
    if (!client) {
        return output.fail(client.error());
    }
    const auto live = liveSet(arguments, **client, *model);
    if (!live) {
        return output.fail(live.error());
    }
    const auto before = CompiledThresholds::compile(*live, model->labels(), model->hash());
    const auto after = CompiledThresholds::compile(*draft, model->labels(), model->hash());
    if (!before || !after) {
        return output.fail(!before ? before.error() : after.error());
    }
    ops::TrafficReader reader(client->get());
    const auto traffic = await<ops::RecordedTraffic>(60000, "Redis", [&](QObject*, auto answered) {
        reader.read(model->labels(), model->hash(), arguments.rows, {}, answered);
    });
    if (!traffic) {
        return output.fail(traffic.error());
    }
    const RecordedRows recorded(traffic->recorded, model->labels().size());
    const RecordedRows::Verdicts were = recorded.verdicts(*before);
    const Replay replay = recorded.replay(*after, were);
    output.line(
        fmt::format("{} of {} recorded queries would get another verdict ({} rows left out: "
                    "of other models or damaged)",
            replay.flipped(), recorded.size(), traffic->otherModels + traffic->damaged));
    const std::vector<ScoredRow> scored = traffic->scored();
    json::array queries;
    for (const std::uint32_t index : recorded.flipped(*after, were, arguments.list)) {
        const ScoredRow& row = scored[index];
        const DecisionContext& context = traffic->recorded[index].context;
        const auto from = toString(before->verdict(row.span(), context));
        const auto to = toString(after->verdict(row.span(), context));
        const std::int32_t first = traffic->recorded[index].predicted;
        const std::string predicted =
            first < 0 ? std::string() : model->labels()[std::size_t(first)];
        const std::string& query = traffic->rows[index].query;
        output.line(fmt::format("  {:8} -> {:8} {:.4f} {:24} {}", from, to,
            traffic->recorded[index].first, predicted, query));
        queries.push_back(json::object{{"query", query}, {"predicted", predicted},
            {"confidence", traffic->recorded[index].first}, {"from", from}, {"to", to}});
    }
    output.object({{"rows", recorded.size()}, {"flipped", replay.flipped()},
        {"other_models", traffic->otherModels}, {"damaged", traffic->damaged},
        {"verdicts", matrixOf(replay)}, {"queries", std::move(queries)}});
    return 0;
}

int flips(const Output& output, const SetArguments& arguments)
{
    if (arguments.traffic) {
        return flipsOfTraffic(output, arguments);
    }
    if (arguments.input.data.empty()) {
        return output.fail(inputError("thresholds flips: give --data FILE or --traffic"));
    }
    const auto input = loadInput(arguments.input);
    if (!input) {
        return output.fail(input.error());
    }
    auto live = arguments.live.empty() ? Result<ThresholdSet>(input->model.defaultThresholds())
                                       : readThresholds(arguments.live);
    if (!live) {
        return output.fail(live.error());
    }
    const auto compiled =
        CompiledThresholds::compile(*live, input->model.labels(), input->model.hash());
    if (!compiled) {
        return output.fail(compiled.error());
    }
    const RecordedRows recorded(recordedRows(input->rows), input->model.labels().size());
    const RecordedRows::Verdicts before = recorded.verdicts(*compiled);
    const Replay replay = recorded.replay(input->thresholds, before);
    const double pValue = mcnemar(replay.worse, replay.better);
    output.line(fmt::format("{} of {} queries get another verdict; handled right that were not: "
                            "{}, no longer: {} (McNemar p = {:.3g})",
        replay.flipped(), recorded.size(), replay.better, replay.worse, pValue));
    json::array queries;
    for (const std::uint32_t index : recorded.flipped(input->thresholds, before, arguments.list)) {
        const ScoredRow& row = input->rows[index];
        const LabelledQuery& query = input->queries[index];
        const auto from = toString(compiled->verdict(row.span(), {}));
        const auto to = toString(input->thresholds.verdict(row.span(), {}));
        const std::string& predicted = input->model.labels()[std::size_t(row.top[0].label)];
        output.line(fmt::format("  {:8} -> {:8} {:.4f} {:24} {:24} {}", from, to,
            row.top[0].confidence, predicted, query.intent, query.text));
        queries.push_back(
            json::object{{"query", query.text}, {"intent", query.intent}, {"predicted", predicted},
                {"confidence", row.top[0].confidence}, {"from", from}, {"to", to}});
    }
    output.object({{"rows", recorded.size()}, {"flipped", replay.flipped()},
        {"better", replay.better}, {"worse", replay.worse}, {"p_value", pValue},
        {"verdicts", matrixOf(replay)}, {"queries", std::move(queries)}});
    return 0;
}

} // namespace

void addThresholdSets(CLI::App& group, Commands& commands)
{
    auto arguments = std::make_shared<SetArguments>();
    CLI::App* sub = commands.add(group, "diff", "What two threshold sets decide differently",
        [&commands, arguments] { return diffCommand(commands.output, *arguments); });
    sub->add_option("BEFORE", arguments->before, "threshold set, JSON")->required();
    sub->add_option("AFTER", arguments->after, "threshold set, JSON")->required();

    sub = commands.add(group, "merge",
        "Both sides' changes to a common set; exit code 1 when they contradict each other",
        [&commands, arguments] { return mergeCommand(commands.output, *arguments); });
    sub->add_option("BASE", arguments->base, "the set that both began with")->required();
    sub->add_option("OURS", arguments->before, "threshold set, JSON")->required();
    sub->add_option("THEIRS", arguments->after, "threshold set, JSON")->required();
    sub->add_option("--out", arguments->out, "writes the merged set (default: prints it)");

    sub = commands.add(group, "flips",
        "Queries that would get another verdict than from the live set, and whether that is better",
        [&commands, arguments] { return flips(commands.output, *arguments); });
    arguments->input.addTo(*sub);
    sub->add_option("--live", arguments->live,
        "the set to compare with (default: the one trained with the model)");
    sub->add_option("--list", arguments->list, "how many of the queries to name")
        ->capture_default_str();
    sub->get_option("--data")->required(false);
    sub->add_flag("--traffic", arguments->traffic,
        "of what the workers logged in Redis instead; --live is the set that --pool serves then");
    arguments->environment.addTo(*sub);
    sub->add_option("--pool", arguments->pool, "with --traffic: blue or green")
        ->capture_default_str();
    sub->add_option("--user", arguments->user, "with --traffic: Redis ACL user")
        ->capture_default_str();
    sub->add_option("--rows", arguments->rows, "with --traffic: at most so many, the newest")
        ->capture_default_str()
        ->check(CLI::Range(1, 1000000));
    sub->footer("Example: sluicectl thresholds flips --model helpdesk.model --data queries.jsonl "
                "--split test --thresholds draft.json --live live.json");
}

} // namespace sluice::ctl
