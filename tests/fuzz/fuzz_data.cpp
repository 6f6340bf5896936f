#include "engine/classification/evaluation/importers.h"

#include <cstdlib>

using namespace sluice;

/// The three readers and the row check, on any bytes; what is taken is fit to be trained on.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size)
{
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    sniffFormat(text);
    for (auto* reader : {readClinc, readCsv, readJsonl}) {
        auto rows = reader(text, "x");
        if (!rows) {
            continue;
        }
        const DataFormat format = reader == readClinc ? DataFormat::Clinc
            : reader == readCsv                       ? DataFormat::Csv
                                                      : DataFormat::Jsonl;
        const auto checked = checkRows(std::move(*rows), format, "x");
        if (checked) {
            for (const LabelledQuery& query : checked->queries) {
                if (query.text.empty() || query.intent.empty()) {
                    std::abort();
                }
            }
        }
    }
    return 0;
}
