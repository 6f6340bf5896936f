#include "engine/classification/model/wordvectors.h"

#include <cstdlib>
#include <fcntl.h>
#include <fmt/format.h>
#include <string>
#include <sys/mman.h>
#include <unistd.h>
#include <unordered_set>

using namespace sluice;

/// A file of word vectors of any bytes is refused with a reason, or gives rows of one length, whose
/// words are all different.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size)
{
    static const int fd = ::memfd_create("vectors", 0);
    static const std::string path = fmt::format("/proc/self/fd/{}", fd);
    if (fd < 0 || ::ftruncate(fd, 0) != 0 || ::pwrite(fd, data, size, 0) != ssize_t(size)) {
        std::abort();
    }
    auto vectors = readWordVectors(path, {"parcel"}, 3);
    if (!vectors) {
        if (vectors.error().message.find(path) == std::string::npos) {
            std::abort();
        }
        return 0;
    }
    if (vectors->size() == 0 || vectors->values.size() != vectors->size() * vectors->dimension
        || vectors->ranks.size() != vectors->size()
        || std::unordered_set<std::string>(vectors->words.begin(), vectors->words.end()).size()
            != vectors->size()) {
        std::abort();
    }
    postProcess(*vectors);
    return 0;
}
