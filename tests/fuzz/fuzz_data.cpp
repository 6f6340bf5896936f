#include "engine/classification/evaluation/archiveformats.h"
#include "engine/classification/evaluation/importers.h"

#include <cstdlib>

using namespace sluice;

namespace {

void check(std::vector<LabelledQuery> rows, DataFormat format)
{
    for (const LabelledQuery& row : rows) {
        for (const Entity& entity : row.entities) {
            // Bytes are given for those whose place the reader found itself.
            if (entity.span.byteEnd > row.text.size()
                || entity.span.byteBegin > entity.span.byteEnd) {
                std::abort();
            }
        }
    }
    const auto checked = checkRows(std::move(rows), format, "x");
    if (checked) {
        for (const LabelledQuery& query : checked->queries) {
            if (query.text.empty() || query.intent.empty()) {
                std::abort();
            }
        }
    }
}

} // namespace

/// Every reader and the row check, on any bytes; what is taken is fit to be trained on.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size)
{
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    sniffFormat(text);
    for (const Importer& importer : importers()) {
        if (auto read = importer.read(text, "x_usersays_en.json")) {
            check(std::move(read->rows), importer.format);
        }
    }
    if (const auto members = readZip(text, "x", std::size_t(1) << 20)) {
        if (auto archive = readArchive(*members, "x")) {
            check(std::move(archive->rows.rows), archive->format);
        }
    }
    return 0;
}
