#include "app/sluicectl/thresholdinput.h"

#include "engine/base/file.h"
#include "engine/base/json.h"

#include <boost/json/object.hpp>
#include <fmt/format.h>
#include <unordered_set>

namespace sluice::ctl {

Result<ThresholdSet> readThresholds(const std::string& file)
{
    auto text = readFile(file, std::size_t(16) << 20);
    if (!text) {
        return text.error();
    }
    return ThresholdSet::fromJson(*text, file);
}

Result<void> writeThresholds(const std::string& file, const ThresholdSet& set)
{
    return writeFileAtomically(file, set.toJson() + "\n");
}

void ThresholdInput::addTo(CLI::App& app)
{
    app.add_option("--model", model, "model file")->required();
    LabelledInput::addTo(app);
    app.add_option("--thresholds", thresholds,
        "threshold set, JSON, that says margin and all else that is not tuned (default: the one "
        "trained with the model)");
}

Result<ScoredInput> loadInput(const ThresholdInput& input)
{
    auto labelled = input.read();
    if (!labelled) {
        return labelled.error();
    }
    auto model = Model::load(input.model);
    if (!model) {
        return model.error();
    }
    auto set = input.thresholds.empty() ? Result<ThresholdSet>(model->defaultThresholds())
                                        : readThresholds(input.thresholds);
    if (!set) {
        return set.error();
    }
    auto thresholds = CompiledThresholds::compile(*set, model->labels(), model->hash());
    if (!thresholds) {
        return thresholds.error();
    }
    auto& [data, queries] = *labelled;
    std::vector<ScoredRow> rows = scoreRows(*model, queries, {}, &interrupted());
    if (rows.size() < queries.size()) {
        return cancelledError("it was stopped while scoring");
    }
    return ScoredInput{std::move(*model), std::move(*set), std::move(*thresholds), std::move(data),
        std::move(queries), std::move(rows)};
}

std::size_t ScoredInput::leaveOutSeen()
{
    const auto served = [](const LabelledQuery& query) {
        return query.split == Split::Train || query.split == Split::Validation;
    };
    std::unordered_set<std::string_view> seen;
    for (const LabelledQuery& query : data.queries) {
        if (served(query)) {
            seen.insert(query.text);
        }
    }
    std::vector<LabelledQuery> freshQueries;
    std::vector<ScoredRow> freshRows;
    for (std::size_t index = 0; index < queries.size(); ++index) {
        // Rows that say themselves that they served are for the tuning to refuse.
        if (served(queries[index]) || !seen.contains(queries[index].text)) {
            freshRows.push_back(rows[index]);
            freshRows.back().query = freshQueries.size();
            freshQueries.push_back(std::move(queries[index]));
        }
    }
    const std::size_t leftOut = rows.size() - freshRows.size();
    queries = std::move(freshQueries);
    rows = std::move(freshRows);
    return leftOut;
}

void sayLeftOut(const Output& output, std::size_t rows)
{
    if (rows > 0) {
        output.progress(fmt::format(
            "{} rows left out: their texts stand in the training or validation part too", rows));
    }
}

Result<std::vector<ScoredRow>> scoreTraffic(const Model& model, const std::string& file)
{
    const auto text = readFile(file);
    if (!text) {
        return text.error();
    }
    std::vector<LabelledQuery> queries;
    int line = 0;
    for (std::size_t begin = 0; begin < text->size();) {
        const std::size_t end = std::min(text->find('\n', begin), text->size());
        const std::string_view content = std::string_view(*text).substr(begin, end - begin);
        begin = end + 1;
        ++line;
        if (content.find_first_not_of(" \t\r") == std::string_view::npos) {
            continue;
        }
        const std::string where = fmt::format("{}: line {}", file, line);
        const auto value = parseJson(content, where);
        if (!value) {
            return value.error();
        }
        const boost::json::object* object = value->if_object();
        const boost::json::value* query = nullptr;
        for (const char* name : {"query", "text"}) {
            const auto* found = object == nullptr ? nullptr : object->if_contains(name);
            query = found != nullptr && found->is_string() ? found : query;
        }
        if (query == nullptr) {
            return inputError(where + ": an object with \"text\" or \"query\" is expected");
        }
        queries.emplace_back().text = query->get_string();
    }
    if (queries.empty()) {
        return inputError(file + ": there is no query in it");
    }
    std::vector<ScoredRow> rows = scoreRows(model, queries, {}, &interrupted());
    if (rows.size() < queries.size()) {
        return cancelledError("it was stopped while scoring");
    }
    return rows;
}

} // namespace sluice::ctl
