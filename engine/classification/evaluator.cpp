#include "engine/classification/evaluator.h"

#include "engine/base/sha256.h"
#include "engine/classification/evaluation/metrics.h"
#include "engine/classification/text/normaliser.h"

#include <algorithm>
#include <unordered_map>

namespace sluice {

std::vector<ScoredRow> scoreRows(const Model& model, std::span<const LabelledQuery> queries,
    const std::function<void(std::size_t)>& progress, const std::atomic<bool>* cancel)
{
    std::unordered_map<std::string_view, int> labels;
    for (std::size_t index = 0; index < model.labels().size(); ++index) {
        labels.emplace(model.labels()[index], int(index));
    }
    std::vector<ScoredRow> rows;
    rows.reserve(queries.size());
    for (std::size_t index = 0; index < queries.size(); ++index) {
        if (index % 256 == 0) {
            if (cancel != nullptr && *cancel) {
                break;
            }
            if (progress) {
                progress(index);
            }
        }
        const LabelledQuery& query = queries[index];
        const Scores scores = model.score(normalise(query.text), 2);
        ScoredRow row;
        row.query = index;
        row.split = query.split;
        row.outOfScope = scores.outOfScope;
        row.candidates = int(scores.top.size());
        std::copy(scores.top.begin(), scores.top.end(), row.top.begin());
        if (!query.isOutOfScope()) {
            const auto found = labels.find(query.intent);
            row.label = found == labels.end() ? ScoredRow::unknownLabel : found->second;
        }
        rows.push_back(row);
    }
    return rows;
}

Outcome outcomeOf(std::span<const ScoredRow> rows, const CompiledThresholds& thresholds)
{
    Outcome outcome;
    for (const ScoredRow& row : rows) {
        const bool out = row.label == ScoredRow::outOfScopeLabel;
        (out ? outcome.outOfScope : outcome.inScope) += 1;
        switch (thresholds.verdict(row.span(), {})) {
        case Verdict::Accept:
            ++outcome.accepted;
            outcome.acceptedRight += row.isRight() ? 1U : 0U;
            outcome.acceptedOutOfScope += out ? 1U : 0U;
            continue;
        case Verdict::Clarify:
            ++outcome.clarified;
            break;
        case Verdict::Fallback:
            ++outcome.fallback;
            break;
        }
        outcome.rejectedOutOfScope += out ? 1U : 0U;
    }
    return outcome;
}

std::vector<IntentOutcome> intentOutcomes(
    std::span<const ScoredRow> rows, const CompiledThresholds& thresholds, std::size_t labels)
{
    std::vector<IntentOutcome> outcomes(labels);
    for (const ScoredRow& row : rows) {
        const bool accepted = thresholds.verdict(row.span(), {}) == Verdict::Accept;
        if (row.label >= 0) {
            IntentOutcome& own = outcomes[std::size_t(row.label)];
            ++own.support;
            own.accepted += accepted ? 1U : 0U;
            own.right += accepted && row.isRight() ? 1U : 0U;
        }
        if (accepted) {
            ++outcomes[std::size_t(row.top[0].label)].predicted;
        }
    }
    return outcomes;
}

std::vector<RiskPoint> riskCoverage(std::span<const ScoredRow> rows, std::size_t most)
{
    struct Item
    {
        double confidence;
        bool right;
    };
    std::vector<Item> items;
    items.reserve(rows.size());
    for (const ScoredRow& row : rows) {
        items.push_back({row.candidates > 0 ? row.top[0].confidence : 0.0, row.isRight()});
    }
    std::sort(items.begin(), items.end(),
        [](const Item& a, const Item& b) { return a.confidence > b.confidence; });
    std::vector<RiskPoint> curve;
    const std::size_t step =
        std::max<std::size_t>(1, items.size() / std::max<std::size_t>(most, 1));
    std::size_t wrong = 0;
    for (std::size_t index = 0; index < items.size(); ++index) {
        wrong += items[index].right ? 0U : 1U;
        const bool last = index + 1 == items.size();
        const bool tied = !last && items[index + 1].confidence == items[index].confidence;
        if ((index % step == step - 1 && !tied) || last) {
            curve.push_back({items[index].confidence, double(index + 1) / double(items.size()),
                double(wrong) / double(index + 1)});
        }
    }
    return curve;
}

Evaluation evaluate(std::span<const ScoredRow> rows, const CompiledThresholds& thresholds)
{
    Evaluation result;
    result.outcome = outcomeOf(rows, thresholds);
    result.inScope = result.outcome.inScope;
    result.outOfScope = result.outcome.outOfScope;
    std::vector<ScoredTruth> outOfScopeScores;
    std::vector<ScoredTruth> inScopeScores;
    std::vector<ScoredTruth> confidences;
    std::size_t right = 0;
    std::size_t rightAbove = 0;
    std::size_t outBelow = 0;
    for (const ScoredRow& row : rows) {
        const bool out = row.label == ScoredRow::outOfScopeLabel;
        const bool above = row.candidates > 0
            && row.top[0].confidence >= thresholds.threshold(row.top[0].label, {});
        rightAbove += above && row.isRight() ? 1U : 0U;
        outBelow += out && !above ? 1U : 0U;
        result.unknownIntents += row.label == ScoredRow::unknownLabel ? 1U : 0U;
        right += row.isRight() ? 1U : 0U;
        outOfScopeScores.push_back({row.outOfScope, out});
        inScopeScores.push_back({1.0 - row.outOfScope, !out});
        confidences.push_back({row.candidates > 0 ? row.top[0].confidence : 0.0, row.isRight()});
    }
    const auto share = [](std::size_t part, std::size_t whole) {
        return whole == 0 ? 0.0 : double(part) / double(whole);
    };
    result.accuracyInScope = share(right, result.inScope);
    result.accuracyAtThreshold = share(rightAbove, result.inScope);
    result.outOfScopeRecall = share(outBelow, result.outOfScope);
    result.outOfScopeAuroc = areaUnderRoc(outOfScopeScores);
    result.outOfScopeFpr95 = falsePositiveRateAt95(inScopeScores);
    result.calibrationError = expectedCalibrationError(confidences);
    return result;
}

namespace {

RowUse useOf(Split split)
{
    switch (split) {
    case Split::Train:
        return RowUse::Training;
    case Split::Validation:
        return RowUse::Stopping;
    case Split::Calibration:
        return RowUse::HeldOut;
    case Split::Test:
    case Split::None:
        break;
    }
    return RowUse::Undeclared;
}

/// JudgedRow::score: the confidence less what the intent adds to the global threshold.
double scoreOf(const ScoredRow& row, const CompiledThresholds& thresholds, OwnThresholds own)
{
    if (row.candidates == 0) {
        return JudgedRow::never;
    }
    const double first = row.top[0].confidence;
    const double second = row.candidates > 1 ? row.top[1].confidence : 0.0;
    if (first - second < thresholds.set().margin) {
        return JudgedRow::never;
    }
    const CompiledThresholds::Base base = thresholds.base(row.top[0].label);
    if (base.own && own == OwnThresholds::Keep) {
        return first >= thresholds.threshold(row.top[0].label, {}) ? JudgedRow::always
                                                                   : JudgedRow::never;
    }
    // A threshold is at most 1, whatever is added: certainty passes any.
    return first >= 1.0 ? JudgedRow::always : std::min(first - base.sensitive, 1.0);
}

} // namespace

std::vector<JudgedRow> judgedRows(
    std::span<const ScoredRow> rows, const CompiledThresholds& thresholds, OwnThresholds own)
{
    std::vector<JudgedRow> judged;
    judged.reserve(rows.size());
    for (const ScoredRow& row : rows) {
        judged.push_back({scoreOf(row, thresholds, own), row.label,
            row.candidates > 0 ? row.top[0].label : -1, useOf(row.split)});
    }
    return judged;
}

std::vector<GridScore> gridScores(std::span<const JudgedRow> rows)
{
    std::vector<GridScore> scores;
    scores.reserve(rows.size());
    for (const JudgedRow& row : rows) {
        scores.push_back({row.score, row.predicted});
    }
    return scores;
}

std::vector<RecordedRow> recordedRows(std::span<const ScoredRow> rows)
{
    std::vector<RecordedRow> recorded;
    recorded.reserve(rows.size());
    for (const ScoredRow& row : rows) {
        RecordedRow& one = recorded.emplace_back();
        one.first = row.candidates > 0 ? float(row.top[0].confidence) : 0.0F;
        one.second = row.candidates > 1 ? float(row.top[1].confidence) : 0.0F;
        one.predicted = row.candidates > 0 ? row.top[0].label : -1;
        one.label = row.label == ScoredRow::unknownLabel ? RecordedRow::outOfScope : row.label;
    }
    return recorded;
}

std::string hashOf(std::span<const LabelledQuery> queries)
{
    std::string all;
    for (const LabelledQuery& query : queries) {
        all.append(query.text).append(1, '\t').append(query.intent).append(1, '\n');
    }
    return sha256Hex(all);
}

} // namespace sluice
