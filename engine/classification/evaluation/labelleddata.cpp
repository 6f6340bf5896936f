#include "engine/classification/evaluation/labelleddata.h"

#include "engine/base/file.h"
#include "engine/classification/evaluation/importers.h"

#include <fmt/format.h>
#include <set>

namespace sluice {

std::string_view toString(Split split)
{
    switch (split) {
    case Split::Train:
        return "train";
    case Split::Validation:
        return "val";
    case Split::Calibration:
        return "calibration";
    case Split::Test:
        return "test";
    case Split::None:
        break;
    }
    return "";
}

Result<Split> splitFromString(std::string_view name)
{
    if (name == "train") {
        return Split::Train;
    }
    if (name == "val" || name == "validation") {
        return Split::Validation;
    }
    if (name == "calibration") {
        return Split::Calibration;
    }
    if (name == "test") {
        return Split::Test;
    }
    if (name.empty()) {
        return Split::None;
    }
    return inputError(
        fmt::format("there is no split \"{}\": train, val, calibration or test is expected", name));
}

Result<DataFormat> dataFormatFromString(std::string_view name)
{
    if (name == "auto") {
        return DataFormat::Auto;
    }
    if (name == "clinc") {
        return DataFormat::Clinc;
    }
    if (name == "csv") {
        return DataFormat::Csv;
    }
    if (name == "jsonl") {
        return DataFormat::Jsonl;
    }
    return inputError(
        fmt::format("there is no format \"{}\": auto, clinc, csv or jsonl is expected", name));
}

std::vector<LabelledQuery> LabelledData::part(Split split) const
{
    std::vector<LabelledQuery> rows;
    for (const LabelledQuery& query : queries) {
        if (query.split == split || query.split == Split::None) {
            rows.push_back(query);
        }
    }
    return rows;
}

std::vector<std::string> LabelledData::intents() const
{
    std::set<std::string> names;
    for (const LabelledQuery& query : queries) {
        if (!query.isOutOfScope()) {
            names.insert(query.intent);
        }
    }
    return {names.begin(), names.end()};
}

Result<LabelledData> readLabelledData(const std::filesystem::path& file, DataFormat format)
{
    auto text = readFile(file, std::size_t(1) << 30);
    if (!text) {
        return text.error();
    }
    if (format == DataFormat::Auto) {
        format = sniffFormat(*text);
    }
    auto rows = format == DataFormat::Clinc ? readClinc(*text, file.string())
        : format == DataFormat::Jsonl       ? readJsonl(*text, file.string())
                                            : readCsv(*text, file.string());
    if (!rows) {
        return rows.error();
    }
    return checkRows(std::move(*rows), format, file.string());
}

Result<LabelledData> readLabelledData(
    std::span<const std::filesystem::path> files, DataFormat format)
{
    LabelledData all;
    for (const std::filesystem::path& file : files) {
        auto data = readLabelledData(file, format);
        if (!data) {
            return data.error();
        }
        all.report.format = data->report.format;
        all.report.rows += data->report.rows;
        all.report.duplicates += data->report.duplicates;
        std::move(data->report.conflicts.begin(), data->report.conflicts.end(),
            std::back_inserter(all.report.conflicts));
        std::move(data->queries.begin(), data->queries.end(), std::back_inserter(all.queries));
    }
    return all;
}

} // namespace sluice
