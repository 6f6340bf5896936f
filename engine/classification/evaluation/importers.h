#pragma once

#include "engine/classification/evaluation/foreignformats.h"
#include "engine/classification/evaluation/labelleddata.h"

#include <span>
#include <string_view>
#include <vector>

namespace sluice {

/// A format of one file: its name for the command line, what a person calls it, and its reader.
struct Importer
{
    DataFormat format = DataFormat::Auto;
    std::string_view name;
    std::string_view title;
    FormatReader read = nullptr;
};
std::span<const Importer> importers();
/// `format` is not Auto.
const Importer& importerOf(DataFormat format);

/// The format of a file's content, by what only that format has; where nothing speaks for another,
/// what begins with a brace is JSON Lines, the rest CSV.
DataFormat sniffFormat(std::string_view text);

/// Other formats' names for out of scope (None, null, "" ...) become ours. JSON Lines have ours.
void mapOutOfScope(std::vector<LabelledQuery>& rows, DataFormat format);

/// The readers, on text; `where` begins every error message. Rows come unchecked (see
/// readLabelledData).
Result<std::vector<LabelledQuery>> readClinc(std::string_view text, std::string_view where);
Result<std::vector<LabelledQuery>> readCsv(std::string_view text, std::string_view where);
Result<std::vector<LabelledQuery>> readJsonl(std::string_view text, std::string_view where);

/// Rows as our JSON Lines, a conversation's turns on one line; readJsonl() gives the same rows
/// back, but for their lines. The texts must be valid UTF-8.
std::string toJsonl(std::span<const LabelledQuery> rows);

/// Splits RFC 4180 text into records of fields; quoted fields hold commas, newlines and doubled
/// quotes. `lines` receives the line on which each record begins.
Result<std::vector<std::vector<std::string>>> parseCsv(
    std::string_view text, std::string_view where, std::vector<int>& lines);

/// Checks text and label of every row, maps other formats' names for out of scope (`format` Auto:
/// that was done), drops duplicates and notes conflicting labels.
Result<LabelledData> checkRows(
    std::vector<LabelledQuery> rows, DataFormat format, std::string_view where);

} // namespace sluice
