#include "app/sluicectl/command.h"
#include "engine/base/file.h"
#include "engine/classification/evaluation/importers.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <filesystem>
#include <fmt/format.h>

namespace sluice::ctl {

namespace {

struct DataArguments
{
    std::vector<std::string> files;
    std::string format = "auto";
    std::string out;
};

/// What an import finds, before anything is trained or judged on it.
int preview(const Output& output, const DataArguments& arguments)
{
    const auto format = dataFormatFromString(arguments.format);
    if (!format) {
        return output.fail(format.error());
    }
    const std::vector<std::filesystem::path> files(arguments.files.begin(), arguments.files.end());
    const auto data = readLabelledData(files, *format);
    if (!data) {
        return output.fail(data.error());
    }
    if (!arguments.out.empty()) {
        if (auto written = writeFileAtomically(arguments.out, toJsonl(data->queries)); !written) {
            return output.fail(written.error());
        }
    }
    const ImportReport& report = data->report;
    const auto outside = std::count_if(data->queries.begin(), data->queries.end(),
        [](const LabelledQuery& query) { return query.isOutOfScope(); });
    boost::json::object splits;
    std::string bySplit;
    for (const Split split :
        {Split::Train, Split::Validation, Split::Calibration, Split::Test, Split::None}) {
        const auto rows = std::count_if(data->queries.begin(), data->queries.end(),
            [&](const LabelledQuery& query) { return query.split == split; });
        const std::string name(split == Split::None ? "none" : toString(split));
        if (rows > 0) {
            splits[name] = rows;
            bySplit += fmt::format("  {} {}", name, rows);
        }
    }
    const std::string title(
        report.format == DataFormat::Auto ? "several formats" : titleOf(report.format));
    output.object({{"format", title}, {"rows", report.rows}, {"kept", data->queries.size()},
        {"intents", data->intents().size()}, {"out_of_scope", outside},
        {"duplicates", report.duplicates}, {"splits", splits},
        {"conflicts", boost::json::array(report.conflicts.begin(), report.conflicts.end())},
        {"notes", boost::json::array(report.notes.begin(), report.notes.end())}});
    output.line(fmt::format("{}: {} rows, {} intents, {} out of scope, {} duplicates left out",
        title, report.rows, data->intents().size(), outside, report.duplicates));
    output.line("splits:" + bySplit);
    for (const std::string& conflict : report.conflicts) {
        output.line("conflicting labels: " + conflict);
    }
    for (const std::string& note : report.notes) {
        output.line(note);
    }
    return 0;
}

} // namespace

void addData(CLI::App& app, Commands& commands)
{
    auto arguments = std::make_shared<DataArguments>();
    CLI::App* sub =
        commands.add(app, "data", "What is in a file of labelled queries; converts to JSON Lines",
            [&commands, arguments] { return preview(commands.output, *arguments); });
    sub->add_option("files", arguments->files, "files, zip archives or folders")->required();
    sub->add_option("--format", arguments->format, dataFormatNames())->capture_default_str();
    sub->add_option("--out", arguments->out, "writes the rows there, as JSON Lines");
}

} // namespace sluice::ctl
