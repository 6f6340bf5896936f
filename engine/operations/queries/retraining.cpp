#include "engine/operations/queries/retraining.h"

#include <algorithm>
#include <iterator>

namespace sluice::ops {

namespace {

constexpr double trainingShare = 0.9; ///< of the progress; the rest is judging

/// Test rows; where there are none, calibration rows. Rows without a split trained the model.
std::vector<LabelledQuery> heldOutRows(const LabelledData& data, Split& split)
{
    for (const Split wanted : {Split::Test, Split::Calibration}) {
        std::vector<LabelledQuery> rows;
        for (const LabelledQuery& row : data.queries) {
            if (row.split == wanted) {
                rows.push_back(row);
            }
        }
        if (!rows.empty()) {
            split = wanted;
            return rows;
        }
    }
    split = Split::None;
    return {};
}

struct Judgement
{
    Evaluation queries;
    DialogueEvaluation talks;
};

/// Queries of their own, and conversations turn by turn.
Result<Judgement> judge(
    const Model& model, std::span<const LabelledQuery> rows, const std::atomic<bool>* cancel)
{
    const auto thresholds =
        CompiledThresholds::compile(model.defaultThresholds(), model.labels(), model.hash());
    if (!thresholds) {
        return thresholds.error();
    }
    std::vector<LabelledQuery> single;
    std::copy_if(rows.begin(), rows.end(), std::back_inserter(single),
        [](const LabelledQuery& row) { return row.dialogue < 0; });
    const auto scored = scoreRows(model, single, {}, cancel);
    if (scored.size() < single.size()) {
        return cancelledError("The retraining was stopped.");
    }
    auto talks = evaluateDialogues(model, *thresholds, rows, DialogueContext::Text, cancel);
    if (!talks) {
        return talks.error();
    }
    return Judgement{evaluate(scored, *thresholds), *talks};
}

} // namespace

Result<Retrained> retrain(const RetrainOptions& options, const Model& inUse,
    const std::function<void(double, const QString&)>& progress, const std::atomic<bool>* cancel)
{
    auto data = readLabelledData(options.data);
    if (!data) {
        return data.error();
    }
    TrainingOptions training;
    training.tier = options.tier;
    training.vectors = options.vectors;
    training.seed = options.seed;
    training.cnns = options.cnns;
    training.cancel = cancel;
    const int members = options.tier == Tier::Fast ? 1 : 1 + options.cnns;
    std::string member;
    int begun = 0;
    training.progress = [&](const TrainingProgress& now) {
        if (member != now.member) {
            member = now.member;
            ++begun;
        }
        const double share =
            (begun - 1 + double(now.epoch) / std::max(1, now.epochs)) / double(members);
        progress(std::min(1.0, share) * trainingShare,
            QStringLiteral("%1, epoch %2 of %3")
                .arg(QString::fromStdString(member))
                .arg(now.epoch)
                .arg(now.epochs));
    };
    auto model = Model::train(*data, training);
    if (!model) {
        return model.error();
    }
    Retrained result;
    result.model = std::make_shared<const Model>(std::move(*model));
    result.rows = data->report.rows;
    result.duplicates = data->report.duplicates;
    result.conflicts = data->report.conflicts.size();
    result.sawTheSame = result.model->dataHash() == inUse.dataHash();
    const auto rows = heldOutRows(*data, result.heldOut);
    result.heldOutRows = rows.size();
    if (!rows.empty()) {
        progress(trainingShare, QStringLiteral("judging both models"));
        auto now = judge(*result.model, rows, cancel);
        if (!now) {
            return now.error();
        }
        auto before = judge(inUse, rows, cancel);
        if (!before) {
            return before.error();
        }
        result.now = now->queries;
        result.talksNow = now->talks;
        result.before = before->queries;
        result.talksBefore = before->talks;
    }
    return result;
}

QJsonObject scoresOf(const Evaluation& evaluation)
{
    return {{QStringLiteral("accuracy_in_scope"), evaluation.accuracyInScope},
        {QStringLiteral("accuracy_at_threshold"), evaluation.accuracyAtThreshold},
        {QStringLiteral("oos_recall"), evaluation.outOfScopeRecall},
        {QStringLiteral("oos_auroc"), evaluation.outOfScopeAuroc},
        {QStringLiteral("ece"), evaluation.calibrationError},
        {QStringLiteral("coverage"), evaluation.outcome.coverage()},
        {QStringLiteral("error_rate_accepted"), evaluation.outcome.errorRate()},
        {QStringLiteral("n_in_scope"), double(evaluation.inScope)},
        {QStringLiteral("n_oos"), double(evaluation.outOfScope)}};
}

} // namespace sluice::ops
