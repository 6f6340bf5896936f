#include "engine/operations/thresholds/tuningdata.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <unordered_set>

namespace sluice::ops {

namespace {

bool served(const LabelledQuery& query)
{
    return query.split == Split::Train || query.split == Split::Validation;
}

/// Texts of the training and validation part: the model has seen them.
std::unordered_set<std::string_view> seenTexts(const LabelledData& data)
{
    std::unordered_set<std::string_view> seen;
    for (const LabelledQuery& query : data.queries) {
        if (served(query)) {
            seen.insert(query.text);
        }
    }
    return seen;
}

bool calibrates(const ScoredRow& row)
{
    return row.split == Split::Calibration || row.split == Split::None;
}

} // namespace

std::vector<ScoredRow> TuningData::calibration() const
{
    std::vector<ScoredRow> found;
    std::copy_if(rows.begin(), rows.end(), std::back_inserter(found), calibrates);
    return found;
}

std::string TuningData::calibrationHash() const
{
    std::vector<LabelledQuery> found;
    for (const ScoredRow& row : rows) {
        if (calibrates(row)) {
            found.push_back(queries[row.query]);
        }
    }
    return hashOf(found);
}

DataPreview previewOf(const LabelledData& data, std::string source, const Model& model)
{
    DataPreview preview;
    preview.source = std::move(source);
    preview.report = data.report;
    const auto& labels = model.labels();
    const std::set<std::string_view> known(labels.begin(), labels.end());
    const auto seen = seenTexts(data);
    std::set<std::string_view> intents;
    bool declared = false;
    for (const LabelledQuery& query : data.queries) {
        ++preview.splits[query.split];
        declared = declared || query.split == Split::Calibration;
        if (query.isOutOfScope()) {
            ++preview.outOfScope;
        } else {
            intents.insert(query.intent);
            if (!known.contains(query.intent)) {
                ++preview.unknown[query.intent];
            }
        }
        if (!served(query)) {
            ++(seen.contains(query.text) ? preview.seen : preview.heldOut);
        }
    }
    preview.intents = intents.size();
    preview.undeclared = !declared;
    return preview;
}

Result<TuningData> tuningData(const LabelledData& data, std::string source, const Model& model,
    const std::function<void(double)>& progress, const std::atomic<bool>* cancel)
{
    TuningData found;
    found.preview = previewOf(data, std::move(source), model);
    if (found.preview.heldOut == 0) {
        return inputError("every row of " + found.preview.source
            + " belongs to training or validation: nothing is held out to judge on");
    }
    const auto seen = seenTexts(data);
    std::vector<LabelledQuery> validation;
    for (const LabelledQuery& query : data.queries) {
        if (query.split == Split::Validation) {
            validation.push_back(query);
        } else if (!served(query) && !seen.contains(query.text)) {
            found.queries.push_back(query);
        }
    }
    const double all = double(found.queries.size() + validation.size());
    std::size_t before = 0;
    const auto tell = [&](std::size_t done) {
        if (progress) {
            progress(double(before + done) / all);
        }
    };
    found.rows = scoreRows(model, found.queries, tell, cancel);
    before = found.queries.size();
    found.validation = scoreRows(model, validation, tell, cancel);
    if (found.rows.size() < found.queries.size() || found.validation.size() < validation.size()) {
        return cancelledError("scoring was stopped");
    }
    return found;
}

} // namespace sluice::ops
