#pragma once

#include "engine/base/result.h"

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace sluice {

/// The whole file, at most `maxBytes`; Input error naming the path when it can't be read or is
/// larger.
Result<std::string> readFile(
    const std::filesystem::path& path, std::size_t maxBytes = std::size_t(1) << 31);

/// Writes to a temporary file beside `path`, syncs it, and renames it over `path`: a reader sees
/// the old content or the new, never half of one. `privateMode` makes the file readable by its
/// owner only (0600).
Result<void> writeFileAtomically(
    const std::filesystem::path& path, std::string_view content, bool privateMode = false);

/// Makes the folder where it is missing and proves that a file can be written in it: to be called
/// before long work whose result lands there.
Result<void> ensureWritableFolder(const std::filesystem::path& folder);

} // namespace sluice
