#pragma once

#include "engine/base/result.h"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

struct ArchiveMember
{
    std::string name; ///< path within the archive, with slashes: "intents/refund.json"
    std::string content;
};

/// Whether the bytes are a zip archive.
bool isZip(std::string_view bytes);

/// Unpacks a zip archive (APPNOTE 6.3; stored and deflated members, no encryption, no ZIP64) in
/// memory: nothing is written. Members' checksums are checked. Input error that begins with
/// `where`, also when all together would be larger than `maxBytes`.
Result<std::vector<ArchiveMember>> readZip(
    std::string_view bytes, std::string_view where, std::size_t maxBytes = std::size_t(1) << 28);

/// The files below a folder (.json, .jsonl, .csv, .yml, .yaml, .md, .txt and those without an
/// ending), sorted by name, as an unpacked archive. Links are not followed.
Result<std::vector<ArchiveMember>> readFolder(
    const std::filesystem::path& folder, std::size_t maxBytes = std::size_t(1) << 28);

} // namespace sluice
