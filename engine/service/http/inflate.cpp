#include "engine/service/http/inflate.h"

#include <algorithm>
#include <memory>
#include <zlib.h>

namespace sluice::service {

InflateOutcome gunzip(std::string_view packed, std::size_t limit, std::string& out)
{
    constexpr int gzipOnly = 16 + MAX_WBITS;
    z_stream stream{};
    if (::inflateInit2(&stream, gzipOnly) != Z_OK) {
        return InflateOutcome::Broken;
    }
    const std::unique_ptr<z_stream, int (*)(z_stream*)> ended(&stream, ::inflateEnd);
    // zlib takes its input as non-const, and does not write to it.
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
    stream.avail_in = uInt(packed.size());
    out.clear();
    for (;;) {
        const std::size_t had = out.size();
        // One byte above the limit tells "just as much" from "more".
        const std::size_t room =
            std::min(limit + 1 - had, std::max<std::size_t>(4 * packed.size(), 4096));
        out.resize(had + room);
        stream.next_out = reinterpret_cast<Bytef*>(out.data() + had);
        stream.avail_out = uInt(room);
        const int code = ::inflate(&stream, Z_NO_FLUSH);
        out.resize(had + room - stream.avail_out);
        if (out.size() > limit) {
            return InflateOutcome::TooLarge;
        }
        if (code == Z_STREAM_END) {
            if (stream.avail_in == 0) {
                return InflateOutcome::Done;
            }
            if (::inflateReset(&stream) != Z_OK) {
                return InflateOutcome::Broken;
            }
        } else if (code != Z_OK || (stream.avail_in == 0 && stream.avail_out > 0)) {
            return InflateOutcome::Broken;
        }
    }
}

} // namespace sluice::service
