#include "engine/classification/evaluation/labelleddata.h"

#include "engine/base/file.h"
#include "engine/classification/evaluation/archiveformats.h"
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

namespace {

Result<LabelledData> readMembers(
    Result<std::vector<ArchiveMember>> members, const std::string& where)
{
    if (!members) {
        return members.error();
    }
    auto archive = readArchive(*members, where);
    if (!archive) {
        return archive.error();
    }
    auto data = checkRows(std::move(archive->rows.rows), archive->format, where);
    if (data) {
        data->report.notes = std::move(archive->rows.notes);
    }
    return data;
}

} // namespace

Result<LabelledData> readLabelledData(const std::filesystem::path& file, DataFormat format)
{
    std::error_code ignored;
    if (std::filesystem::is_directory(file, ignored)) {
        return readMembers(readFolder(file), file.string());
    }
    auto text = readFile(file, std::size_t(1) << 30);
    if (!text) {
        return text.error();
    }
    if (isZip(*text)) {
        return readMembers(readZip(*text, file.string()), file.string());
    }
    if (format == DataFormat::Auto) {
        format = sniffFormat(*text);
    }
    auto imported = importerOf(format).read(*text, file.string());
    if (!imported) {
        return imported.error();
    }
    auto data = checkRows(std::move(imported->rows), format, file.string());
    if (data) {
        data->report.notes = std::move(imported->notes);
    }
    return data;
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
        all.report.format = &file == files.data() || all.report.format == data->report.format
            ? data->report.format
            : DataFormat::Auto;
        all.report.rows += data->report.rows;
        all.report.duplicates += data->report.duplicates;
        std::move(data->report.conflicts.begin(), data->report.conflicts.end(),
            std::back_inserter(all.report.conflicts));
        std::move(data->report.notes.begin(), data->report.notes.end(),
            std::back_inserter(all.report.notes));
        std::move(data->queries.begin(), data->queries.end(), std::back_inserter(all.queries));
    }
    return all;
}

} // namespace sluice
