#include "engine/operations/monitoring/redismonitor.h"

using namespace sluice::ops;

/// Any bytes as the answer to INFO.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size)
{
    parseRedisInfo(QByteArray(reinterpret_cast<const char*>(data), qsizetype(size)));
    return 0;
}
