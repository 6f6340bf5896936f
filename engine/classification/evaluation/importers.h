#pragma once

#include "engine/classification/evaluation/labelleddata.h"

#include <string_view>
#include <vector>

namespace sluice {

/// The format of a file's content: an object with CLINC150's parts, one JSON object a line, else
/// CSV.
DataFormat sniffFormat(std::string_view text);

/// The readers, on text; `where` begins every error message. Rows come unchecked (see
/// readLabelledData).
Result<std::vector<LabelledQuery>> readClinc(std::string_view text, std::string_view where);
Result<std::vector<LabelledQuery>> readCsv(std::string_view text, std::string_view where);
Result<std::vector<LabelledQuery>> readJsonl(std::string_view text, std::string_view where);

/// Splits RFC 4180 text into records of fields; quoted fields hold commas, newlines and doubled
/// quotes. `lines` receives the line on which each record begins.
Result<std::vector<std::vector<std::string>>> parseCsv(
    std::string_view text, std::string_view where, std::vector<int>& lines);

/// Checks text and label of every row, maps other formats' names for out of scope, drops duplicates
/// and notes conflicting labels.
Result<LabelledData> checkRows(
    std::vector<LabelledQuery> rows, DataFormat format, std::string_view where);

} // namespace sluice
