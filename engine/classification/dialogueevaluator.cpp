#include "engine/classification/dialogueevaluator.h"

#include "engine/classification/text/normaliser.h"

#include <fmt/format.h>

namespace sluice {

namespace {

/// The turns of one conversation as they are replayed.
struct Replay
{
    std::string lastIntent;
    std::string intentBefore;
    bool allRight = true;
    std::string system;

    QueryContext contextOf(const LabelledQuery& row, DialogueContext shown)
    {
        QueryContext context;
        if (shown == DialogueContext::None) {
            return context;
        }
        context.lastIntent = lastIntent;
        context.intentBefore = intentBefore;
        context.turn = row.turn;
        if (shown == DialogueContext::Text) {
            system = normalise(row.system);
            context.system = system;
        } else {
            context.acts = row.systemActs;
        }
        return context;
    }

    void remember(std::string_view intent)
    {
        intentBefore = std::move(lastIntent);
        lastIntent = intent;
    }
};

double share(std::size_t part, std::size_t whole)
{
    return whole == 0 ? 0.0 : double(part) / double(whole);
}

} // namespace

Result<DialogueContext> dialogueContextFromString(std::string_view name)
{
    if (name == "none") {
        return DialogueContext::None;
    }
    if (name == "text") {
        return DialogueContext::Text;
    }
    if (name == "acts") {
        return DialogueContext::Acts;
    }
    return inputError(
        fmt::format("there is no context \"{}\": none, text or acts is expected", name));
}

Result<DialogueEvaluation> evaluateDialogues(const Model& model,
    const CompiledThresholds& thresholds, std::span<const LabelledQuery> rows,
    DialogueContext context, const std::atomic<bool>* cancel)
{
    DialogueEvaluation result;
    std::size_t rightFirst = 0;
    std::size_t rightFollowUp = 0;
    std::size_t rightDialogues = 0;
    Replay replay;
    for (const LabelledQuery& row : rows) {
        if (cancel != nullptr && *cancel) {
            return cancelledError("the evaluation was stopped");
        }
        if (row.dialogue < 0) {
            continue;
        }
        if (row.turn == 1) {
            rightDialogues += result.dialogues > 0 && replay.allRight ? 1U : 0U;
            ++result.dialogues;
            replay = Replay();
        }
        const Scores scores = model.score(normalise(row.text), 2, replay.contextOf(row, context));
        const bool right = row.isOutOfScope()
            ? thresholds.verdict(scores.top, {row.turn > 1, 0}) != Verdict::Accept
            : !scores.top.empty()
                && model.labels()[std::size_t(scores.top.front().label)] == row.intent;
        ++result.turns;
        (row.turn == 1 ? rightFirst : rightFollowUp) += right ? 1U : 0U;
        replay.allRight = replay.allRight && right;
        replay.remember(model.predicted(scores));
    }
    rightDialogues += result.dialogues > 0 && replay.allRight ? 1U : 0U;
    result.followUps = result.turns - result.dialogues;
    result.accuracyAll = share(rightFirst + rightFollowUp, result.turns);
    result.accuracyFirstTurn = share(rightFirst, result.dialogues);
    result.accuracyFollowUp = share(rightFollowUp, result.followUps);
    result.dialoguesRight = share(rightDialogues, result.dialogues);
    return result;
}

} // namespace sluice
