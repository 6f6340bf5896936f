#include "app/sluicectl/command.h"
#include "app/sluicectl/suite.h"
#include "app/sluicectl/thresholdinput.h"

#include "engine/classification/dialogueevaluator.h"
#include "engine/classification/evaluator.h"
#include "engine/classification/model/calibration.h"

#include <chrono>
#include <fmt/format.h>

namespace sluice::ctl {

namespace {

struct EvaluateArguments : LabelledInput
{
    std::string model;
    std::string thresholds;
    std::string calibrate;
    std::string calibrateSplit = "val";
    std::string context = "text";
    SuiteArguments suite;
};

Result<ThresholdSet> thresholdsOf(const Model& model, const std::string& file)
{
    if (file.empty()) {
        return model.defaultThresholds();
    }
    return readThresholds(file);
}

/// The global threshold that is best on other labelled rows (bestThreshold(), calibration.h).
Result<double> thresholdFrom(const Model& model, const EvaluateArguments& arguments)
{
    const auto split = splitFromString(arguments.calibrateSplit);
    if (!split) {
        return split.error();
    }
    auto data = readLabelledData(std::filesystem::path(arguments.calibrate));
    if (!data) {
        return data.error();
    }
    const auto queries = data->part(*split);
    if (queries.empty()) {
        return inputError(
            "--calibrate: the data has no row of the split \"" + arguments.calibrateSplit + "\"");
    }
    std::vector<ConfidenceRow> rows;
    for (const ScoredRow& row : scoreRows(model, queries, {}, &interrupted())) {
        rows.push_back({row.candidates > 0 ? row.top[0].confidence : 0.0, row.isRight(),
            row.label == ScoredRow::outOfScopeLabel});
    }
    return bestThreshold(std::move(rows));
}

/// The answer for conversations, beside that for single queries.
Result<void> addDialogues(const Output& output, boost::json::object& object, const Model& model,
    const CompiledThresholds& thresholds, std::span<const LabelledQuery> queries,
    const std::string& contextName)
{
    const auto context = dialogueContextFromString(contextName);
    if (!context) {
        return context.error();
    }
    const auto found = evaluateDialogues(model, thresholds, queries, *context, &interrupted());
    if (!found) {
        return found.error();
    }
    if (found->dialogues == 0) {
        return {};
    }
    object["accuracy_all"] = found->accuracyAll;
    object["accuracy_first_turn"] = found->accuracyFirstTurn;
    object["accuracy_follow_up"] = found->accuracyFollowUp;
    object["dialogues_right"] = found->dialoguesRight;
    object["n_dialogues"] = found->dialogues;
    object["n_turns"] = found->turns;
    object["n_follow_up"] = found->followUps;
    object["context"] = contextName;
    output.line(fmt::format(
        "{} conversations, {} turns, context: {}", found->dialogues, found->turns, contextName));
    output.line(fmt::format(
        "right: all turns {:.2f} %, first {:.2f} %, later {:.2f} %, whole conversations {:.2f} %",
        found->accuracyAll * 100, found->accuracyFirstTurn * 100, found->accuracyFollowUp * 100,
        found->dialoguesRight * 100));
    return {};
}

int evaluate(const Output& output, const EvaluateArguments& arguments)
{
    if (!arguments.suite.file.empty()) {
        return runSuite(output, arguments.suite, arguments.model, arguments.thresholds);
    }
    if (arguments.model.empty() || arguments.data.empty()) {
        return output.fail(inputError("--model and --data are required, or --suite"));
    }
    const auto labelled = arguments.read();
    if (!labelled) {
        return output.fail(labelled.error());
    }
    const std::vector<LabelledQuery>& queries = labelled->queries;
    auto model = Model::load(arguments.model);
    if (!model) {
        return output.fail(model.error());
    }
    auto set = thresholdsOf(*model, arguments.thresholds);
    if (!set) {
        return output.fail(set.error());
    }
    if (!arguments.calibrate.empty()) {
        const auto threshold = thresholdFrom(*model, arguments);
        if (!threshold) {
            return output.fail(threshold.error());
        }
        set->global = *threshold;
    }
    auto thresholds = CompiledThresholds::compile(*set, model->labels(), model->hash());
    if (!thresholds) {
        return output.fail(thresholds.error());
    }
    const auto begin = std::chrono::steady_clock::now();
    const auto rows = scoreRows(*model, queries, {}, &interrupted());
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    if (rows.size() < queries.size()) {
        return output.fail(cancelledError("the evaluation was stopped"));
    }
    const Evaluation result = sluice::evaluate(rows, *thresholds);
    boost::json::object object{{"accuracy_in_scope", result.accuracyInScope},
        {"accuracy_at_threshold", result.accuracyAtThreshold},
        {"oos_recall", result.outOfScopeRecall}, {"oos_auroc", result.outOfScopeAuroc},
        {"oos_fpr95", result.outOfScopeFpr95}, {"ece", result.calibrationError},
        {"threshold", set->global}, {"accuracy_after_rule", result.outcome.accuracyInScope()},
        {"oos_recall_after_rule", result.outcome.outOfScopeRecall()},
        {"coverage", result.outcome.coverage()},
        {"error_rate_accepted", result.outcome.errorRate()}, {"n_in_scope", result.inScope},
        {"n_oos", result.outOfScope}, {"n_unknown_intent", result.unknownIntents},
        {"split", arguments.split}, {"model", model->hash()}, {"seconds", seconds}};
    if (auto added = addDialogues(output, object, *model, *thresholds, queries, arguments.context);
        !added) {
        return output.fail(added.error());
    }
    output.object(object);
    output.line(fmt::format(
        "{} in scope, {} out of scope ({})", result.inScope, result.outOfScope, arguments.split));
    output.line(fmt::format(
        "accuracy in scope          {:6.2f} %   first candidate right, nothing rejected",
        result.accuracyInScope * 100));
    output.line(fmt::format("accuracy at threshold      {:6.2f} %   right and at or above {:.3f}",
        result.accuracyAtThreshold * 100, set->global));
    output.line(fmt::format(
        "out-of-scope recall        {:6.2f} %   below it", result.outOfScopeRecall * 100));
    output.line(fmt::format("after the whole rule       {:6.2f} %   accepted and right; out of "
                            "scope not accepted {:.2f} %",
        result.outcome.accuracyInScope() * 100, result.outcome.outOfScopeRecall() * 100));
    output.line(fmt::format("out-of-scope AUROC / FPR95 {:6.2f} / {:.2f}",
        result.outOfScopeAuroc * 100, result.outOfScopeFpr95 * 100));
    output.line(
        fmt::format("coverage                   {:6.2f} %   wrong among the accepted {:.2f} %",
            result.outcome.coverage() * 100, result.outcome.errorRate() * 100));
    output.line(fmt::format("calibration error (ECE)    {:6.4f}", result.calibrationError));
    if (result.unknownIntents > 0) {
        output.line(
            fmt::format("{} rows name intents that the model does not have; they count as wrong",
                result.unknownIntents));
    }
    return 0;
}

} // namespace

void addEvaluate(CLI::App& app, Commands& commands)
{
    auto arguments = std::make_shared<EvaluateArguments>();
    CLI::App* sub = commands.add(app, "evaluate", "Judge a model on labelled queries",
        [&commands, arguments] { return evaluate(commands.output, *arguments); });
    sub->add_option("--model", arguments->model,
        "model file (required with --data; with --suite the bundled one where it is missing)");
    arguments->addTo(*sub);
    sub->get_option("--data")->required(false); // or a suite
    sub->add_option("--thresholds", arguments->thresholds,
        "threshold set, JSON (default: the one trained with the model)");
    sub->add_option("--calibrate", arguments->calibrate,
        "choose the global threshold on these labelled queries: the best accuracy where rejecting "
        "an out-of-scope row counts as right");
    sub->add_option("--calibrate-split", arguments->calibrateSplit, "the split of --calibrate")
        ->capture_default_str();
    sub->add_option("--context", arguments->context,
           "what of a conversation is shown: none, text (what the system said) or acts (what it "
           "did)")
        ->capture_default_str();
    addSuiteOptions(*sub, arguments->suite);
    sub->footer("Conversations (a dialogue a line) are run turn by turn, feeding back the model's "
                "own predictions.\n"
                "Example: sluicectl evaluate --model helpdesk.model --data queries.jsonl --json\n"
                "A suite of test cases, here or on a worker; exit code 1 when a case fails:\n"
                "Example: sluicectl evaluate --suite smoke.jsonl --target http://127.0.0.1:8080");
}

} // namespace sluice::ctl
