#include "engine/classification/model/modelfile.h"
#include "engine/classification/model/scorer.h"
#include "engine/classification/text/ngrams.h"

#include <cstring>
#include <string>

using namespace sluice;

/// A model file of any bytes is refused, or can be scored with. The checksum is set right, so that
/// the fuzzer gets past it.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size)
{
    std::string bytes(reinterpret_cast<const char*>(data), size);
    if (size >= 64) {
        const std::uint64_t whole = size;
        std::memcpy(bytes.data() + 16, &whole, sizeof whole);
        const std::uint64_t checksum = wordHash(std::string_view(bytes).substr(64));
        std::memcpy(bytes.data() + 24, &checksum, sizeof checksum);
    }
    const auto file = ModelFile::fromBytes(bytes, "x");
    if (file) {
        Scorer scorer;
        const std::vector<std::string> acts{"REQUEST:city"};
        const QueryContext context{"track_parcel", "track_parcel", 2, "which city?", acts};
        scoresOf(
            scorer.score(**file, "where is my parcel?", context), (*file)->meta().calibration, 5);
    }
    return 0;
}
