#pragma once

#include <filesystem>
#include <string_view>

namespace sluice {

/// The folder of what ships with the programs (the bundled model, data set, catalogue, scenarios):
/// $SLUICE_RESOURCES, else ../share/sluice beside the running program, else /usr/share/sluice.
std::filesystem::path resourceFolder();

/// A file in it ("helpdesk.model"). It may not exist: opening it says so.
std::filesystem::path resourceFile(std::string_view name);

} // namespace sluice
