#include "engine/classification/evaluation/archive.h"

#include "engine/base/file.h"

#include <algorithm>
#include <cstdint>
#include <fmt/format.h>
#include <zlib.h>

namespace sluice {

namespace {

constexpr std::size_t mostMembers = 100000;
constexpr std::uint32_t endSignature = 0x06054b50;
constexpr std::uint32_t centralSignature = 0x02014b50;
constexpr std::uint32_t localSignature = 0x04034b50;
constexpr std::size_t endSize = 22;
constexpr std::size_t centralSize = 46;
constexpr std::size_t localSize = 30;

/// Little-endian numbers at a place that was checked to be there.
std::uint32_t number(std::string_view bytes, std::size_t at, int size)
{
    std::uint32_t value = 0;
    for (int byte = size - 1; byte >= 0; --byte) {
        value = value << 8 | static_cast<unsigned char>(bytes[at + std::size_t(byte)]);
    }
    return value;
}

/// Inflates a raw deflate stream of a known size; false: it is damaged or of another size.
bool inflateTo(std::string_view packed, std::string& content)
{
    z_stream stream = {};
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) {
        return false;
    }
    std::string input(packed); // zlib's pointer to its input is not const
    stream.next_in = reinterpret_cast<Bytef*>(input.data());
    stream.avail_in = uInt(input.size());
    Bytef none = 0;
    stream.next_out = content.empty() ? &none : reinterpret_cast<Bytef*>(content.data());
    stream.avail_out = uInt(content.size());
    const int end = inflate(&stream, Z_FINISH);
    const bool whole = end == Z_STREAM_END && stream.avail_out == 0;
    inflateEnd(&stream);
    return whole;
}

bool isText(const std::filesystem::path& path)
{
    const std::string ending = path.extension().string();
    return ending.empty() || ending == ".json" || ending == ".jsonl" || ending == ".csv"
        || ending == ".yml" || ending == ".yaml" || ending == ".md" || ending == ".txt";
}

} // namespace

bool isZip(std::string_view bytes)
{
    return bytes.starts_with("PK\x03\x04") || bytes.starts_with("PK\x05\x06");
}

Result<std::vector<ArchiveMember>> readZip(
    std::string_view bytes, std::string_view where, std::size_t maxBytes)
{
    const auto damaged = [&](std::string_view what) {
        return inputError(fmt::format("{}: the zip archive is damaged: {}", where, what));
    };
    // The end record stands last, but for a comment of at most 65,535 bytes.
    std::size_t end = std::string_view::npos;
    for (std::size_t back = endSize; back <= std::min(bytes.size(), endSize + 65535); ++back) {
        if (number(bytes, bytes.size() - back, 4) == endSignature) {
            end = bytes.size() - back;
            break;
        }
    }
    if (end == std::string_view::npos) {
        return damaged("its list of members is missing");
    }
    const std::size_t count = number(bytes, end + 10, 2);
    std::size_t at = number(bytes, end + 16, 4);
    if (count > mostMembers) {
        return damaged("too many members");
    }
    std::vector<ArchiveMember> members;
    std::size_t total = 0;
    for (std::size_t index = 0; index < count; ++index) {
        if (at > bytes.size() || bytes.size() - at < centralSize
            || number(bytes, at, 4) != centralSignature) {
            return damaged("its list of members is cut off");
        }
        const std::uint32_t flags = number(bytes, at + 8, 2);
        const std::uint32_t method = number(bytes, at + 10, 2);
        const std::uint32_t checksum = number(bytes, at + 16, 4);
        const std::size_t packed = number(bytes, at + 20, 4);
        const std::size_t size = number(bytes, at + 24, 4);
        const std::size_t nameSize = number(bytes, at + 28, 2);
        const std::size_t extra = number(bytes, at + 30, 2) + number(bytes, at + 32, 2);
        const std::size_t local = number(bytes, at + 42, 4);
        if (bytes.size() - at < centralSize + nameSize + extra) {
            return damaged("its list of members is cut off");
        }
        ArchiveMember member;
        member.name = bytes.substr(at + centralSize, nameSize);
        at += centralSize + nameSize + extra;
        if (member.name.ends_with('/')) {
            continue;
        }
        const auto wrong = [&](std::string_view what) {
            return inputError(fmt::format("{}: {}: {}", where, member.name, what));
        };
        if ((flags & 1U) != 0) {
            return wrong("it is encrypted: unpack the archive and give its folder");
        }
        if (method != 0 && method != 8) {
            return wrong("its compression is not known: unpack the archive and give its folder");
        }
        total += size;
        if (total > maxBytes) {
            return inputError(fmt::format(
                "{}: unpacked it is larger than {} MiB", where, maxBytes / (1024 * 1024)));
        }
        if (local > bytes.size() || bytes.size() - local < localSize
            || number(bytes, local, 4) != localSignature) {
            return wrong("damaged: it is not where the list says");
        }
        const std::size_t begin =
            local + localSize + number(bytes, local + 26, 2) + number(bytes, local + 28, 2);
        if (begin > bytes.size() || bytes.size() - begin < packed || (method == 0 && packed != size)
            || packed > UINT32_MAX - 1) {
            return wrong("damaged: it is cut off");
        }
        const std::string_view stored = bytes.substr(begin, packed);
        if (method == 0) {
            member.content = stored;
        } else {
            member.content.resize(size);
            if (!inflateTo(stored, member.content)) {
                return wrong("damaged: it can't be unpacked");
            }
        }
        if (crc32(0, reinterpret_cast<const Bytef*>(member.content.data()),
                uInt(member.content.size()))
            != checksum) {
            return wrong("damaged: its checksum is another");
        }
        members.push_back(std::move(member));
    }
    return members;
}

Result<std::vector<ArchiveMember>> readFolder(
    const std::filesystem::path& folder, std::size_t maxBytes)
{
    std::vector<ArchiveMember> members;
    std::size_t total = 0;
    std::error_code error;
    std::filesystem::recursive_directory_iterator entries(folder, error);
    for (; !error && entries != std::filesystem::recursive_directory_iterator();
         entries.increment(error)) {
        if (!entries->is_regular_file() || entries->is_symlink() || !isText(entries->path())) {
            continue;
        }
        auto content = readFile(entries->path(), maxBytes);
        if (!content) {
            return content.error();
        }
        total += content->size();
        if (total > maxBytes || members.size() == mostMembers) {
            return inputError(fmt::format("{}: the files in it are larger than {} MiB: name those "
                                          "that hold labelled queries",
                folder.string(), maxBytes / (1024 * 1024)));
        }
        members.push_back(
            {entries->path().lexically_relative(folder).generic_string(), std::move(*content)});
    }
    if (error) {
        return inputError(folder.string() + ": can't be read", error.message());
    }
    std::sort(members.begin(), members.end(),
        [](const ArchiveMember& a, const ArchiveMember& b) { return a.name < b.name; });
    return members;
}

} // namespace sluice
