#pragma once

#include <filesystem>
#include <string_view>

namespace sluice {

/// The folder of what ships with the programs: $SLUICE_RESOURCES where that is set, else
/// `../share/sluice` beside the running program's folder, else /usr/share/sluice.
/// (A test program in <build>/tests/bin finds <build>/share/sluice as well.)
std::filesystem::path resourceFolder();

/// `resourceFolder() / name`, for example resourceFile("helpdesk.model"). The file need not exist:
/// whoever reads it says so.
std::filesystem::path resourceFile(std::string_view name);

} // namespace sluice
