#pragma once

#include "engine/classification/evaluation/archive.h"

#include <string>
#include <vector>
#include <zlib.h>

namespace sluice::test {

/// A zip archive of these members, stored or deflated.
inline std::string zipFile(const std::vector<ArchiveMember>& members, bool deflated)
{
    std::string zip;
    std::string list;
    const auto number = [](std::string& to, std::size_t value, int size) {
        for (int byte = 0; byte < size; ++byte) {
            to += char(value >> (8 * byte) & 0xFF);
        }
    };
    for (const ArchiveMember& member : members) {
        std::string packed = member.content;
        if (deflated) {
            z_stream stream = {};
            deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
            std::string input = member.content;
            packed.resize(deflateBound(&stream, uLong(input.size())));
            stream.next_in = reinterpret_cast<Bytef*>(input.data());
            stream.avail_in = uInt(input.size());
            stream.next_out = reinterpret_cast<Bytef*>(packed.data());
            stream.avail_out = uInt(packed.size());
            deflate(&stream, Z_FINISH);
            packed.resize(stream.total_out);
            deflateEnd(&stream);
        }
        const std::size_t at = zip.size();
        const auto common = [&](std::string& to) {
            number(to, 20, 2); // version that unpacks it
            number(to, 0, 2);
            number(to, deflated ? 8 : 0, 2);
            number(to, 0, 4); // time and date
            number(to,
                crc32(0, reinterpret_cast<const Bytef*>(member.content.data()),
                    uInt(member.content.size())),
                4);
            number(to, packed.size(), 4);
            number(to, member.content.size(), 4);
            number(to, member.name.size(), 2);
            number(to, 0, 2);
        };
        number(zip, 0x04034b50, 4);
        common(zip);
        zip += member.name + packed;
        number(list, 0x02014b50, 4);
        number(list, 20, 2);
        common(list);
        number(list, 0, 2); // comment
        number(list, 0, 8); // disk, attributes
        number(list, at, 4);
        list += member.name;
    }
    const std::size_t at = zip.size();
    zip += list;
    number(zip, 0x06054b50, 4);
    number(zip, 0, 4);
    number(zip, members.size(), 2);
    number(zip, members.size(), 2);
    number(zip, list.size(), 4);
    number(zip, at, 4);
    number(zip, 0, 2);
    return zip;
}

} // namespace sluice::test
