#include "app/sluicectl/labelledinput.h"

#include <filesystem>
#include <fmt/format.h>

namespace sluice::ctl {

void LabelledInput::addTo(CLI::App& app)
{
    app.add_option("--data", data, "labelled queries, as for train")->required();
    app.add_option("--format", format, dataFormatNames())->capture_default_str();
    app.add_option(
           "--split", split, "train, val, calibration or test; rows without a split belong to each")
        ->capture_default_str();
}

Result<LabelledRows> LabelledInput::read() const
{
    const auto known = dataFormatFromString(format);
    const auto part = splitFromString(split);
    if (!known || !part) {
        return !known ? known.error() : part.error();
    }
    const std::vector<std::filesystem::path> files(data.begin(), data.end());
    auto all = readLabelledData(files, *known);
    if (!all) {
        return all.error();
    }
    std::vector<LabelledQuery> queries = all->part(*part);
    if (queries.empty()) {
        return inputError(fmt::format("the data has no row of the split \"{}\"", split));
    }
    return LabelledRows{std::move(*all), std::move(queries)};
}

} // namespace sluice::ctl
